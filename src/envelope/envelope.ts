import canonicalize from 'canonicalize'
import { z } from 'zod'
import { AmbitError } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import { parseDuration } from './duration.ts'
import { readMoney } from './money.ts'
import { isTimeZone } from './windows.ts'

const amount = z.string().refine(isMoney, 'expected an amount such as "500.00 USD"')
const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'expected a duration such as "4h"')
const share = z.number().gt(0).max(1)
/** Half of a surrogate pair is no text: it has no canonical form, so that nobody could sign it. */
const text = z
  .string()
  .min(1)
  .refine((given) => !/\p{Surrogate}/u.test(given), 'expected text of whole characters')
const names = z.array(text).min(1)

const calendarWindow = z.strictObject({
  amount,
  /** A calendar day, week (from Monday) or month. */
  per: z.enum(['day', 'week', 'month']),
  /** Whose midnight counts: an IANA name. */
  timeZone: z.string().refine(isTimeZone, 'expected an IANA time zone such as "UTC"'),
})

const rollingWindow = z.strictObject({ amount, within: duration })

const actionLimits = z.strictObject({
  /** Most for one action. At the limit is inside. */
  atMost: z.strictObject({ amount }).optional(),
  windows: z
    .array(z.union([calendarWindow, rollingWindow]))
    .max(16)
    .optional(),
  /** Who may be on the other side: anyone not listed in `allow`, or listed in `deny`, is not. */
  counterparties: z.strictObject({ allow: names.optional(), deny: names.optional() }).optional(),
})

const trigger = z.union([
  z.strictObject({ confidenceUnder: share }),
  z.strictObject({ category: names }),
  z.strictObject({ currencyOtherThan: names }),
])

const approval = z.strictObject({
  /** Roles that may decide. */
  by: names,
  /** Distinct persons needed. Default 1. */
  quorum: z.int().min(1).max(9).default(1),
  /** Default `4h`. */
  expiresAfter: duration.default('4h'),
  /** What happens when nobody decides; it can never be approval. Default, and in this version only, `reject`. */
  onExpiry: z.literal('reject').default('reject'),
})

export const envelopeSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  /** Raised with every change; versions are immutable. Default 1. */
  version: z.int().min(1).default(1),
  /** The person who answers for what is done within this envelope. */
  owner: text,
  /** Actions allowed; every other is denied. */
  actions: z.record(text, actionLimits),
  escalateWhen: z.array(trigger).max(32).default([]),
  approval: approval.optional(),
})

/** What may be written: the closed vocabulary, as plain data. */
export type EnvelopeInput = z.input<typeof envelopeSchema>

/** An agent's authority: scope, limits, escalation and who approves. Data, immutable, named by its hash. */
export interface Envelope extends z.output<typeof envelopeSchema> {
  readonly hash: string
}

export type ActionLimits = z.output<typeof actionLimits>
export type WindowLimit = z.output<typeof calendarWindow> | z.output<typeof rollingWindow>
export type Trigger = z.output<typeof trigger>

/** Who decides what an envelope does not let the agent decide, and until when. */
export interface ApprovalRoute {
  readonly by: readonly string[]
  readonly quorum: number
  readonly expiresAfter: string
  readonly onExpiry: 'reject'
}

/**
 * Checks and freezes an envelope. Deny by default: an action that is not listed is denied, and an unknown field is an
 * error, because a misspelt limit would be no limit. Throws `AMBIT_ENVELOPE_INVALID`.
 *
 * @example
 * defineEnvelope({
 *   id: 'refund-desk', owner: 'head-of-support',
 *   actions: { refund: { atMost: { amount: '500.00 USD' } } },
 *   approval: { by: ['finance'] },
 * })
 */
export function defineEnvelope(input: EnvelopeInput): Envelope {
  const parsed = envelopeSchema.safeParse(input)
  if (!parsed.success) {
    const found = parsed.error.issues.slice(0, 5).map((issue) => describeIssue(issue, []))
    throw new AmbitError(
      'AMBIT_ENVELOPE_INVALID',
      `An envelope was refused: ${found.join('; ')}. Mend it and start again.`,
    )
  }
  // A record drops this name without a word.
  if (Object.hasOwn(input.actions, '__proto__')) {
    throw new AmbitError(
      'AMBIT_ENVELOPE_INVALID',
      'An envelope was refused: actions: "__proto__" is no name. Mend it and start again.',
    )
  }
  if (parsed.data.escalateWhen.length > 0 && parsed.data.approval === undefined) {
    throw new AmbitError(
      'AMBIT_ENVELOPE_INVALID',
      `Envelope "${parsed.data.id}" escalates but names nobody who decides. Add approval: { by: [...] }.`,
    )
  }
  return deepFreeze({ ...parsed.data, hash: sha256(canonical(parsed.data as Json)) })
}

/** RFC 8785 canonical JSON: the same bytes for the same value. */
export function canonical(value: Json): string {
  const text = canonicalize(value)
  if (text === undefined)
    throw new AmbitError('AMBIT_CONTEXT_NOT_JSON', 'Expected JSON to canonicalise, got undefined.')
  return text
}

/** Of a choice between shapes, what is wrong with the one that fits best. */
function describeIssue(issue: z.core.$ZodIssue, above: readonly PropertyKey[]): string {
  const path = [...above, ...issue.path]
  if (issue.code !== 'invalid_union')
    return `${path.map(String).join('.') || 'envelope'}: ${issue.message}`
  const [best] = [...issue.errors].sort((a, b) => weigh(a) - weigh(b))
  const [first] = best ?? []
  return first === undefined
    ? `${path.map(String).join('.')}: ${issue.message}`
    : describeIssue(first, path)
}

/** A shape with a field of another name is further off than one with a wrong value. */
function weigh(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, { code }) => sum + (code === 'unrecognized_keys' ? 3 : 1), 0)
}

function isMoney(text: string): boolean {
  try {
    readMoney(text)
    return true
  } catch {
    return false
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze)
    Object.freeze(value)
  }
  return value
}
