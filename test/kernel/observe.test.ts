import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { silentLogger } from '../../src/kernel/ports/logger.ts'
import { observe, reply } from '../../src/logic/actions.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { run, until, valueOf } from '../support/running.ts'

const watched = (run: () => unknown) =>
  setup({ types: { context: {} as { count: number } } }).createMachine({
    id: 'watched',
    context: { count: 0 },
    on: {
      add: {
        actions: [observe(run), assign({ count: ({ context }) => context.count + 1 })],
      },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
    },
  })

test.each([
  ['throws', () => thrown()],
  ['rejects', () => Promise.reject(new Error('no'))],
])('F6 an observe action that %s is logged and changes nothing', async (_, look) => {
  const warnings: string[] = []
  const logger = {
    ...silentLogger,
    warn: (_fields: object, message: string) => void warnings.push(message),
    child: () => logger,
  }
  const { kernel, rest } = await run([actor('p', watched(look))], { logger })
  kernel.ref('/p').send({ type: 'add' })
  await rest()
  await until(() => warnings.length > 0)
  expect(warnings).toEqual(['an observe(...) action failed'])
  expect(await valueOf(kernel, '/p', { type: 'get' })).toBe(1)
  await kernel.stop()
})

test('F6 an observe action runs once, after the commit that is made', async () => {
  const journal = faultyJournal()
  const stored: number[] = []
  let commits = 0
  journal.afterCommit = () => {
    commits++
  }
  const { kernel, settle } = await run(
    [
      actor(
        'p',
        watched(() => stored.push(commits)),
      ),
    ],
    {
      journal,
    },
  )
  journal.beforeCommit = failing(1)
  kernel.ref('/p').send({ type: 'add' })
  await settle()
  expect(stored).toEqual([2])
  await kernel.stop()
})

test('F6 what an observer throws changes nothing', async () => {
  const observers = [{ onTurn: thrown, onExit: thrown, onRestart: thrown, onDeadLetter: thrown }]
  const { kernel, rest } = await run(
    [
      actor(
        'p',
        watched(() => 0),
      ),
    ],
    { observers },
  )
  kernel.ref('/p').send({ type: 'add' })
  kernel.ref('/nobody').send({ type: 'add' })
  await rest()
  expect(await valueOf(kernel, '/p', { type: 'get' })).toBe(1)
  await kernel.stop()
})

function thrown(): never {
  throw new Error('an observer failed')
}
