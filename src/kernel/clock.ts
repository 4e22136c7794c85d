import type { Clock } from './ports/clock.ts'

const TIMEOUT_MS_MAX = 2_147_483_647

/** The machine's own clock. With `startAt` it begins there and runs on at the usual speed. */
export function createRealClock(options: { startAt?: number } = {}): Clock {
  const offset = options.startAt === undefined ? 0 : options.startAt - Date.now()
  const now = () => Date.now() + offset
  return {
    now,
    wakeAt(dueAt, wake) {
      // A wake-up is only a hint: one that is too far away for setTimeout comes early and is set again.
      const delay = Math.max(0, Math.min(dueAt - now(), TIMEOUT_MS_MAX))
      const timer = setTimeout(wake, delay)
      return () => clearTimeout(timer)
    },
    soon: (run) => void setImmediate(run),
    elapsed: () => performance.now(),
  }
}
