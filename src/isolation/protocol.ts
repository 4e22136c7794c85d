import type { Address } from '../kernel/address.ts'
import type { ErrorRecord } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import type { Event, Message } from '../kernel/message.ts'
import type { AwayStep, Command, EffectContext, End } from '../kernel/ports/engine.ts'

/** What a thread is given when it begins. */
export interface ThreadTask {
  readonly module: string
  readonly export: string
  readonly address: Address
  readonly authority: readonly Json[]
  readonly governed: boolean
  /** `[STEP]` names the request that is being stepped, or 0; `[BEATS]` counts while the thread's event loop goes on. */
  readonly shared: SharedArrayBuffer
  readonly beatMs: number
}

export const STEP = 0
export const BEATS = 1

/** What the thread is to hold when it does not: the actor's state and rows as they are stored. */
export interface Sync {
  readonly state: Json | undefined
  readonly rows: readonly (readonly [key: string, value: Json])[]
}

/** What a step may know of its turn. */
export interface TurnFacts {
  readonly now: number
  readonly systemId: string
  readonly generation: number
  readonly seq: number
  readonly message: Message
}

export type Request =
  | {
      readonly kind: 'step'
      readonly id: number
      readonly sync?: Sync
      readonly asked: AwayStep
      readonly turn: TurnFacts
    }
  | {
      readonly kind: 'effect'
      readonly id: number
      readonly sync?: Sync
      readonly path: string
      readonly src: string
      readonly input: unknown
      readonly context: Omit<EffectContext, 'signal'>
    }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: string }
  | { readonly kind: 'observe'; readonly key: string }

/** A command on its way between threads: what was a function is named. */
export type WireCommand =
  | Exclude<Command, { kind: 'invoke' } | { kind: 'observe' }>
  | Omit<Extract<Command, { kind: 'invoke' }>, 'logic'>
  | { readonly kind: 'observe'; readonly name: string; readonly key: string }

export interface WireStep {
  readonly state: Json
  /** The machine's state value. */
  readonly value: Json
  readonly status: 'active' | 'done'
  readonly output?: unknown
  readonly commands: readonly WireCommand[]
}

export type Report =
  | { readonly kind: 'ready'; readonly id: string; readonly hash: string }
  | { readonly kind: 'broken'; readonly error: ErrorRecord }
  | { readonly kind: 'stepped'; readonly id: number; readonly step: WireStep }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorRecord }
  | { readonly kind: 'effectEnded'; readonly id: number; readonly end: End }
  | {
      readonly kind: 'post'
      readonly target: string
      readonly event: Event
      readonly isForeign: boolean
    }
  | { readonly kind: 'warn'; readonly error: ErrorRecord; readonly what: string }

/** An error as it was before it was made a record. */
export function errorFrom(record: ErrorRecord): Error {
  const { name, message, code, cause } = record
  const error = new Error(message, cause === undefined ? undefined : { cause: errorFrom(cause) })
  return Object.assign(error, { name, ...(code !== undefined && { code }) })
}
