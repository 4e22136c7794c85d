import { durationMs } from './duration.ts'
import type { WindowLimit } from './envelope.ts'

/**
 * A rolling window is counted in slices of a sixtieth of its length: an amount leaves the window at most one slice
 * late, never early, and the cost of a look does not grow with what was spent.
 */
export const ROLLING_SLICES = 60

/** The counters of one window: a charge goes to one of them, and their sum counts against the limit. */
export interface WindowBuckets {
  /** Where a charge made now is counted. */
  readonly current: string
  /** Every bucket whose sum counts now. */
  readonly counted: readonly string[]
}

/** Names the buckets of a window at an instant. Pure. */
export function bucketsAt(window: WindowLimit, now: number): WindowBuckets {
  if ('per' in window) {
    const current = calendarBucket(window.per, window.timeZone, now)
    return { current, counted: [current] }
  }
  const slice = durationMs(window.within) / ROLLING_SLICES
  const index = Math.floor(now / slice)
  const counted: string[] = []
  // One slice more than the window has: the oldest is only partly inside and still counts whole.
  for (let i = 0; i <= ROLLING_SLICES; i++) counted.push(String(index - i))
  return { current: String(index), counted }
}

/** What tells a window apart from others of the same envelope; usage carries over when the limit changes. */
export function windowKey(envelopeId: string, action: string, window: WindowLimit): string {
  const span = 'per' in window ? `${window.per}@${window.timeZone}` : `within ${window.within}`
  return `${envelopeId}/${action}/${span}/${window.amount.split(' ')[1] ?? ''}`
}

export function isTimeZone(name: string): boolean {
  // The usual one costs no look at ICU's data, which takes some 30 ms at start-up.
  if (name === 'UTC') return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** The calendar day, week or month of an instant in a time zone; days of 23 and 25 hours are days. */
function calendarBucket(per: 'day' | 'week' | 'month', timeZone: string, now: number): string {
  const day = dayOf(timeZone, now)
  if (per === 'day') return day
  if (per === 'month') return day.slice(0, 7)
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return `week of ${date.toISOString().slice(0, 10)}`
}

function dayOf(timeZone: string, now: number): string {
  if (timeZone === 'UTC') return new Date(now).toISOString().slice(0, 10)
  return dayFormat(timeZone).format(now)
}

const dayFormats = new Map<string, Intl.DateTimeFormat>()

function dayFormat(timeZone: string): Intl.DateTimeFormat {
  const known = dayFormats.get(timeZone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
  dayFormats.set(timeZone, format)
  return format
}
