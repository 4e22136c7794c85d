import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { actor, createSystem, supervisor, thisTurn } from 'ambit'
import {
  check,
  describeCheck,
  fromList,
  fromReplayLine,
  invariant,
  playRun,
  simulate,
  tool,
  type RunView,
  type SimulationOptions,
  type Watch,
} from 'ambit/testing'
import { fromPromise, fromTransition, setup } from 'xstate'
import { gzip } from 'node:zlib'
import { CoverageCount } from '../../src/testing/coverage.ts'
import { PICKS_MAX } from '../../src/testing/run.ts'
import { burst } from '../../examples/simulations/burst.ts'
import { temporaryFolder } from '../support/desk-process.ts'

const counter = fromTransition((count: number) => count + 1, 0)
const rootOf = (logic: Parameters<typeof actor>[1]) => supervisor({ children: [actor('a', logic)] })

/** One actor that counts what it is told, once. */
function counting(
  options: Partial<SimulationOptions> = {},
  logic: Parameters<typeof actor>[1] = counter,
) {
  return simulate({
    name: 'counting',
    system: (ports) => createSystem({ root: rootOf(logic), ...ports }),
    traffic: [{ to: '/a', event: { type: 'go' } }],
    ...options,
  })
}

const quick = { exhaustive: 1, randomRuns: 3 } as const

/** Breaks as soon as a process starts a second time. */
const neverAgain = invariant('neverAgain', () => ({
  see: (entry) => (entry.kind === 'started' && entry.process > 1 ? 'It started again.' : undefined),
}))

describe('what is wrong with the system itself', () => {
  test('V16 chance in a machine is told from a broken invariant', async () => {
    const throwing = fromTransition((sum: number) => sum + Math.random(), 0)
    for (const invariants of [undefined, []]) {
      const { failure } = await check(
        counting({ ...(invariants && { invariants }) }, throwing),
        quick,
      )
      expect(failure?.invariant).toBe('replaysAlike')
      expect(failure?.sentence).toMatch(
        /^The same schedule gave two runs that differ from entry \d+ on: /,
      )
    }
  })

  test('V20 a history is made again once in all runs, and every other one is', async () => {
    let steps = 0
    const stepping = fromTransition((count: number) => {
      steps++
      return count + 1
    }, 0)
    const honest = counting({}, stepping)
    const stepsOf = async (list: readonly number[], world = honest) => {
      steps = 0
      expect((await playRun(world, fromList(list))).breach).toBeUndefined()
      return steps
    }
    expect([await stepsOf([]), await stepsOf([]), await stepsOf([])]).toEqual([2, 1, 1])
    // Of another simulation nothing is known.
    expect(await stepsOf([], counting({}, stepping))).toBe(2)
    let leak = 0
    const leaking = counting(
      {},
      fromTransition((sum: number) => sum + (leak === 0 ? 1 : leak++), 0),
    )
    expect((await playRun(leaking, fromList([]))).breach).toBeUndefined()
    leak = 1
    expect((await playRun(leaking, fromList([]))).breach).toBeUndefined()
    const { breach } = await playRun(leaking, fromList([]))
    expect(breach?.invariant).toBe('journalReplaysToSameState')
  })

  test('V16 so is what one run leaves to the next', async () => {
    let runs = 0
    const system: SimulationOptions['system'] = (ports) => {
      const logic = ++runs % 2 === 0 ? fromTransition((count: number) => count + 2, 0) : counter
      return createSystem({ root: rootOf(logic), ...ports })
    }
    const { failure } = await check(counting({ system, invariants: [] }), quick)
    expect(failure?.invariant).toBe('replaysAlike')
  })

  const unfit: [string, SimulationOptions['system'], RegExp][] = [
    ['throws', () => expect.fail('no disk'), /^Process 1 does not start: no disk$/],
    [
      'forgets the ports',
      () => createSystem({ root: rootOf(counter) }),
      /Spread what `system` is given/,
    ],
    [
      'refuses to start',
      (ports) =>
        createSystem({
          root: rootOf(counter),
          ...ports,
          journal: { open: () => Promise.reject(new Error('no')) },
        }),
      /^Process 1 does not start: no$/,
    ],
  ]
  test.each(unfit)('V16 a system that %s does not start', async (_, system, says) => {
    const { failure } = await check(counting({ system }), quick)
    expect(failure).toMatchObject({
      invariant: 'starts',
      sentence: expect.stringMatching(says) as string,
    })
  })

  test('V16 neither timers that go on for ever nor messages come to rest', async () => {
    const blinking = setup({}).createMachine({
      initial: 'on',
      states: { on: { after: { 100: 'off' } }, off: { after: { 100: 'on' } } },
    })
    const selfish = fromTransition((count: number) => {
      thisTurn().tell('/a', { type: 'go' })
      return count + 1
    }, 0)
    const sentences = []
    for (const logic of [blinking, selfish]) {
      const { breach } = await playRun(counting({ invariants: [] }, logic), fromList([]))
      sentences.push(`${breach?.invariant}: ${breach?.sentence}`)
    }
    expect(sentences).toEqual([
      'comesToRest: After 5000 steps the system is not at rest.',
      'comesToRest: After 50000 messages the system is not at rest.',
    ])
  })

  test('V16 rounds that end before anything is taken are no messages', async () => {
    let picks = 0
    const next = (site: string, ways: number) =>
      site === 'pick' && ++picks % 40 !== 0 ? ways - 1 : 0
    const { breach } = await playRun(burst(), { next })
    expect(breach).toBeUndefined()
    expect(picks).toBeGreaterThan(PICKS_MAX)
  })

  const failing: [string, (view: RunView) => Watch, string][] = [
    [
      'throws',
      () => ({ see: () => expect.fail('oh') }),
      'The invariant itself failed with AssertionError: oh',
    ],
    [
      'throws at the end',
      () => ({ atEnd: () => expect.fail('oh') }),
      'The invariant itself failed with AssertionError: oh',
    ],
    [
      'answers with a promise',
      () => ({ see: (() => Promise.resolve(undefined)) as never }),
      'The invariant itself failed with Error: `see` answered with a promise. It must answer at once; ' +
        '`atEnd` may take its time.',
    ],
  ]
  test.each(failing)(
    'V16 an invariant that %s is broken, and says why',
    async (_, watch, sentence) => {
      const { failure } = await check(counting({ invariants: [invariant('mine', watch)] }), quick)
      expect(failure).toMatchObject({ invariant: 'mine', sentence })
    },
  )

  test('V16 effects that run their own code are waited for, one after the other', async () => {
    const zip = fromPromise(() => new Promise<null>((resolve) => gzip('text', () => resolve(null))))
    const machine = setup({ actors: { zip } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { go: 'one' } },
        one: { invoke: { src: 'zip', onDone: 'two' } },
        two: { invoke: { src: 'zip', onDone: 'done' } },
        done: {},
      },
    })
    const ends: unknown[] = []
    const end = invariant('end', ({ snapshotOf }) => ({
      atEnd: () => void ends.push((snapshotOf('/a') as { value: unknown }).value),
    }))
    await playRun(counting({ invariants: [end] }, machine), fromList([]))
    expect(ends).toEqual(['done'])
  })
})

describe('check', () => {
  test('V17 plays every fault at every point once, and what it says adds up', async () => {
    const scenario = counting({ faults: ['crash', 'drop', 'clockSetBack'] })
    const { taken } = (await playRun(scenario, fromList([]))).choices
    const points = taken.reduce((sum, { ways }) => sum + ways - 1, 0)
    const result = await check(scenario, { exhaustive: 1, randomRuns: 5 })
    expect(result).toMatchObject({
      ok: true,
      name: 'counting',
      leftOut: 0,
      kept: undefined,
      failure: undefined,
    })
    // The ordinary run twice: it must be the same.
    expect(result.runs).toEqual({ corpus: 0, exhaustive: 2 + points, random: 5 })
    const { coverage, turns, events } = result
    expect(Object.values(coverage.transitions).reduce((sum, count) => sum + count, 0)).toBe(turns)
    expect(events).toBeGreaterThan(turns)
    expect(Object.keys(coverage.faults)).toEqual(['clockSetBack', 'crash', 'drop'])
    expect(result.warnings).toEqual([])
    expect(result.eventsPerSecond).toBe(Math.round(events / result.seconds))
    const text = describeCheck(result)
    expect(text).toMatch(/^counting: holds in 0 kept, \d+ exhaustive and 5 random runs\n/)
  })

  test('V17 plays no more than it may, and says how many it left out', async () => {
    const all = await check(counting(), { exhaustive: 1, randomRuns: 0 })
    const some = await check(counting(), { exhaustive: 1, randomRuns: 0, exhaustiveRunsMax: 10 })
    expect(some.runs.exhaustive).toBe(10)
    expect(some.leftOut).toBe(all.runs.exhaustive - 10)
    expect(describeCheck(some)).toContain(`(${some.leftOut} exhaustive ones left out)`)
  })

  test('V17 finds, makes simple, keeps, and finds again at once', async () => {
    const corpus = join(temporaryFolder(), 'corpus')
    const scenario = counting({ invariants: [neverAgain] })
    const first = await check(scenario, { exhaustive: 0, randomRuns: 500, corpus })
    const { failure } = first
    expect(failure).toMatchObject({
      invariant: 'neverAgain',
      sentence: 'It started again.',
      shrunk: { to: 1 },
    })
    expect(failure?.faults).toHaveLength(1)
    expect(failure?.schedule).toEqual(fromReplayLine(failure?.replay ?? ''))
    expect(failure?.command).toBe(
      `npx ambit replay FILE '${failure?.replay}' --simulation 'counting'`,
    )
    expect(readdirSync(corpus).map((file) => join(corpus, file))).toEqual([first.kept])
    const second = await check(scenario, { exhaustive: 1, randomRuns: 500, corpus })
    expect(second.runs).toEqual({ corpus: 1, exhaustive: 0, random: 0 })
    expect(second.failure).toEqual(failure && { ...failure, shrunk: second.failure?.shrunk })
    const { breach } = await playRun(scenario, fromList(failure?.schedule ?? []))
    expect(breach?.invariant).toBe('neverAgain')
  })

  test('V17 warns of traffic that nobody takes, of effects that nobody asks for, and of idle faults', async () => {
    const { ok, warnings } = await check(
      counting({
        traffic: [
          { to: '/nobody', event: { type: 'go' } },
          { to: 'no address', event: { type: 'go' } },
        ],
        world: { effects: { refnud: tool() } },
        faults: ['crash', 'approverLate'],
      }),
      quick,
    )
    expect(ok).toBe(true)
    expect(warnings).toEqual([
      expect.stringMatching(/^Without any fault, input-1 was refused: .*\/nobody/),
      expect.stringMatching(/^Without any fault, input-2 was refused: Expected an address/),
      'Nothing ever asked for the effect "refnud".',
      'These faults never struck: approverLate.',
    ])
  })

  test('V15 coverage counts faults, transitions, and where they met', async () => {
    const scenario = counting({ faults: ['crash'], invariants: [] })
    const { taken } = (await playRun(scenario, fromList([]))).choices
    const crashAt = (at: number) => taken.map((_, i) => (i === at ? 1 : 0))
    const count = new CoverageCount()
    count.add(await playRun(scenario, fromList([])))
    expect(count.reached).toMatchObject({ faults: {}, transitionsUnderFaults: 0 })
    count.add(await playRun(scenario, fromList(crashAt(0))))
    count.add(await playRun(scenario, fromList(crashAt(0))))
    const { faults, transitions, transitionsUnderFaults } = count.reached
    expect(faults).toEqual({ crash: 2 })
    expect(transitionsUnderFaults).toBe(Object.keys(transitions).length)
    expect(Object.keys(transitions)).toContainEqual(expect.stringMatching(/^a .* --go--> /))
  })
})
