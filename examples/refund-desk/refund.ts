import { defineAction, defineEnvelope, money } from 'ambit'
import { z } from 'zod'
import type { Payments } from './payments-client.ts'

/** What a refund needs; `null` is a fact that nobody knows, and a human must fill it in. */
const refundInput = z.strictObject({
  ticket: z.string(),
  order: z.string().nullable(),
  amount: money().nullable(),
})

/** The one effect of the desk: money goes back to a customer, once per order, whatever crashes. */
export function refundAction(payments: Payments) {
  return defineAction({
    name: 'refund',
    input: refundInput,
    output: z.object({ refundId: z.string() }),
    key: ({ order, ticket }) => (order === null ? `ticket ${ticket}` : `order ${order}`),
    amount: ({ amount }) => amount ?? undefined,
    missing: ({ order, amount }) => [
      ...(order === null ? ['order'] : []),
      ...(amount === null ? ['amount'] : []),
    ],
    idempotent: payments.isIdempotent,
    attemptsMax: 12,
    execute: ({ input, idempotencyKey, signal }) =>
      payments.refund(input, { idempotencyKey, signal }),
    contract: { commitment: 'The customer has the amount back.', answers: 'head-of-support' },
  })
}

/** What the desk may decide alone. Everything else waits for someone in finance. */
export const deskEnvelope = defineEnvelope({
  id: 'refund-desk',
  owner: 'head-of-support',
  actions: {
    refund: {
      atMost: { amount: '500.00 USD' },
      windows: [{ amount: '5000.00 USD', per: 'day', timeZone: 'UTC' }],
    },
  },
  escalateWhen: [{ confidenceUnder: 0.8 }, { category: ['legal'] }, { currencyOtherThan: ['USD'] }],
  approval: { by: ['finance'], quorum: 1, expiresAfter: '4h', onExpiry: 'reject' },
})
