import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  money,
  pool,
  readOnly,
  supervisor,
  type ChildSpec,
} from 'ambit'
import {
  approver,
  answers,
  simulate,
  tool,
  type Scenario,
  type SimulationOptions,
} from 'ambit/testing'
import { assign, setup } from 'xstate'
import { z } from 'zod'

/** A desk of agents that read a ticket, propose a refund, and wait for what becomes of it. */

export const refund = defineAction({
  name: 'refund',
  input: z.object({ order: z.string(), amount: money() }),
  key: ({ order }) => order,
  amount: ({ amount }) => amount,
  idempotent: true,
  execute: () => Promise.reject(new Error('the simulation answers')),
  verify: () => Promise.reject(new Error('the simulation answers')),
  compensate: () => Promise.reject(new Error('the simulation answers')),
})

export const envelope = defineEnvelope({
  id: 'desk',
  owner: 'head-of-support',
  actions: {
    refund: {
      atMost: { amount: '500.00 USD' },
      windows: [{ amount: '1000.00 USD', per: 'day', timeZone: 'UTC' }],
    },
  },
  escalateWhen: [{ confidenceUnder: 0.8 }],
  approval: { by: ['finance'] },
})

export const deskMachine = setup({
  types: {
    context: {} as { order: string; amount: string },
    input: {} as { order: string },
    events: {} as { type: 'ticket' } | { type: 'refund.waiting' } | { type: 'leave' },
  },
  actors: {
    read: readOnly<{ order: string }, string>(() => Promise.reject(new Error('simulated'))),
    refund: governed(refund, { onWaiting: 'refund.waiting' }),
  },
}).createMachine({
  id: 'desk',
  context: ({ input }) => ({ order: input.order, amount: '' }),
  initial: 'idle',
  states: {
    idle: { on: { ticket: 'reading' } },
    reading: {
      invoke: {
        src: 'read',
        input: ({ context }) => ({ order: context.order }),
        onDone: { target: 'refunding', actions: assign({ amount: ({ event }) => event.output }) },
        onError: 'idle',
      },
    },
    refunding: {
      invoke: {
        src: 'refund',
        input: ({ context }) => ({
          args: { order: context.order, amount: context.amount },
          why: 'It arrived broken.',
          confidence: 0.9,
        }),
        onDone: 'refunded',
        onError: 'declined',
      },
      on: { leave: 'left' },
    },
    refunded: {},
    declined: {},
    left: {},
  },
})

export const desks: ChildSpec = supervisor({
  children: [
    pool('desks', agent('desk', deskMachine, { envelope }), { inputOf: (order) => ({ order }) }),
  ],
})

const amounts = ['400.00 USD', '720.00 USD', '450.00 USD', '300.00 USD']

/** What a ticket of an order says: the fourth of them takes the day's window over its limit. */
export function amountOf(order: string): string {
  return amounts[(Number(order.at(-1)) - 1) % amounts.length] ?? '1.00 USD'
}

export function refundDesk(options: Partial<SimulationOptions> = {}): Scenario {
  return simulate({
    name: 'refund desk',
    system: (ports) => createSystem({ root: desks, ...ports }),
    traffic: [1, 2, 3, 4].map((n) => ({ to: `/desks/o-${n}`, event: { type: 'ticket' } })),
    world: {
      effects: {
        read: answers(({ input }) => amountOf((input as { order: string }).order)),
        refund: tool({
          answer: ({ context }) => ({ refundId: context.idempotencyKey.slice(0, 6) }),
          verify: ({ input }) => !(input as { order: string }).order.endsWith('4'),
        }),
      },
      humans: [approver('dana', { roles: ['finance'] })],
    },
    ...options,
  })
}

/** Agents that leave while a human is asked, or while nobody has been asked yet. */
export function withdrawals(options: Partial<SimulationOptions> = {}): Scenario {
  const ticket = { type: 'ticket' }
  const leave = { type: 'leave' }
  return refundDesk({
    name: 'withdrawals',
    traffic: [
      { to: '/desks/o-2', event: ticket },
      { to: '/desks/o-2', event: leave, afterMs: 30_000 },
      { to: '/desks/o-6', event: ticket },
      { to: '/desks/o-6', event: leave },
      { to: '/desks/o-1', event: ticket },
      { to: '/desks/o-1', event: leave, afterMs: 1 },
    ],
    ...options,
  })
}
