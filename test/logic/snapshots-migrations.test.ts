import {
  actor,
  effect,
  pool,
  supervisor,
  type MigratedState,
  type Migration,
  type StoredActor,
} from 'ambit'
import { beforeEach, describe, expect, test } from 'vitest'
import { assign, setup, type AnyActorLogic } from 'xstate'
import { rejection } from '../support/refusal.ts'
import { type Past, pastOf, pasts, shown } from './by-hand.ts'

let works = 0
let open: (value: string) => void = () => undefined

beforeEach(() => {
  works = 0
})

const work = effect(
  () => {
    works++
    return new Promise<string>((resolve) => (open = resolve))
  },
  { idempotent: true },
)

const first = setup({
  types: { context: {} as { count: number } },
  actors: { work },
  actions: { count: assign({ count: ({ context }) => context.count + 1 }) },
}).createMachine({
  id: 'shop',
  version: '1',
  context: { count: 0 },
  initial: 'shut',
  invoke: { src: 'work', id: 'work' },
  states: {
    shut: { on: { enter: { target: 'busy', actions: 'count' } }, after: { 1000: 'open' } },
    busy: { on: { leave: 'shut' } },
    open: {},
  },
})

/** `count` is a list now, and `busy` is called `serving`. */
const third = setup({
  types: { context: {} as { visits: { n: number }; done: string | null } },
  actors: { work },
}).createMachine({
  id: 'shop',
  version: '3',
  context: { visits: { n: 0 }, done: null },
  initial: 'shut',
  invoke: {
    src: 'work',
    id: 'work',
    onDone: { actions: assign({ done: ({ event }) => event.output }) },
  },
  states: {
    shut: { on: { enter: 'serving' }, after: { 1000: 'open' } },
    serving: { on: { leave: 'shut' } },
    open: { tags: ['open'] },
  },
})

const toSecond: Migration = {
  from: '1',
  to: '2',
  migrate: ({ value, context }) => ({
    value: value === 'busy' ? 'serving' : value,
    context: { total: (context as { count: number }).count },
  }),
}
const toThird: Migration = {
  from: '2',
  to: '3',
  migrate: ({ value, context }) => ({
    value,
    context: { visits: { n: (context as { total: number }).total }, done: null },
  }),
}
const chain = [toThird, toSecond]

async function stored({ journal }: Past, address = '/it'): Promise<StoredActor | undefined> {
  const session = await journal.open()
  const found = await session.load(address)
  await session.close()
  return found
}

describe.each(pasts)('after a $ending over a $journal journal', ({ journal, ending: how }) => {
  const old = async (machine: AnyActorLogic = first, ...events: string[]) => {
    const past = pastOf(journal, how, actor('it', machine))
    const life = await past.begin()
    for (const type of events) await life.send(type)
    await past.end()
    return past
  }
  const now = actor('it', third, { migrations: chain })

  test('S4 a chain of migrations gives a renamed state and another context', async () => {
    const past = await old(first, 'enter')
    const { ref, send } = await past.begin(now)
    expect(shown(ref)).toMatchObject({
      value: 'serving',
      context: { visits: { n: 1 }, done: null },
      status: 'active',
    })
    await send('leave')
    expect(shown(ref).value).toBe('shut')
  })

  test('S4 timers and invocations that still exist go on', async () => {
    const past = await old()
    const after = await past.begin(now, 600)
    expect(works).toBe(2)
    await after.advance(399)
    expect(shown(after.ref).value).toBe('shut')
    await after.advance(1)
    expect(shown(after.ref).value).toBe('open')
    open('at last')
    await after.settle()
    expect(shown(after.ref).context.done).toBe('at last')
  })

  test('S4 what is stored stays as it was until the next turn', async () => {
    const past = await old(first, 'enter')
    const before = await stored(past)
    await past.begin(now)
    await past.end()
    expect(await stored(past)).toEqual(before)
    const { send } = await past.begin(now)
    await send('leave')
    await past.end()
    const snapshot = (await stored(past))?.snapshot as unknown as {
      machine: { version: string }
      state: { root: MigratedState }
    }
    expect(snapshot.machine.version).toBe('3')
    expect(snapshot.state.root).toMatchObject({ value: 'shut', context: { visits: { n: 1 } } })
    // It needs no migration any more.
    const after = await past.begin(actor('it', third))
    expect(shown(after.ref)).toMatchObject({ value: 'shut' })
  })

  const refusedWith = async (past: Past, spec = now) => {
    const before = await stored(past)
    const error = await rejection(past.make(spec).system.start())
    expect(await stored(past)).toEqual(before)
    // The machine that stored it still takes it up.
    return error
  }

  test('S5 a version that no migration leads on from is refused, with both versions', async () => {
    const past = await old()
    const error = await refusedWith(past, actor('it', third, { migrations: [toThird] }))
    expect(error.code).toBe('AMBIT_MACHINE_CHANGED')
    expect(error.message).toMatch(/"shop" version "1".*"shop" version "3"/)
    expect(shown((await past.begin()).ref).value).toBe('shut')
  })

  test('M4 another structure under the same version is refused', async () => {
    const past = await old()
    const other = setup({ actors: { work } }).createMachine({
      id: 'shop',
      version: '1',
      initial: 'shut',
      invoke: { src: 'work', id: 'work' },
      states: { shut: {}, other: {} },
    })
    const loop = { from: '1', to: '1', migrate: (state: MigratedState) => state }
    const error = await refusedWith(past, actor('it', other, { migrations: [loop] }))
    expect([error.code, error.message.includes('version "1"')]).toEqual([
      'AMBIT_MACHINE_CHANGED',
      true,
    ])
  })

  test('S5 an invocation that no longer exists is refused by its name', async () => {
    const past = await old()
    const without = setup({}).createMachine({
      id: 'shop',
      version: '3',
      context: { visits: { n: 0 } },
      initial: 'shut',
      states: { shut: {}, serving: {}, open: {} },
    } as never)
    const error = await refusedWith(past, actor('it', without, { migrations: chain }))
    expect([error.code, error.message.includes('"work"')]).toEqual(['AMBIT_MACHINE_CHANGED', true])
  })

  const broken: { name: string; migrate: (state: MigratedState) => unknown; says: string }[] = [
    { name: 'throws', migrate: () => fail('lost the map'), says: 'lost the map' },
    { name: 'returns nothing', migrate: () => undefined, says: 'must return { value, context }' },
    { name: 'returns no context', migrate: () => ({ value: 'shut' }), says: 'must return' },
    {
      name: 'returns a Date',
      migrate: () => ({ value: 'shut', context: { at: new Date(0) } }),
      says: 'migrated state.context.at',
    },
    {
      name: 'names a state that is not there',
      migrate: () => ({ value: 'gone', context: { visits: { n: 1 }, done: null } }),
      says: 'gone',
    },
  ]
  const leading = (migrate: (state: MigratedState) => unknown): Migration => ({
    from: '1',
    to: '3',
    migrate: migrate as Migration['migrate'],
  })

  test.each(broken)(
    'S5 one that $name makes the start fail, and nothing is stored',
    async (row) => {
      const past = await old()
      const spec = actor('it', third, { migrations: [leading(row.migrate)] })
      const error = await refusedWith(past, spec)
      expect(`${error.message} ${String((error.cause as Error | undefined)?.message)}`).toContain(
        row.says,
      )
    },
  )

  test.each(broken)(
    'S5 one that $name quarantines a member of a pool with an alarm',
    async (row) => {
      const shops = (machine: AnyActorLogic, migrations: Migration[] = []) =>
        supervisor({ children: [pool('shops', actor('shop', machine, { migrations }))] })
      const past = pastOf(journal, how, shops(first))
      const life = await past.begin()
      life.system.ref('/shops/a').send({ type: 'enter' })
      await life.settle()
      await past.end()
      const before = await stored(past, '/shops/a')
      const after = await past.begin(shops(third, [leading(row.migrate)]))
      after.system.ref('/shops/a').send({ type: 'leave' })
      await after.settle()
      expect(after.system.alarms).toMatchObject([{ address: '/shops/a' }])
      expect(JSON.stringify(after.system.alarms)).toContain(row.says)
      await past.end()
      expect(await stored(past, '/shops/a')).toEqual(before)
      expect(before).toBeDefined()
    },
  )

  test('S4 a migration may change what it is given, and nothing else sees that', async () => {
    const past = await old(first, 'enter')
    const before = await stored(past)
    const migrate = (state: MigratedState) => {
      const context = state.context as { count?: number }
      delete context.count
      return { value: 'shut', context: { visits: { n: 9 }, done: null } }
    }
    const spec = actor('it', third, { migrations: [leading(migrate)] })
    expect(shown((await past.begin(spec)).ref).context.visits).toEqual({ n: 9 })
    await past.end()
    expect(await stored(past)).toEqual(before)
  })
})

function fail(message: string): never {
  throw new Error(message)
}
