import { actor, createSystem, effect, type Durability } from 'ambit'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  assign,
  emit,
  fromPromise,
  raise,
  sendTo,
  setup,
  type AnyActorLogic,
  type AnyActorRef,
} from 'xstate'
import { type JournalKind, journalOf, lifeOf, shown, startAlone, type Shown } from './by-hand.ts'
import { traceOfXState, type World } from './worlds.ts'

const counter = setup({ types: { context: {} as { count: number } } }).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
})

const ways: { durability: Durability; journal: JournalKind }[] = [
  { durability: 'none', journal: 'memory' },
  { durability: 'sync', journal: 'memory' },
  { durability: 'sync', journal: 'sqlite' },
]

const chain = setup({
  types: { context: {} as { at: number[] } },
  actions: { stamp: assign({ at: ({ context }) => [...context.at, clockNow()] }) },
}).createMachine({
  context: { at: [] },
  initial: 'a',
  states: {
    a: { after: { 100: { target: 'b', actions: 'stamp' } } },
    b: { after: { 20: { target: 'c', actions: 'stamp' } } },
    c: { after: { 3: { target: 'd', actions: 'stamp' } } },
    d: {},
  },
})
let clockNow: () => number = () => 0

/** A child beside the parent's own timers: who is first is seen in the order of the letters. */
const racing = setup({
  types: { context: {} as { heard: string } },
  actors: {
    other: setup({}).createMachine({
      initial: 'on',
      states: {
        on: {
          entry: [
            sendTo(({ self }) => self._parent as AnyActorRef, { type: 'x' }, { delay: 30 }),
            sendTo(({ self }) => self._parent as AnyActorRef, { type: 'y' }, { delay: 10 }),
          ],
        },
      },
    }),
  },
  actions: {
    hear: assign({ heard: ({ context, event }) => context.heard + event.type }),
  },
}).createMachine({
  context: { heard: '' },
  invoke: { src: 'other', id: 'other' },
  entry: [raise({ type: 'a' }, { delay: 20 }), raise({ type: 'b' }, { delay: 10 })],
  on: { '*': { actions: 'hear' } },
})

describe.each(ways)('with durability $durability and a $journal journal', (way) => {
  const begin = async (logic: AnyActorLogic) => {
    const { durability, journal } = way
    const life = lifeOf(actor('it', logic, { durability }), { journal: journalOf(journal) })
    await life.system.start()
    onTestFinished(() => life.system.stop({ graceMs: 0 }))
    return life
  }

  test('B1 a start has happened when the call returns', async () => {
    const { durability, journal } = way
    const life = lifeOf(actor('it', counter, { durability }), { journal: journalOf(journal) })
    const started = life.system.start()
    // The SQLite driver is loaded when it is first needed; everything after that answers at once.
    if (journal === 'sqlite') await started
    onTestFinished(async () => {
      await started
      await life.system.stop({ graceMs: 0 })
    })
    expect(shown(life.ref).context).toEqual({ count: 0 })
  })

  test('B1 nothing happens before drain, and everything has happened after it', async () => {
    const { ref, system } = await begin(counter)
    const seen: number[] = []
    ref.subscribe(({ context }: Shown) => void seen.push(Number(context.count)))
    for (let n = 0; n < 100; n++) expect(ref.send({ type: 'add' }).status).toBe('accepted')
    expect([shown(ref).context.count, seen]).toEqual([0, []])
    system.drain()
    expect(shown(ref).context.count).toBe(100)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
  })

  test('B1 what actors tell each other in a drain is in it', async () => {
    const ping = setup({ types: { context: {} as { left: number } } }).createMachine({
      context: { left: 500 },
      on: {
        ping: {
          guard: ({ context }) => context.left > 0,
          actions: [
            assign({ left: ({ context }) => context.left - 1 }),
            sendTo(({ self }) => self, { type: 'ping' }),
          ],
        },
      },
    })
    const { ref, system } = await begin(ping)
    ref.send({ type: 'ping' })
    system.drain()
    expect(shown(ref).context.left).toBe(0)
  })

  test('B1 a promise is heard with the event loop and a drain', async () => {
    let open: (value: string) => void = () => undefined
    const work = effect(() => new Promise<string>((resolve) => (open = resolve)))
    const machine = setup({ actors: { work } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { src: 'work', onDone: 'done' } }, done: {} },
    })
    const { ref, system, settle } = await begin(machine)
    open('now')
    system.drain()
    expect(shown(ref).value).toBe('working')
    await settle()
    expect(shown(ref).value).toBe('done')
  })

  test('B2 each timer of a chain runs at its own moment of one advance', async () => {
    const { ref, clock } = await begin(chain)
    clockNow = () => clock.now()
    const start = clock.now()
    clock.advance(99)
    expect(shown(ref).value).toBe('a')
    clock.advance(1000)
    expect(shown(ref).value).toBe('d')
    const { at } = shown(ref).context as { at: number[] }
    expect(at.map((moment) => moment - start)).toEqual([100, 120, 123])
  })

  test('B2 timers of an actor and its children run by due time, then as they were set', async () => {
    const { ref, clock } = await begin(racing)
    clock.advance(100)
    const { heard } = shown(ref).context as { heard: string }
    const script = {
      name: 'racing',
      run(world: World) {
        const hand = world.start(racing)
        hand.advance(100)
        world.note(shown(hand.ref).context.heard)
      },
    }
    expect([heard]).toEqual(await traceOfXState(script))
    expect(Array.from(heard).sort().join('')).toBe('abxy')
  })

  test('B2 a timer that falls due comes before a message that still waits for drain', async () => {
    const machine = setup({}).createMachine({
      initial: 'waiting',
      states: { waiting: { on: { stay: 'stayed' }, after: { 10: 'late' } }, stayed: {}, late: {} },
    })
    const { ref, clock } = await begin(machine)
    ref.send({ type: 'stay' })
    clock.advance(10)
    expect(shown(ref).value).toBe('late')
  })
})

test('B5 custom actions, sends and emits come in the order in which they are written', () => {
  const seen: string[] = []
  const child = setup({}).createMachine({
    on: { knock: { actions: () => void seen.push('child hears') } },
  })
  const machine = setup({ actors: { child } }).createMachine({
    invoke: { src: 'child', id: 'child' },
    on: {
      go: {
        actions: [
          () => void seen.push('first'),
          sendTo('child', { type: 'knock' }),
          emit({ type: 'called' }),
          () => void seen.push('second'),
        ],
      },
    },
  })
  const { ref, system } = startAlone(machine)
  ref.on('called', () => void seen.push('emitted'))
  ref.subscribe(() => void seen.push('snapshot'))
  ref.send({ type: 'go' })
  system.drain()
  // XState's own order: custom actions first, what it defers afterwards, then the observers.
  expect(seen).toEqual(['first', 'second', 'child hears', 'emitted', 'snapshot'])
})

test('B5 an action runs at its place, so it has run when a later assign throws, and the state is as it was', () => {
  const seen: string[] = []
  const machine = setup({}).createMachine({
    on: {
      go: {
        actions: [
          () => void seen.push('done'),
          assign(() => {
            throw new Error('no')
          }),
        ],
      },
    },
  })
  const { ref, system } = startAlone(machine)
  ref.subscribe({ error: () => undefined })
  ref.send({ type: 'go' })
  system.drain()
  expect([seen, shown(ref).status]).toEqual([['done'], 'error'])
})

test('B1 stop is a message: what was sent before it is taken', () => {
  const { ref, system } = startAlone(counter)
  ref.send({ type: 'add' })
  ref.stop()
  expect(shown(ref)).toMatchObject({ status: 'active', context: { count: 0 } })
  system.drain()
  expect(shown(ref).status).toBe('stopped')
  expect(ref.send({ type: 'add' })).toEqual({ status: 'rejected', reason: 'stopped' })
})

test('B1 a system by hand on a real clock still waits for drain', async () => {
  const system = createSystem({
    root: actor('it', counter, { durability: 'none' }),
    scheduler: 'manual',
  })
  await system.start()
  system.ref('/it').send({ type: 'add' })
  for (let round = 0; round < 20; round++) await new Promise((resolve) => setImmediate(resolve))
  expect(shown(system.ref('/it')).context.count).toBe(0)
  system.drain()
  expect(shown(system.ref('/it')).context.count).toBe(1)
  await system.stop()
})

test('B2 time stands still between two advances', async () => {
  const { ref, settle, clock } = startAlone(chain)
  clockNow = () => clock.now()
  await settle()
  expect([shown(ref).value, clock.waiting > 0]).toEqual(['a', true])
})

test('B2 a promise that ends between two timers leaves its state before the second', async () => {
  const steps: string[] = []
  const machine = setup({
    actors: { quick: fromPromise(() => Promise.resolve('quick')) },
  }).createMachine({
    initial: 'a',
    states: {
      a: { after: { 10: 'b' } },
      b: {
        entry: () => void steps.push('b'),
        invoke: { src: 'quick', onDone: 'c' },
        after: { 10: 'late' },
      },
      c: { entry: () => void steps.push('c') },
      late: { entry: () => void steps.push('late') },
    },
  })
  const { clock, settle } = startAlone(machine)
  clock.advance(10)
  await settle()
  clock.advance(10)
  expect(steps).toEqual(['b', 'c'])
})
