/** A machine as plain data: it prints, it shrinks, and `buildMachine` makes the XState machine of it. */
export interface MachinePlan {
  readonly id: string
  /** How many steps one event may cause: a loop of `always` or raised events is an equal error. */
  readonly maxIterations: number
  /** How many transitions the machine may take in its life; ends loops between actors. */
  readonly fuel?: number
  readonly root: StatePlan
  readonly actors: Readonly<Record<string, ActorPlan>>
}

export interface StatePlan {
  readonly type?: 'parallel' | 'final' | 'history'
  /** Of a history state. */
  readonly history?: 'shallow' | 'deep'
  readonly target?: string
  readonly initial?: string
  readonly initialActions?: readonly ActionPlan[]
  readonly states?: Readonly<Record<string, StatePlan>>
  readonly tags?: readonly string[]
  readonly entry?: readonly ActionPlan[]
  readonly exit?: readonly ActionPlan[]
  readonly on?: Readonly<Record<string, readonly TransitionPlan[]>>
  readonly always?: readonly TransitionPlan[]
  readonly after?: Readonly<Record<string, readonly TransitionPlan[]>>
  readonly onDone?: readonly TransitionPlan[]
  readonly invoke?: readonly InvokePlan[]
  readonly output?: OutputPlan
}

/** A number itself, or worked out from context and event. */
export type OutputPlan = number | 'context' | 'event'

export interface TransitionPlan {
  readonly target?: readonly string[]
  readonly reenter?: true
  readonly guard?: GuardPlan
  readonly actions?: readonly ActionPlan[]
}

export interface InvokePlan {
  readonly id: string
  readonly src: string
  /** The logic itself instead of its name. */
  readonly inline?: true
  readonly input: number | 'context'
  readonly onDone?: readonly TransitionPlan[]
  readonly onError?: readonly TransitionPlan[]
  readonly onSnapshot?: readonly TransitionPlan[]
}

export type GuardPlan =
  | { readonly is: 'odd' | 'both' }
  | { readonly is: 'under'; readonly limit: number; readonly by: 'params' | 'function' | 'inline' }
  | { readonly is: 'event'; readonly v: number }
  | { readonly is: 'in'; readonly state: string }
  | { readonly is: 'and' | 'or' | 'not'; readonly of: readonly GuardPlan[] }
  | { readonly is: 'throwing'; readonly inline: boolean }

/** Milliseconds, the name of a delay, or milliseconds worked out from the context. */
export type DelayPlan = number | 'short' | 'long' | 'grown' | { readonly plus: number }

export type ActionPlan =
  | { readonly do: 'note'; readonly what: string; readonly by: 'params' | 'function' | 'inline' }
  | { readonly do: 'noteEvent' | 'record' }
  | { readonly do: 'add'; readonly n: number; readonly by: 'params' | 'inline' }
  | { readonly do: 'throw'; readonly from: 'assign' | 'action' | 'params' }
  | {
      readonly do: 'raise' | 'sendSelf' | 'sendParent'
      readonly event: string
      readonly later?: Later
    }
  | { readonly do: 'cancel'; readonly id: string }
  | { readonly do: 'emit'; readonly event: string }
  | { readonly do: 'log'; readonly what: string; readonly label?: string }
  | {
      readonly do: 'enqueue'
      readonly check: GuardPlan
      readonly then: readonly ActionPlan[]
      readonly otherwise: readonly ActionPlan[]
    }
  | { readonly do: 'send'; readonly to: string; readonly event: string; readonly later?: Later }
  | { readonly do: 'forward'; readonly to: string }
  | { readonly do: 'stop'; readonly id: string }
  | SpawnPlan

export interface SpawnPlan {
  readonly do: 'spawn'
  readonly id: string
  readonly src: string
  readonly input: number | 'context'
  readonly sync: boolean
  /** Stops the child of the same id first: an id is only used again when it is free. */
  readonly fresh: boolean
  /** Sent to the child by its id as soon as it is there. */
  readonly send?: string
}

/** Sent after a delay; with an id, one of the same id is cancelled first. */
export interface Later {
  readonly delay: DelayPlan
  readonly id?: string
}

export type ActorPlan =
  | { readonly kind: 'machine'; readonly plan: MachinePlan }
  /** Pending until the script ends it, or ended as soon as it has begun. */
  | { readonly kind: 'promise'; readonly ends: 'by script' | 'well' | 'badly' | 'throws' }
  | {
      readonly kind: 'callback'
      readonly sends?: string
      readonly answers?: string
      readonly fails?: 'start' | 'receive'
    }
  | { readonly kind: 'transition'; readonly fails?: string }
  /** A machine with a callback and a machine of its own, which never fails. */
  | { readonly kind: 'family' }

/** What happens to the machine from outside. */
export type Step =
  | { readonly send: string; readonly v: number }
  | { readonly advance: number }
  | { readonly resolve: number; readonly value: number }
  | { readonly reject: number; readonly error: string }
  | { readonly stop: true }
