import type { Decision, RuleResult } from '../src/envelope/decide.ts'
import type { ApprovalRoute, Envelope } from '../src/envelope/envelope.ts'
import { formatMoney, type Money } from '../src/envelope/money.ts'
import { proposalDigest, type Proposal } from '../src/envelope/proposal.ts'
import type { ErrorRecord } from '../src/kernel/errors.ts'
import { sha256, type Json } from '../src/kernel/json.ts'
import type { Event, ReplyTo } from '../src/kernel/message.ts'
import type { Command } from '../src/kernel/ports/engine.ts'
import { thisTurn } from '../src/kernel/turn.ts'

export type Outcome =
  | 'committed'
  | 'failed'
  | 'compensated'
  | 'denied'
  | 'rejected'
  | 'expired'
  | 'withdrawn'
  | 'conflict'

export interface Waiter extends ReplyTo {
  /** The event type under which the proposer wants to hear that a human is asked. */
  readonly notice?: string
}

export interface ActionContext {
  readonly key: string
  /** Not here while a human has it. */
  readonly proposal?: Proposal | undefined
  /** Hash of the arguments as first proposed: the same key with others is a conflict. */
  readonly argsHash?: string
  /** What it moves, as long as the proposal is with its case. */
  readonly amount?: Money | undefined
  /** Hashes of the envelopes that bind the proposer, the root's first. */
  readonly chain: readonly string[]
  readonly digest?: string
  readonly waiters: readonly Waiter[]
  readonly decision?: Decision | undefined
  readonly by: 'envelope' | 'human'
  readonly persons: readonly string[]
  readonly amendedBy: readonly string[]
  readonly caseId?: string | undefined
  /** Cases that were asked for and left before the desk had named them. */
  readonly orphans?: number
  readonly token?: string | undefined
  readonly attempts: number
  readonly output?: Json | undefined
  readonly error?: ErrorRecord | undefined
  readonly outcome?: Outcome | undefined
}

export interface ProposeEvent {
  readonly type: 'ambit.action.propose'
  readonly proposal: Proposal
  readonly chain: readonly string[]
  readonly notice?: string
}

/** What a case shows to a human, and gives back with the decision: meanwhile it is kept nowhere else. */
export interface CaseFile {
  readonly proposal: Proposal
  readonly results: readonly RuleResult[]
  readonly route: ApprovalRoute
}

export interface DecidedEvent {
  readonly type: 'ambit.action.decided'
  readonly case: string
  /** What was decided on: the action does nothing else in its name. */
  readonly digest: string
  readonly verdict: 'approve' | 'reject' | 'amend' | 'settle'
  readonly persons: readonly string[]
  readonly file: CaseFile
  readonly args?: Json
  readonly happened?: boolean
}

export type ActionEvent =
  | ProposeEvent
  | DecidedEvent
  | { type: 'ambit.action.withdraw' }
  | { type: 'ambit.action.expired'; case: string }
  | { type: 'ambit.case.opened'; case: string }

export interface ExecuteInput {
  readonly key: string
  readonly action: string
  readonly args: Json
  readonly digest: string
  readonly by: string
  readonly token: string
  /** Who acts here on its own authority; absent when a human approved. */
  readonly proposer?: string
  readonly output?: Json
}

/** What the action machine needs of its system. All of it is deterministic: same input, same answer. */
export interface ActionServices {
  envelope(hash: string): Envelope
  begin(event: ProposeEvent): ActionContext
  isIdempotent(action: string): boolean
  attemptsMax(action: string): number
  hasVerification(context: ActionContext): boolean
  /** The proposal with other arguments, its facts read anew; undefined when the action refuses the arguments. */
  amend(proposal: Proposal, args: Json): Proposal | undefined
  isValidAmendment(proposal: Proposal, args: Json | undefined): boolean
  mint(context: ActionContext): string
  executeInput(context: ActionContext): ExecuteInput
  thinkProposal(context: ActionContext): Command[]
  thinkAuthorized(context: ActionContext): Command[]
  noticeCase(context: ActionContext, caseId: string, state: 'awaitingHuman' | 'inDoubt'): Command[]
  commit(context: ActionContext): Command[]
  release(context: ActionContext): Command[]
  inDoubt(context: ActionContext): Command[]
}

export const LEDGER = '/system/ledger'
export const APPROVALS = '/system/approvals'
export const ACTIONS = '/system/actions'

export const RETRY_BASE_MS = 50
export const RETRY_MAX_MS = 5000

export function thinkDecision({ key, decision, digest }: ActionContext): Command[] {
  if (decision === undefined) return []
  const { severity, rules, results } = decision
  const thought = {
    kind: 'decision',
    key,
    digest: digest ?? '',
    severity,
    rules,
    results: results as unknown as Json,
  }
  return [{ kind: 'think', thought }]
}

export function openCase(context: ActionContext, kind: 'approval' | 'inDoubt'): Command[] {
  const { decision, digest = '', key } = context
  const proposal = proposalOf(context)
  const route = decision?.approval ?? {
    by: ['*'],
    quorum: 1,
    expiresAfter: '4h',
    onExpiry: 'reject' as const,
  }
  const opened = {
    kind,
    action: thisTurn().address,
    key,
    digest,
    proposal,
    rules: decision?.rules ?? [],
    results: decision?.results ?? [],
    route,
    excluded: [...proposal.excluded, ...context.amendedBy],
  }
  return [{ kind: 'tell', to: APPROVALS, event: { type: 'ambit.case.open', opened }, lane: 'user' }]
}

export function closeCase(caseId: string | undefined): Command[] {
  if (caseId === undefined) return []
  const event = { type: 'ambit.case.close', case: caseId }
  return [{ kind: 'tell', to: APPROVALS, event, lane: 'user' }]
}

export function approvedBy(event: DecidedEvent): Partial<ActionContext> {
  return { by: 'human', persons: event.persons }
}

/** The case has what was proposed and why it was escalated: a waiting action keeps what names it, and no more. */
export function handedOver({ proposal, decision }: ActionContext): Partial<ActionContext> {
  const rules = decision?.rules ?? []
  return {
    proposal: undefined,
    amount: proposal?.amount,
    decision: { severity: 'escalate', rules, results: [] },
  }
}

/** The case gives back what it was handed. */
export function handedBack(
  { decision }: ActionContext,
  { file }: DecidedEvent,
): Partial<ActionContext> {
  const { proposal, results, route } = file
  const rules = decision?.rules ?? []
  return {
    proposal,
    amount: undefined,
    decision: { severity: 'escalate', rules, results, approval: route },
  }
}

/** A decision counts for its own case, for exactly what that case showed, and with what was handed over. */
export function isOtherThing(context: ActionContext, event: DecidedEvent): boolean {
  const { caseId, digest, chain } = context
  if (event.case !== caseId || event.digest !== digest) return true
  return proposalDigest(event.file.proposal, chain) !== digest
}

/** An amendment is a new proposal under the same key: judged again, by its own arguments and facts. */
export function amended(
  services: ActionServices,
  context: ActionContext,
  event: DecidedEvent,
): Partial<ActionContext> {
  const { proposal: before } = event.file
  const changed = event.args === undefined ? undefined : services.amend(before, event.args)
  const proposal = changed ?? before
  return {
    proposal,
    amount: undefined,
    digest: proposalDigest(proposal, context.chain),
    amendedBy: [...context.amendedBy, ...event.persons],
    caseId: undefined,
    by: 'envelope',
  }
}

export function isSameProposal(context: ActionContext, event: unknown): boolean {
  return argsHash((event as ProposeEvent).proposal) === context.argsHash
}

export function argsHash({ action, args }: Proposal): string {
  return sha256(action, JSON.stringify(args)).slice(0, 32)
}

/** Tells a late proposer of the same thing how it stands. */
export function introduce(
  context: ActionContext,
  event: ProposeEvent,
  state: 'awaitingHuman' | 'inDoubt' | undefined,
): Command[] {
  const { outcome, caseId } = context
  if (outcome !== undefined) return [{ kind: 'reply', event: outcomeEvent(context, outcome) }]
  if (state === undefined || caseId === undefined || event.notice === undefined) return []
  return [{ kind: 'reply', event: waitingEvent(context, caseId, event.notice, state) }]
}

export function waitingEvent(
  context: ActionContext,
  caseId: string,
  notice: string,
  state: 'awaitingHuman' | 'inDoubt',
): Event {
  const { key, attempts, decision } = context
  const rules = decision?.rules ?? []
  return {
    type: 'ambit.action.waiting',
    case: caseId,
    key,
    attempts,
    rules,
    ...amountOf(context),
    notice,
    state,
  }
}

export function outcomeOf(outcome: 'conflict', event: ProposeEvent): Command[] {
  const { action } = event.proposal
  const message = `Another ${action} with the same key but other arguments was proposed before. It stands.`
  return [{ kind: 'reply', event: { type: 'ambit.action.outcome', outcome, rules: [], message } }]
}

export function withWaiter({
  context,
  event,
}: {
  context: ActionContext
  event: ProposeEvent
}): Partial<ActionContext> {
  const { replyTo } = thisTurn().message.headers
  if (replyTo === undefined || context.outcome !== undefined) return {}
  return { waiters: [...context.waiters, waiterOf(replyTo, event)] }
}

export function waiterOf(replyTo: ReplyTo, event: ProposeEvent): Waiter {
  return { ...replyTo, ...(event.notice !== undefined && { notice: event.notice }) }
}

export function withoutWaiter({ context }: { context: ActionContext }): Partial<ActionContext> {
  return { waiters: othersWaiting(context) }
}

export function hasNoOtherWaiter(context: ActionContext, _event: unknown): boolean {
  return othersWaiting(context).length === 0
}

/** Answers everybody who waits, and states the outcome in the thought log. */
export function rest(context: ActionContext, outcome: Outcome): Command[] {
  const event = outcomeEvent(context, outcome)
  const { key, digest = '', error } = context
  const thought = {
    kind: 'outcome',
    key,
    digest,
    outcome,
    attempts: context.attempts,
    ...(error && { error: error as unknown as Json }),
  }
  return [
    { kind: 'think', thought },
    ...context.waiters.map((waiter): Command => ({ kind: 'reply', to: addressOf(waiter), event })),
  ]
}

export function attemptFailed(event: object): Partial<ActionContext> {
  return { error: (event as { error?: ErrorRecord }).error }
}

/** Only what the target does once per key is tried again; anything else is in doubt at its first unknown outcome. */
export function mayRetry(
  services: ActionServices,
  context: ActionContext,
  _event: unknown,
): boolean {
  const { action } = proposalOf(context)
  return services.isIdempotent(action) && context.attempts < services.attemptsMax(action)
}

/** Full jitter from the turn's own random, so that a replay waits as long. */
export function backoffMs({ attempts }: ActionContext): number {
  return Math.ceil(thisTurn().random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** attempts))
}

export function proposalOf(context: ActionContext): Proposal {
  if (context.proposal === undefined) throw new Error(`action ${context.key} has no proposal yet`)
  return context.proposal
}

export function describeProposal({ action, amount }: Proposal): string {
  return amount === undefined ? action : `${action} ${formatMoney(amount)}`
}

export function addressOf({ address, invocation }: Waiter): ReplyTo {
  return { address, invocation }
}

function outcomeEvent(context: ActionContext, outcome: Outcome): Event {
  const { key, decision, by, persons, output, error, caseId, attempts } = context
  return {
    type: 'ambit.action.outcome',
    outcome,
    key,
    attempts,
    rules: decision?.rules ?? [],
    by,
    persons,
    ...amountOf(context),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(caseId !== undefined && { case: caseId }),
  }
}

/** What the action really moves: an amendment may have changed what was proposed. */
function amountOf({ proposal, amount = proposal?.amount }: ActionContext): { amount?: Money } {
  return amount === undefined ? {} : { amount }
}

function othersWaiting({ waiters }: ActionContext): readonly Waiter[] {
  const gone = thisTurn().message.headers.replyTo
  return waiters.filter(
    ({ address, invocation }) => address !== gone?.address || invocation !== gone.invocation,
  )
}
