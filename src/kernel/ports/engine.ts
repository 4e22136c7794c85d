import type { Address } from '../address.ts'
import type { Json } from '../json.ts'
import type { Lane } from '../mailbox.ts'
import type { Event, ReplyTo } from '../message.ts'
import type { Turn } from '../turn.ts'

/** What a step is given: an event for one of the machines in the cell (`''` is the root machine). */
export interface Incoming {
  readonly target: string
  readonly event: Event
  /** The invocation that ended with this event, if one did. */
  readonly ended?: string
}

/** What a machine wants done once its turn is committed. Data, in the order the machine asked for it. */
export type Command =
  | { readonly kind: 'tell'; readonly to: Address; readonly event: Event; readonly lane: Lane }
  | { readonly kind: 'reply'; readonly to?: ReplyTo; readonly event: Event }
  | {
      readonly kind: 'invoke'
      readonly path: string
      readonly src: string
      readonly input: unknown
      readonly logic: Invocable
    }
  | { readonly kind: 'release'; readonly path: string }
  | {
      readonly kind: 'schedule'
      readonly id: string
      readonly target: string
      readonly event: Event
      readonly delayMs: number
    }
  | { readonly kind: 'cancel'; readonly target: string; readonly id: string }
  /** Forgets every delayed event of a stopped child and of those below it. */
  | { readonly kind: 'cancelUnder'; readonly target: string }
  | { readonly kind: 'put'; readonly key: string; readonly value: Json }
  | { readonly kind: 'think'; readonly thought: Thought }
  | { readonly kind: 'observe'; readonly name: string; readonly run: () => unknown }
  | { readonly kind: 'log'; readonly label?: string; readonly value: unknown }

/** One entry of the thought log: what was decided and why. Stored in the record of the turn that had it. */
export interface Thought {
  readonly kind: string
  readonly [field: string]: Json | undefined
}

export interface Step {
  readonly state: unknown
  readonly status: 'active' | 'done' | 'error'
  readonly output?: unknown
  readonly error?: unknown
  readonly commands: readonly Command[]
}

/** What an effect is told beside its input. */
export interface EffectContext {
  readonly signal: AbortSignal
  /** The same for every attempt at the same effect: hand it to the target. */
  readonly idempotencyKey: string
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** Counts from 1. */
  readonly attempt: number
  /** Whether an earlier attempt was started and nobody knows how it ended. */
  readonly maybeExecuted: boolean
}

/** An effect: work outside the step, started after the commit, whose end is a turn of its own. */
export interface EffectLogic {
  readonly kind: 'effect'
  run(input: never, context: EffectContext): unknown
  /** Whether it may run again when nobody knows how it ended. */
  readonly idempotent: boolean | ((input: never) => boolean)
  /** Whether it changes nothing in the world. */
  readonly readOnly: boolean
  readonly timeoutMs: number | ((input: never) => number)
  /** The key the outside world sees; by default one per invocation. */
  readonly key?: (input: never) => string
}

/** A question to another actor that waits in the asker's committed state. */
export interface AskLogic {
  readonly kind: 'ask'
  request(input: never, turn: Turn): AskRequest
  /** How an answer ends the invocation; by default it is the output. */
  settle?(answer: Event, input: never): Settlement
  /** Whether it proposes a governed action, and which. */
  readonly governs?: string
}

export interface AskRequest {
  readonly to: Address
  readonly event: Event
  /** Sent when the asker leaves before the answer. */
  readonly withdraw?: Event
  /** Default: none, wait for ever. */
  readonly timeoutMs?: number
}

export type Settlement =
  | { readonly status: 'done'; readonly output: unknown }
  | { readonly status: 'error'; readonly error: unknown }
  | { readonly status: 'notice'; readonly event: Event }
  | { readonly status: 'ignored' }

export type Invocable = EffectLogic | AskLogic

/** Steps one kind of machine. Stateless: one engine serves every actor with the same definition. */
export interface Engine {
  readonly id: string
  readonly version: string
  /** Changes when the structure of the machine changes. */
  readonly hash: string
  start(input: unknown, turn: Turn): Step
  step(state: unknown, incoming: Incoming, turn: Turn): Step
  persist(state: unknown): Json
  restore(stored: Json): unknown
  /** The logic behind a standing invocation. */
  invocable(state: unknown, path: string): Invocable | undefined
  /** The machine's state value, for logs and read models. */
  describe(state: unknown): Json
  /** Says what is wrong with an event from outside, if anything is. */
  refuse?(event: Event): string | undefined
}
