import type { Address } from '../kernel/address.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { Thought } from '../kernel/ports/engine.ts'
import type { ActorStatus } from '../kernel/ports/journal.ts'
import type { SupervisionNews } from '../kernel/ports/supervising.ts'
import type { Seen } from '../kernel/turn.ts'
import type { Event, Headers } from '../kernel/message.ts'
import type { FaultName } from './faults.ts'

/** The record of a turn as it is stored. */
export interface TurnRecord {
  readonly actor: Address
  readonly generation: number
  readonly incarnation: number
  readonly seq: number
  readonly at: number
  readonly machine: string
  readonly disposition: 'processed' | 'parked' | 'expired' | 'deferred' | 'refused' | 'discarded'
  readonly message: {
    readonly id: string
    readonly type: string
    readonly body: Event
    readonly headers: Headers
  }
  readonly state: Json
  readonly status: ActorStatus
  readonly thoughts?: readonly Thought[]
  readonly begun?: readonly { readonly path: string; readonly src: string; readonly ref: string }[]
  readonly sent?: number
  /** What it saw of other actors. */
  readonly seen?: Readonly<Record<Address, Seen>>
  /** Set when the actor was started with it. */
  readonly born?: true
}

/** What happened in a simulated world, in the order in which it happened. */
export type Happening =
  /** A turn is on the disk. */
  | {
      readonly kind: 'turn'
      readonly record: TurnRecord
      readonly rows: Rows
      /** A hash of all that the actor keeps after it, with the last turn of a commit. */
      readonly whole?: string
    }
  /** A message from outside goes on its way; the same id again is a retry. */
  | { readonly kind: 'sent'; readonly id: string; readonly to: Address; readonly type: string }
  /** Whoever sent it was told that it is taken for good. */
  | { readonly kind: 'acknowledged'; readonly id: string }
  /** It was told that it never will be. */
  | { readonly kind: 'refused'; readonly id: string; readonly reason: string }
  /** An effect's own code is about to run. */
  | ({ readonly kind: 'effectBegun' } & EffectHappening)
  /** The world has changed. */
  | ({ readonly kind: 'effectHappened' } & EffectHappening)
  /** Somebody who runs the system did something to an actor. */
  | { readonly kind: 'operated'; readonly to: Address; readonly operator: string }
  /** A human handed a decision in. */
  | {
      readonly kind: 'decided'
      readonly case: string
      readonly person: string
      readonly verdict: string
    }
  | { readonly kind: 'decisionAnswered'; readonly case: string; readonly answer: string }
  | { readonly kind: 'fault'; readonly fault: FaultName; readonly where: string }
  /** A process came up on the journal, or ended without a word. */
  | { readonly kind: 'started'; readonly process: number }
  | { readonly kind: 'crashed'; readonly process: number }
  | {
      readonly kind: 'deadLetter'
      readonly id: string
      readonly to: Address
      readonly reason: string
      /** Its place among what its sender sent, when it has one. */
      readonly stream?: Headers['stream']
    }
  | {
      readonly kind: 'exit'
      readonly address: Address
      readonly reason: string
      readonly incarnation: number
    }
  | { readonly kind: 'restart'; readonly address: Address; readonly delayMs: number }
  /** A supervisor did something about a child. */
  | {
      readonly kind: 'supervised'
      readonly supervisor: Address
      readonly child: string
      readonly plan: SupervisionNews['kind']
      /** By the clock of its process. */
      readonly at: number
    }
  /** How many messages wait for an actor, where that is more than any before. */
  | { readonly kind: 'mailbox'; readonly address: Address; readonly length: number }

export interface EffectHappening {
  readonly name: string
  readonly phase: 'run' | 'execute' | 'verify' | 'compensate'
  readonly key: string
  readonly input: Json
  readonly attempt: number
}

export type Rows = readonly (readonly [key: string, value: Json])[]

/** A happening with its place in the run. */
export type TraceEntry = Happening & {
  /** Counts from 1. */
  readonly step: number
  /** Milliseconds since the world began. */
  readonly elapsedMs: number
}

/** All that happened in one run. */
export class Trace {
  readonly entries: TraceEntry[] = []
  private readonly heard: (entry: TraceEntry) => void
  private readonly elapsed: () => number
  step = 0

  constructor(elapsed: () => number, heard: (entry: TraceEntry) => void) {
    this.elapsed = elapsed
    this.heard = heard
  }

  add(happening: Happening): void {
    const entry = { ...happening, step: this.step, elapsedMs: this.elapsed() }
    this.entries.push(entry)
    this.heard(entry)
  }

  /** The same for two runs in which the same happened at the same time. */
  get hash(): string {
    return this.entries.reduce((hash, entry) => sha256(hash, JSON.stringify(entry)), '')
  }
}

/** One line about an entry, for reports. */
export function describeEntry(entry: Happening): string {
  switch (entry.kind) {
    case 'turn': {
      const { actor, seq, message, state, disposition } = entry.record
      const how = disposition === 'processed' ? '' : `, ${disposition}`
      return `${actor} #${seq} took ${message.type}: ${JSON.stringify(state)}${how}`
    }
    case 'sent':
      return `${entry.type} (${entry.id}) was sent to ${entry.to}`
    case 'acknowledged':
      return `${entry.id} was acknowledged`
    case 'refused':
      return `${entry.id} was refused: ${entry.reason}`
    case 'effectBegun':
      return `${entry.name} ${entry.phase} of ${entry.key} begun, attempt ${entry.attempt}`
    case 'effectHappened':
      return `${entry.name} ${entry.phase} of ${entry.key} happened`
    case 'operated':
      return `an operator: ${entry.operator} of ${entry.to}`
    case 'decided':
      return `${entry.person} says ${entry.verdict} on ${entry.case}`
    case 'decisionAnswered':
      return `the desk says of ${entry.case}: ${entry.answer}`
    case 'fault':
      return `fault: ${entry.fault} at ${entry.where}`
    case 'started':
      return `process ${entry.process} started`
    case 'crashed':
      return `process ${entry.process} crashed`
    case 'deadLetter':
      return `a message to ${entry.to} became a dead letter: ${entry.reason}`
    case 'exit':
      return `${entry.address} ended: ${entry.reason}`
    case 'restart':
      return `${entry.address} restarts after ${entry.delayMs} ms`
    case 'supervised':
      return `${entry.supervisor}: ${entry.plan} because of ${entry.child}`
    case 'mailbox':
      return `${entry.length} messages wait for ${entry.address}`
  }
}
