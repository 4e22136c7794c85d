import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WindowLimit } from '../../src/envelope/envelope.ts'
import { bucketsAt, isTimeZone, ROLLING_SLICES, windowKey } from '../../src/envelope/windows.ts'
import { refutes } from '../support/refutes.ts'

const HOUR = 3_600_000

const calendar = (per: 'day' | 'week' | 'month', timeZone = 'UTC'): WindowLimit => ({
  amount: '10.00 USD',
  per,
  timeZone,
})
const rolling = (within: string): WindowLimit => ({ amount: '10.00 USD', within })
const bucket = (window: WindowLimit, iso: string) => bucketsAt(window, Date.parse(iso)).current

describe('days', () => {
  // Each: a zone, the first instant of a day, and how many hours that day has.
  const days: [string, string, string, number][] = [
    ['UTC', '2026-03-29T00:00:00Z', '2026-03-29', 24],
    ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25', 25],
    ['Europe/Berlin', '2026-06-30T22:00:00Z', '2026-07-01', 24],
    ['America/New_York', '2026-03-08T05:00:00Z', '2026-03-08', 23],
    ['America/New_York', '2026-11-01T04:00:00Z', '2026-11-01', 25],
    ['Asia/Kolkata', '2026-01-14T18:30:00Z', '2026-01-15', 24],
    ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05', 24.5],
    ['Pacific/Kiritimati', '2025-12-31T10:00:00Z', '2026-01-01', 24],
  ]

  test.each(days)('E7 in %s the day from %s is %s and has %d hours', (zone, from, day, hours) => {
    const window = calendar('day', zone)
    const began = Date.parse(from)
    const at = (ms: number) => bucketsAt(window, began + ms).current
    expect(at(-1)).not.toBe(day)
    expect(at(0)).toBe(day)
    expect(at(hours * HOUR - 1)).toBe(day)
    expect(at(hours * HOUR)).not.toBe(day)
  })

  test('E7 the hour that comes twice counts in one day both times', () => {
    const window = calendar('day', 'Europe/Berlin')
    expect(bucket(window, '2026-10-25T00:30:00Z')).toBe(bucket(window, '2026-10-25T01:30:00Z'))
  })
})

describe('weeks and months', () => {
  test.each([
    ['a Monday', '2026-01-05T00:00:00Z', 'week of 2026-01-05'],
    ['the Sunday after', '2026-01-11T23:59:59.999Z', 'week of 2026-01-05'],
    ['the next Monday', '2026-01-12T00:00:00Z', 'week of 2026-01-12'],
    ['a week over new year', '2026-01-01T12:00:00Z', 'week of 2025-12-29'],
    ['a week over a leap day', '2028-02-29T12:00:00Z', 'week of 2028-02-28'],
  ])('E7 %s lies in the week from its Monday', (_, at, expected) => {
    expect(bucket(calendar('week'), at)).toBe(expected)
  })

  test('E7 a week begins at midnight of its zone, also when that Monday follows a change', () => {
    const week = calendar('week', 'Europe/Berlin')
    expect(bucket(week, '2026-03-29T21:59:59.999Z')).toBe('week of 2026-03-23')
    expect(bucket(week, '2026-03-29T22:00:00Z')).toBe('week of 2026-03-30')
  })

  test.each([
    ['UTC', '2026-01-31T23:59:59.999Z', '2026-01', '2026-02'],
    ['America/New_York', '2026-02-01T04:59:59.999Z', '2026-01', '2026-02'],
    ['Europe/Berlin', '2026-12-31T22:59:59.999Z', '2026-12', '2027-01'],
  ])('E7 in %s a month ends with the millisecond %s', (zone, last, month, next) => {
    const window = calendar('month', zone)
    expect(bucket(window, last)).toBe(month)
    expect(bucketsAt(window, Date.parse(last) + 1).current).toBe(next)
  })

  test('E7 a calendar window counts the bucket it charges and no other', () => {
    const at = Date.parse('2026-03-29T01:30:00Z')
    for (const per of ['day', 'week', 'month'] as const) {
      const { current, counted } = bucketsAt(calendar(per, 'Europe/Berlin'), at)
      expect(counted).toEqual([current])
    }
  })
})

const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata')
const instant = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) })

test('E7 of any two instants of one day all between are of that day', () => {
  fc.assert(
    fc.property(zone, instant, fc.nat(26 * HOUR), fc.nat(26 * HOUR), (timeZone, at, a, b) => {
      const [near, far] = a < b ? [a, b] : [b, a]
      const day = (ms: number) => bucketsAt(calendar('day', timeZone), at + ms).current
      if (day(0) === day(far)) expect(day(near)).toBe(day(0))
    }),
  )
})

describe('rolling', () => {
  const lengths: [string, number][] = [
    ['1h', HOUR],
    ['24h', 24 * HOUR],
    ['30d', 720 * HOUR],
    ['1m', 60_000],
    ['90s', 90_000],
    ['7m', 420_000],
    ['1s', 1000],
  ]
  type Buckets = typeof bucketsAt

  const forgetsOnTime = (tested: Buckets) =>
    fc.property(fc.constantFrom(...lengths), instant, fc.nat(2_000_000), (span, at, part) => {
      const [within, length] = span
      const window = rolling(within)
      const slice = length / ROLLING_SLICES
      const after = Math.floor((part / 1_000_000) * length)
      const charged = tested(window, at).current
      const counts = tested(window, at + after).counted.includes(charged)
      if (after < length) expect(counts).toBe(true)
      if (after > length + slice) expect(counts).toBe(false)
    })

  test('E7 an amount counts for the whole length, and no longer than one slice more', () => {
    fc.assert(forgetsOnTime(bucketsAt), { numRuns: 2000 })
  })

  test('E7 the rolling property refutes a window that forgets the oldest slice early', () => {
    const early: Buckets = (window, now) => {
      const { current, counted } = bucketsAt(window, now)
      return { current, counted: counted.slice(0, -1) }
    }
    expect(refutes(forgetsOnTime(early))).toBe(true)
  })

  test('E7 the rolling property refutes a window that starts over', () => {
    const tumbling: Buckets = (window, now) => {
      const length = 'within' in window ? (new Map(lengths).get(window.within) ?? 1) : 1
      const current = String(Math.floor(now / length))
      return { current, counted: [current] }
    }
    expect(refutes(forgetsOnTime(tumbling))).toBe(true)
  })

  test('E7 an instant is charged to a bucket that counts at that instant', () => {
    fc.assert(
      fc.property(fc.constantFrom(...lengths), instant, ([within], at) => {
        const { current, counted } = bucketsAt(rolling(within), at)
        expect(counted[0]).toBe(current)
        expect(new Set(counted).size).toBe(ROLLING_SLICES + 1)
      }),
    )
  })
})

describe('keys', () => {
  const day = calendar('day')

  test('E7 windows that differ in anything but their limit have keys of their own', () => {
    const keys = [
      windowKey('desk', 'refund', day),
      windowKey('other', 'refund', day),
      windowKey('desk', 'pay', day),
      windowKey('desk', 'refund', calendar('week')),
      windowKey('desk', 'refund', calendar('day', 'Europe/Berlin')),
      windowKey('desk', 'refund', { ...day, amount: '10.00 EUR' }),
      windowKey('desk', 'refund', rolling('24h')),
      windowKey('desk', 'refund', rolling('1h')),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('E7 a window keeps its key, and so its usage, when its limit changes', () => {
    const wider = { ...day, amount: '99.00 USD' }
    expect(windowKey('desk', 'refund', wider)).toBe(windowKey('desk', 'refund', day))
  })

  test('E1 IANA names are time zones, other words are not', () => {
    for (const name of ['UTC', 'Europe/Berlin', 'America/New_York'])
      expect(isTimeZone(name)).toBe(true)
    for (const name of ['Mars/Olympus', 'Berlin', '', 'UTC+99'])
      expect(isTimeZone(name)).toBe(false)
  })
})
