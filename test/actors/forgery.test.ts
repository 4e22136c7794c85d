import {
  actor,
  agent,
  ask,
  createSystem,
  defineEnvelope,
  effect,
  reply,
  supervisor,
  tell,
  think,
  type ActorSystem,
  type Event,
  type SignedStatement,
} from 'ambit'
import { describe, expect, test } from 'vitest'
import { assign, enqueueActions, setup } from 'xstate'
import { describeExplanation, explainAction } from '../../src/thought-log/explain.ts'
import { createManualClock } from '../support/manual-clock.ts'
import {
  approver,
  envelopeInput,
  ledgerOf,
  refundAgent,
  refundOf,
  refundSystem,
  World,
} from '../support/refund-world.ts'
import { refusal } from '../support/refusal.ts'
import { rounds, until } from '../support/running.ts'

const envelope = defineEnvelope(envelopeInput)
const OVER_LIMIT = { amount: '9000.00 USD' }

const stateOf = (system: ActorSystem, address: string) =>
  system.read.actors.get(address)?.get().state

/** Asks an address, then withdraws with an event that only the system may send. */
const withdrawer = (withdrawn: (key: string) => Event) =>
  setup({
    types: { context: {} as { key: string; code: unknown }, events: {} as Event },
    actors: {
      forge: ask<{ key: string }>({
        to: ({ key }) => key,
        event: () => ({ type: 'hello' }),
        withdraw: ({ key }) => withdrawn(key),
      }),
    },
  }).createMachine({
    id: 'withdrawer',
    context: { key: '', code: null },
    initial: 'idle',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.code })) } },
    states: {
      idle: {
        on: {
          go: {
            target: 'forging',
            actions: assign({ key: ({ event }) => String(event.key) }),
          },
        },
      },
      forging: {
        invoke: {
          src: 'forge',
          input: ({ context }) => ({ key: context.key }),
          onError: {
            target: 'idle',
            actions: assign({ code: ({ event }) => (event.error as { code: string }).code }),
          },
        },
        on: { leave: 'idle' },
      },
    },
  })

/** Answers, unasked, for whatever the event names. */
const answerer = (forged: Event, times = 1) =>
  setup({
    types: { context: {} as { left: number }, events: {} as Event },
  }).createMachine({
    id: 'answerer',
    context: { left: times },
    on: {
      go: {
        guard: ({ context }) => context.left > 0,
        actions: [
          assign({ left: ({ context }) => context.left - 1 }),
          ...['1.1.0', '1.2.0', '1.2.1', '1.3.0', '1.3.1', '1.3.2', '1.4.0'].map((invocation) =>
            reply<{ left: number }, Event>(forged, {
              to: ({ event }) => ({ address: String(event.at), invocation }),
            }),
          ),
          tell('/evil', ({ event }) => event),
        ],
      },
    },
  })

describe('forged events', () => {
  test('T8 an agent cannot decide its own case by the withdrawal of an ask', async () => {
    const world = new World()
    const evil = withdrawer(() => ({
      type: 'ambit.action.decided',
      case: 'c-1',
      verdict: 'approve',
      persons: ['alice'],
    }))
    const children = [
      agent('desk', refundAgent(world, OVER_LIMIT), { envelope }),
      agent('evil', evil),
    ]
    const system = createSystem({ root: supervisor({ children }) })
    await system.start()
    await system.atRest()
    const key = `/system/actions/${system.cases()[0]?.key ?? ''}`
    for (const type of ['go', 'leave']) {
      system.ref('/evil').send({ type, key })
      await system.atRest()
    }
    expect(await system.ref('/evil').ask({ type: 'get' })).toMatchObject({
      value: 'AMBIT_EVENT_REFUSED',
    })
    expect(world.refunds).toBe(0)
    expect(system.cases()).toMatchObject([{ id: 'c-1', status: 'open' }])
    await system.stop()
  })

  test('T8 an agent cannot register an approver by the withdrawal of an ask', async () => {
    const mallory = { person: 'mallory', roles: ['*'], publicKey: 'x' }
    const evil = withdrawer(() => ({
      type: 'ambit.approver.add',
      keyId: 'k',
      approver: mallory,
    }))
    const system = createSystem({ root: supervisor({ children: [agent('evil', evil)] }) })
    await system.start()
    for (const type of ['go', 'leave']) {
      system.ref('/evil').send({ type, key: '/system/approvals' })
      await system.atRest()
    }
    expect(await system.ref('/evil').ask({ type: 'get' })).toMatchObject({
      value: 'AMBIT_EVENT_REFUSED',
    })
    expect(system.rows('/system/approvals').has('approver:k')).toBe(false)
    await system.stop()
  })
})

describe('forged answers', () => {
  test('T8 an answer to a proposal counts only from the action that was asked', async () => {
    const world = new World()
    const forged = { type: 'x', outcome: 'committed', output: null, key: 'k', rules: [] }
    const children = [
      agent('desk', refundAgent(world, OVER_LIMIT), { envelope }),
      agent('evil', answerer(forged)),
    ]
    const system = createSystem({ root: supervisor({ children }) })
    await system.start()
    await system.atRest()
    system.ref('/evil').send({ type: 'go', at: '/desk' })
    await system.atRest()
    expect(stateOf(system, '/desk')).toBe('refunding')
    expect(system.deadLetters.count('staleReply')).toBeGreaterThan(0)
    await system.stop()
  })

  test('T8 an answer of the ledger counts only from the ledger', async () => {
    const world = new World()
    const forged = { type: 'reserved', used: {}, at: 0 }
    const refund = refundOf(world)
    const refunds = ['o-1', 'o-2', 'o-3'].map((order) =>
      agent(order, refundAgent(world, { amount: '500.00 USD', order }, refund), { envelope }),
    )
    const system: ActorSystem = createSystem({
      root: supervisor({ children: [agent('evil', answerer(forged, 100)), ...refunds] }),
      observers: [
        {
          onTurn({ address }) {
            if (!address.startsWith('/system/actions/')) return
            system.ref('/evil').send({ type: 'go', at: address })
          },
        },
      ],
    })
    await system.start()
    await system.atRest()
    expect(system.deadLetters.count('staleReply')).toBeGreaterThan(0)
    expect(world.refunds).toBe(2)
    expect(system.cases()).toMatchObject([{ status: 'open', rules: ['window'] }])
    expect(ledgerOf(system)).toEqual({ statuses: ['committed', 'committed'], sums: [100_000] })
    await system.stop()
  })
})

describe('hidden effects', () => {
  let touched = 0
  const touch = () => {
    touched++
  }
  const hidden = [
    enqueueActions(({ enqueue }) => {
      enqueue(touch)
    }),
    enqueueActions(({ enqueue }) => {
      enqueue.spawnChild(effect(async () => touch()) as never)
    }),
  ]

  test('E9 an agent that enqueues is refused, for what it enqueues cannot be seen', () => {
    for (const action of hidden) {
      const evil = setup({}).createMachine({ id: 'evil', entry: action as never })
      const { code, message } = refusal(() => agent('evil', evil))
      expect(code).toBe('AMBIT_UNGOVERNED_EFFECT')
      expect(message).toContain('enqueueActions')
    }
    expect(touched).toBe(0)
  })

  test('E10 a plain actor that invokes a governed action is refused at definition', () => {
    const machine = refundAgent(new World())
    expect(refusal(() => actor('desk', machine)).code).toBe('AMBIT_ENVELOPE_MISSING')
  })
})

describe('what the system keeps of its own', () => {
  test('C6 what an agent thinks is never explained as the decision of a human', async () => {
    const evil = setup({ types: { events: {} as Event } }).createMachine({
      id: 'evil',
      on: {
        go: {
          actions: think({ kind: 'humanDecision', key: 'K', person: 'alice', verdict: 'approve' }),
        },
      },
    })
    const system = createSystem({ root: supervisor({ children: [agent('evil', evil)] }) })
    await system.start()
    system.ref('/evil').send({ type: 'go' })
    await system.atRest()
    const history = await system.history({})
    expect(JSON.stringify(history)).toContain('humanDecision')
    expect(describeExplanation(explainAction('K', history))).not.toContain('alice')
    await system.stop()
  })

  test.each([
    ['nothing', {}],
    ['null', null],
    ['a statement that is none', { keyId: 'k', signature: 's', statement: 7 }],
  ])('A8 a malformed decision (%s) is refused and the desk stays up', async (_, given) => {
    const system = refundSystem(new World(), OVER_LIMIT)
    await system.start()
    await system.atRest()
    for (let i = 0; i < 3; i++) {
      const said = await system.submitDecision(given as unknown as SignedStatement)
      expect(said).toMatchObject({ type: 'ambit.approval.refused', reason: 'malformed' })
    }
    const alice = await approver(system, 'alice')
    expect(await alice('c-1', 'approve')).toMatchObject({ type: 'ambit.approval.accepted' })
    expect(system.alarms).toEqual([])
    await system.stop()
  })

  test('R8 poison to a user actor leaves the ledger and the approval desk at work', async () => {
    const [clock, world] = [createManualClock(), new World()]
    const system = refundSystem(world, { ...OVER_LIMIT, clock })
    await system.start()
    await until(() => system.cases().length === 1)
    for (let i = 0; i < 4; i++) system.ref('/desk').send({ type: 'boom' })
    for (let i = 0; i < 40; i++) {
      await rounds(5)
      clock.advance(1000)
    }
    expect(system.alarms).not.toEqual([])
    const alice = await approver(system, 'alice')
    expect(await alice('c-1', 'approve')).toMatchObject({ type: 'ambit.approval.accepted' })
    await until(() => world.refunds === 1)
    await until(() => ledgerOf(system).statuses.includes('committed'))
    await system.stop({ graceMs: 0 })
  })
})
