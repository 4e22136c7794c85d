import { z } from 'zod'
import { countDecimals, isCurrency, isPlainAmount } from './currency.ts'
import { isNestedDeeperThan } from 'ambit'

/** What is known of the claim beside the customer's words; what is missing comes from the reasoner. */
export interface TicketFacts {
  readonly order?: string
  /** Plain decimal above zero, such as "499.99". */
  readonly amount?: string
  /** ISO 4217. */
  readonly currency?: string
  readonly category?: string
  /** 0 to 1. */
  readonly confidence?: number
}

/** One customer's message, checked. */
export interface Ticket {
  readonly id: string
  readonly customer: string
  readonly text: string
  readonly facts: TicketFacts
}

/** A ticket, or why a line is none; `id` only if the line has one that can be believed. */
export type ParsedTicket =
  | { readonly ok: true; readonly ticket: Ticket }
  | { readonly ok: false; readonly id?: string; readonly reason: string }

const lineBytesMax = 1_048_576
const nestingMax = 32

const id = shortText()

const facts = z
  .object(
    {
      order: shortText().optional(),
      amount: z
        .string({ error: expected('a plain decimal in quotes such as "499.99"') })
        .refine(isPlainAmount, { error: expected('a plain decimal above 0 such as "499.99"') })
        .optional(),
      currency: z
        .string({ error: expected('an ISO 4217 code such as "USD"') })
        .refine(isCurrency, { error: expected('an ISO 4217 code such as "USD"') })
        .optional(),
      category: shortText().optional(),
      confidence: z
        .number({ error: expected('a number from 0 to 1') })
        .min(0, { error: expected('a number from 0 to 1') })
        .max(1, { error: expected('a number from 0 to 1') })
        .optional(),
    },
    { error: expected('an object') },
  )
  .refine(hasFittingDecimals, {
    path: ['amount'],
    error: ({ input }) => {
      const { amount, currency } = input as TicketFacts
      return `expected an amount in ${currency ?? ''} without decimals, got ${show(amount)}`
    },
  })

const ticketSchema = z.object(
  {
    id,
    customer: shortText(),
    text: z
      .string({ error: expected('a text of at most 20,000 characters') })
      .max(20_000, { error: expected('a text of at most 20,000 characters') }),
    facts: facts.default({}),
  },
  { error: expected('an object') },
)

/**
 * Parses one line of the inbox. Pure; never throws.
 *
 * Size (1 MiB) and nesting (32 levels) are checked before anything is parsed. Unknown fields are dropped, so that
 * an agent never sees what does not concern it, such as the `label` of a labelled ticket.
 */
export function parseTicket(line: string): ParsedTicket {
  const bytes = Buffer.byteLength(line)
  if (bytes > lineBytesMax) {
    return { ok: false, reason: `line: expected at most ${lineBytesMax} bytes, got ${bytes}.` }
  }
  if (isNestedDeeperThan(line, nestingMax)) {
    return {
      ok: false,
      reason: `line: expected at most ${nestingMax} levels of nesting, got more.`,
    }
  }
  const json = parseJson(line)
  if (json === undefined) {
    return { ok: false, reason: `line: expected JSON, got ${show(line)}.` }
  }
  const parsed = ticketSchema.safeParse(json.value)
  if (parsed.success) return { ok: true, ticket: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue === undefined || issue.path.length === 0 ? 'line' : issue.path.join('.')
  const reason = `${field}: ${issue?.message ?? 'expected a ticket'}.`
  const knownId = z.object({ id }).safeParse(json.value)
  return knownId.success ? { ok: false, id: knownId.data.id, reason } : { ok: false, reason }
}

function parseJson(line: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) as unknown }
  } catch {
    return undefined
  }
}

function shortText() {
  const error = expected('a text of 1 to 200 characters')
  return z.string({ error }).min(1, { error }).max(200, { error })
}

function hasFittingDecimals({ amount, currency }: TicketFacts): boolean {
  if (amount === undefined || currency === undefined || !isCurrency(currency)) return true
  return countDecimals(currency) > 0 || !amount.includes('.')
}

function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => `expected ${what}, got ${show(input)}`
}

/** Shows a value from outside in a few printable characters. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  // A number too large for JSON comes as Infinity, which JSON would show as null.
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}… (${text.length} characters)` : text
}
