import type { ActionLimits, ApprovalRoute, Envelope, Trigger } from './envelope.ts'
import { formatMoney, readMoney } from './money.ts'
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
  if (chain.length === 0) return denied([noEnvelope(proposal)])
  const judged = chain.map((envelope) => judge(envelope, proposal, view))
  const results = judged.flat()
  const escalating = chain.filter((_, i) => severityOf(judged[i] ?? []) === 'escalate')
  const routes = escalating.map((envelope) => routeAtOrAbove(chain, envelope))
  // An escalation that leads to nobody is a denial: a child's own route cannot stand in for its supervisor's.
  if (routes.includes(undefined)) return denied(results)
  const asked = results.filter((result) => result.severity !== 'allow')
  const approval = strictest(routes, chain)
  return {
    severity: severityOf(results),
    rules: [...new Set(asked.map(({ rule }) => rule))],
    results,
    ...(approval !== undefined && { approval }),
  }
}

export function mostSevere(found: readonly Severity[]): Severity {
  return severities[Math.max(0, ...found.map((severity) => severities.indexOf(severity)))] ?? 'deny'
}

/** Who decides for an envelope: its own route, else the nearest above. The chain begins at the root. */
function routeAtOrAbove(chain: readonly Envelope[], envelope: Envelope): ApprovalRoute | undefined {
  const above = chain.slice(0, chain.indexOf(envelope) + 1)
  return above.findLast(({ approval }) => approval !== undefined)?.approval
}

/** The outermost of those who are asked decides, or of all when none is; with the largest quorum that any wants. */
function strictest(
  asked: readonly (ApprovalRoute | undefined)[],
  chain: readonly Envelope[],
): ApprovalRoute | undefined {
  const all = chain.flatMap(({ approval }) => approval ?? [])
  const outermost = asked[0] ?? all[0]
  return outermost && { ...outermost, quorum: Math.max(...all.map(({ quorum }) => quorum)) }
}

function denied(results: readonly RuleResult[]): Decision {
  const asked = results.filter((result) => result.severity !== 'allow')
  return { severity: 'deny', rules: [...new Set(asked.map(({ rule }) => rule))], results }
}

function severityOf(results: readonly RuleResult[]): Severity {
  return mostSevere(results.map(({ severity }) => severity))
}

function judge(envelope: Envelope, proposal: Proposal, view: LedgerView | undefined): RuleResult[] {
  const listed = Object.hasOwn(envelope.actions, proposal.action)
  const found = listed ? envelope.actions[proposal.action] : undefined
  const results: RuleResult[] = []
  const note: Note = (rule, severity, seen, limit) => {
    // A fact that several rules miss is named once.
    const again =
      rule === 'missingFact' &&
      results.some((known) => known.rule === rule && known.limit === limit)
    if (!again) results.push({ rule, envelope: envelope.id, severity, seen, limit })
  }
  const actions = Object.keys(envelope.actions).join(', ') || 'none'
  note('action', found === undefined ? 'deny' : 'allow', proposal.action, actions)
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

function judgeAmount({ atMost }: ActionLimits, { amount }: Proposal, note: Note): void {
  if (atMost === undefined) return
  const limit = readMoney(atMost.amount)
  if (amount === undefined) {
    note('missingFact', 'escalate', 'unknown', 'amount')
  } else if (amount.currency !== limit.currency) {
    note('currency', 'escalate', amount.currency, limit.currency)
  } else {
    const severity = amount.minor <= limit.minor ? 'allow' : 'escalate'
    note('perAction', severity, formatMoney(amount), atMost.amount)
  }
}

/** A window that cannot be applied asks a human: an unknown or foreign amount would pass uncounted. */
function judgeWindows(
  envelope: Envelope,
  { windows = [] }: ActionLimits,
  { action, amount }: Proposal,
  view: LedgerView | undefined,
  note: Note,
): void {
  for (const window of windows) {
    const limit = readMoney(window.amount)
    const most = `${window.amount} ${'per' in window ? `per ${window.per}` : `within ${window.within}`}`
    if (amount === undefined) note('missingFact', 'escalate', 'unknown', 'amount')
    else if (amount.currency !== limit.currency)
      note('currency', 'escalate', amount.currency, limit.currency)
    else if (view === undefined) note('window', 'escalate', 'the ledger was not asked', most)
    else {
      const minor = view.used[windowKey(envelope.id, action, window)] ?? 0
      const fits = minor + amount.minor <= limit.minor
      const seen = `${formatMoney({ currency: limit.currency, minor })} + ${formatMoney(amount)}`
      note('window', fits ? 'allow' : 'escalate', seen, most)
    }
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
    const isKnown = confidence !== undefined && confidence >= 0 && confidence <= 1
    if (!isKnown) return note('missingFact', 'escalate', 'unknown', 'confidence')
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
  if (amount === undefined) return note('missingFact', 'escalate', 'unknown', 'amount')
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
