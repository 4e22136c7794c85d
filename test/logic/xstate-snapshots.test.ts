import { describe, expect, onTestFinished, test } from 'vitest'
import {
  assign,
  createActor,
  fromCallback,
  fromPromise,
  fromTransition,
  sendTo,
  setup,
  type AnyStateMachine,
  type Snapshot,
} from 'xstate'
import { actor } from '../../actors/actor.ts'
import { createSystem } from '../../actors/system.ts'
import { manualClock } from '../../src/kernel/manual-clock.ts'

/** A machine with everything that a persisted snapshot can hold, and a note of what is started. */
function everything() {
  const started: string[] = []
  const kid = setup({ types: { context: {} as { n: number } } }).createMachine({
    id: 'kid',
    context: { n: 0 },
    initial: 'low',
    states: { low: { on: { add: 'high' } }, high: {} },
    on: { add: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  })
  const machine = setup({
    types: { context: {} as { seen: readonly string[] }, events: {} as { type: string } },
    actors: {
      kid,
      count: fromTransition((count: number) => count + 1, 0),
      ears: fromCallback(({ input, receive }) => {
        started.push(`ears ${JSON.stringify(input)}`)
        receive(({ type }) => started.push(`heard ${type}`))
      }),
      work: fromPromise(({ input }) => {
        started.push(`work ${JSON.stringify(input)}`)
        return new Promise(() => undefined)
      }),
    },
  }).createMachine({
    id: 'all',
    context: { seen: [] },
    invoke: [
      { id: 'kid', src: 'kid', systemId: 'the-kid' },
      { id: 'count', src: 'count' },
      { id: 'ears', src: 'ears', input: { loud: true } },
      { id: 'work', src: 'work', input: 7 },
    ],
    initial: 'a',
    states: {
      a: {
        initial: 'one',
        states: { one: { on: { go: 'two' } }, two: {}, back: { type: 'history' } },
      },
      b: { on: { back: 'a.back' } },
    },
    on: {
      leave: '.b',
      add: { actions: [sendTo('kid', { type: 'add' }), sendTo('count', { type: 'add' })] },
      call: { actions: sendTo('ears', { type: 'hello' }) },
    },
  })
  return { started, machine }
}

/** A snapshot as another process would find it. */
function persisted(machine: AnyStateMachine, events: readonly string[]): Snapshot<unknown> {
  const before = createActor(machine).start()
  for (const type of events) before.send({ type })
  const text = JSON.stringify(before.getPersistedSnapshot())
  before.stop()
  return JSON.parse(text) as Snapshot<unknown>
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function started(machine: AnyStateMachine, snapshot: Snapshot<unknown>) {
  const options = { durability: 'none', restart: 'temporary', snapshot } as const
  const system = createSystem({
    root: actor('it', machine, options),
    scheduler: 'manual',
    clock: manualClock(),
  })
  void system.start()
  onTestFinished(() => system.stop({ graceMs: 0 }))
  const ref = system.ref('/it')
  const send = (type: string) => {
    ref.send({ type })
    system.drain()
  }
  return { ref, send }
}

describe('a snapshot of XState’s own', () => {
  test('S6 is gone on from: state, history, children and what ran beside them, as XState does', () => {
    const { started: begun, machine } = everything()
    const snapshot = persisted(machine, ['go', 'add', 'leave'])
    begun.length = 0
    const { ref, send } = started(machine, snapshot)
    const oracle = createActor(machine, { snapshot: structuredClone(snapshot) }).start()
    onTestFinished(() => void oracle.stop())
    expect(begun.slice(0, 2)).toEqual(begun.slice(2))
    for (const type of ['', 'back', 'add', 'call']) {
      if (type !== '') {
        oracle.send({ type })
        send(type)
      }
      expect(plain(ref.getPersistedSnapshot())).toEqual(plain(oracle.getPersistedSnapshot()))
    }
    expect(ref.getSnapshot()).toMatchObject({ value: { a: 'two' } })
    expect(begun.filter((line) => line === 'heard hello')).toHaveLength(2)
  })

  test('S6 that is done is done, and its end is heard at once', () => {
    const machine = setup({}).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { end: 'z' } }, z: { type: 'final' } },
      output: 5,
    })
    const { ref } = started(machine, persisted(machine, ['end']))
    expect(ref.getSnapshot()).toMatchObject({ status: 'done', output: 5 })
    const heard: string[] = []
    ref.subscribe({ complete: () => heard.push('complete') })
    expect(heard).toEqual(['complete'])
  })

  test('S6 of another machine is refused when the actor starts', async () => {
    const machine = setup({}).createMachine({ id: 'm', initial: 'a', states: { a: {} } })
    const other = setup({}).createMachine({ id: 'm', initial: 'x', states: { x: {} } })
    const root = actor('it', machine, { durability: 'none', snapshot: persisted(other, []) })
    const system = createSystem({ root, scheduler: 'manual' })
    await expect(system.start()).rejects.toMatchObject({ code: 'AMBIT_START_FAILED' })
  })
})
