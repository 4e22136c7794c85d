import type { Address } from '../address.ts'
import type { DeadLetter } from '../dead-letters.ts'
import type { ExitReason } from '../exit.ts'
import type { Json } from '../json.ts'
import type { SupervisionNews } from './supervising.ts'
import type { Stall } from './watchdog.ts'

/** What became of one turn, told after its commit. */
export interface TurnReport {
  readonly address: Address
  readonly generation: number
  readonly seq: number
  readonly at: number
  readonly type: string
  /** The machine's state value. */
  readonly state: Json
  readonly status: 'active' | 'done' | 'stopped'
  /** Keyed rows this turn wrote; `null` means deleted. */
  readonly rows: readonly (readonly [key: string, value: Json])[]
  /** Whether the turn is in the journal; those of actors with durability `none` are not. */
  readonly isJournaled: boolean
}

export interface ExitReport {
  readonly address: Address
  readonly reason: ExitReason
  readonly incarnation: number
  readonly at: number
}

/** What a supervisor did with a child, and why. */
export interface SupervisionReport extends SupervisionNews {
  readonly supervisor: Address
  readonly at: number
}

/**
 * Told what happened, after it was committed. An observer cannot change or stop anything: what it throws is logged.
 */
export interface Observer {
  /** Asks to hear of journaled turns only: the others are many, and cost little as long as nobody listens. */
  readonly journaledOnly?: boolean
  onTurn?(report: TurnReport): void
  onExit?(report: ExitReport): void
  /** An actor is in a new incarnation. */
  onRestart?(report: { address: Address; incarnation: number; delayMs: number }): void
  /** A supervisor restarted, left or stopped a child, gave up, or shut itself down. */
  onSupervision?(report: SupervisionReport): void
  onDeadLetter?(letter: DeadLetter): void
  /** The event loop had stood still, and goes on. */
  onStall?(stall: Stall): void
}
