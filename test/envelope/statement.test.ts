import { createHmac, generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createAuthorizer } from '../../src/envelope/authorization.ts'
import { canonical } from '../../src/envelope/envelope.ts'
import { proposalDigest } from '../../src/envelope/proposal.ts'
import {
  checkAhead,
  generateApproverKey,
  isSignedBy,
  keyIdOf,
  publicKeyOf,
  signStatement,
  statementSchema,
  type SignedStatement,
  type Statement,
} from '../../src/envelope/statement.ts'
import type { Json } from '../../src/kernel/json.ts'
import { proposalOf } from '../support/envelopes.ts'

const alice = generateApproverKey()
const eve = generateApproverKey()

const statement: Statement = {
  v: 1,
  system: 'the-system',
  case: 'c-1',
  digest: 'a'.repeat(64),
  verdict: 'approve',
  person: 'alice',
  reason: 'fine',
  at: 1_700_000_000_000,
  nonce: 'n'.repeat(20),
}
const signed = signStatement(statement, alice.privateKey)

describe('signatures', () => {
  test('A8 a statement is signed by the key that signed it and by no other', () => {
    expect(isSignedBy(signed, alice.publicKey)).toBe(true)
    expect(isSignedBy(signed, eve.publicKey)).toBe(false)
    expect(signed.keyId).toBe(keyIdOf(alice.publicKey))
  })

  const changes: [string, object][] = [
    ['v', { v: 2 }],
    ['system', { system: 'another' }],
    ['case', { case: 'c-2' }],
    ['digest', { digest: 'b'.repeat(64) }],
    ['verdict', { verdict: 'reject' }],
    ['person', { person: 'eve' }],
    ['reason', { reason: 'Fine' }],
    ['at', { at: statement.at + 1 }],
    ['nonce', { nonce: 'm'.repeat(20) }],
    ['args, where there were none', { args: { amount: '1.00 USD' } }],
    ['happened, where there was none', { happened: true }],
    ['a field more', { extra: null }],
  ]

  test.each(changes)('A8 a change of %s breaks the signature', (_, change) => {
    const changed = { ...signed, statement: { ...statement, ...change } as Statement }
    expect(isSignedBy(changed, alice.publicKey)).toBe(false)
  })

  test.each(Object.keys(statement))('A8 leaving out %s breaks the signature', (field) => {
    const rest = Object.entries(statement).filter(([name]) => name !== field)
    const changed = { ...signed, statement: Object.fromEntries(rest) as Statement }
    expect(isSignedBy(changed, alice.publicKey)).toBe(false)
  })

  test('A8 the order of fields is not signed: it does not matter', () => {
    const reversed = Object.fromEntries(Object.entries(statement).reverse()) as Statement
    expect(isSignedBy({ ...signed, statement: reversed }, alice.publicKey)).toBe(true)
  })

  test('A8 changing any byte of the signature breaks it', () => {
    const bytes = Buffer.from(signed.signature, 'base64')
    for (let i = 0; i < bytes.length; i++) {
      const torn = Buffer.from(bytes)
      torn[i] = (torn[i] ?? 0) ^ 1
      const changed = { ...signed, signature: torn.toString('base64') }
      expect(isSignedBy(changed, alice.publicKey)).toBe(false)
    }
  })

  test.each([
    ['no signature', { signature: '' }, alice.publicKey],
    ['a signature that is no text', { signature: 7 }, alice.publicKey],
    ['no statement', { statement: undefined }, alice.publicKey],
    ['a key that is none', {}, 'not a key'],
    ['a private key for a public one', {}, eve.privateKey],
    ['a key of another kind', {}, rsaKey()],
  ])('A8 with %s nothing is signed, and nothing throws', (_, change, key) => {
    expect(isSignedBy({ ...signed, ...change } as SignedStatement, key)).toBe(false)
  })

  test('A8 a valid signature by a key of another kind than ed25519 counts as none', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed448')
    const bytes = Buffer.from(canonical(statement as unknown as Json))
    const signature = sign(null, bytes, privateKey).toString('base64')
    expect(verify(null, bytes, publicKey, Buffer.from(signature, 'base64'))).toBe(true)
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    expect(isSignedBy({ ...signed, signature }, pem)).toBe(false)
  })

  test('A8 a signature that was checked ahead counts for exactly what was checked', async () => {
    const torn = { ...signed, signature: `A${signed.signature.slice(1)}` }
    const other = { ...signed, statement: { ...statement, case: 'c-2' } }
    for (const each of [signed, torn, other]) await checkAhead(each, alice.publicKey)
    await checkAhead(signed, 'not a key')
    expect(isSignedBy(torn, alice.publicKey)).toBe(false)
    expect(isSignedBy(other, alice.publicKey)).toBe(false)
    expect(isSignedBy(signed, eve.publicKey)).toBe(false)
    expect(isSignedBy(signed, alice.publicKey)).toBe(true)
    expect(isSignedBy(signed, alice.publicKey)).toBe(true)
  })

  test('A8 a key is named alike whatever white space surrounds it', () => {
    expect(keyIdOf(`\n${alice.publicKey}\n\n`)).toBe(signed.keyId)
    expect(signed.keyId).toMatch(/^[0-9a-f]{32}$/)
    expect(keyIdOf(eve.publicKey)).not.toBe(signed.keyId)
    expect(publicKeyOf(alice.privateKey)).toBe(alice.publicKey)
  })
})

describe('the form of a statement', () => {
  test('A8 a whole statement has the form', () => {
    expect(statementSchema.parse(statement)).toEqual(statement)
  })

  test.each([
    ['another format', { v: 2 }],
    ['a digest that is none', { digest: 'abc' }],
    ['an unknown verdict', { verdict: 'maybe' }],
    ['nobody', { person: '' }],
    ['a short nonce', { nonce: 'n' }],
    ['a field more', { extra: 1 }],
    ['a moment that is none', { at: -1 }],
    ['arguments that are not JSON', { args: { at: new Date(0) } }],
  ])('A8 a statement with %s does not', (_, change) => {
    expect(statementSchema.safeParse({ ...statement, ...change }).success).toBe(false)
  })
})

describe('the digest of a proposal', () => {
  const chain = ['hash-1', 'hash-2']
  const digest = proposalDigest(proposalOf(), chain)

  test.each([
    ['action', proposalOf({ action: 'pay' }), chain],
    ['argument', proposalOf({ args: { more: 1 } }), chain],
    ['amount', proposalOf({ amount: { currency: 'USD', minor: 1001 } }), chain],
    ['currency', proposalOf({ amount: { currency: 'EUR', minor: 1000 } }), chain],
    ['counterparty', proposalOf({ counterparty: 'eve' }), chain],
    ['proposer', proposalOf({ proposer: '/other' }), chain],
    ['envelope', proposalOf(), ['hash-1', 'hash-3']],
    ['order of envelopes', proposalOf(), ['hash-2', 'hash-1']],
  ])('A8 another %s is another digest', (_, proposal, envelopes) => {
    expect(proposalDigest(proposal, envelopes)).not.toBe(digest)
  })

  test('A8 the same proposal under the same envelopes is the same digest', () => {
    expect(proposalDigest(proposalOf(), [...chain])).toBe(digest)
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('the authorization token', () => {
  const authorizer = createAuthorizer('secret of the journal')
  const token = authorizer.mint('key', 'digest', 'envelope')

  test('A3 a token is valid for exactly the key, digest and authority it was minted for', () => {
    expect(authorizer.isValid(token, 'key', 'digest', 'envelope')).toBe(true)
    expect(authorizer.isValid(token, 'other', 'digest', 'envelope')).toBe(false)
    expect(authorizer.isValid(token, 'key', 'other', 'envelope')).toBe(false)
    expect(authorizer.isValid(token, 'key', 'digest', 'human alice')).toBe(false)
  })

  test('A3 a token stays valid over a restart, as the secret does', () => {
    const again = createAuthorizer('secret of the journal')
    expect(again.isValid(token, 'key', 'digest', 'envelope')).toBe(true)
  })

  test.each([
    ['of another system', createAuthorizer('another').mint('key', 'digest', 'envelope')],
    ['without a secret', createHmac('sha256', '').update('key\ndigest\nenvelope').digest('hex')],
    ['that is empty', ''],
    ['that is cut', token.slice(0, -1)],
    ['that is too long', `${token}0`],
    ['in capital letters', token.toUpperCase()],
    ['of other characters of the same number of bytes', 'é'.repeat(32)],
  ])('A3 a token %s is refused', (_, forged) => {
    expect(authorizer.isValid(forged, 'key', 'digest', 'envelope')).toBe(false)
  })
})

function rsaKey(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  return publicKey.export({ type: 'spki', format: 'pem' }).toString()
}
