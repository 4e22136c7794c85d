import type { Clock } from './ports/clock.ts'

/** Virtual time: nothing becomes due unless it is told so. */
export interface ManualClock extends Clock {
  /** Moves time on and fires what falls due on the way, in (due time, order of setting). */
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

/** 2026-01-05 12:00 UTC, a Monday. */
export const MANUAL_START = Date.UTC(2026, 0, 5, 12)

/**
 * A clock that stands still until it is moved, for tests and for systems run by hand. `soon` is real, so that a system
 * with the automatic scheduler goes on; with the manual one everything happens inside `drain()` and `advance()`.
 */
export function manualClock(startAt = MANUAL_START): ManualClock {
  let now = startAt
  let spent = 0
  let order = 0
  const wakes = new Set<Wake>()
  const firstDueBy = (limit: number) => {
    let first: Wake | undefined
    for (const wake of wakes)
      if (wake.dueAt <= limit && (first === undefined || isBefore(wake, first))) first = wake
    return first
  }
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

function isBefore(a: Wake, b: Wake): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)
}
