import { isSignedBy, type Approver, type SignedStatement } from '../src/envelope/statement.ts'
import type { Case } from './approval.ts'

export type RefusedBecause =
  | 'unknownCase'
  | 'caseClosed'
  | 'unknownKey'
  | 'badSignature'
  | 'otherSystem'
  | 'otherPerson'
  | 'otherDigest'
  | 'usedBefore'
  | 'wrongRole'
  | 'excluded'
  | 'votedBefore'
  | 'missingFacts'
  | 'wrongVerdict'
  | 'expired'
  | 'malformed'

export type StatementJudgement =
  | { readonly status: 'refused'; readonly reason: RefusedBecause; readonly message: string }
  | { readonly status: 'accepted'; readonly found: Case; readonly decides: boolean }

export interface StatementFacts {
  readonly signed: SignedStatement
  readonly found: Case | undefined
  readonly approver: Approver | undefined
  readonly used: boolean
  readonly systemId: string
  /** When it was handed in, if that was while the desk ran; a decision that waited in the journal has no such time. */
  readonly takenAt: number
}

/**
 * Says whether a signed statement counts, and whether it decides its case. Pure.
 *
 * One rejection decides, one amendment decides, one settlement decides; approvals need the quorum of distinct persons.
 */
export function judgeStatement(facts: StatementFacts): StatementJudgement {
  const { signed, found, approver, used, systemId, takenAt } = facts
  const { statement } = signed
  if (approver === undefined)
    return refuse(
      'unknownKey',
      `Key ${signed.keyId} is not registered here. Run \`ambit keygen NAME\`.`,
    )
  if (!isSignedBy(signed, approver.publicKey))
    return refuse('badSignature', 'The signature does not belong to this statement.')
  if (statement.person !== approver.person) {
    return refuse(
      'otherPerson',
      `The key belongs to ${approver.person}, the statement says ${statement.person}.`,
    )
  }
  if (statement.system !== systemId)
    return refuse('otherSystem', 'The statement was signed for another system.')
  if (found === undefined)
    return refuse(
      'unknownCase',
      `There is no case ${statement.case}. See \`ambit approvals list\`.`,
    )
  if (used) return refuse('usedBefore', 'This signed statement has been used. Sign a new one.')
  if (found.status !== 'open')
    return refuse('caseClosed', `Case ${found.id} is ${found.status}; nothing is left to decide.`)
  if (found.expiresAt !== null && Math.max(statement.at, takenAt) > found.expiresAt) {
    return refuse(
      'expired',
      `Case ${found.id} expired before this was signed; nothing is left to decide.`,
    )
  }
  if (statement.digest !== found.digest) {
    return refuse(
      'otherDigest',
      `Case ${found.id} is not what was signed. Look at it again and decide anew.`,
    )
  }
  return judgePerson(facts, found, approver)
}

function judgePerson(
  { signed }: StatementFacts,
  found: Case,
  approver: Approver,
): StatementJudgement {
  const { verdict } = signed.statement
  const { person, roles } = approver
  if (!roles.includes('*') && !found.route.by.some((role) => roles.includes(role))) {
    return refuse(
      'wrongRole',
      `${person} has none of the roles that decide here: ${found.route.by.join(', ')}.`,
    )
  }
  if (found.excluded.includes(person)) {
    return refuse(
      'excluded',
      `${person} took part in this proposal and may not decide on it. Ask someone else.`,
    )
  }
  if (found.votes.some((vote) => vote.person === person))
    return refuse('votedBefore', `${person} has decided on ${found.id} already.`)
  if ((verdict === 'settle') !== (found.kind === 'inDoubt')) {
    const remedy =
      found.kind === 'inDoubt'
        ? 'Find out whether it happened, then `ambit approvals settle`.'
        : 'Approve, reject or amend it.'
    return refuse(
      'wrongVerdict',
      `Case ${found.id} is ${found.kind === 'inDoubt' ? 'in doubt' : 'an approval'}. ${remedy}`,
    )
  }
  if (verdict === 'settle' && signed.statement.happened === undefined) {
    return refuse('wrongVerdict', 'A settlement says whether the effect happened.')
  }
  if (verdict === 'amend' && signed.statement.args === undefined)
    return refuse('wrongVerdict', 'An amendment says what instead.')
  if (verdict === 'approve' && found.proposal.missing.length > 0) {
    return refuse(
      'missingFacts',
      `Nobody knows ${found.proposal.missing.join(', ')}. Amend ${found.id} with what is missing.`,
    )
  }
  const approvals = found.votes.filter((vote) => vote.verdict === 'approve').length + 1
  return {
    status: 'accepted',
    found,
    decides: verdict !== 'approve' || approvals >= found.route.quorum,
  }
}

function refuse(reason: RefusedBecause, message: string): StatementJudgement {
  return { status: 'refused', reason, message }
}
