import { assign, fromPromise, setup } from 'xstate'
import { z } from 'zod'

/** What each event of the chart carries. */
export const refundEvents = {
  'refund.asked': z.object({ amount: z.int().min(1).max(1000) }),
  'human.approved': z.object({ by: z.enum(['anna', 'ben']) }),
  'human.rejected': z.object({ why: z.string() }),
}

/** A refund from its request to its end: with guards, an invocation, a timeout, history, regions and wildcards. */
export const refundChart = setup({
  types: {
    context: {} as { amount: number },
    events: {} as { type: string; amount?: number },
  },
  actors: { pay: fromPromise(() => Promise.resolve('paid')) },
  guards: { isSmall: ({ context }) => context.amount <= 100 },
}).createMachine({
  id: 'refund',
  context: { amount: 0 },
  initial: 'idle',
  on: { 'audit.*': { actions: 'note' as never } },
  states: {
    idle: {
      on: {
        'refund.asked': {
          target: 'judging',
          actions: assign({ amount: ({ event }) => event.amount ?? 0 }),
        },
      },
    },
    judging: {
      always: [{ guard: 'isSmall', target: 'work.paying' }, { target: 'awaitingHuman' }],
    },
    awaitingHuman: {
      on: { 'human.approved': 'work', 'human.rejected': 'rejected', 'refund.withdrawn': 'idle' },
      after: { 60_000: 'rejected' },
    },
    work: {
      initial: 'paying',
      on: { 'desk.paused': 'paused' },
      states: {
        paying: {
          invoke: { src: 'pay', onDone: 'paid', onError: 'failed' },
          on: { 'payment.cancelled': '#refund.rejected' },
        },
        failed: { on: { 'payment.retried': 'paying' } },
        paid: { type: 'final' },
        last: { type: 'history' },
      },
      onDone: 'closing',
    },
    paused: { on: { 'desk.resumed': 'work.last' } },
    closing: {
      type: 'parallel',
      states: {
        letter: {
          initial: 'open',
          states: { open: { on: { 'letter.sent': 'sent' } }, sent: { type: 'final' } },
        },
        books: {
          initial: 'open',
          states: { open: { on: { 'books.*': 'done' } }, done: { type: 'final' } },
        },
      },
      onDone: 'closed',
    },
    rejected: { type: 'final' },
    closed: { type: 'final' },
  },
})
