import type { Clock } from './ports/clock.ts'

export interface RoundCalls {
  /** Runs what is due in one round. */
  drainNow(): void
  /** Whether the system is up. */
  isRunning(): boolean
}

/** Who makes rounds: the event loop, or by hand whoever calls `drain()`. */
export class Rounds {
  readonly isManual: boolean
  private readonly takesAtOnce: boolean
  private readonly clock: Clock
  private readonly calls: RoundCalls
  /** By hand: what was put off to the next round. */
  private later: (() => void)[] = []
  private isDraining = false

  constructor(isManual: boolean, isScheduled: boolean, clock: Clock, calls: RoundCalls) {
    this.isManual = isManual
    this.takesAtOnce = isManual && !isScheduled
    this.clock = clock
    this.calls = calls
  }

  /** Runs everything that is due, at once. */
  drain(): void {
    if (this.isDraining) return
    this.isDraining = true
    try {
      do {
        for (const run of this.later.splice(0)) run()
        this.calls.drainNow()
      } while (this.later.length > 0)
    } finally {
      this.isDraining = false
    }
  }

  /**
   * By hand, what comes from beside the steps runs at its own moment: a timer before a virtual clock moves on to the
   * next, an effect's end before the next one. Only what is sent from outside waits for `drain()`, and where a schedule
   * says who goes next everything does.
   */
  takeAtOnce(): void {
    if (this.takesAtOnce && this.calls.isRunning()) this.drain()
  }

  /** Runs something in the next round. */
  soon(run: () => void): void {
    if (this.isManual) this.later.push(run)
    else this.clock.soon(run)
  }
}
