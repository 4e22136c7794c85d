import { effectRefused, formatAmount, type Money } from 'ambit'
import { z } from 'zod'

export interface RefundOrder {
  readonly order: string | null
  readonly amount: Money | null
}

/** The payments server as the desk sees it. */
export interface Payments {
  /** Whether it makes a refund once per key, however often it is asked. */
  readonly isIdempotent: boolean
  refund(
    order: RefundOrder,
    options: { readonly idempotencyKey: string; readonly signal: AbortSignal },
  ): Promise<{ readonly refundId: string }>
}

const answerSchema = z.object({ refundId: z.string() })
const capabilitiesSchema = z.object({ idempotency: z.boolean() })

/** Answers that prove that no refund was made; after any other nobody knows. */
const PROVED_REFUSALS = new Set([400, 401, 403, 404, 413, 422])

/**
 * Asks a payments server what it promises and returns a client for it. A server that does not say is taken to repeat
 * whatever it is told twice. Throws when none answers at that address.
 */
export async function connectPayments(url: string): Promise<Payments> {
  const isIdempotent = await readCapabilities(url)
  return {
    isIdempotent,
    async refund({ order, amount }, { idempotencyKey, signal }) {
      if (order === null || amount === null) throw effectRefused('A refund needs an order and an amount.')
      const response = await fetch(new URL('/refunds', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ order, amount: formatAmount(amount), currency: amount.currency }),
        signal,
      })
      const text = await response.text()
      if (PROVED_REFUSALS.has(response.status)) {
        throw effectRefused(`The payments server refused the refund of order ${order}: ${response.status} ${text.slice(0, 200)}`)
      }
      if (!response.ok) throw new Error(`The payments server answered ${response.status}; the refund may have been made.`)
      return answerSchema.parse(JSON.parse(text))
    },
  }
}

async function readCapabilities(url: string): Promise<boolean> {
  let response: Response
  try {
    response = await fetch(new URL('/capabilities', url), { signal: AbortSignal.timeout(5000) })
  } catch (error) {
    throw new Error(`No payments server answers at ${url}. Start one with \`npm run payments\`, or leave --payments away.`, {
      cause: error,
    })
  }
  if (!response.ok) return false
  const parsed = capabilitiesSchema.safeParse(await response.json().catch(() => undefined))
  return parsed.success && parsed.data.idempotency
}
