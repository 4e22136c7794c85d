import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { sha256 } from '../kernel/json.ts'
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

/** Whether somebody could sign with the other half of it. Never throws. */
export function isApproverKey(publicKey: string): boolean {
  try {
    return isEd25519(keyObjectOf(publicKey))
  } catch {
    return false
  }
}

export function signStatement(statement: Statement, privateKey: string): SignedStatement {
  return signWith(createPrivateKey(privateKey), keyIdOf(publicKeyOf(privateKey)), statement)
}

/** The same with a key that was read before. */
export function signWith(key: KeyObject, keyId: string, statement: Statement): SignedStatement {
  const signature = sign(null, Buffer.from(textOf(statement)), key).toString('base64')
  return { statement, keyId, signature }
}

/** Whether the signature is this key's over exactly this statement. Never throws. */
export function isSignedBy({ statement, signature }: SignedStatement, publicKey: string): boolean {
  try {
    const text = textOf(statement)
    if (seenAhead.delete(claim(text, signature, publicKey))) return true
    const key = keyObjectOf(publicKey)
    return isEd25519(key) && verify(null, Buffer.from(text), key, bytesOf(signature))
  } catch {
    return false
  }
}

/**
 * Checks a signature beside the event loop, so that `isSignedBy` has its answer at hand: a check takes 120 us, a fifth
 * of what a decision costs. Only that it holds is remembered, once and for exactly these bytes. Never throws.
 */
export async function checkAhead(signed: SignedStatement, publicKey: string): Promise<void> {
  const { statement, signature } = signed
  try {
    const text = textOf(statement)
    const key = keyObjectOf(publicKey)
    const bytes = bytesOf(signature)
    if (!isEd25519(key) || !(await verifyBeside(null, Buffer.from(text), key, bytes))) return
    if (seenAhead.size >= SEEN_AHEAD_MAX) seenAhead.clear()
    seenAhead.add(claim(text, signature, publicKey))
  } catch {
    // What cannot be checked is checked again by the desk, which says why it is refused.
  }
}

/** A signature has one spelling: Buffer reads past whatever is no base64. */
function bytesOf(signature: string): Buffer {
  const bytes = Buffer.from(signature, 'base64')
  return bytes.toString('base64') === signature ? bytes : Buffer.alloc(0)
}

const SEEN_AHEAD_MAX = 1000

/** Signatures that hold and were not asked about yet. */
const seenAhead = new Set<string>()

const verifyBeside = promisify(verify)

function claim(text: string, signature: string, publicKey: string): string {
  return JSON.stringify([text, signature, publicKey])
}

function isEd25519(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ed25519'
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

function textOf(statement: Statement): string {
  return canonical(statement)
}
