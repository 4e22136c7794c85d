import type { Clock } from '../kernel/ports/clock.ts'

interface Due {
  readonly at: number
  readonly order: number
  readonly label: string
  readonly owner: object
  readonly run: () => void
}

/** 2026-01-05 12:00 UTC, a Monday. */
export const VIRTUAL_START = Date.UTC(2026, 0, 5, 12)

/** How long a process that looks again and again takes from one look to the next. */
const SOON_MS = 10

/**
 * Time for a whole world: it stands still until the simulation moves it on. What is due belongs to an owner, and is
 * forgotten with it.
 */
export class VirtualTime {
  /** What has passed in the world since the start. */
  private passed = 0
  /** How far the wall clock of the processes is off. */
  private skew = 0
  private order = 0
  private due: Due[] = []
  /** Owners that are gone: what they still ask for never comes. */
  private readonly gone = new WeakSet()

  /** What the wall clock says. */
  get now(): number {
    return VIRTUAL_START + this.passed + this.skew
  }

  /** Milliseconds since the start, whatever the wall clock does. */
  get elapsed(): number {
    return this.passed
  }

  /** Runs something after so many milliseconds; answers how to cancel it. */
  after(owner: object, ms: number, label: string, run: () => void): () => void {
    let isCancelled = false
    // It may be among what could happen now already.
    const runOnce = () => {
      if (!isCancelled) run()
    }
    const entry = {
      at: this.passed + Math.max(0, ms),
      order: this.order++,
      label,
      owner,
      run: runOnce,
    }
    if (this.gone.has(owner)) return () => undefined
    const later = this.due.findIndex(({ at }) => at > entry.at)
    if (later < 0) this.due.push(entry)
    else this.due.splice(later, 0, entry)
    return () => {
      isCancelled = true
      const at = this.due.indexOf(entry)
      if (at >= 0) this.due.splice(at, 1)
    }
  }

  /** The clock that a process of an owner sees. It goes by the wall clock as it is when a wake-up is set. */
  clockOf(owner: object): Clock {
    return {
      now: () => this.now,
      elapsed: () => 0,
      soon: (run) => void this.after(owner, SOON_MS, 'soon', run),
      wakeAt: (dueAt, wake) => this.after(owner, dueAt - this.now, 'timer', wake),
    }
  }

  /** How long until something is due; undefined when nothing is. */
  get untilNext(): number | undefined {
    const first = this.due[0]
    return first === undefined ? undefined : Math.max(0, first.at - this.passed)
  }

  /** What is due now, the earliest first. */
  takeDue(): Omit<Due, 'at' | 'order'> | undefined {
    const first = this.due[0]
    if (first === undefined || first.at > this.passed) return undefined
    return this.due.shift()
  }

  pass(ms: number): void {
    this.passed += ms
  }

  /** The wall clock leaps; what is due stays due when it was. */
  leap(ms: number): void {
    this.skew += ms
  }

  forget(owner: object): void {
    this.gone.add(owner)
    this.due = this.due.filter((entry) => entry.owner !== owner)
  }
}
