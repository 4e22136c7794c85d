import {
  agent,
  ask,
  createSystem,
  defineAction,
  defineEnvelope,
  effect,
  governed,
  observe,
  pool,
  readOnly,
  reply,
  supervisor,
  tell,
  type Action,
  type AgentOptions,
} from 'ambit'
import { describe, expect, test } from 'vitest'
import { assign, createMachine, fromPromise, setup, spawnChild, type AnyStateMachine } from 'xstate'
import { z } from 'zod'
import { refusal } from '../support/refusal.ts'

const done: string[] = []
const refundOf = (): Action<{ order: string }> =>
  defineAction({
    name: 'refund',
    input: z.object({ order: z.string() }),
    key: ({ order }) => order,
    idempotent: true,
    execute: ({ input }) => {
      done.push(input.order)
      return Promise.resolve(null)
    },
  })
const refund = refundOf()

const envelope = defineEnvelope({ id: 'desk', owner: 'head', actions: { refund: {} } })

const untyped = (config: object, implementations: object = {}) =>
  createMachine(config as never, implementations as never) as unknown as AnyStateMachine

const invoking = (logic: unknown): AnyStateMachine =>
  untyped(
    { id: 'm', initial: 'a', states: { a: { on: { go: 'b' } }, b: { invoke: { src: 'work' } } } },
    { actors: { work: logic } },
  )

describe('what an agent may not do', () => {
  const work = () => Promise.resolve(1)
  const actors: [string, AnyStateMachine][] = [
    ['invokes a plain promise', invoking(fromPromise(work))],
    ['invokes an effect that is not read-only', invoking(effect(work))],
    ['invokes a machine that invokes a plain promise', invoking(invoking(fromPromise(work)))],
    [
      'spawns a plain promise',
      untyped({ id: 'm', entry: spawnChild('work') }, { actors: { work: fromPromise(work) } }),
    ],
    [
      'invokes a promise written in place',
      untyped({ id: 'm', invoke: { src: fromPromise(work) } }),
    ],
  ]

  test.each(actors)('E9 an agent that %s is refused with the remedy', (_, machine) => {
    const { code, message } = refusal(() => agent('desk', machine, { envelope }))
    expect(code).toBe('AMBIT_UNGOVERNED_EFFECT')
    expect(message).toMatch(/Agent "desk" invokes .*Wrap it in `governed\(\.\.\.\)`/)
  })

  const act = () => undefined
  const places: [string, object][] = [
    ['on entry', { entry: act }],
    ['on exit', { exit: act }],
    ['in a transition', { on: { go: { actions: act } } }],
    ['after a delay', { after: { 5: { actions: act } } }],
    ['in an always transition', { always: { guard: () => false, actions: act } }],
    ['deep inside', { initial: 'a', states: { a: { entry: [assign({}), act] } } }],
    [
      'when something is done',
      { initial: 'a', states: { a: { type: 'final' } }, onDone: { actions: act } },
    ],
  ]

  test.each(places)('E9 an agent with a custom action %s is refused', (_, config) => {
    const { code, message } = refusal(() => agent('desk', untyped({ id: 'm', ...config })))
    expect(code).toBe('AMBIT_UNGOVERNED_EFFECT')
    expect(message).toMatch(/custom action "act" in state "m.*observe\(\.\.\.\)/)
  })

  test('E9 an agent with a custom action by name is refused by that name', () => {
    const machine = untyped({ id: 'm', entry: 'callHome' }, { actions: { callHome: act } })
    const { message } = refusal(() => agent('desk', machine))
    expect(message).toContain('custom action "callHome" in state "m"')
  })

  test('E9 an agent may use governed, read-only and ask logic and Ambit’s actions', () => {
    const logics = {
      refund: governed(refund),
      look: readOnly(() => 1),
      question: ask({ to: '/x', event: () => ({ type: 'x' }) }),
    }
    const invoke = Object.keys(logics).map((src) => ({ src }))
    const entry = [assign({}), tell('/x', { type: 'x' }), reply({ type: 'x' }), observe(() => 1)]
    const machine = untyped({ id: 'm', entry, invoke }, { actors: logics })
    expect(agent('desk', machine, { envelope }).kind).toBe('actor')
  })
})

describe('authority', () => {
  const desk = (options: AgentOptions = {}, action = refund) =>
    agent('desk', invoking(governed(action)), options)
  const inner = invoking(invoking(governed(refund)))

  const without: [string, Parameters<typeof createSystem>[0]['root']][] = [
    ['alone', desk()],
    ['under a supervisor', supervisor({ children: [desk()] })],
    ['in a pool', supervisor({ children: [pool('desks', desk())] })],
    ['inside a machine it invokes', agent('desk', inner)],
    [
      'beside an agent that has one',
      supervisor({
        children: [agent('other', invoking(governed(refund)), { envelope }), desk()],
      }),
    ],
  ]

  test.each(without)('E10 an agent that proposes %s without any envelope is refused', (_, root) => {
    const { code, message } = refusal(() => createSystem({ root }))
    expect(code).toBe('AMBIT_ENVELOPE_MISSING')
    expect(message).toMatch(/Agent "desk" proposes "refund" but has no envelope.*defineEnvelope/)
  })

  const within: [string, Parameters<typeof createSystem>[0]['root']][] = [
    ['its own', desk({ envelope })],
    ['its supervisor’s', supervisor({ envelope, children: [desk()] })],
    [
      'a higher supervisor’s',
      supervisor({ envelope, children: [supervisor({ id: 's', children: [desk()] })] }),
    ],
    ['its pool’s', supervisor({ children: [pool('desks', desk(), { envelope })] })],
    ['none, when it proposes nothing', agent('desk', setup({}).createMachine({ id: 'm' }))],
  ]

  test.each(within)('E10 the envelope may be %s', (_, root) => {
    expect(createSystem({ root }).read.actors.size).toBe(0)
  })

  test('E11 two definitions under one action name are refused', () => {
    const twice = [desk({ envelope }), agent('b', invoking(governed(refundOf())), { envelope })]
    const { code, message } = refusal(() => createSystem({ root: supervisor({ children: twice }) }))
    expect(code).toBe('AMBIT_ACTION_NAME_TAKEN')
    expect(message).toContain('"refund"')
  })

  test('E11 one definition may be shared by many agents', () => {
    const shared = [desk({ envelope }), agent('b', invoking(governed(refund)), { envelope })]
    expect(() => createSystem({ root: supervisor({ children: shared }) })).not.toThrow()
  })

  test('E10 the id "system" is Ambit’s own', () => {
    const root = supervisor({ children: [agent('system', setup({}).createMachine({ id: 'm' }))] })
    expect(refusal(() => createSystem({ root })).code).toBe('AMBIT_CHILD_ID_TAKEN')
  })
})

/** Proposes what it is started with as soon as it hears `go`. */
const proposer = (action: Action<{ order: string }>) =>
  setup({
    types: {
      context: {} as { input: object; note: unknown },
      input: {} as object,
      events: {} as { type: 'go' } | { type: 'get' },
    },
    actors: { refund: governed(action) },
  }).createMachine({
    id: 'proposer',
    context: ({ input }) => ({ input, note: null }),
    initial: 'idle',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.note })) } },
    states: {
      idle: { on: { go: 'proposing' } },
      proposing: {
        invoke: {
          src: 'refund',
          input: ({ context }) => context.input as { args: { order: string }; why: string },
          onDone: { target: 'idle', actions: assign({ note: 'done' }) },
          onError: { target: 'idle', actions: assign({ note: ({ event }) => event.error }) },
        },
      },
    },
  })

describe('a proposal', () => {
  const propose = async (input: object) => {
    done.length = 0
    const system = createSystem({ root: agent('desk', proposer(refund), { envelope, input }) })
    await system.start()
    system.ref('/desk').send({ type: 'go' })
    await system.atRest()
    const { value } = await system.ref('/desk').ask({ type: 'get' })
    const parked = [...system.rows('/desk').keys()].filter((key) => key.startsWith('~parked'))
    await system.stop()
    return { value, parked: parked.length, done: [...done] }
  }

  test('A6 a proposal with a stated why is judged and done', async () => {
    const { value, done: orders } = await propose({ args: { order: 'o-1' }, why: 'it is late' })
    expect({ value, orders }).toEqual({ value: 'done', orders: ['o-1'] })
  })

  test.each([
    ['no why', { args: { order: 'o-1' } }],
    ['an empty why', { args: { order: 'o-1' }, why: '' }],
    ['a blank why', { args: { order: 'o-1' }, why: ' \n' }],
    ['a why that is no text', { args: { order: 'o-1' }, why: 7 }],
  ])(
    'A6 a proposal with %s is refused: nothing is done, and the machine hears it',
    async (_, input) => {
      const { value, ...rest } = await propose(input)
      expect(rest).toEqual({ parked: 0, done: [] })
      expect(value).toMatchObject({ code: 'AMBIT_EVENT_REFUSED' })
    },
  )

  test.each([
    ['no arguments', { why: 'late' }],
    ['arguments of another form', { args: { order: 7 }, why: 'late' }],
  ])('E12 a proposal with %s is refused by the action’s own schema', async (_, input) => {
    expect(await propose(input)).toMatchObject({
      value: { code: 'AMBIT_EVENT_REFUSED' },
      parked: 0,
      done: [],
    })
  })
})

describe('the same key', () => {
  test('A4 the same key is the same action: all agents hear of it, it happens once', async () => {
    done.length = 0
    const input = { args: { order: 'o-1' }, why: 'late' }
    const children = ['a', 'b'].map((id) => agent(id, proposer(refund), { envelope, input }))
    const system = createSystem({ root: supervisor({ children }) })
    await system.start()
    for (const id of ['/a', '/b', '/a']) {
      system.ref(id).send({ type: 'go' })
      await system.atRest()
      expect((await system.ref(id).ask({ type: 'get' })).value).toBe('done')
    }
    expect(done).toEqual(['o-1'])
    await system.stop()
  })

  test('A4 the same key with other arguments is a conflict, never a second effect', async () => {
    done.length = 0
    const sameKey = defineAction({
      name: 'refund',
      input: z.object({ order: z.string() }),
      key: () => 'one',
      idempotent: true,
      execute: ({ input }) => Promise.resolve(done.push(input.order)),
    }) as Action<{ order: string }>
    const children = ['a', 'b'].map((order) =>
      agent(order, proposer(sameKey), { envelope, input: { args: { order }, why: 'late' } }),
    )
    const system = createSystem({ root: supervisor({ children }) })
    await system.start()
    for (const id of ['/a', '/b']) {
      system.ref(id).send({ type: 'go' })
      await system.atRest()
    }
    const { value } = await system.ref('/b').ask({ type: 'get' })
    expect(value).toMatchObject({ name: 'Declined', outcome: 'conflict' })
    expect(done).toEqual(['a'])
    await system.stop()
  })
})
