import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { agent } from '../../actors/agent.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import { DEFERRALS_MAX, DEFERRED_MAX } from '../../src/kernel/deferred.ts'
import type { Kernel } from '../../src/kernel/system.ts'
import { defer, reply } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, until, valueOf } from '../support/running.ts'

/** Takes orders only while it is open; those that come before wait. */
const shop = (bug = { isThere: false }) =>
  setup({
    types: {
      context: {} as { taken: unknown[] },
      events: {} as
        { type: 'order'; n: number } | { type: 'open' | 'close' | 'look' | 'get' | 'end' },
    },
    actions: {
      take: assign(({ context, event }) => {
        if (bug.isThere && 'n' in event && event.n === 2) throw new Error('cannot take it')
        return { taken: [...context.taken, 'n' in event && event.n] }
      }),
      answer: reply(({ event }) => ({ type: 'taken', n: 'n' in event && event.n })),
    },
  }).createMachine({
    id: 'shop',
    context: { taken: [] },
    initial: 'closed',
    on: {
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.taken })) },
      end: '.over',
    },
    states: {
      closed: { on: { order: { actions: defer() }, open: 'open', look: 'looking' } },
      looking: { on: { order: { actions: defer() }, open: 'open' } },
      open: { on: { order: { actions: ['take', 'answer'] }, close: 'closed' } },
      over: { type: 'final' },
    },
  })

const get = { type: 'get' }
const order = (n: number) => ({ type: 'order', n })
const rowsOf = (kernel: Kernel) =>
  [...kernel.rows('/a').keys()].filter((key) => key.startsWith('~deferred:'))

async function dispositions(kernel: Kernel): Promise<string[]> {
  const turns = await kernel.session.history({ address: '/a' })
  return turns.flatMap(({ record }) => {
    const { disposition, message } = JSON.parse(record) as {
      disposition: string
      message: { type: string }
    }
    return message.type === 'order' ? [disposition] : []
  })
}

describe('deferred messages', () => {
  test.each<Durability>(['none', 'async', 'sync'])(
    'O1 a message that is deferred is taken after the next change of state, before what waits (%s)',
    async (durability) => {
      const { kernel, settle } = await run([actor('a', shop(), { durability })])
      const ref = kernel.ref('/a')
      for (const n of [1, 2, 3]) ref.send(order(n))
      await settle()
      expect(await valueOf(kernel, '/a', get)).toEqual([])
      ref.send({ type: 'open' })
      for (const n of [4, 5]) ref.send(order(n))
      await settle()
      expect(await valueOf(kernel, '/a', get)).toEqual([1, 2, 3, 4, 5])
      expect(rowsOf(kernel)).toEqual([])
      await kernel.stop()
    },
  )

  test('O1 an agent may defer, and what changes only the context wakes nothing', async () => {
    const { kernel, settle } = await run([agent('a', shop())])
    kernel.ref('/a').send(order(1))
    kernel.ref('/a').send(get)
    await settle()
    expect(await dispositions(kernel)).toEqual(['deferred'])
    await kernel.stop()
  })

  test('O2 the turn says so in its record, and a question that is deferred is answered later', async () => {
    const { kernel, settle } = await run([actor('a', shop())])
    const answer = kernel.ref('/a').ask(order(1))
    await settle()
    kernel.ref('/a').send({ type: 'open' })
    await settle()
    expect(await answer).toMatchObject({ type: 'taken', n: 1 })
    expect(await dispositions(kernel)).toEqual(['deferred', 'processed'])
    await kernel.stop()
  })

  test('O3 what is deferred again keeps its order', async () => {
    const { kernel, settle } = await run([actor('a', shop())])
    const ref = kernel.ref('/a')
    for (const n of [1, 2]) ref.send(order(n))
    ref.send({ type: 'look' })
    for (const n of [3, 4]) ref.send(order(n))
    ref.send({ type: 'open' })
    ref.send(order(5))
    await settle()
    expect(await valueOf(kernel, '/a', get)).toEqual([1, 2, 3, 4, 5])
    await kernel.stop()
  })

  test.each(['before the state changes', 'after it'])(
    'O4 a crash %s takes nothing, and nothing is taken twice',
    async (when) => {
      const journal = faultyJournal()
      const bug = { isThere: when === 'after it' }
      const first = await run([actor('a', shop(bug))], { journal })
      for (const n of [1, 2, 3]) void first.kernel.ref('/a').deliver(order(n), { id: `o-${n}` })
      await first.rest()
      if (bug.isThere) {
        first.kernel.ref('/a').send({ type: 'open' })
        // It fails at the second, and dies before it is up again.
        await until(() => rowsOf(first.kernel).length < 3)
      }
      await journal.crash()
      bug.isThere = false
      const second = await run([actor('a', shop(bug))], { journal })
      await second.settle()
      expect(await second.kernel.ref('/a').deliver(order(1), { id: 'o-1' })).toBe('duplicate')
      second.kernel.ref('/a').send({ type: 'open' })
      await second.settle()
      expect(await valueOf(second.kernel, '/a', get)).toEqual([1, 2, 3])
      await second.kernel.stop()
    },
  )

  test('O4 a failure among them restarts the actor, and the rest come in their order', async () => {
    const { kernel, settle } = await run([actor('a', shop({ isThere: true }))])
    for (const n of [1, 2, 3]) kernel.ref('/a').send(order(n))
    kernel.ref('/a').send({ type: 'open' })
    kernel.ref('/a').send(order(4))
    await settle()
    expect(await valueOf(kernel, '/a', get)).toEqual([1, 3, 4])
    expect(await kernel.parking.list()).toMatchObject([{ message: { body: order(2) } }])
    await kernel.stop()
  })

  test('O4 a commit that fails takes nothing of it', async () => {
    const journal = faultyJournal()
    const { kernel, settle } = await run([actor('a', shop())], { journal })
    for (const n of [1, 2, 3]) kernel.ref('/a').send(order(n))
    await settle()
    let failures = 2
    journal.beforeCommit = () => {
      if (failures-- > 0) throw new Error('full')
    }
    kernel.ref('/a').send({ type: 'open' })
    kernel.ref('/a').send(order(4))
    await settle()
    expect(await valueOf(kernel, '/a', get)).toEqual([1, 2, 3, 4])
    await kernel.stop()
  })

  test('O5 one more than an actor keeps is parked with the reason', async () => {
    const { kernel, settle } = await run([actor('a', shop())])
    for (let n = 1; n <= DEFERRED_MAX + 1; n++) {
      kernel.ref('/a').send(order(n))
      if (n % 500 === 0) await settle()
    }
    await settle()
    expect(rowsOf(kernel)).toHaveLength(DEFERRED_MAX)
    const [parked, ...more] = await kernel.parking.list()
    expect(more).toEqual([])
    expect(parked?.error.message).toMatch(/1024 messages are deferred already/)
    kernel.ref('/a').send({ type: 'open' })
    await settle()
    await kernel.parking.settle('retry', '/a', parked?.id ?? '', { by: 'ops' })
    await settle()
    const taken = (await valueOf(kernel, '/a', get)) as number[]
    expect([taken.length, taken.at(-1)]).toEqual([DEFERRED_MAX + 1, DEFERRED_MAX + 1])
    await kernel.stop()
  })

  test('O5 a message that no state wants is parked in the end', async () => {
    const restless = setup({}).createMachine({
      id: 'restless',
      initial: 'one',
      states: {
        one: { on: { order: { target: 'two', actions: defer() } } },
        two: { on: { order: { target: 'one', actions: defer() } } },
      },
    })
    const { kernel, settle } = await run([actor('a', restless)])
    kernel.ref('/a').send(order(1))
    await settle()
    const [parked] = await kernel.parking.list()
    expect(parked?.error.message).toContain(`Deferred ${DEFERRALS_MAX} times`)
    await kernel.stop()
  })

  test('O6 what an actor that ends had deferred is a dead letter', async () => {
    const { kernel, settle } = await run([actor('a', shop())])
    for (const n of [1, 2]) kernel.ref('/a').send(order(n))
    kernel.ref('/a').send({ type: 'end' })
    await settle()
    const letters = kernel.deadLetters.list().map(({ message, reason }) => [message.body.n, reason])
    expect(letters).toEqual([
      [1, 'stopped'],
      [2, 'stopped'],
    ])
    await kernel.stop()
  })

  test('O7 an end or a delayed event of its own cannot be deferred', async () => {
    const machine = setup({}).createMachine({
      id: 'waiting',
      initial: 'waiting',
      states: { waiting: { after: { 10: { actions: defer() } } } },
    })
    const { kernel, clock, settle } = await run([actor('a', machine)])
    clock.advance(10)
    await settle()
    const [parked] = await kernel.parking.list()
    expect(parked?.type).toBe('ambit.timer')
    await kernel.stop()
  })
})
