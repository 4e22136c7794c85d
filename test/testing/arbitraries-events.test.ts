import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createMachine,
  getInitialSnapshot,
  getNextSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  type AnyMachineSnapshot,
} from 'xstate'
import { z } from 'zod'
import { eventsOf } from '../../src/testing/arbitraries/index.ts'
import { planArbitrary } from '../logic/random/arbitraries.ts'
import { buildMachine } from '../logic/random/build-machine.ts'
import { createDoors } from '../logic/random/parts.ts'
import { refundChart, refundEvents } from './refund-chart.ts'

interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

const sampled = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns = 300): readonly Value[] =>
  fc.sample(arbitrary, { numRuns, seed: 7 })

const refunds = eventsOf(refundChart, { schemas: refundEvents })

/** The transitions that a chart offers to events from outside. */
function offered({ root }: AnyStateMachine): readonly AnyTransitionDefinition[] {
  const within = (node: typeof root): (typeof root)[] => [
    node,
    ...Object.values(node.states).flatMap(within),
  ]
  return within(root)
    .flatMap(({ transitions }) => [...transitions.values()].flat())
    .filter(({ eventType }) => !String(eventType).startsWith('xstate.'))
}

/** The transitions that XState takes for a sequence. What is invoked ends at once, well or badly by turns. */
function taken(machine: AnyStateMachine, events: readonly Event[], turn: number) {
  const found = new Set<AnyTransitionDefinition>()
  let snapshot = getInitialSnapshot(machine) as AnyMachineSnapshot
  const send = (event: Event) => {
    if (snapshot.status !== 'active') return false
    const transitions = machine.getTransitionData(snapshot as never, event)
    transitions.forEach((transition) => found.add(transition))
    snapshot = getNextSnapshot(machine, snapshot, event) as AnyMachineSnapshot
    return transitions.length > 0
  }
  let handled = 0
  for (const event of events) {
    if (send(event)) handled++
    const end = turn % 2 === 0 ? 'done' : 'error'
    if (turn % 3 > 0) send({ type: `xstate.${end}.actor.0.refund.work.paying` })
  }
  return { found, handled }
}

describe('eventsOf', () => {
  test('Q11 every transition of a chart is taken', () => {
    const found = new Set(
      sampled(refunds, 600).flatMap((events, turn) => [...taken(refundChart, events, turn).found]),
    )
    const missed = offered(refundChart).filter((transition) => !found.has(transition))
    expect(missed.map(({ source, eventType }) => `${source.id}: ${eventType}`)).toEqual([])
  })

  test('Q11 most events are such as their state takes, and some are not', () => {
    const chain = createMachine({
      initial: 'a',
      states: {
        a: { on: { one: 'b' } },
        b: { on: { two: 'c' } },
        c: { on: { three: 'a' } },
      },
    })
    const sequences = sampled(eventsOf(chain)) as readonly (readonly Event[])[]
    const all = sequences.flat().length
    const handled = sequences.reduce((sum, events) => sum + taken(chain, events, 0).handled, 0)
    expect(handled / all).toBeGreaterThan(0.7)
    expect(handled / all).toBeLessThan(0.98)
  })

  test('Q11 any machine is walked, and no event is one of those that XState keeps to itself', () => {
    fc.assert(
      fc.property(planArbitrary, (plan) => {
        const machine = buildMachine(plan, { note: () => undefined, doors: createDoors() })
        for (const events of sampled(eventsOf(machine), 5) as (readonly Event[])[]) {
          expect(events.length).toBeLessThanOrEqual(20)
          expect(events.filter(({ type }) => /^xstate\.|\*/.test(type))).toEqual([])
        }
      }),
      { numRuns: 200 },
    )
  })

  test('Q11 a machine without events has the empty sequence only', () => {
    expect(new Set(sampled(eventsOf(createMachine({ id: 'still' }))).flat())).toEqual(new Set())
  })
})

describe('what an event carries', () => {
  test('Q12 is made from the schema of its type, or from what is given instead', () => {
    const payloads = { 'human.rejected': fc.constant({ why: 'given' }) }
    const events = sampled(
      eventsOf(refundChart, { schemas: refundEvents, payloads }),
    ).flat() as readonly Event[]
    for (const { type, ...body } of events) {
      if (type === 'human.rejected') expect(body).toEqual({ why: 'given' })
      else if (!(type in refundEvents)) expect(body).toEqual({})
      else expect(refundEvents[type as 'refund.asked'].safeParse(body).success).toBe(true)
    }
    expect(new Set(events.map(({ type }) => type))).toContain('human.rejected')
  })

  test('Q12 a schema that cannot be made is refused by its path', () => {
    const schemas = { 'refund.asked': z.object({ at: z.symbol() }) }
    expect(() => eventsOf(refundChart, { schemas })).toThrow(/at "at" \(zod type "symbol"\)/)
  })

  test('Q12 a type that only a schema or a wildcard knows is sent as well', () => {
    const schemas = { 'audit.read': z.object({}), stranger: z.object({}) }
    const events = sampled(eventsOf(refundChart, { schemas })).flat() as readonly Event[]
    const types = new Set(events.map(({ type }) => type))
    for (const type of ['audit.read', 'stranger', 'books.any']) expect(types).toContain(type)
  })
})

describe('shrinking', () => {
  const smallest = (isFine: (events: readonly Event[]) => boolean) => {
    const property = fc.property(refunds as fc.Arbitrary<readonly Event[]>, isFine)
    return fc.check(property, { seed: 3, numRuns: 5000 }).counterexample?.[0]
  }

  test('Q13 leaves out what does not matter and makes the rest small', () => {
    const found = smallest((events) => {
      const asked = events.findIndex(({ amount }) => Number(amount) > 100)
      const approved = events.findLastIndex(({ type }) => type === 'human.approved')
      return asked < 0 || approved < asked
    })
    expect(found).toEqual([
      { type: 'refund.asked', amount: 101 },
      { type: 'human.approved', by: 'anna' },
    ])
  })

  test('Q13 comes down to the empty sequence', () => {
    expect(smallest(() => false)).toEqual([])
  })

  test('Q13 the longest sequence is as long as it may be', () => {
    const lengths = sampled(eventsOf(refundChart, { upTo: 6 })).map(({ length }) => length)
    expect(Math.max(...lengths)).toBe(6)
    expect(Math.min(...lengths)).toBe(0)
  })
})
