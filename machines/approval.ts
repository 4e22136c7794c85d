import { assign, setup } from 'xstate'
import { z } from 'zod'
import { durationMs } from '../src/envelope/duration.ts'
import type { RuleName } from '../src/envelope/decide.ts'
import {
  signedStatementSchema,
  type Approver,
  type SignedStatement,
  type Statement,
  type Verdict,
} from '../src/envelope/statement.ts'
import type { Json } from '../src/kernel/json.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Command } from '../src/kernel/ports/engine.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { commands } from '../src/logic/actions.ts'
import { ACTIONS, type CaseFile } from './action-steps.ts'
import { judgeStatement } from './approval-rules.ts'

export type CaseStatus =
  'open' | 'approved' | 'rejected' | 'amended' | 'expired' | 'withdrawn' | 'settled'

/** What a human is asked: an approval, or what became of an effect that nobody knows. */
export interface OpenCase extends CaseFile {
  readonly kind: 'approval' | 'inDoubt'
  /** The action actor that waits. */
  readonly action: string
  readonly key: string
  readonly digest: string
  readonly rules: readonly RuleName[]
  /** Persons who may not decide: the proposer's operator, whoever amended. */
  readonly excluded: readonly string[]
}

export interface Case extends OpenCase {
  readonly id: string
  readonly status: CaseStatus
  readonly openedAt: number
  readonly expiresAt: number | null
  readonly closedAt?: number
  readonly votes: readonly {
    readonly person: string
    readonly verdict: Verdict
    readonly at: number
    readonly reason?: string
  }[]
}

export type ApprovalEvent =
  | { type: 'ambit.case.open'; opened: OpenCase }
  | { type: 'ambit.case.close'; case: string }
  | { type: 'ambit.case.expired'; id: string }
  | { type: 'ambit.approver.add'; approver: Approver; keyId: string }
  | { type: 'ambit.approval.submit'; signed: SignedStatement }

/**
 * The desk where cases wait for humans. A case binds the digest of exactly one proposal; a decision is signed, good
 * for one use, by a person with the role who is not excluded; enough distinct persons make it count. Nobody deciding
 * is a rejection, never an approval.
 */
export const approvalMachine = setup({
  types: { context: {} as { opened: number }, events: {} as ApprovalEvent },
}).createMachine({
  id: 'approval-desk',
  version: '1',
  context: { opened: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        'ambit.case.open': {
          actions: [
            commands(({ context, event }) => openCase(`c-${context.opened + 1}`, event.opened)),
            assign({ opened: ({ context }) => context.opened + 1 }),
          ],
        },
        'ambit.case.close': { actions: commands(({ event }) => closeWithdrawn(event.case)) },
        'ambit.case.expired': { actions: commands(({ event }) => expire(event.id)) },
        'ambit.approver.add': {
          actions: commands(({ event }) => addApprover(event.keyId, event.approver)),
        },
        'ambit.approval.submit': { actions: commands(({ event }) => submit(event.signed)) },
      },
    },
  },
})

function openCase(id: string, opened: OpenCase): Command[] {
  const { now } = thisTurn()
  // What became of an effect does not go away by waiting: a case in doubt has no expiry.
  const expiresAt = opened.kind === 'approval' ? now + durationMs(opened.route.expiresAfter) : null
  const made: Case = { ...opened, id, status: 'open', openedAt: now, expiresAt, votes: [] }
  return [
    putCase(made),
    {
      kind: 'think',
      thought: {
        kind: 'escalated',
        case: id,
        key: opened.key,
        digest: opened.digest,
        rules: opened.rules,
      },
    },
    tellAction(opened.action, { type: 'ambit.case.opened', case: id }),
    ...(expiresAt === null
      ? []
      : [
          {
            kind: 'schedule',
            id,
            owner: '',
            target: '',
            event: { type: 'ambit.case.expired', id },
            delayMs: expiresAt - now,
          } as const,
        ]),
  ]
}

function closeWithdrawn(id: string): Command[] {
  const found = caseOf(id)
  return found?.status === 'open' ? close(found, 'withdrawn') : []
}

function expire(id: string): Command[] {
  const found = caseOf(id)
  if (found?.status !== 'open') return []
  return [
    ...close(found, 'expired'),
    tellAction(found.action, { type: 'ambit.action.expired', case: id }),
  ]
}

function addApprover(keyId: string, approver: Approver): Command[] {
  const { person, roles } = approver
  return [
    { kind: 'put', key: `approver:${keyId}`, value: approver as unknown as Json },
    { kind: 'think', thought: { kind: 'approver', keyId, person, roles } },
    { kind: 'reply', event: { type: 'ambit.approver.added', keyId, person } },
  ]
}

/** Takes a signed decision, or says why not; both are logged. */
function submit(given: SignedStatement): Command[] {
  const parsed = signedStatementSchema.safeParse(given)
  if (!parsed.success) return [{ kind: 'reply', event: malformed(z.prettifyError(parsed.error)) }]
  const signed: SignedStatement = parsed.data
  const { rows, systemId, now, message } = thisTurn()
  const { statement } = signed
  const found = caseOf(statement.case)
  const approver = rows.get(`approver:${signed.keyId}`) as Approver | undefined
  const used = rows.has(`nonce:${statement.nonce}`)
  // One that waited in the journal came before its case could expire: nobody was there to let it.
  const takenAt = message.headers.stream === undefined ? now : statement.at
  const judged = judgeStatement({ signed, found, approver, used, systemId, takenAt })
  if (judged.status === 'accepted') return count(signed, judged.found, judged.decides)
  const { case: id, person, verdict } = statement
  const about = { case: id, ...(found && { key: found.key }), person, verdict }
  return [
    { kind: 'think', thought: { kind: 'humanRefused', ...about, reason: judged.reason } },
    { kind: 'reply', event: { type: 'ambit.approval.refused', case: id, ...judged } },
  ]
}

/** The answer to something that is no signed statement at all. */
export function malformed(why: string): Event {
  const message = `Expected a signed statement: ${why}`
  return { type: 'ambit.approval.refused', case: '', reason: 'malformed', message }
}

/** A decision that counts; it closes its case when it decides. */
function count(signed: SignedStatement, found: Case, decides: boolean): Command[] {
  const { statement, signature, keyId } = signed
  const { verdict, person } = statement
  const said = statement.reason === undefined ? {} : { reason: statement.reason }
  const vote = { person, verdict, at: thisTurn().now, ...said }
  const voted: Case = { ...found, votes: [...found.votes, vote] }
  const { id, key, digest } = voted
  const proof = { keyId, signature, statement: statement as unknown as Json }
  const thought = { kind: 'humanDecision', case: id, key, digest, ...vote, ...proof }
  const status = decides ? statusAfter[verdict] : 'open'
  const needed = decides ? 0 : voted.route.quorum - voted.votes.length
  return [
    { kind: 'put', key: `nonce:${statement.nonce}`, value: id },
    { kind: 'think', thought },
    ...(decides ? [...close(voted, status), tellDecision(voted, statement)] : [putCase(voted)]),
    { kind: 'reply', event: { type: 'ambit.approval.accepted', case: id, status, needed } },
  ]
}

function tellDecision(voted: Case, { verdict, reason, args, happened }: Statement): Command {
  const agreed = voted.votes.filter((vote) => vote.verdict === verdict)
  const { id, digest, proposal, results, route } = voted
  return tellAction(voted.action, {
    type: 'ambit.action.decided',
    case: id,
    digest,
    verdict,
    file: { proposal, results, route },
    persons: agreed.map(({ person }) => person),
    ...(reason !== undefined && { reason }),
    ...(args !== undefined && { args }),
    ...(happened !== undefined && { happened }),
  })
}

const statusAfter: Record<Verdict, CaseStatus> = {
  approve: 'approved',
  reject: 'rejected',
  amend: 'amended',
  settle: 'settled',
}

function close(found: Case, status: CaseStatus): Command[] {
  return [
    putCase({ ...found, status, closedAt: thisTurn().now }),
    { kind: 'cancel', owner: '', id: found.id },
    { kind: 'think', thought: { kind: 'caseClosed', case: found.id, key: found.key, status } },
  ]
}

function putCase({ action: _, ...stored }: Case): Command {
  return { kind: 'put', key: `case:${stored.id}`, value: stored as unknown as Json }
}

/** A case as its row has it: which action waits for it follows from its key. */
export function caseFrom(row: Json): Case {
  const stored = row as unknown as Omit<Case, 'action'>
  return { ...stored, action: `${ACTIONS}/${stored.key}` }
}

function tellAction(to: string, event: { type: string; [field: string]: unknown }): Command {
  return { kind: 'tell', to, event, lane: 'control' }
}

function caseOf(id: string): Case | undefined {
  const row = thisTurn().rows.get(`case:${id}`)
  return row === undefined ? undefined : caseFrom(row)
}
