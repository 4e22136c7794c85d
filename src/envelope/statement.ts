import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { z } from 'zod'
import { sha256, type Json } from '../kernel/json.ts'
import { canonical } from './envelope.ts'

export type Verdict = 'approve' | 'reject' | 'amend' | 'settle'

/** What a person says about a case. Signed over its canonical bytes, good for one use. */
export const statementSchema = z.strictObject({
  v: z.literal(1),
  system: z.string().max(100),
  case: z.string().max(40),
  /** The digest the person saw: a decision on anything else is refused. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  verdict: z.enum(['approve', 'reject', 'amend', 'settle']),
  person: z.string().min(1).max(100),
  reason: z.string().max(2000).optional(),
  /** For `amend`: the arguments instead of the proposed ones. */
  args: z.json().optional(),
  /** For `settle`: whether the effect in doubt happened. */
  happened: z.boolean().optional(),
  at: z.int().nonnegative(),
  nonce: z.string().min(16).max(100),
})

export type Statement = z.output<typeof statementSchema>

export const signedStatementSchema = z.strictObject({
  statement: statementSchema,
  keyId: z.string().max(64),
  signature: z.string().max(200),
})

export interface SignedStatement {
  readonly statement: Statement
  /** Names the public key: the first 32 hex digits of its SHA-256. */
  readonly keyId: string
  /** Base64 of the ed25519 signature. */
  readonly signature: string
}

/** Who may decide, as the approval desk knows it. */
export interface Approver {
  readonly person: string
  /** `*` stands for every role. */
  readonly roles: readonly string[]
  /** PEM, SPKI. */
  readonly publicKey: string
}

export function generateApproverKey(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

export function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
}

export function keyIdOf(publicKey: string): string {
  return sha256(publicKey.trim()).slice(0, 32)
}

export function signStatement(statement: Statement, privateKey: string): SignedStatement {
  const key = createPrivateKey(privateKey)
  const signature = sign(null, bytesOf(statement), key).toString('base64')
  return { statement, keyId: keyIdOf(publicKeyOf(privateKey)), signature }
}

/** Whether the signature is this key's over exactly this statement. Never throws. */
export function isSignedBy({ statement, signature }: SignedStatement, publicKey: string): boolean {
  try {
    const key = keyObjectOf(publicKey)
    return (
      key.asymmetricKeyType === 'ed25519' &&
      verify(null, bytesOf(statement), key, Buffer.from(signature, 'base64'))
    )
  } catch {
    return false
  }
}

const KEYS_KEPT_MAX = 1000

// Reading a PEM costs as much as checking a signature (Node 20: 120 us each), and one person decides many cases.
const keyObjects = new Map<string, KeyObject>()

function keyObjectOf(publicKey: string): KeyObject {
  const known = keyObjects.get(publicKey)
  if (known !== undefined) return known
  if (keyObjects.size >= KEYS_KEPT_MAX) keyObjects.clear()
  const key = createPublicKey(publicKey)
  keyObjects.set(publicKey, key)
  return key
}

function bytesOf(statement: Statement): Buffer {
  return Buffer.from(canonical(statement as unknown as Json))
}
