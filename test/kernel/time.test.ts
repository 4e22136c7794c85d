import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, valueOf } from '../support/running.ts'

const witness = setup({ types: { context: {} as { seen: number[] } } }).createMachine({
  id: 'witness',
  context: { seen: [] },
  on: {
    look: { actions: assign({ seen: ({ context }) => [...context.seen, thisTurn().now] }) },
    get: { actions: reply(({ context }) => ({ type: 'seen', value: context.seen })) },
  },
})

describe('time', () => {
  test('T12 a clock that is set back sets no actor back, also not over a restart', async () => {
    const journal = faultyJournal()
    const first = await run([actor('witness', witness)], { journal })
    const { clock } = first
    const began = clock.now()
    const look = async (at: number, { kernel, rest } = first) => {
      clock.turnTo(at)
      kernel.ref('/witness').send({ type: 'look' })
      await rest()
    }
    await look(began + 100)
    await look(began - 5000)
    await first.kernel.stop()
    const second = await run([actor('witness', witness)], { journal, clock })
    await look(began - 9000, second)
    await look(began + 200, second)
    const seen = await valueOf(second.kernel, '/witness', { type: 'get' })
    expect(seen).toEqual([began + 100, began + 100, began + 100, began + 200])
    await second.kernel.stop()
  })

  test('T7 a message past its deadline is a dead letter and no work is done for it', async () => {
    const { kernel, clock, rest } = await run([actor('witness', witness)])
    const ref = kernel.ref('/witness')
    const deadline = clock.now() + 10
    ref.send({ type: 'look' }, { deadline })
    clock.advance(11)
    ref.send({ type: 'look' }, { deadline: clock.now() })
    await rest()
    expect(kernel.deadLetters.list()).toMatchObject([
      { reason: 'expired', message: { type: 'look', headers: { deadline } } },
    ])
    expect(await valueOf(kernel, '/witness', { type: 'get' })).toEqual([clock.now()])
    await kernel.stop()
  })
})
