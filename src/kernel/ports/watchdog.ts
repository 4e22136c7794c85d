import type { Address } from '../address.ts'

/** The event loop stood still: for whom, how long, and where in the code. */
export interface Stall {
  /** From the last beat that was on time to the first one after. */
  readonly blockedMs: number
  /** Whose turn or effect it was; absent when it was neither. */
  readonly address?: Address
  /** The system of that actor. */
  readonly systemId?: string
  /** What the turn took. */
  readonly message?: { readonly type: string; readonly id: string }
  /** The effect that ran. */
  readonly effect?: string
  /** The JavaScript stack at that moment; absent when native code never came back while the loop stood still. */
  readonly stack?: string
}

/** Watches from outside the event loop that it goes on. */
export interface Watchdog {
  /** Begins to watch; answers how to end it. `told` hears of each stall once it is over. */
  watch(told: (stall: Stall) => void): () => void
}
