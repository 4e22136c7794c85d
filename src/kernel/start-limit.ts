import type { Clock } from './ports/clock.ts'

/** How fast actors may be restarted from the journal, over the whole system: a storm must not feed itself. */
export interface StartLimit {
  /** Default 50. */
  readonly perSecond: number
  /** So many at once before that counts. Default 100. */
  readonly burst: number
  /** Recoveries under way at a time. Default 8. */
  readonly atOnce: number
}

export const startLimitDefaults: StartLimit = { perSecond: 50, burst: 100, atOnce: 8 }

/** A token bucket, and a number of places. */
export class Starts {
  private tokens: number
  private filledAt: number
  private underWay = 0
  private queue: ((done: () => void) => void)[] = []
  private isWaiting = false
  private readonly clock: Clock
  private readonly limit: StartLimit

  constructor(clock: Clock, limit: StartLimit) {
    this.clock = clock
    this.limit = limit
    this.tokens = limit.burst
    this.filledAt = clock.now()
  }

  get isAtRest(): boolean {
    return this.queue.length === 0 && this.underWay === 0
  }

  /** Runs a start as soon as there is room for it; it says when it is done. */
  run(start: (done: () => void) => void): void {
    this.queue.push(start)
    this.next()
  }

  private next(): void {
    this.fill()
    while (this.queue.length > 0 && this.underWay < this.limit.atOnce && this.tokens >= 1) {
      this.tokens--
      this.underWay++
      let isDone = false
      this.queue.shift()?.(() => {
        if (isDone) return
        isDone = true
        this.underWay--
        if (this.queue.length > 0) this.next()
      })
    }
    if (this.queue.length > 0 && this.tokens < 1) this.wait()
  }

  private fill(): void {
    const now = this.clock.now()
    const { perSecond, burst } = this.limit
    // A clock that was set back fills nothing, and counts from where it is.
    const passedMs = Math.max(0, now - this.filledAt)
    this.tokens = Math.min(burst, this.tokens + (passedMs * perSecond) / 1000)
    this.filledAt = now
  }

  private wait(): void {
    if (this.isWaiting) return
    this.isWaiting = true
    const ms = Math.ceil(((1 - this.tokens) * 1000) / this.limit.perSecond)
    this.clock.wakeAt(this.clock.now() + ms, () => {
      this.isWaiting = false
      this.next()
    })
  }
}
