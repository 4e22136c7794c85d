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
import { createInterpreter } from '../../src/logic/interpreted.ts'
import { ask, effect, readOnly } from '../../src/logic/invocable.ts'
import { structureHash } from '../../src/logic/structure.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { refusal } from '../support/refusal.ts'
import { run, valueOf } from '../support/running.ts'
import { Stepper } from '../support/stepper.ts'

/** A machine as untyped code would make it: types would refuse some of what is tried here. */
const machineOf = (config: object, actors: object = {}) =>
  createMachine(config as never, { actors } as never) as unknown as AnyStateMachine

describe('what this version does not run', () => {
  const observable = () => ({ subscribe: () => ({ unsubscribe: () => undefined }) })
  const strange: [string, unknown][] = [
    ['a callback', fromCallback(() => undefined)],
    ['an observable', fromObservable(observable as never)],
    ['an event observable', fromEventObservable(observable as never)],
    ['transition logic', fromTransition((state: number) => state, 0)],
    ['an actor that nobody implemented', undefined],
  ]
  const invoking = (logic: unknown, extra: object = {}) => {
    const busy = { invoke: { src: 'odd', ...extra } }
    const states = { calm: { on: { go: 'busy' } }, busy }
    return machineOf({ id: 'm', initial: 'calm', states }, { odd: logic })
  }

  test.each(strange)('M3 invoking %s is refused by name and place', (_, logic) => {
    const { code, message } = refusal(() => actor('x', invoking(logic)))
    expect(code).toBe('AMBIT_NOT_SUPPORTED')
    expect(message).toMatch(/Machine "m" uses the actor "odd".* in state "m\.busy"/)
  })

  test.each(strange)('M3 spawning %s is refused by name and place', (_, logic) => {
    const config = { id: 'm', on: { go: { actions: spawnChild('odd') } } }
    const machine = machineOf(config, { odd: logic })
    const { code, message } = refusal(() => actor('x', machine))
    expect(code).toBe('AMBIT_NOT_SUPPORTED')
    expect(message).toMatch(/the actor "odd".* in state "m"/)
  })

  test('M3 a callback inside an invoked machine is refused too, by that machine’s name', () => {
    const child = setup({ actors: { odd: fromCallback(() => undefined) } }).createMachine({
      id: 'inner',
      invoke: { src: 'odd' },
    })
    const { message } = refusal(() => actor('x', invoking(child)))
    expect(message).toMatch(/Machine "inner" uses the actor "odd"/)
  })

  test('M3 emit is refused by name and place', () => {
    const machine = setup({}).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { entry: emit({ type: 'seen' }) } },
    })
    const { code, message } = refusal(() => actor('x', machine))
    expect(code).toBe('AMBIT_NOT_SUPPORTED')
    expect(message).toContain('the action xstate.emit in state "m.a"')
  })

  test('M3 systemId is refused by name and place, of an invoked and of a spawned actor', () => {
    const work = fromPromise(() => Promise.resolve(1))
    const invoked = refusal(() => actor('x', invoking(work, { systemId: 'desk' })))
    expect(invoked.message).toContain('systemId for "odd" in state "m.busy"')
    const spawning = setup({ actors: { work } }).createMachine({
      id: 'm',
      entry: spawnChild('work', { systemId: 'desk' }),
    })
    expect(refusal(() => actor('x', spawning)).message).toContain('systemId for "work"')
  })

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

  test('M3 a delayed sendTo is refused when it is stepped at the latest', () => {
    const child = setup({}).createMachine({ id: 'child' })
    const machine = setup({ actors: { child } }).createMachine({
      id: 'm',
      invoke: { id: 'child', src: 'child' },
      on: { go: { actions: sendTo('child', { type: 'late' }, { delay: 5 }) } },
    })
    const code = refusal(() =>
      new Stepper(createInterpreter(machine)).start().send({ type: 'go' }),
    ).code
    expect(code).toBe('AMBIT_NOT_SUPPORTED')
  })

  test('M3 what Ambit runs is not refused: its actions, its actors, promises and machines', () => {
    const machine = setup({
      actors: {
        machine: setup({}).createMachine({ id: 'inner' }),
        promise: fromPromise(() => Promise.resolve(1)),
        effect: effect(() => 1),
        readOnly: readOnly(() => 1),
        ask: ask({ to: '/x', event: () => ({ type: 'x' }) }),
      },
    }).createMachine({
      id: 'm',
      invoke: (['machine', 'promise', 'effect', 'readOnly', 'ask'] as const).map((src) => ({
        src,
      })),
      entry: [
        tell('/x', { type: 'x' }),
        reply({ type: 'x' }),
        think({ kind: 'x' }),
        putRow('k', 1),
        observe(() => 1),
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
    const { state } = JSON.parse(stored?.snapshot ?? '{}') as { state: { machines: object } }
    expect(state.machines).toMatchObject({
      '': { context: { seen: 1 } },
      child: { context: { n: 1 } },
    })
    await journal.crash()
    const second = await run([actor('p', parent)], { journal })
    second.kernel.ref('/p').send({ type: 'go' })
    expect(await valueOf(second.kernel, '/p', { type: 'get' })).toBe(2)
    expect(second.kernel.liveActors()).toBe(1)
    await second.kernel.stop()
  })
})
