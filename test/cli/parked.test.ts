import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import { startApi } from '../../src/cli/api.ts'
import { leaveAddress, newToken, removeAddress } from '../../src/cli/connection.ts'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { runCli, temporaryFolder } from '../support/desk-process.ts'
import { waitFor } from '../wait-for.ts'

const desk = (bug: { isThere: boolean }) =>
  setup({ types: { context: {} as { done: number } } }).createMachine({
    id: 'desk',
    context: { done: 0 },
    initial: 'open',
    on: {
      order: {
        actions: assign(({ context }) => {
          if (bug.isThere) throw new Error('cannot order')
          return { done: context.done + 1 }
        }),
      },
    },
    states: { open: { on: { close: 'closed' } }, closed: { type: 'final' } },
  })

const start = async (folder: string, bug: { isThere: boolean }) => {
  // So short a period that no restart waits for another.
  const root = supervisor({ periodMs: 1, children: [actor('desk', desk(bug))] })
  const system = createSystem({ root, journal: sqliteJournal(folder) })
  await system.start()
  return system
}

const json = async (...args: string[]) => {
  const { code, out, err } = await runCli('parked', ...args, '--json')
  return { code, err, value: (out === '' ? {} : JSON.parse(out)) as Record<string, unknown> }
}

test('U9 the command line lists, retries and discards, with a system running and without', async () => {
  const folder = temporaryFolder()
  const bug = { isThere: true }
  const at = ['--journal', folder]
  const first = await start(folder, bug)
  const ids = ['m-1', 'm-2', 'm-3', 'm-4']
  for (const id of ids) await first.ref('/desk').deliver({ type: 'order' }, { id })
  const token = newToken()
  const api = await startApi({ system: first, token, port: 0, routes: [], summary: () => null })
  leaveAddress(folder, { url: api.url, token, pid: process.pid })
  expect((await json('list', ...at)).value.parked).toMatchObject(
    ids.map((id) => ({ address: '/desk', id, type: 'order' })),
  )
  bug.isThere = false
  expect((await json('retry', '/desk', 'm-1', '--by', 'ann', ...at)).value).toMatchObject({
    status: 'retried',
    message: 'm-1',
  })
  const again = await json('retry', '/desk', 'm-1', ...at)
  expect([again.code, again.err]).toEqual([3, expect.stringContaining('no parked message "m-1"')])
  await first.atRest()
  await api.close()
  await first.stop()
  removeAddress(folder)

  // With nobody there the order waits in the journal.
  const reason = ['--by', 'bob', '--reason', 'a joke']
  expect((await json('retry', '/desk', 'm-2', ...at)).value.status).toBe('waiting')
  expect((await json('discard', '/desk', 'm-3', ...reason, ...at)).value.status).toBe(
    'waitingToBeDiscarded',
  )
  const second = await start(folder, bug)
  await waitFor(async () => (await second.parked()).length === 1, { what: 'the orders' })
  expect(second.ref('/desk').getSnapshot()).toMatchObject({ context: { done: 2 } })
  second.ref('/desk').send({ type: 'close' })
  await second.atRest()
  await second.stop()

  // What has ended takes nothing more, but can be cleared.
  const ended = await json('retry', '/desk', 'm-4', ...at)
  expect([ended.code, ended.err]).toEqual([1, expect.stringContaining('has ended')])
  expect((await json('discard', '/desk', 'm-4', ...reason, ...at)).value.status).toBe('discarded')
  expect((await json('list', ...at)).value).toEqual({ parked: [] })
  const log = await runCli('log', 'show', ...at)
  expect(log.out).toContain('"m-3","by":"bob","reason":"a joke"')
  expect((await runCli('log', 'verify', ...at)).code).toBe(0)
})

test.each([
  [['retry', 'desk', 'm-1'], 2, 'Expected an address such as'],
  [['retry', '/desk', 'm-1', '--by', ''], 2, '--by'],
  [['discard', '/desk'], 2, "missing required argument 'id'"],
  [['discard', '/desk', 'm-1', '--journal', '/nowhere/at/all'], 3, 'There is no journal'],
])('U9 `ambit parked %j` ends with %i and the remedy', async (args, code, says) => {
  const ended = await runCli('parked', ...args)
  expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(says)])
})
