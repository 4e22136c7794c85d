import type { Clock } from './ports/clock.ts'

/** Whoever waits for rest looks again at least this often. */
export const REST_LOOK_MS = 50

/** Those who wait for the next round to be over. */
export class RestWatch {
  private waiting: (() => void)[] = []
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  rested(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  /** Resolves after the next round, or a little later when there is none; at the latest at the deadline. */
  next(deadline = Infinity): Promise<void> {
    return new Promise((resolve) => {
      const lookAt = Math.min(deadline, this.clock.now() + REST_LOOK_MS)
      const cancel = this.clock.wakeAt(lookAt, resolve)
      this.waiting.push(() => {
        cancel()
        resolve()
      })
    })
  }
}
