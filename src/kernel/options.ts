import type { Admit } from './kept-children.ts'
import type { StartLimit } from './start-limit.ts'
import type { SupervisorSpec } from './supervisor-spec.ts'
import type { MaybePromise } from './maybe.ts'
import type { Clock } from './ports/clock.ts'
import type { EffectHost } from './ports/effect-host.ts'
import type { Journal, JournalSession } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'
import type { Observer } from './ports/observer.ts'
import type { Random } from './ports/random.ts'
import type { Watchdog } from './ports/watchdog.ts'
import type { Schedule } from './ports/schedule.ts'

export interface KernelOptions {
  readonly root: SupervisorSpec
  /** Kept alive beside the root, under a supervisor of their own. */
  readonly services?: SupervisorSpec
  readonly journal: Journal
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly observers?: readonly Observer[]
  /** Called with the open journal before any actor runs. */
  readonly opened?: (session: JournalSession) => MaybePromise<void>
  /** Lets a child in that a supervisor kept from an earlier process, before it is there. */
  readonly admit?: Admit
  /**
   * Who makes rounds: `auto` (default) the event loop, `manual` the caller with `drain()`, in which case everything
   * that does not wait for a promise happens in the call.
   */
  readonly scheduler?: 'auto' | 'manual'
  /** Who goes next within a round. Default: whoever waits longest. By hand, everything then waits for `drain()`. */
  readonly schedule?: Schedule
  /** How fast actors may be restarted from the journal, over the whole system. */
  readonly startLimit?: Partial<StartLimit>
  /** Runs the effects of machines. Default: their own code. */
  readonly effects?: EffectHost
  /** Watches that the event loop goes on. Default: nobody does. */
  readonly watchdog?: Watchdog
}

export interface StopOptions {
  /** How long running effects may still end by themselves. Default 5,000. */
  readonly graceMs?: number
}

export interface RestOptions {
  /** Timers due within this time are waited for, such as those of a retry. Default 0. */
  readonly timersWithinMs?: number
}
