import { z } from 'zod'
import { countDecimals, isCurrency, isPlainAmount } from './currency.ts'
import { type Answer, refuse } from './json-http.ts'
import type { Refund, RefundFile } from './refund-file.ts'

/** Makes refunds and answers for them. */
export interface PaymentsDesk {
  readonly idempotency: boolean
  readonly refunds: readonly Refund[]
  /** Answers one claim, given as the body and the Idempotency-Key of a request. */
  answerClaim(body: string, header: string | string[] | undefined): Answer
}

/** What a desk needs; see the options of the payments server for what each means. */
export interface PaymentsDeskOptions {
  readonly file: RefundFile
  readonly idempotency: boolean
  readonly failPercent: number
  readonly seed: number
}

const keyLengthMax = 200

const claimSchema = z
  .object({
    order: z.string().min(1).max(200),
    amount: z.string().refine(isPlainAmount, 'expected a plain decimal above 0 such as "499.99"'),
    currency: z.string().refine(isCurrency, 'expected an ISO 4217 code such as "USD"'),
  })
  .refine(
    ({ amount, currency }) =>
      !isCurrency(currency) || countDecimals(currency) > 0 || !amount.includes('.'),
    { path: ['amount'], message: 'expected no decimals, as the currency has none' },
  )

type Claim = z.infer<typeof claimSchema>

/**
 * Creates the part of the payments server that decides what a post is answered with.
 *
 * A claim is looked up, made and written down within one synchronous step: two posts with one key cannot both pass.
 */
export function createPaymentsDesk(options: PaymentsDeskOptions): PaymentsDesk {
  const { file, idempotency } = options
  const drawFailure = createFailures(options.failPercent, options.seed)
  const byKey = new Map<string, Refund>()
  // The first refund of a key is the one to repeat, whatever was made with it while keys were not looked up.
  for (const refund of file.refunds.toReversed()) {
    if (refund.key !== null) byKey.set(refund.key, refund)
  }
  return {
    idempotency,
    refunds: file.refunds,
    answerClaim(body, header) {
      const key = readKey(header, idempotency)
      if (typeof key === 'object') return key
      const claim = readClaim(body)
      if (typeof claim === 'string') return refuse(400, claim)
      const failure = drawFailure()
      if (failure === 'before') return refuse(503, 'Unavailable; try again.')
      const made = key === undefined || !idempotency ? undefined : byKey.get(key)
      const answer = made === undefined ? make(claim, key) : repeat(made, claim)
      return failure === 'after' ? refuse(503, 'Unavailable; try again.') : answer
    },
  }

  function make({ order, amount, currency }: Claim, key: string | undefined): Answer {
    const refundId = `rf-${file.refunds.length + 1}`
    const at = new Date().toISOString()
    const refund: Refund = { refundId, order, amount, currency, key: key ?? null, at }
    file.append(refund)
    if (key !== undefined && idempotency) byKey.set(key, refund)
    return { status: 201, body: withoutTime(refund) }
  }
}

function readKey(
  header: string | string[] | undefined,
  isRequired: boolean,
): string | undefined | Answer {
  const key = typeof header === 'string' && header.trim() !== '' ? header.trim() : undefined
  if (key !== undefined && key.length > keyLengthMax) {
    const message = `Expected an Idempotency-Key of at most ${keyLengthMax} characters, got ${key.length}.`
    return refuse(400, message)
  }
  if (key !== undefined || !isRequired) return key
  return refuse(400, 'Expected the header Idempotency-Key, got none. Send one key per refund.')
}

function repeat(made: Refund, claim: Claim): Answer {
  const isSame =
    made.order === claim.order && made.amount === claim.amount && made.currency === claim.currency
  if (isSame) return { status: 200, body: withoutTime(made) }
  const message = `Idempotency-Key "${made.key ?? ''}" was used for another refund. Send another key.`
  return refuse(422, message)
}

function readClaim(body: string): Claim | string {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return 'Expected JSON such as {"order": "A-1", "amount": "499.99", "currency": "USD"}.'
  }
  const parsed = claimSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  return `${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'not a refund'}.`
}

function withoutTime({ refundId, order, amount, currency, key }: Refund): Omit<Refund, 'at'> {
  return { refundId, order, amount, currency, key }
}

/** Draws which posts fail, from a seeded generator (mulberry32). */
function createFailures(percent: number, seed: number): () => 'before' | 'after' | undefined {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    const drawn = (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * 100
    if (drawn < percent / 2) return 'before'
    return drawn < percent ? 'after' : undefined
  }
}
