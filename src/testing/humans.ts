import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Case } from '../../machines/approval.ts'
import {
  keyIdOf,
  signWith,
  type Approver,
  type SignedStatement,
  type Statement,
} from '../envelope/statement.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { Choices } from './choices.ts'
import { faultsAt, type FaultName } from './faults.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What a human makes of a case: a verdict alone, or with what it needs. Undefined: nothing. */
export type Judgement =
  | 'approve'
  | 'reject'
  | { readonly verdict: 'approve' | 'reject'; readonly reason?: string }
  | { readonly verdict: 'amend'; readonly args: Json }
  | { readonly verdict: 'settle'; readonly happened: boolean }

export interface ApproverOptions {
  /** Default: `*`, every role. */
  readonly roles?: readonly string[]
  /** Default: approves what waits for approval, and settles what is in doubt as having happened. */
  readonly judges?: (found: Case) => Judgement | undefined
  /** How long after a case was opened. Default: a minute. */
  readonly afterMs?: number
}

/** A person who decides on the cases of a simulated system. */
export interface SimulatedHuman {
  readonly keyId: string
  readonly approver: Approver
  readonly privateKey: KeyObject
  readonly judges: (found: Case) => Judgement | undefined
  readonly afterMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** A person with a key that follows from the name, so that every run signs the same. */
export function approver(person: string, options: ApproverOptions = {}): SimulatedHuman {
  const { roles = ['*'], judges = judgesKindly, afterMs = MINUTE_MS } = options
  const key = createPrivateKey({ key: ed25519Of(person), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  const known = { person, roles, publicKey }
  return { keyId: keyIdOf(publicKey), approver: known, privateKey: key, judges, afterMs }
}

function judgesKindly({ kind }: Case): Judgement {
  return kind === 'approval' ? 'approve' : { verdict: 'settle', happened: true }
}

/** RFC 8410: what stands before the 32 bytes of an ed25519 key. */
const ED25519_PREFIX = '302e020100300506032b657004220420'

function ed25519Of(seed: string): Buffer {
  return Buffer.from(ED25519_PREFIX + sha256('simulated key of ', seed), 'hex')
}

export interface HumanCalls {
  readonly choices: Choices
  readonly trace: Trace
  readonly time: VirtualTime
  readonly faults: readonly FaultName[]
  readonly systemId: string
  /** Hands a decision in, again and again until it is answered. */
  submit(signed: SignedStatement): void
}

/** The people beside a simulated system: each looks at each case once. */
export class Humans {
  private readonly people: readonly SimulatedHuman[]
  private readonly calls: HumanCalls
  private readonly seen = new Set<string>()

  constructor(people: readonly SimulatedHuman[], calls: HumanCalls) {
    this.people = people
    this.calls = calls
  }

  /** A case is on the disk. */
  caseOpened(found: Case): void {
    if (this.seen.has(found.id)) return
    this.seen.add(found.id)
    for (const human of this.people) this.look(human, found)
  }

  private look(human: SimulatedHuman, found: Case): void {
    const { choices, trace, faults, time } = this.calls
    const judgement = human.judges(found)
    if (judgement === undefined) return
    const fault = choices.fault('human', faultsAt('human', faults))
    const { person } = human.approver
    if (fault !== undefined) trace.add({ kind: 'fault', fault, where: `${person} on ${found.id}` })
    if (fault === 'approverSilent') return
    const expiresMs = found.expiresAt === null ? 0 : found.expiresAt - time.now
    const afterMs = fault === 'approverLate' ? expiresMs + HOUR_MS : human.afterMs
    this.decideAfter(human, found, afterMs, judgement)
    if (fault === 'approverTwice')
      this.decideAfter(human, found, afterMs + 1, judgement, 'said again')
    if (fault === 'approverContradicts') {
      const { verdict } = typeof judgement === 'string' ? { verdict: judgement } : judgement
      const other = verdict === 'approve' ? 'reject' : 'approve'
      this.decideAfter(human, found, afterMs + 1, other, 'changed their mind')
    }
  }

  private decideAfter(
    human: SimulatedHuman,
    found: Case,
    ms: number,
    judgement: Judgement,
    mood = 'decided',
  ): void {
    const { time, trace } = this.calls
    const { person } = human.approver
    const said = typeof judgement === 'string' ? { verdict: judgement } : judgement
    const nonce = `${person} ${mood} on ${found.id}`.padEnd(16, '.')
    time.after(this, ms, `${person} decides on ${found.id}`, () => {
      trace.add({ kind: 'decided', case: found.id, person, verdict: said.verdict })
      const about = {
        v: 1,
        system: this.calls.systemId,
        case: found.id,
        digest: found.digest,
      } as const
      const statement = { ...about, ...said, person, at: time.now, nonce }
      this.calls.submit(signWith(human.privateKey, human.keyId, statement as Statement))
    })
  }
}
