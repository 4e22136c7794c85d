import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFailure, type ExitReason } from '../../src/kernel/exit.ts'
import {
  BACKOFF_BASE_MS,
  BACKOFF_MAX_MS,
  backoffDefaults,
  backoffMs,
  planRestart,
  type RestartPlan,
  type RestartType,
} from '../../src/kernel/restart-plan.ts'
import {
  addRestart,
  restartLimitDefaults,
  type RestartsAt,
  type RestartWindow,
} from '../../src/kernel/restart-window.ts'
import { refutes } from '../support/refutes.ts'

const error = { name: 'Error', message: 'boom' }
const exits = {
  normal: { kind: 'normal' },
  shutdown: { kind: 'shutdown' },
  error: { kind: 'error', error },
  restartIntensity: { kind: 'restartIntensity', error },
  killed: { kind: 'killed' },
  timeout: { kind: 'timeout', error },
  envelope: { kind: 'envelope', error },
  noproc: { kind: 'noproc' },
} as const satisfies Record<string, ExitReason>

const first = { count: 1, exceeded: false }

/** The plan for an only child. */
function plan(
  restart: RestartType,
  reason: ExitReason,
  window: Pick<RestartWindow, 'count' | 'exceeded'>,
  random: number,
): RestartPlan {
  const children = [{ id: 'a', restart, recover: 'resume' }] as const
  const family = { strategy: 'one_for_one', backoff: backoffDefaults, children } as const
  return planRestart(family, { id: 'a', reason }, window, random)
}

describe('who is restarted', () => {
  const table: [RestartType, keyof typeof exits, 'restart' | 'leave'][] = [
    ['permanent', 'normal', 'restart'],
    ['permanent', 'shutdown', 'restart'],
    ['permanent', 'error', 'restart'],
    ['permanent', 'restartIntensity', 'restart'],
    ['permanent', 'killed', 'restart'],
    ['permanent', 'timeout', 'restart'],
    ['permanent', 'noproc', 'restart'],
    ['permanent', 'envelope', 'leave'],
    ['transient', 'normal', 'leave'],
    ['transient', 'shutdown', 'leave'],
    ['transient', 'error', 'restart'],
    ['transient', 'restartIntensity', 'restart'],
    ['transient', 'killed', 'restart'],
    ['transient', 'timeout', 'restart'],
    ['transient', 'noproc', 'restart'],
    ['transient', 'envelope', 'leave'],
    ['temporary', 'normal', 'leave'],
    ['temporary', 'shutdown', 'leave'],
    ['temporary', 'error', 'leave'],
    ['temporary', 'restartIntensity', 'leave'],
    ['temporary', 'killed', 'leave'],
    ['temporary', 'timeout', 'leave'],
    ['temporary', 'noproc', 'leave'],
    ['temporary', 'envelope', 'leave'],
  ]

  test.each(table)('R2 a %s child that ends by %s is planned as %s', (restart, exit, expected) => {
    expect(plan(restart, exits[exit], first, 0.5).kind).toBe(expected)
  })

  test('R2 the table names every restart type with every exit reason', () => {
    expect(new Set(table.map(([restart, exit]) => `${restart} ${exit}`)).size).toBe(24)
  })

  test.each(table)('R3 at an exceeded window a %s child after %s: %s means give up', (...row) => {
    const [restart, exit, expected] = row
    const { kind } = plan(restart, exits[exit], { count: 1, exceeded: true }, 0.5)
    expect(kind).toBe(expected === 'restart' ? 'giveUp' : 'leave')
  })

  test('R2 an end in good order is no failure, and neither is an end of authority', () => {
    const failures = Object.entries(exits).filter(([, exit]) => isFailure(exit))
    expect(failures.map(([name]) => name)).toEqual([
      'error',
      'restartIntensity',
      'killed',
      'timeout',
      'noproc',
    ])
  })
})

describe('the window', () => {
  const limit = { intensity: 3, periodMs: 100 }

  test('R3 the default is 5 restarts in 60 s', () => {
    expect(restartLimitDefaults).toEqual({ intensity: 5, periodMs: 60_000 })
  })

  test.each([
    ['as many as the intensity at once', false, [0, 0, 0]],
    ['one more at once', true, [0, 0, 0, 0]],
    ['one more at the very end of the period', true, [0, 50, 60, 100]],
    ['one more just after the first left', false, [0, 50, 60, 101]],
    ['many, but never too many together', false, [0, 40, 80, 120, 160, 200, 240]],
  ])('R3 %s: exceeded is %s', (_, exceeded, times) => {
    let window: RestartWindow = { restarts: [], count: 0, exceeded: false }
    for (const at of times) window = addRestart(window.restarts, at, limit)
    expect(window.exceeded).toBe(exceeded)
  })

  test('R3 an intensity of nought gives up at the first restart', () => {
    expect(addRestart([], 0, { intensity: 0, periodMs: 100 }).exceeded).toBe(true)
  })

  const countsAll = (add: typeof addRestart) =>
    fc.property(
      fc.array(fc.nat(60), { maxLength: 60, size: 'max' }),
      fc.record({ intensity: fc.nat(8), periodMs: fc.nat(200) }),
      (gaps, tested) => {
        const all: number[] = []
        let restarts: readonly RestartsAt[] = []
        let now = 0
        for (const gap of gaps) {
          now += gap
          all.push(now)
          const window = add(restarts, now, tested)
          const recent = all.filter((at) => now - at <= tested.periodMs).length
          expect(window.exceeded).toBe(recent > tested.intensity)
          expect(window.count).toBe(recent)
          restarts = window.restarts
        }
      },
    )

  test('R3 the window counts exactly the restarts of the last period', () => {
    fc.assert(countsAll(addRestart))
  })

  test('R3 the window property refutes one that starts over at each period', () => {
    const tumbling: typeof addRestart = (restarts, now, { intensity, periodMs }) => {
      const began = restarts[0]?.at ?? now
      const kept = now - began > periodMs ? [] : restarts
      const count = kept.length + 1
      return { restarts: [...kept, { at: now, count: 1 }], count, exceeded: count > intensity }
    }
    expect(refutes(countsAll(tumbling))).toBe(true)
  })

  test('R3 the window keeps no more than the period holds', () => {
    let restarts: readonly RestartsAt[] = []
    for (let at = 0; at < 10_000; at += 0.25)
      restarts = addRestart(restarts, Math.floor(at), limit).restarts
    expect(restarts).toHaveLength(101)
  })
})

describe('the wait', () => {
  test('R4 the first restart is immediate, whatever the dice say', () => {
    for (const random of [0, 0.5, 0.999]) {
      expect(plan('transient', exits.error, first, random)).toEqual({
        kind: 'restart',
        stop: [],
        start: ['a'],
        delayMs: 0,
      })
    }
  })

  test('R4 the bound doubles with each restart in the window', () => {
    for (let n = 1; n < 6; n++) expect(boundOf(n + 1) / boundOf(n)).toBeCloseTo(2, 1)
    expect(boundOf(1)).toBeGreaterThanOrEqual(BACKOFF_BASE_MS - 1)
  })

  test('R4 without a backoff there is no wait, however often', () => {
    for (const n of [1, 2, 1024, 1026, 100_000])
      expect(backoffMs(n, 0.9, { baseMs: 0, maxMs: 0 })).toBe(0)
  })

  test('R4 the wait is full jitter: anything from nought up to the bound of 30 s', () => {
    expect(BACKOFF_MAX_MS).toBe(30_000)
    fc.assert(
      fc.property(
        fc.nat(2000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, random) => {
          const wait = backoffMs(n, random)
          expect(Number.isInteger(wait)).toBe(true)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(BACKOFF_MAX_MS)
          expect(backoffMs(n, 0)).toBe(0)
        },
      ),
    )
    expect(boundOf(50)).toBe(29_999)
  })
})

function boundOf(n: number): number {
  return backoffMs(n, 1 - Number.EPSILON)
}
