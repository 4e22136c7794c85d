import type { Shutdown } from '../child-spec.ts'
import type { ErrorRecord } from '../errors.ts'
import type { ReplyTo } from '../message.ts'
import type { ExitReason, StopOutcome } from '../exit.ts'

/**
 * What a stop is for. `end`: for good. `restart`: an actor that resumes keeps its state, its mailbox and what runs for
 * it. `pause`: the system stops, and every durable actor goes on with the next start.
 */
export type StopPurpose = 'end' | 'restart' | 'pause'

/** What a supervisor wants done with its children. The kernel answers each with news of the child. */
export type Order =
  | { readonly do: 'start'; readonly id: string }
  /** Asks to be told (`retry`) when the wait is over. */
  | { readonly do: 'wait'; readonly id: string; readonly delayMs: number }
  | {
      readonly do: 'stop'
      readonly id: string
      readonly purpose: StopPurpose
      /** Its grace, where the child's own is not meant. */
      readonly shutdown?: Shutdown
    }
  /** Stops all members of a pool at the same time. */
  | { readonly do: 'stopMembers'; readonly purpose: StopPurpose }
  /** A call has stopped the child: it stays down, also in the supervisor's next life. */
  | { readonly do: 'terminated'; readonly id: string }
  /** The child is no child any more: its spec and input are let go, its name is free. */
  | { readonly do: 'forget'; readonly id: string }
  /** The child stays down, and a human must look. */
  | { readonly do: 'leave'; readonly id: string; readonly reason: ExitReason }
  /** Answers a question for the members of a pool, whom only the kernel knows. */
  | { readonly do: 'list'; readonly to: ReplyTo; readonly isCount: boolean }
  /** All children are up. */
  | { readonly do: 'up' }
  | { readonly do: 'report'; readonly report: SupervisionNews }

/** What a supervisor did, and why. */
export interface SupervisionNews {
  readonly kind: 'restart' | 'giveUp' | 'leave' | 'autoShutdown'
  readonly child: string
  readonly incarnation?: number
  readonly reason: ExitReason
  /** How long the supervisor waits before it begins. */
  readonly delayMs?: number
  /** The message that brought the child down, and how often it was tried. */
  readonly message?: FatalMessage
}

export interface FatalMessage {
  readonly id: string
  readonly type: string
  readonly attempt: number
}

/** What the kernel tells a supervisor of its children. */
export type ChildNews =
  | { readonly type: 'ambit.child.started'; readonly id: string; readonly incarnation: number }
  /** It will not run, and that is no failure: it said so, or it had ended before. */
  | { readonly type: 'ambit.child.ignored'; readonly id: string; readonly ended?: ExitReason }
  | {
      readonly type: 'ambit.child.notStarted'
      readonly id: string
      readonly error: ErrorRecord
      /** Whether it was waited for in vain. */
      readonly isLate?: boolean
    }
  | {
      readonly type: 'ambit.child.exit'
      readonly id: string
      readonly incarnation: number
      readonly reason: ExitReason
      readonly message?: FatalMessage
    }
  | {
      readonly type: 'ambit.child.stopped'
      readonly id: string
      readonly outcome: StopOutcome
    }
  | { readonly type: 'ambit.child.retry'; readonly id: string }
  /** It idles, and has left memory; with the next message it starts as another incarnation. */
  | { readonly type: 'ambit.child.asleep'; readonly id: string; readonly incarnation: number }
  | { readonly type: 'ambit.members.stopped' }
  | { readonly type: 'ambit.members.listed'; readonly to: ReplyTo; readonly fields: object }

/** How a supervisor ended, as its machine's output. */
export interface SupervisorEnd {
  readonly reason: ExitReason
  /** The child that could not be started, when it ended before it was up. */
  readonly failed?: { readonly id: string; readonly error: ErrorRecord }
}
