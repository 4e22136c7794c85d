import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SupervisorContext } from '../../machines/supervisor-context.ts'
import { begin, take } from '../../machines/supervisor-steps.ts'
import { machineSteps, play, script, type Watch } from '../support/household-scripts.ts'
import { total, type Household, type Steps } from '../support/household.ts'
import { refutes } from '../support/refutes.ts'

/** A property of a supervisor's steps, with a way of looking made anew for each script. */
type Look = (house: Household) => void
interface Invariant {
  readonly watch: () => Watch
  /** Steps with a fault that the property must find. */
  readonly broken: (after: SupervisorContext, before: SupervisorContext) => SupervisorContext
}

const holds = ({ watch }: Invariant, steps?: Steps) =>
  fc.property(script, (given) => play(given, watch(), steps))

const stepsWith = (broken: Invariant['broken']): Steps => ({
  begin,
  take: (before, event, moment) => broken(take(before, event, moment), before),
})

const invariants: Readonly<Record<string, Invariant>> = {
  'nobody is started who lives': {
    watch: () => ({ look: ({ faults }) => expect(faults).toEqual([]) }),
    broken: (after) => ({
      ...after,
      orders: [...after.orders, ...after.orders.filter((order) => order.do === 'start')],
    }),
  },
  'children that are stopped together are stopped in reverse start order': {
    watch: () => ({ look: stopsInReverse() }),
    broken(after, before) {
      const { work } = after
      if (work?.kind !== 'stopping' || before.work?.kind === 'stopping') return after
      return { ...after, work: { ...work, todo: [...work.todo].reverse() } }
    },
  },
  'restarts within any period are no more than the intensity': {
    watch: () => ({ look: staysWithin }),
    broken: (after) => ({
      ...after,
      restarts: after.restarts.slice(-1).map(({ at }) => ({ at, count: 1 })),
    }),
  },
  'a supervisor that has ended has no live child': {
    watch: () => ({
      look: ({ context, alive }) => expect(context.end === null ? [] : [...alive]).toEqual([]),
    }),
    broken(after) {
      if (after.work?.kind !== 'stopping' || after.work.todo.length === 0) return after
      return { ...after, work: null, end: after.work.end }
    },
  },
  'every call is answered once': {
    watch: () => ({
      look: ({ answers }) =>
        expect(new Set(answers.map(({ call }) => call)).size).toBe(answers.length),
      atRest: ({ answers, calls }) => expect(answers).toHaveLength(calls),
    }),
    broken: (after) => (after.work === null ? after : { ...after, queue: [] }),
  },
  'what a supervisor says of its children is so, once all news has been heard': {
    watch: () => ({
      look: () => undefined,
      atRest: ({ context, alive }) => {
        if (context.end !== null) return
        const running = context.children.filter(({ status }) => status === 'running')
        expect(running.map(({ id }) => id).sort()).toEqual([...alive.keys()].sort())
      },
    }),
    broken: (after, before) =>
      total(after) > total(before) ? { ...before, orders: [], answers: [] } : after,
  },
}

describe('invariants', () => {
  const all = Object.entries(invariants)

  test.each(all)('R30 %s, whatever happens', (_, invariant) => {
    fc.assert(holds(invariant), { numRuns: 1000 })
  })

  test.each(all)('R30 %s: the property refutes steps that break it', (_, invariant) => {
    expect(refutes(holds(invariant, stepsWith(invariant.broken)))).toBe(true)
  })
})

/** Where the chart is when its context is at some work. */
function placeOf({ work, end, isUp }: SupervisorContext): unknown {
  if (end !== null) return 'ended'
  switch (work?.kind) {
    case undefined:
      return { supervising: 'steady' }
    case 'restarting':
    case 'changing':
      return { supervising: work.kind }
    case 'starting':
    case 'rollingBack':
    case 'stopping':
      expect(isUp && work.kind !== 'stopping').toBe(false)
      return work.kind
  }
}

const agrees = (place: typeof placeOf) =>
  fc.property(script, (given) => {
    const steps = machineSteps((value, context) => expect(value).toEqual(place(context)))
    play(given, { look: () => undefined }, steps)
  })

test('R15 the chart is always where the work of its context is', () => {
  fc.assert(agrees(placeOf), { numRuns: 300 })
})

test('R15 the property refutes a chart that knows no changing', () => {
  const unchanging: typeof placeOf = (context) =>
    context.work?.kind === 'changing' ? { supervising: 'steady' } : placeOf(context)
  expect(refutes(agrees(unchanging))).toBe(true)
})

/** Looks at the stops that belong together: those between two starts, or between two moments of nothing to do. */
function stopsInReverse(): Look {
  let looked = 0
  let last = Infinity
  const places = new Map<string, number>()
  return ({ orders, context }) => {
    for (const order of orders.slice(looked)) {
      if (order.do === 'start') last = Infinity
      if (order.do !== 'stop') continue
      const place = places.get(order.id) ?? -1
      if (context.work?.kind === 'changing') continue
      expect(place).toBeLessThan(last)
      last = place
    }
    looked = orders.length
    context.children.forEach(({ id }, at) => places.set(id, at))
    if (context.work === null) last = Infinity
  }
}

function staysWithin({ restartedAt, context }: Household): void {
  const { intensity, periodMs } = context.flags
  for (const at of restartedAt) {
    const together = restartedAt.filter((other) => other >= at && other - at <= periodMs)
    expect(together.length).toBeLessThanOrEqual(intensity)
  }
}
