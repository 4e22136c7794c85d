import http from 'node:http'
import https from 'node:https'
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
 * Returns a client for a payments server, after asking it what it promises unless that is known. A server that does
 * not say is taken to repeat whatever it is told twice. Throws when none answers at that address.
 */
export async function connectPayments(
  url: string,
  known?: { readonly idempotency: boolean },
): Promise<Payments> {
  const isIdempotent = known?.idempotency ?? (await readCapabilities(url))
  return {
    isIdempotent,
    async refund({ order, amount }, { idempotencyKey, signal }) {
      if (order === null || amount === null)
        throw effectRefused('A refund needs an order and an amount.')
      const body = JSON.stringify({
        order,
        amount: formatAmount(amount),
        currency: amount.currency,
      })
      const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey }
      const { status, text } = await call('POST', new URL('/refunds', url), {
        headers,
        body,
        signal,
      })
      if (PROVED_REFUSALS.has(status)) {
        throw effectRefused(
          `The payments server refused the refund of order ${order}: ${status} ${text.slice(0, 200)}`,
        )
      }
      if (status !== 200 && status !== 201) {
        throw new Error(`The payments server answered ${status}; the refund may have been made.`)
      }
      return answerSchema.parse(JSON.parse(text))
    },
  }
}

async function readCapabilities(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000)
  try {
    const { text } = await call('GET', new URL('/capabilities', url), {
      headers: {},
      body: '',
      signal,
    })
    return capabilitiesSchema.parse(JSON.parse(text)).idempotency
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return false
    throw new Error(
      `No payments server answers at ${url}. Start one with \`npm run payments\`, or leave --payments away.`,
      {
        cause: error,
      },
    )
  }
}

interface Call {
  readonly headers: Record<string, string>
  readonly body: string
  readonly signal: AbortSignal
}

/** One request with node:http, which starts faster than fetch and keeps its connections. */
function call(
  method: string,
  url: URL,
  { headers, body, signal }: Call,
): Promise<{ status: number; text: string }> {
  const send = url.protocol === 'https:' ? https.request : http.request
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, headers, signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
