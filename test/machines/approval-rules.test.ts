import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  judgeStatement,
  type RefusedBecause,
  type StatementFacts,
} from '../../machines/approval-rules.ts'
import type { Case } from '../../machines/approval.ts'
import {
  generateApproverKey,
  keyIdOf,
  signStatement,
  type Approver,
  type Statement,
} from '../../src/envelope/statement.ts'
import { proposalOf } from '../support/envelopes.ts'

const keys = generateApproverKey()
const others = generateApproverKey()
const digest = 'd'.repeat(64)

const alice: Approver = { person: 'alice', roles: ['finance'], publicKey: keys.publicKey }

const open: Case = {
  kind: 'approval',
  id: 'c-1',
  action: '/system/actions/k',
  key: 'k',
  digest,
  proposal: proposalOf(),
  rules: ['perAction'],
  results: [],
  route: { by: ['finance', 'legal'], quorum: 1, expiresAfter: '4h', onExpiry: 'reject' },
  excluded: ['operator'],
  status: 'open',
  openedAt: 1,
  expiresAt: 2,
  votes: [],
}
const inDoubt: Case = { ...open, kind: 'inDoubt', expiresAt: null }

interface Change {
  readonly statement?: Partial<Statement>
  readonly found?: Case | undefined
  readonly approver?: Approver | undefined
  readonly used?: boolean
  readonly systemId?: string
  readonly takenAt?: number
  readonly privateKey?: string
}

function factsOf(change: Change = {}): StatementFacts {
  const statement: Statement = {
    v: 1,
    system: 'the-system',
    case: 'c-1',
    digest,
    verdict: 'approve',
    person: 'alice',
    at: 1,
    nonce: 'n'.repeat(20),
    ...change.statement,
  }
  return {
    signed: signStatement(statement, change.privateKey ?? keys.privateKey),
    found: 'found' in change ? change.found : open,
    approver: 'approver' in change ? change.approver : alice,
    used: change.used ?? false,
    systemId: change.systemId ?? 'the-system',
    takenAt: change.takenAt ?? 1,
  }
}

const vote = (person: string, verdict: 'approve' | 'reject' = 'approve') => ({
  person,
  verdict,
  at: 1,
})
const wrong = { statement: { verdict: 'settle', happened: true } } as const

describe('refusals', () => {
  const table: [RefusedBecause, string, Change][] = [
    ['unknownKey', 'a key that nobody registered', { approver: undefined }],
    ['badSignature', 'a signature of another key', { privateKey: others.privateKey }],
    ['otherPerson', 'a key of another person', { approver: { ...alice, person: 'bob' } }],
    ['otherSystem', 'a statement for another system', { systemId: 'another' }],
    ['unknownCase', 'a case that does not exist', { found: undefined }],
    ['usedBefore', 'a nonce that was used', { used: true }],
    ['caseClosed', 'an approved case', { found: { ...open, status: 'approved' } }],
    ['caseClosed', 'a rejected case', { found: { ...open, status: 'rejected' } }],
    ['caseClosed', 'an amended case', { found: { ...open, status: 'amended' } }],
    ['caseClosed', 'an expired case', { found: { ...open, status: 'expired' } }],
    ['caseClosed', 'a withdrawn case', { found: { ...open, status: 'withdrawn' } }],
    ['otherDigest', 'another digest', { statement: { digest: 'e'.repeat(64) } }],
    ['wrongRole', 'a role that does not decide', { approver: { ...alice, roles: ['sales'] } }],
    ['wrongRole', 'no role at all', { approver: { ...alice, roles: [] } }],
    ['excluded', 'a person who took part', { found: { ...open, excluded: ['alice'] } }],
    ['votedBefore', 'a person who voted', { found: { ...open, votes: [vote('alice')] } }],
    ['expired', 'a statement signed after the expiry', { statement: { at: 3 } }],
    ['expired', 'a statement handed in after the expiry', { takenAt: 3 }],
    ['wrongVerdict', 'a settlement of an approval', wrong],
    ['wrongVerdict', 'an amendment without arguments', { statement: { verdict: 'amend' } }],
  ]

  test.each(table)('A8 %s: %s is refused', (reason, _, change) => {
    const judged = judgeStatement(factsOf(change))
    expect(judged).toMatchObject({ status: 'refused', reason })
    expect((judged as { message: string }).message).toMatch(/\.$/)
  })

  const missing: Case = { ...open, proposal: proposalOf({ missing: ['order'] }) }

  test('A14 facts that are missing cannot be approved, and the refusal names them', () => {
    const judged = judgeStatement(factsOf({ found: missing }))
    expect(judged).toMatchObject({ status: 'refused', reason: 'missingFacts' })
    expect((judged as { message: string }).message).toContain('order')
  })

  test.each(['amend', 'reject'] as const)(
    'A14 facts that are missing can be met with %s',
    (verdict) => {
      const args = verdict === 'amend' ? { args: { order: 'o-1' } } : {}
      const judged = judgeStatement(factsOf({ found: missing, statement: { verdict, ...args } }))
      expect(judged).toMatchObject({ status: 'accepted', decides: true })
    },
  )

  test.each(['approve', 'reject', 'amend'] as const)(
    'A15 a case in doubt is not settled by %s',
    (verdict) => {
      const judged = judgeStatement(factsOf({ found: inDoubt, statement: { verdict, args: {} } }))
      expect(judged).toMatchObject({ status: 'refused', reason: 'wrongVerdict' })
    },
  )

  test.each([true, false])('A15 a person settles that it happened: %s', (happened) => {
    const statement = { verdict: 'settle', happened } as const
    const judged = judgeStatement(factsOf({ found: inDoubt, statement }))
    expect(judged).toMatchObject({ status: 'accepted', decides: true })
  })

  test('A15 a settlement that does not say whether it happened is refused', () => {
    const judged = judgeStatement(factsOf({ found: inDoubt, statement: { verdict: 'settle' } }))
    expect(judged).toMatchObject({ status: 'refused', reason: 'wrongVerdict' })
  })

  test('A15 who took part in the proposal may not settle it either', () => {
    const found = { ...inDoubt, excluded: ['alice'] }
    const judged = judgeStatement(factsOf({ found, ...wrong }))
    expect(judged).toMatchObject({ status: 'refused', reason: 'excluded' })
  })
})

describe('acceptance', () => {
  test.each([['finance'], ['sales', 'legal'], ['*']])(
    'A8 a person of roles %s may decide',
    (...roles) => {
      const judged = judgeStatement(factsOf({ approver: { ...alice, roles } }))
      expect(judged).toMatchObject({ status: 'accepted', decides: true })
    },
  )

  const quorum = (needed: number, votes: Case['votes'] = []): Case => ({
    ...open,
    route: { ...open.route, quorum: needed },
    votes,
  })

  test.each([
    [1, [], true],
    [2, [], false],
    [2, [vote('bob')], true],
    [3, [vote('bob')], false],
    [3, [vote('bob'), vote('carol')], true],
  ] as const)(
    'A9 of a quorum of %i, after %j one approval more decides: %s',
    (needed, votes, decides) => {
      expect(judgeStatement(factsOf({ found: quorum(needed, votes) }))).toMatchObject({ decides })
    },
  )

  test('A9 a second key of the same person is not a second person', () => {
    const found = quorum(2, [vote('alice')])
    const approver = { ...alice, publicKey: others.publicKey }
    const judged = judgeStatement(factsOf({ found, approver, privateKey: others.privateKey }))
    expect(judged).toMatchObject({ status: 'refused', reason: 'votedBefore' })
    expect(keyIdOf(others.publicKey)).not.toBe(keyIdOf(keys.publicKey))
  })

  test.each(['reject', 'amend'] as const)(
    'A9 one person’s %s decides whatever the quorum',
    (verdict) => {
      const statement = { verdict, args: {} }
      const judged = judgeStatement(factsOf({ found: quorum(3), statement }))
      expect(judged).toMatchObject({ status: 'accepted', decides: true })
    },
  )

  test('A9 a case is approved by exactly as many distinct persons as its quorum', () => {
    const person = fc.constantFrom('alice', 'bob', 'carol', 'dave')
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(person, { maxLength: 12 }),
        (needed, voters) => {
          let found = quorum(needed)
          for (const each of voters) {
            const approver = { ...alice, person: each }
            const judged = judgeStatement(factsOf({ found, approver, statement: { person: each } }))
            if (judged.status === 'refused') continue
            found = { ...found, votes: [...found.votes, vote(each)] }
            expect(judged.decides).toBe(found.votes.length >= needed)
            if (judged.decides) found = { ...found, status: 'approved' }
          }
          const persons = new Set(voters).size
          expect(found.status).toBe(persons >= needed ? 'approved' : 'open')
        },
      ),
      { numRuns: 50 },
    )
  })
})
