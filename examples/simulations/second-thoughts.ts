import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  effectRefused,
  governed,
  money,
  pool,
  supervisor,
  tell,
  type Envelope,
} from 'ambit'
import {
  addressOfAction,
  approver,
  simulate,
  tool,
  type Scenario,
  type SimulationOptions,
} from 'ambit/testing'
import { setup } from 'xstate'
import { z } from 'zod'

// Agents that change their mind: while a human decides, when a case expires, before it has a name; agents that nothing
// allows; a target that refuses; and an operator who makes an action forget that it was done.

const refund = defineAction({
  name: 'refund',
  input: z.object({ order: z.string(), amount: money() }),
  key: ({ order }) => order,
  amount: ({ amount }) => amount,
  idempotent: true,
  execute: () => Promise.reject(new Error('the simulation answers')),
})

const envelopeOf = (id: string, action: string, expiresAfter: string) =>
  defineEnvelope({
    id,
    owner: 'head-of-support',
    actions: {
      [action]: {
        atMost: { amount: '500.00 USD' },
        windows: [{ amount: '1000.00 USD', per: 'day', timeZone: 'UTC' }],
      },
    },
    approval: { by: ['finance'], expiresAfter },
  })

const machine = setup({
  types: {
    context: {} as { order: string },
    input: {} as { order: string },
    events: {} as { type: 'ticket' } | { type: 'hasty' } | { type: 'again' } | { type: 'leave' },
  },
  actors: { refund: governed(refund) },
}).createMachine({
  id: 'waverer',
  context: ({ input }) => input,
  initial: 'idle',
  states: {
    idle: {
      on: {
        ticket: 'refunding',
        // It leaves before anybody can have told it that a human is asked.
        hasty: {
          target: 'refunding',
          actions: tell(({ context }) => `/hasty/${context.order}`, { type: 'leave' }),
        },
      },
    },
    refunding: {
      invoke: {
        src: 'refund',
        input: ({ context: { order } }) => ({
          args: { order, amount: isLarge(order) ? '720.00 USD' : '300.00 USD' },
          why: 'It arrived broken.',
          confidence: 1,
        }),
        onDone: 'refunded',
        onError: 'declined',
      },
      on: { again: { target: 'refunding', reenter: true }, leave: 'left' },
    },
    refunded: { on: { again: 'refunding' } },
    declined: {},
    left: {},
  },
})

const isLarge = (order: string) => order.startsWith('large')

const HOUR_MS = 3_600_000

const finance = approver('dana', {
  roles: ['finance'],
  judges: ({ kind, proposal }) => {
    if (kind === 'inDoubt') return { verdict: 'settle', happened: false }
    return (proposal.args as { order: string }).order.endsWith('1') ? 'approve' : undefined
  },
})

/** An agent that proposes anew at the very moment at which dana decides, or at which its case expires. */
const closeCall = (order: string, afterMs: number) => [
  at(0, `/desk/${order}`, 'ticket'),
  at(afterMs, `/desk/${order}`, 'again'),
]

const at = (afterMs: number, to: string, type: string) => ({ to, event: { type }, afterMs })

export function secondThoughts(options: Partial<SimulationOptions> = {}): Scenario {
  const waverers = (id: string, envelope: Envelope) =>
    pool(id, agent(id, machine, { envelope }), { inputOf: (order) => ({ order }) })
  const root = supervisor({
    children: [
      waverers('desk', envelopeOf('desk', 'refund', '4h')),
      // Longer than any run: what nobody closes stays open.
      waverers('hasty', envelopeOf('patient', 'refund', '30d')),
      waverers('rogues', envelopeOf('others', 'recharge', '4h')),
    ],
  })
  return simulate({
    name: 'second thoughts',
    system: (ports) => createSystem({ root, ...ports }),
    traffic: [
      ...closeCall('large-1', 60_000),
      ...closeCall('large-2', 4 * HOUR_MS),
      at(0, '/hasty/large-3', 'hasty'),
      at(0, '/hasty/large-4', 'ticket'),
      at(30_000, '/hasty/large-4', 'leave'),
      at(0, '/rogues/small-1', 'ticket'),
      at(0, '/desk/refused-1', 'ticket'),
      at(0, '/desk/small-2', 'ticket'),
      {
        to: addressOfAction('refund', 'small-2'),
        operator: 'startFresh',
        afterMs: 10 * HOUR_MS,
      },
      at(11 * HOUR_MS, '/desk/small-2', 'again'),
    ],
    world: {
      effects: {
        refund: tool({
          answer: ({ input }) => {
            const { order } = input as { order: string }
            if (order === 'refused-1') throw effectRefused('The card is closed.')
            return { order }
          },
        }),
      },
      humans: [finance],
    },
    ...options,
  })
}

/** Many such moments at once, and no fault but that another goes first. */
export function closeCalls(options: Partial<SimulationOptions> = {}): Scenario {
  const orders = ['a', 'b', 'c', 'd', 'e']
  return secondThoughts({
    name: 'close calls',
    traffic: orders.flatMap((each) => [
      ...closeCall(`large-${each}1`, 60_000),
      ...closeCall(`large-${each}2`, 4 * HOUR_MS),
    ]),
    faults: ['reorder'],
    ...options,
  })
}
