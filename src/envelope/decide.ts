import type { ActionLimits, ApprovalRoute, Envelope, Trigger } from './envelope.ts'
import { formatMoney, readMoney, type Money } from './money.ts'
import type { Proposal } from './proposal.ts'
import { windowKey } from './windows.ts'

/** From harmless to final; the most severe rule wins. */
export type Severity = 'allow' | 'notify' | 'escalate' | 'deny'
export const severities: readonly Severity[] = ['allow', 'notify', 'escalate', 'deny']

export type RuleName =
  | 'action'
  | 'perAction'
  | 'window'
  | 'counterparty'
  | 'confidence'
  | 'category'
  | 'currency'
  | 'missingFact'

/** One rule of one envelope as it was evaluated: the mechanical reason. */
export interface RuleResult {
  readonly rule: RuleName
  readonly envelope: string
  readonly severity: Severity
  readonly seen: string
  readonly limit: string
}

export interface Decision {
  readonly severity: Severity
  /** The names of the rules that asked for more than `allow`, without repeats. */
  readonly rules: readonly RuleName[]
  readonly results: readonly RuleResult[]
  /** Who decides when a human must. */
  readonly approval?: ApprovalRoute
}

/** What each window held when it was looked at, in minor units, by window key. */
export interface LedgerView {
  readonly used: Readonly<Record<string, number>>
  /** When the ledger looked. */
  readonly at: number
}

/**
 * Judges a proposal against an agent's envelope and every envelope above it. Pure, and the only judge: the guard of
 * the action machine, the tests and every replay call it.
 *
 * All rules are evaluated; the most severe of `allow < notify < escalate < deny` wins. At a limit is inside. A fact
 * that is missing escalates, an action that no envelope lists is denied, and an empty chain denies everything.
 */
export function decide(
  chain: readonly Envelope[],
  proposal: Proposal,
  view: LedgerView | undefined,
): Decision {
  const results =
    chain.length === 0
      ? [noEnvelope(proposal)]
      : chain.flatMap((envelope) => judge(envelope, proposal, view))
  const severity = mostSevere(results.map((result) => result.severity))
  const asked = results.filter((result) => result.severity !== 'allow')
  const approval = approvalOf(chain)
  return {
    // An escalation that leads to nobody is a denial.
    severity: severity === 'escalate' && approval === undefined ? 'deny' : severity,
    rules: [...new Set(asked.map(({ rule }) => rule))],
    results,
    ...(approval !== undefined && { approval }),
  }
}

export function mostSevere(found: readonly Severity[]): Severity {
  return severities[Math.max(0, ...found.map((severity) => severities.indexOf(severity)))] ?? 'deny'
}

/** The strictest route of the chain: the nearest one, with the largest quorum that any asks for. */
export function approvalOf(chain: readonly Envelope[]): ApprovalRoute | undefined {
  const routes = chain.flatMap(({ approval }) => approval ?? [])
  const nearest = routes.at(-1)
  return nearest && { ...nearest, quorum: Math.max(...routes.map(({ quorum }) => quorum)) }
}

function judge(envelope: Envelope, proposal: Proposal, view: LedgerView | undefined): RuleResult[] {
  const found = Object.hasOwn(envelope.actions, proposal.action)
    ? envelope.actions[proposal.action]
    : undefined
  const results: RuleResult[] = []
  const note = (rule: RuleName, severity: Severity, seen: string, limit: string) =>
    results.push({ rule, envelope: envelope.id, severity, seen, limit })
  const allowed = found !== undefined
  note(
    'action',
    allowed ? 'allow' : 'deny',
    proposal.action,
    Object.keys(envelope.actions).join(', ') || 'none',
  )
  for (const fact of proposal.missing) note('missingFact', 'escalate', 'unknown', fact)
  if (found !== undefined) {
    judgeAmount(found, proposal, note)
    judgeWindows(envelope, found, proposal, view, note)
    judgeCounterparty(found, proposal, note)
  }
  for (const trigger of envelope.escalateWhen) judgeTrigger(trigger, proposal, note)
  return results
}

type Note = (rule: RuleName, severity: Severity, seen: string, limit: string) => void

function judgeAmount({ atMost }: ActionLimits, { amount, missing }: Proposal, note: Note): void {
  if (atMost === undefined) return
  const limit = readMoney(atMost.amount)
  if (amount === undefined) {
    // A fact already named as missing is named once.
    if (missing.length === 0) note('missingFact', 'escalate', 'unknown', 'amount')
  } else if (amount.currency !== limit.currency) {
    note('currency', 'escalate', amount.currency, limit.currency)
  } else {
    note(
      'perAction',
      amount.minor <= limit.minor ? 'allow' : 'escalate',
      formatMoney(amount),
      atMost.amount,
    )
  }
}

function judgeWindows(
  envelope: Envelope,
  { windows = [] }: ActionLimits,
  { action, amount }: Proposal,
  view: LedgerView | undefined,
  note: Note,
): void {
  for (const window of windows) {
    const limit = readMoney(window.amount)
    if (amount === undefined || amount.currency !== limit.currency || view === undefined) continue
    const used: Money = {
      currency: limit.currency,
      minor: view.used[windowKey(envelope.id, action, window)] ?? 0,
    }
    const fits = used.minor + amount.minor <= limit.minor
    const span = 'per' in window ? `per ${window.per}` : `within ${window.within}`
    note(
      'window',
      fits ? 'allow' : 'escalate',
      `${formatMoney(used)} + ${formatMoney(amount)}`,
      `${window.amount} ${span}`,
    )
  }
}

function judgeCounterparty(
  { counterparties }: ActionLimits,
  { counterparty }: Proposal,
  note: Note,
): void {
  if (counterparties === undefined) return
  const { allow, deny } = counterparties
  if (counterparty === undefined) return note('missingFact', 'escalate', 'unknown', 'counterparty')
  const denied =
    deny?.includes(counterparty) === true || (allow !== undefined && !allow.includes(counterparty))
  note(
    'counterparty',
    denied ? 'deny' : 'allow',
    counterparty,
    denied ? 'not among those allowed' : 'allowed',
  )
}

function judgeTrigger(trigger: Trigger, proposal: Proposal, note: Note): void {
  const { confidence, category, amount } = proposal
  if ('confidenceUnder' in trigger) {
    if (confidence === undefined) return note('missingFact', 'escalate', 'unknown', 'confidence')
    const low = confidence < trigger.confidenceUnder
    return note(
      'confidence',
      low ? 'escalate' : 'allow',
      confidence.toFixed(3),
      `at least ${trigger.confidenceUnder}`,
    )
  }
  if ('category' in trigger) {
    if (category === undefined) return note('missingFact', 'escalate', 'unknown', 'category')
    const hit = trigger.category.includes(category)
    return note(
      'category',
      hit ? 'escalate' : 'allow',
      category,
      `not ${trigger.category.join(', ')}`,
    )
  }
  if (amount === undefined) return
  const foreign = !trigger.currencyOtherThan.includes(amount.currency)
  note(
    'currency',
    foreign ? 'escalate' : 'allow',
    amount.currency,
    trigger.currencyOtherThan.join(', '),
  )
}

function noEnvelope(proposal: Proposal): RuleResult {
  return {
    rule: 'action',
    envelope: '(none)',
    severity: 'deny',
    seen: proposal.action,
    limit: 'no envelope',
  }
}
