import { describe, expect, test } from 'vitest'
import {
  assign,
  createMachine,
  emit,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  type AnyStateMachine,
} from 'xstate'
import { actor } from '../../actors/actor.ts'
import { observe, putRow, reply, tell, think } from '../../src/logic/actions.ts'
import { ask, effect, readOnly } from '../../src/logic/invocable.ts'
import { structureHash } from '../../src/logic/structure.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { refusal } from '../support/refusal.ts'
import { run, valueOf } from '../support/running.ts'

/** A machine as untyped code would make it: types would refuse some of what is tried here. */
const machineOf = (config: object, actors: object = {}) =>
  createMachine(config as never, { actors } as never) as unknown as AnyStateMachine

describe('what is refused at definition', () => {
  const spawning: [string, object][] = [
    [
      'its context',
      { context: ({ spawn }: { spawn: (src: string) => unknown }) => ({ kid: spawn('work') }) },
    ],
    ['an assign', { context: {}, entry: assign(({ spawn }) => ({ kid: spawn('work' as never) })) }],
    ['an assign', { context: {}, entry: assign({ kid: ({ spawn }) => spawn('work' as never) }) }],
    [
      'an assign',
      {
        context: {},
        on: { go: { actions: assign((args) => ({ kid: args.spawn('work' as never) })) } },
      },
    ],
  ]

  test.each(spawning)(
    'M3 spawning inside %s is refused by name and place, with the remedy',
    (where, config) => {
      for (const durability of ['sync', 'none'] as const) {
        const refused = refusal(() => actor('x', machineOf({ id: 'm', ...config }), { durability }))
        expect(refused.code).toBe('AMBIT_NOT_SUPPORTED')
        expect(refused.message).toMatch(`Machine "m" spawns inside ${where} in state "m"`)
        expect(refused.message).toContain('Use the spawnChild(...) action or an invoke')
      }
    },
  )

  test('M3 a function that only speaks of spawning is not refused', () => {
    const machine = machineOf({
      id: 'm',
      context: () => ({ what: 'spawn', respawned: 0 }),
      entry: assign({
        respawned: ({ context }) => (context as { respawned: number }).respawned + 1,
      }),
    })
    expect(actor('x', machine).kind).toBe('actor')
  })

  const busy = { invoke: { src: 'odd' } }
  const unnamed: [string, object, RegExp][] = [
    [
      'an invoked actor that nobody implemented',
      { initial: 'busy', states: { busy } },
      /the actor "odd".* in state "m\.busy"/,
    ],
    [
      'a spawned actor that nobody implemented',
      { on: { go: { actions: spawnChild('odd' as never) } } },
      /the actor "odd".* in state "m"/,
    ],
    [
      'a spawned actor without a name',
      { entry: spawnChild(fromPromise(() => Promise.resolve(1))) },
      /a spawned actor without a name/,
    ],
  ]

  test.each(unnamed)(
    'M3 %s is refused where it must be found again, and nowhere else',
    (_, config, message) => {
      const machine = machineOf({ id: 'm', ...config })
      const refused = refusal(() => actor('x', machine))
      expect(refused.code).toBe('AMBIT_NOT_SUPPORTED')
      expect(refused.message).toMatch(message)
      expect(actor('x', machine, { durability: 'none' }).kind).toBe('actor')
    },
  )

  const places: [string, object][] = [
    ['entry', { entry: 'missing' }],
    ['exit', { exit: 'missing' }],
    ['a transition', { on: { go: { actions: 'missing' } } }],
    ['always', { always: { guard: () => false, actions: ['missing'] } }],
    ['after', { after: { 5: { actions: 'missing' } } }],
    ['an initial transition', { initial: { target: 'a', actions: 'missing' }, states: { a: {} } }],
    ['onDone', { initial: 'a', states: { a: { type: 'final' } }, onDone: { actions: 'missing' } }],
  ]

  test.each(places)('M3 an action in %s that nobody implemented is refused', (_, config) => {
    const machine = machineOf({ id: 'm', ...config })
    const { code, message } = refusal(() => actor('x', machine))
    expect(code).toBe('AMBIT_NOT_SUPPORTED')
    expect(message).toContain('the action "missing", which nobody implemented')
  })

  const observable = () => ({ subscribe: () => ({ unsubscribe: () => undefined }) })
  const actors = [
    ...(['machine', 'promise', 'callback', 'observable', 'events'] as const),
    ...(['transition', 'effect', 'readOnly', 'ask'] as const),
  ]

  test('M3 what Ambit runs is not refused: its actions, its actors and every logic of XState', () => {
    const machine = setup({
      actors: {
        machine: setup({}).createMachine({ id: 'inner' }),
        promise: fromPromise(() => Promise.resolve(1)),
        callback: fromCallback(() => undefined),
        observable: fromObservable(observable as never),
        events: fromEventObservable(observable as never),
        transition: fromTransition((state: number) => state, 0),
        effect: effect(() => 1),
        readOnly: readOnly(() => 1),
        ask: ask({ to: '/x', event: () => ({ type: 'x' }) }),
      },
    }).createMachine({
      id: 'm',
      invoke: actors.map((src) => ({ src, systemId: src })),
      entry: [
        tell('/x', { type: 'x' }),
        reply({ type: 'x' }),
        think({ kind: 'x' }),
        putRow('k', 1),
        observe(() => 1),
        emit({ type: 'seen' }),
      ],
    })
    expect(actor('x', machine).kind).toBe('actor')
    const inline = machineOf({ id: 'm', invoke: { src: fromPromise(() => Promise.resolve(1)) } })
    expect(actor('y', inline).kind).toBe('actor')
  })
})

describe('the structure of a machine', () => {
  const make = (change: object = {}, context: object = { n: 0 }) =>
    machineOf({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: { on: { go: { guard: 'open', target: 'b' } }, after: { 10: 'b' } },
        b: { entry: assign({ n: () => 1 }), invoke: { src: 'x' } },
      },
      ...change,
    })

  const same: [string, AnyStateMachine][] = [
    ['built again', make()],
    ['given another context', make({}, { n: 7 })],
    ['given other implementations', make().provide({ guards: { open: () => false } })],
    ['described otherwise', make({ description: 'new', meta: { owner: 'x' } })],
  ]

  test.each(same)('M4 a machine %s has the same structure', (_, machine) => {
    expect(structureHash(machine)).toBe(structureHash(make()))
  })

  const states = {
    a: { on: { go: { guard: 'open', target: 'b' } }, after: { 10: 'b' } },
    b: { entry: assign({ n: () => 1 }), invoke: { src: 'x' } },
  }
  const others: [string, object][] = [
    ['a state more', { states: { ...states, c: {} } }],
    ['an event more', { on: { more: { actions: assign({}) } } }],
    ['another target', { states: { ...states, a: { ...states.a, on: { go: 'a' } } } }],
    ['another delay', { states: { ...states, a: { ...states.a, after: { 20: 'b' } } } }],
    ['another invoke', { states: { ...states, b: { invoke: { src: 'y' } } } }],
    ['no entry action', { states: { ...states, b: { invoke: { src: 'x' } } } }],
    ['another initial state', { initial: 'b' }],
    ['another id', { id: 'n' }],
    ['a parallel type', { type: 'parallel', initial: undefined }],
  ]

  test.each(others)('M4 a machine with %s has another structure', (_, change) => {
    expect(structureHash(make(change))).not.toBe(structureHash(make()))
  })
})

describe('what a machine invokes', () => {
  const child = setup({ types: { context: {} as { n: number } } }).createMachine({
    id: 'child',
    context: { n: 0 },
    on: {
      add: {
        actions: [
          assign({ n: ({ context }) => context.n + 1 }),
          sendParent(({ context }) => ({ type: 'added', n: context.n })),
        ],
      },
    },
  })
  const parent = setup({
    types: { context: {} as { seen: number }, events: {} as { type: string; n?: number } },
    actors: { child },
  }).createMachine({
    id: 'parent',
    context: { seen: 0 },
    invoke: { id: 'child', src: 'child' },
    on: {
      go: { actions: sendTo('child', { type: 'add' }) },
      added: { actions: assign({ seen: ({ event }) => event.n ?? -1 }) },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.seen })) },
    },
  })

  test('M2 an invoked machine is stepped in the same turn and stored with it', async () => {
    const journal = faultyJournal()
    const first = await run([actor('p', parent)], { journal })
    first.kernel.ref('/p').send({ type: 'go' })
    await first.rest()
    expect(await first.kernel.session.history({})).toHaveLength(2)
    const stored = await first.kernel.session.load('/p')
    const { state } = stored?.snapshot as { state: object }
    expect(state).toMatchObject({
      root: { context: { seen: 1 } },
      members: { child: { context: { n: 1 } } },
    })
    await journal.crash()
    const second = await run([actor('p', parent)], { journal })
    second.kernel.ref('/p').send({ type: 'go' })
    expect(await valueOf(second.kernel, '/p', { type: 'get' })).toBe(2)
    expect(second.kernel.liveActors()).toBe(1)
    await second.kernel.stop()
  })
})
