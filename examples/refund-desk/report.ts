import { formatAmount, parseMoney, type Json, type Money } from 'ambit'
import type { Rest, TicketOutcome, TicketRow } from './intake.ts'

export interface Summary {
  readonly tickets: number
  readonly refunded: number
  readonly awaitingHuman: number
  readonly denied: number
  readonly invalid: number
  readonly inDoubt: number
  readonly duplicates: number
  /** Refunds made, by currency: plain decimals. */
  readonly spent: Readonly<Record<string, string>>
  readonly effects: { readonly attempts: number; readonly keys: number }
}

/** The tickets among the intake's rows, in order of arrival. */
export function ticketsIn(rows: ReadonlyMap<string, Json>): TicketRow[] {
  const tickets = [...rows].filter(
    ([key]) => key.startsWith('ticket:') || key.startsWith('invalid:'),
  )
  return tickets
    .map(([, value]) => value as unknown as TicketRow)
    .sort((a, b) => a.number - b.number)
}

export function summarize(tickets: readonly TicketRow[], duplicates: number): Summary {
  const count = (outcome: TicketOutcome) =>
    tickets.filter(({ rest }) => rest?.outcome === outcome).length
  const attempted = new Map<string, number>()
  const made = new Map<string, Money>()
  for (const { rest } of tickets) {
    const { key, attempts = 0, outcome, amount, currency } = rest ?? {}
    if (key === undefined || attempts === 0) continue
    attempted.set(key, attempts)
    if (outcome === 'refunded' && amount !== undefined && currency !== undefined)
      made.set(key, parseMoney(amount, currency))
  }
  return {
    tickets: tickets.length,
    refunded: count('refunded'),
    awaitingHuman: count('awaitingHuman'),
    denied: count('denied'),
    invalid: count('invalid'),
    inDoubt: count('inDoubt'),
    duplicates,
    spent: spentBy([...made.values()]),
    effects: {
      attempts: [...attempted.values()].reduce((sum, each) => sum + each, 0),
      keys: attempted.size,
    },
  }
}

/** A JSON line for each ticket at rest, in order of arrival. */
export function decisionLines(tickets: readonly TicketRow[]): string {
  return tickets
    .flatMap(({ id, rest }) =>
      rest === undefined ? [] : `${JSON.stringify(decisionOf(id, rest))}\n`,
    )
    .join('')
}

export function describeTicket({ id, rest }: TicketRow): string {
  if (rest === undefined) return `${id}  at work`
  const { outcome, amount = '', currency = '', rules, case: caseId, reason } = rest
  const because = rules.length > 0 ? `  because of ${rules.join(', ')}` : ''
  const waits = caseId !== undefined && outcome !== 'refunded' ? `  (case ${caseId})` : ''
  const why = outcome === 'invalid' && reason !== undefined ? `: ${reason}` : ''
  return `${id.padEnd(10)} ${outcome.padEnd(14)} ${amount.padStart(9)} ${currency.padEnd(3)}${because}${waits}${why}`
}

export function describeSummary(summary: Summary, journal: string): string {
  const { tickets, refunded, awaitingHuman, denied, invalid, inDoubt, duplicates, spent } = summary
  const money = Object.entries(spent).map(([currency, amount]) => `${amount} ${currency}`)
  const lines = [
    '',
    `${tickets} tickets: ${refunded} refunded (${money.join(', ') || 'nothing'}), ${awaitingHuman} wait for a human, ` +
      `${denied} denied, ${invalid} invalid, ${inDoubt} in doubt; ${duplicates} duplicates.`,
  ]
  if (awaitingHuman + inDoubt > 0) {
    lines.push(
      `Decide:  npx ambit keygen alice${journal}   then   npx ambit approvals list${journal}`,
    )
  }
  lines.push(`Why:     npx ambit log explain c-1${journal}`)
  return lines.join('\n')
}

function decisionOf(
  ticket: string,
  { outcome, rules, amount, currency, case: caseId, reason }: Rest,
) {
  const more = {
    ...(caseId !== undefined && { case: caseId }),
    ...(reason !== undefined && { reason }),
  }
  return { ticket, outcome, rules, amount: amount ?? null, currency: currency ?? null, ...more }
}

function spentBy(made: readonly Money[]): Record<string, string> {
  const sums = new Map<string, number>([['USD', 0]])
  for (const { currency, minor } of made) sums.set(currency, (sums.get(currency) ?? 0) + minor)
  return Object.fromEntries(
    [...sums].map(([currency, minor]) => [currency, formatAmount({ currency, minor })]),
  )
}
