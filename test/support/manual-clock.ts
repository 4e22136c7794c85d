import type { Clock } from '../../src/kernel/ports/clock.ts'

/** Virtual time: nothing becomes due unless a test says so. `soon` is real, so rounds go on. */
export interface ManualClock extends Clock {
  /** Moves time on and fires what falls due on the way, in (dueAt, order). */
  advance(ms: number): void
  /** Sets the wall clock, also backwards; fires nothing. */
  turnTo(at: number): void
  /** Uses up budget: what `elapsed` reads, and nothing else. */
  spend(ms: number): void
  /** How many wake-ups are set. */
  readonly waiting: number
}

interface Wake {
  readonly dueAt: number
  readonly order: number
  readonly run: () => void
}

export const MANUAL_START = Date.UTC(2026, 0, 5, 12)

export function createManualClock(startAt = MANUAL_START): ManualClock {
  let now = startAt
  let spent = 0
  let order = 0
  const wakes = new Set<Wake>()
  const firstDueBy = (limit: number) =>
    [...wakes].filter(({ dueAt }) => dueAt <= limit).sort(byDueTime)[0]
  return {
    now: () => now,
    elapsed: () => spent,
    soon: (run) => void setImmediate(run),
    wakeAt(dueAt, run) {
      const wake = { dueAt, order: order++, run }
      wakes.add(wake)
      return () => void wakes.delete(wake)
    },
    advance(ms) {
      const until = now + ms
      for (let next = firstDueBy(until); next !== undefined; next = firstDueBy(until)) {
        wakes.delete(next)
        now = Math.max(now, next.dueAt)
        next.run()
      }
      now = until
    },
    turnTo(at) {
      now = at
    },
    spend(ms) {
      spent += ms
    },
    get waiting() {
      return wakes.size
    },
  }
}

function byDueTime(a: Wake, b: Wake): number {
  return a.dueAt - b.dueAt || a.order - b.order
}
