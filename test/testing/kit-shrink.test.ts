import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shrink, SHRINK_RUNS_MAX } from '../../src/testing/shrink.ts'

/** A long schedule in which only the given places are needed. */
const noisy = (length: number, needed: Record<number, number>) =>
  Array.from({ length }, (_, at) => needed[at] ?? (at % 3 === 0 ? 2 : 0))

const planted: [string, number[], (list: readonly number[]) => boolean, number[]][] = [
  ['nothing', noisy(50, {}), () => true, []],
  [
    'one place',
    noisy(200, { 17: 3 }),
    (list) => (list[17] ?? 0) > 0,
    [...Array<number>(17).fill(0), 1],
  ],
  [
    'two places that need each other',
    noisy(120, { 4: 2, 90: 1 }),
    (list) => list[4] === 2 && list[90] === 1,
    Array.from({ length: 91 }, (_, at) => ({ 4: 2, 90: 1 })[at] ?? 0),
  ],
  ['a value that must stay at least 4', [0, 0, 9, 1], (list) => (list[2] ?? 0) >= 4, [0, 0, 4]],
  ['a place before a long tail', [1, ...Array<number>(1000).fill(1)], (list) => list[0] === 1, [1]],
]

describe('shrink', () => {
  test.each(planted)('V6 of %s exactly what is needed is left', async (_, list, fails, minimal) => {
    let played = 0
    const found = await shrink(list, (candidate) => {
      played++
      return Promise.resolve(fails(candidate))
    })
    expect(found).toEqual({ list: minimal, runs: played })
    expect(played).toBeLessThanOrEqual(SHRINK_RUNS_MAX)
  })

  test('V6 whatever places a failure needs, they are left and no others, at their smallest', async () => {
    const needs = fc.dictionary(
      fc.integer({ min: 0, max: 59 }).map(String),
      fc.integer({ min: 1, max: 3 }),
      {
        maxKeys: 4,
      },
    )
    const list = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 120 })
    await fc.assert(
      fc.asyncProperty(needs, list, async (needed, noise) => {
        const places = Object.entries(needed).map(([at, least]) => [Number(at), least] as const)
        const failing = places.reduce<number[]>((made, [at]) => made.with(at, 3), noise)
        const fails = (found: readonly number[]) =>
          places.every(([at, least]) => (found[at] ?? 0) >= least)
        const shrunk = await shrink(failing, (candidate) => Promise.resolve(fails(candidate)))
        const length = Math.max(-1, ...places.map(([at]) => at)) + 1
        expect(shrunk.list).toEqual(Array.from({ length }, (_, at) => needed[at] ?? 0))
        expect(shrunk.runs).toBeLessThanOrEqual(SHRINK_RUNS_MAX)
      }),
      { numRuns: 100 },
    )
  })

  test('V6 the limit of runs is kept, and what is left still fails', async () => {
    let played = 0
    // Nearly all of it is needed, so that most attempts are in vain.
    const fails = (list: readonly number[]) => {
      played++
      return Promise.resolve(
        list.length === 900 && list.filter((taken) => taken === 1).length >= 890,
      )
    }
    const { list, runs } = await shrink(Array<number>(900).fill(1), fails)
    expect(runs).toBe(SHRINK_RUNS_MAX)
    expect(played).toBe(SHRINK_RUNS_MAX)
    expect(await fails(list)).toBe(true)
  })
})
