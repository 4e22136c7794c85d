import type { Address } from '../address.ts'
import type { Json } from '../json.ts'
import type { Lane } from '../mailbox.ts'
import type { Event, ReplyTo } from '../message.ts'
import type { Order } from './supervising.ts'
import type { Turn } from '../turn.ts'

/** What a step is given: an event for one member of the actor (`''` is its root), or how what runs there ended. */
export interface Incoming {
  readonly target: string
  readonly event: Event
  /** Set when the effect or question that stands at `target` has ended. */
  readonly end?: End
}

/** How something that runs beside the steps ended. */
export type End =
  { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: unknown }

/**
 * Where an engine's state lives: one actor in memory. The engine keeps its refs and observers in `slot`, and reaches
 * the actor's mailbox through it.
 */
export interface Place {
  readonly address: Address
  /** Whether a step's commands are carried out as it goes on (durability `none`) or after its commit. */
  readonly isDirect: boolean
  /** The state after the last step. */
  readonly state: unknown
  /** Whether a message is being taken at this moment. */
  readonly isInTurn: boolean
  /** Whether the caller makes the rounds: then every step is made at once. */
  readonly isByHand: boolean
  /** What each supervisor from the root down to this actor was given as authority. */
  readonly authority: readonly Json[]
  /** The keyed rows of the actor. */
  readonly rows: ReadonlyMap<string, Json>
  /** How the actor ended; undefined while it may go on. */
  readonly outcome: Outcome | undefined
  slot: unknown
  /** Carries one command out at once. Only during a step of a direct place. */
  perform(command: Command): void
  /** Whose actor it is: the same for all actors of one system. */
  readonly home: unknown
  /** Puts an event for a member into the mailbox; it is not durable. `isForeign`: checked like any from outside. */
  post(target: string, event: Event, isForeign?: boolean): void
  /** Says how something that runs beside the steps ended. */
  end(target: string, end: End): void
  /** Logs what went wrong beside the steps. */
  warn(error: unknown, what: string): void
}

/** A step that is to be made elsewhere, as data; the state is the place's. */
export type AwayStep =
  | { readonly kind: 'start'; readonly input: unknown }
  | { readonly kind: 'step'; readonly incoming: Incoming }

export type Outcome =
  | { readonly status: 'done'; readonly output: unknown }
  | { readonly status: 'stopped' }
  | { readonly status: 'error'; readonly error: unknown }

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
      /** Whose delayed event it is: it may cancel it, and takes it along when it ends. */
      readonly owner: string
      readonly target: string
      readonly event: Event
      readonly delayMs: number
    }
  | { readonly kind: 'cancel'; readonly owner: string; readonly id: string }
  /** Forgets every delayed event of a member that ended and of those below it, and what was to reach them. */
  | { readonly kind: 'cancelUnder'; readonly owner: string }
  | { readonly kind: 'put'; readonly key: string; readonly value: Json }
  | { readonly kind: 'think'; readonly thought: Thought }
  /** Keeps the message of this turn, to be taken again once the state has changed. */
  | { readonly kind: 'defer' }
  | { readonly kind: 'observe'; readonly name: string; readonly run: () => unknown }
  | { readonly kind: 'log'; readonly label?: string; readonly value: unknown }
  /** Asks to hear, once, that the generation of an actor is over; `pact`: fails with it, unless it handles that. */
  | { readonly kind: 'monitor'; readonly target: string; readonly pact: boolean }
  | { readonly kind: 'demonitor'; readonly target: string }
  /** The actor has started, where its spec says that it tells so itself. */
  | { readonly kind: 'ready' }
  /** The actor will not run this time, and that is no failure: nobody restarts it. */
  | { readonly kind: 'ignore' }
  /** For supervisors: what is to become of a child. */
  | { readonly kind: 'supervise'; readonly order: Order }

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
  /** In whose name it acts, when that is not its actor: if that one's authority is suspended it waits. */
  readonly onBehalfOf?: (input: never) => Address
  /** The key the outside world sees; by default one per invocation. */
  readonly key?: (input: never) => string
}

/** A question to another actor that waits in the asker's committed state. */
export interface AskLogic {
  readonly kind: 'ask'
  request(input: never, turn: Turn): AskRequest
  /** How an answer ends the invocation; by default it is the output. */
  settle?(answer: Event, input: never): Settlement
  /** Set when `settle` does not look at the input: it is not kept once the question is asked. */
  readonly forgetsInput?: true
  /** How every such question is withdrawn, if it always is in the same way. */
  readonly withdraw?: Event
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

/** Steps one kind of actor. One engine serves every actor with the same definition: what differs is in the place. */
export interface Engine {
  readonly id: string
  readonly version: string
  /** Changes when the structure of the machine changes. */
  readonly hash: string
  start(input: unknown, place: Place): Step
  step(state: unknown, incoming: Incoming, place: Place): Step
  /**
   * The state after an event, where a step can do nothing but change it, and send through `thisTurn()`. Undefined, and
   * nothing has happened, when the whole step must be made.
   */
  quick?(state: unknown, event: Event, place: Place): unknown
  /**
   * Makes a step elsewhere, where it may take its time and nobody waits for it but its actor. Rejects when the step
   * threw or whoever made it is gone. Undefined when it is to be made here.
   */
  stepAway?(asked: AwayStep, place: Place, turn: Turn): Promise<Step> | undefined
  persist(state: unknown): Json
  restore(stored: Json, place: Place): unknown
  /** Names a delayed event or invocation that nobody in a migrated state would hear of. */
  findUnheard?(state: unknown, delayed: readonly Event[]): string | undefined
  /** Brings a state stored by another version to this one; undefined when there is no way. */
  migrate?(stored: StoredState): StoredState | undefined
  /** The logic behind a standing invocation. */
  invocable(state: unknown, path: string, place: Place): Invocable | undefined
  /** The machine's state value, for logs and read models. */
  describe(state: unknown): Json
  /** Reserved types that the machine itself opened to everybody. */
  readonly opens?: ReadonlySet<string>
  /** Says what is wrong with an event from outside, if anything is. */
  refuse?(event: Event): string | undefined
  /** The actor as the engine's own kind of users know it: for XState, an actor ref. */
  view?(place: Place): unknown
  /** Starts what runs beside the steps without an end of its own, such as callbacks. Repeating it is harmless. */
  awaken?(place: Place): void
  /** What ended at once, within the direct step that began it, is heard in that step; false when none goes on. */
  endAtOnce?(place: Place, path: string, end: End): boolean
  /** Stops the members of an actor that is told to stop, in their order. Only during a step of a direct place. */
  halt?(place: Place): void
  /** The actor is down for good: stops what runs beside the steps and tells its observers. */
  quiet?(place: Place): void
  /** Whether a state has a transition of its own for a type of event; one for every type does not count. */
  hears?(state: unknown, type: string): boolean
  /** Whether a state takes any notice of an event; guards are asked again. Left out where nobody can know. */
  takes?(state: unknown, event: Event): boolean
  /** Whether something runs beside the steps, so that the actor must stay in memory. */
  isLively?(place: Place): boolean
  /** Lets go of what can be had again when the actor comes back; false when something runs beside the steps. */
  doze?(place: Place): boolean
}

/** What a journal holds of a machine: by whom it was stored, and its state. */
export interface StoredState {
  readonly machine: { readonly id: string; readonly version: string; readonly hash: string }
  readonly state: Json
}
