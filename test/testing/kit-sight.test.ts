import { describe, expect, test } from 'vitest'
import { actor, createSystem, supervisor, thisTurn } from 'ambit'
import {
  check,
  describeEntry,
  fromChance,
  fromList,
  invariant,
  playRun,
  simulate,
  type SimulationOptions,
} from 'ambit/testing'
import { fromTransition } from 'xstate'
import { createActionMachine } from '../../machines/action.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { HISTORY_PAGE_MAX } from '../../src/kernel/ports/journal.ts'
import { RANDOM_CHOICES_MAX } from '../../src/testing/choices.ts'
import { HORIZON_MS } from '../../src/testing/run.ts'
import { payouts } from '../../examples/simulations/payouts.ts'
import { refundDesk, withdrawals } from '../../examples/simulations/refund-desk.ts'
import { closeCalls, secondThoughts } from '../../examples/simulations/second-thoughts.ts'

// What a simulation sees of far times, long histories, rare orders, and of what comes from outside its world.

function alone(reduce: (state: number) => number, options: Partial<SimulationOptions> = {}) {
  const root = supervisor({ children: [actor('a', fromTransition(reduce, 0))] })
  return simulate({
    name: 'alone',
    system: (ports) => createSystem({ root, ...ports }),
    traffic: [{ to: '/a', event: { type: 'go' } }],
    ...options,
  })
}

describe('far and long', () => {
  test('V16 a process that dies at the end of the time that is waited for comes up again', async () => {
    const isThere = invariant('isThere', ({ snapshotOf }) => ({
      atEnd: () => (snapshotOf('/a') === undefined ? 'Nobody is there.' : undefined),
    }))
    const late = alone((n) => n + 1, {
      traffic: [{ to: '/a', event: { type: 'go' }, afterMs: HORIZON_MS - 50 }],
      faults: ['crash', 'crashBeforeCommit', 'drop'],
      invariants: [isThere],
    })
    const result = await check(late, { exhaustive: 1, randomRuns: 0 })
    expect(result.failure).toBeUndefined()
    expect(Object.keys(result.coverage.faults)).toEqual(['crash', 'crashBeforeCommit', 'drop'])
  })

  test(
    'V20 of a history longer than a page each turn is made again',
    { timeout: 60_000 },
    async () => {
      const turns = HISTORY_PAGE_MAX + 50
      const counting = (drift: () => number) => {
        const step = (state: number) => {
          if (state < turns) thisTurn().tell('/a', { type: 'go' })
          return state + 1 + (state > HISTORY_PAGE_MAX ? drift() : 0)
        }
        return playRun(alone(step), fromList([]))
      }
      const { breach, trace } = await counting(() => 0)
      expect(breach).toBeUndefined()
      expect(trace.entries.filter(({ kind }) => kind === 'turn').length).toBeGreaterThan(turns)
      let late = 0
      expect((await counting(() => late++)).breach?.invariant).toBe('journalReplaysToSameState')
    },
  )

  test('V9 faults of random runs begin anywhere, and the order is never settled', () => {
    const far = 20 * RANDOM_CHOICES_MAX
    const seen = { step: 0, pick: 0 }
    for (let seed = 0; seed < 200; seed++) {
      const source = fromChance(createSeededRandom(`far ${seed}`))
      for (let at = 0; at < 2 * far; at++) {
        const site = at % 2 === 0 ? 'step' : 'pick'
        if (source.next(site, 3) > 0 && at > far) seen[site]++
      }
    }
    expect(seen.step).toBeGreaterThan(0)
    expect(seen.pick).toBeGreaterThan(0)
  })
})

describe('orders and guards', () => {
  test('V17 other traffic and another order are played without any fault', async () => {
    const traffic = (choose: (ways: number) => number) =>
      choose(5) === 4 ? [{ to: '/a', event: { type: 'rare' } }] : []
    const neverRare = invariant('neverRare', () => ({
      see: (entry) => (entry.kind === 'sent' ? 'It came.' : undefined),
    }))
    const rare = alone((n) => n, { traffic, invariants: [neverRare], faults: [] })
    const { failure } = await check(rare, { exhaustive: 1, randomRuns: 0 })
    expect(failure?.schedule).toEqual([4])
  })

  test(
    'V22 each guard of an action says yes in a simulation of the examples',
    { timeout: 120_000 },
    async () => {
      const guards = Object.keys(createActionMachine({} as never).implementations.guards)
      const worlds = [refundDesk(), withdrawals(), secondThoughts(), closeCalls(), payouts()]
      const reached = new Set<string>()
      for (const world of worlds) {
        const { ok, coverage } = await check(world, { exhaustive: 0, randomRuns: 80 })
        expect(ok).toBe(true)
        for (const guard of coverage.guardsTrue) reached.add(guard.replace('action: ', ''))
      }
      expect(guards.filter((guard) => !reached.has(guard))).toEqual([])
    },
  )

  test('V15 an actor without a machine goes by the name of its child spec', async () => {
    const { coverage } = await check(
      alone((n) => n + 1),
      { exhaustive: 0, randomRuns: 1 },
    )
    const names = Object.keys(coverage.transitions)
    expect(names).toContainEqual(expect.stringMatching(/^a null --go--> /))
    expect(names.filter((name) => name.startsWith('logic@1'))).toEqual([])
  })

  test('V11 an operator acts when a process runs', async () => {
    const operated = alone((n) => n + 1, {
      traffic: [
        { to: '/a', event: { type: 'go' } },
        { to: '/a', operator: 'startFresh', afterMs: 5000 },
        { to: '/a', event: { type: 'go' }, afterMs: 9000 },
      ],
      faults: ['crash'],
    })
    const { trace, breach } = await playRun(operated, fromList([]))
    expect(breach).toBeUndefined()
    expect(trace.entries.map(describeEntry)).toContain('an operator: startFresh of /a')
    const generations = trace.entries.flatMap((entry) =>
      entry.kind === 'turn' && entry.record.actor === '/a' ? [entry.record.generation] : [],
    )
    expect(generations).toEqual([1, 1, 2, 2])
  })
})

const timers = ['setTimeout', 'setInterval', 'setImmediate']

/** Nobody waits for it: what counts is that it was asked for. */
function setAndClear(name: string): void {
  const set = Reflect.get(globalThis, name) as (run: () => void, ms: number) => unknown
  const clear = Reflect.get(globalThis, name.replace('set', 'clear')) as (timer: unknown) => void
  clear(set(() => undefined, 60_000))
}

describe('what comes from outside', () => {
  const doors: Record<string, () => unknown> = {
    'Date.now': () => Date.now(),
    'Math.random': () => Math.random(),
    'performance.now': () => performance.now(),
    'new Date()': () => new Date(),
    ...Object.fromEntries(timers.map((name) => [name, () => setAndClear(name)])),
  }

  test.each(Object.entries(doors))(
    'V21 %s in a step is told of by name and place',
    async (name, open) => {
      const taking = alone((n) => {
        open()
        return n + 1
      })
      const { ok, warnings } = await check(taking, { exhaustive: 0, randomRuns: 1 })
      expect(ok).toBe(true)
      const told = warnings.filter((line) => line.startsWith('Real time or chance'))
      expect(told).toHaveLength(1)
      expect(told[0]).toContain(`does not replay: ${name} at `)
      expect(told[0]).toContain('kit-sight.test.ts')
    },
  )

  test('V21 it is named where two runs differ, and nobody stands in the way afterwards', async () => {
    const doorsNow = () => [
      Date,
      ...[Date.now, Math.random],
      ...timers.map((name): unknown => Reflect.get(globalThis, name)),
    ]
    const before = doorsNow()
    const { failure } = await check(alone((n) => n + Math.random(), { invariants: [] }))
    expect(failure?.invariant).toBe('replaysAlike')
    expect(failure?.sentence).toContain('It called Math.random at ')
    expect(doorsNow()).toEqual(before)
  })

  test('V21 a date that is given its time is no call from outside', async () => {
    const dated = alone((n) => n + new Date(86_400_000).getUTCDate() * 0 + 1)
    const { warnings } = await check(dated, { exhaustive: 0, randomRuns: 1 })
    expect(warnings.filter((line) => line.startsWith('Real time'))).toEqual([])
  })
})
