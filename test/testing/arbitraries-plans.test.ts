import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { decide, severities } from '../../src/envelope/decide.ts'
import { defineEnvelope, type EnvelopeInput } from '../../src/envelope/envelope.ts'
import { windowKey } from '../../src/envelope/windows.ts'
import type { ChildSpec } from '../../src/kernel/supervisor-spec.ts'
import {
  envelopes,
  narrower,
  schedules,
  trees,
  type SupervisorPlan,
  type TreePlan,
} from '../../src/testing/arbitraries/index.ts'
import { proposalOf } from '../support/envelopes.ts'

const sampled = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns = 500): readonly Value[] =>
  fc.sample(arbitrary, { numRuns, seed: 7 })

function smallest<Value>(arbitrary: fc.Arbitrary<Value>, isFine: (value: Value) => boolean) {
  return fc.check(fc.property(arbitrary, isFine), { seed: 3, numRuns: 5000 }).counterexample?.[0]
}

const proposals = fc
  .record({
    action: fc.constantFrom('refund', 'credit', 'mail'),
    confidence: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    category: fc.constantFrom('late', 'broken', undefined),
    counterparty: fc.constantFrom('anna', 'ben', undefined),
    amount: fc.option(
      fc.record({ currency: fc.constantFrom('USD', 'EUR'), minor: fc.nat({ max: 1_000_000 }) }),
      { nil: undefined },
    ),
  })
  .map(({ confidence, ...facts }) =>
    proposalOf({ ...facts, confidence: confidence === undefined ? undefined : confidence / 100 }),
  )

describe('envelopes', () => {
  test('Q14 every envelope is one that may be defined', () => {
    fc.assert(fc.property(envelopes(), (input) => defineEnvelope(input).hash.length === 64))
  })

  test('Q14 all of the vocabulary is used', () => {
    const text = sampled(envelopes()).map((input) => JSON.stringify(input))
    const words = ['atMost', 'per', 'within', 'allow', 'deny', 'confidenceUnder', 'category']
    for (const word of [...words, 'currencyOtherThan', 'quorum', 'expiresAfter']) {
      expect(text.some((each) => each.includes(`"${word}"`))).toBe(true)
    }
  })

  test('Q14 an envelope shrinks to one that allows nothing', () => {
    const least = { id: 'desk', version: 1, owner: 'head-of-support', actions: {} }
    expect(smallest(envelopes(), () => false)).toEqual(least)
    const found = smallest(envelopes(), ({ actions }) => actions.refund?.windows === undefined)
    expect(found).toEqual({ ...least, actions: { refund: { windows: [] } } })
  })
})

describe('narrower', () => {
  const pairs = envelopes().chain((input) => {
    const wide = defineEnvelope(input)
    return fc.record({ wide: fc.constant(wide), next: narrower(wide) })
  })

  test('Q15 a narrower envelope is valid, and never lets more pass', () => {
    fc.assert(
      fc.property(pairs, proposals, fc.nat({ max: 500_000 }), ({ wide, next }, proposal, spent) => {
        const view = { at: 0, used: usedOf(wide, spent) }
        const before = decide([wide], proposal, view)
        const after = decide([defineEnvelope(next)], proposal, view)
        expect(severities.indexOf(after.severity)).toBeGreaterThanOrEqual(
          severities.indexOf(before.severity),
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('Q15 a version that allows more is found out by the same comparison', () => {
    const isNarrower = ({ wide }: { wide: EnvelopeInput }, proposal = proposalOf()) => {
      const looser = defineEnvelope({ ...wide, escalateWhen: [] })
      const before = decide([defineEnvelope(wide)], proposal, undefined)
      const after = decide([looser], proposal, undefined)
      return severities.indexOf(after.severity) >= severities.indexOf(before.severity)
    }
    const property = fc.property(pairs, proposals, isNarrower)
    expect(fc.check(property, { seed: 1, numRuns: 5000 }).failed).toBe(true)
  })
})

describe('trees', () => {
  const machine = createMachine({ id: 'member' })

  const specOf = (plan: TreePlan): ChildSpec => {
    if (plan.kind === 'supervisor') return rootOf(plan)
    const { id, restart, durability } = plan
    return actor(id, machine, { restart, durability })
  }
  const rootOf = ({ kind: _, children, ...limits }: SupervisorPlan) =>
    supervisor({ ...limits, children: children.map(specOf) })

  test('Q16 every tree is one that a supervisor takes, of known members, no deeper and wider than asked', () => {
    const arbitrary = trees({ members: 3, depthMax: 4, childrenMax: 5 })
    fc.assert(fc.property(arbitrary, (plan) => rootOf(plan).id === 'root'))
    const plans = sampled(arbitrary)
    expect(Math.max(...plans.map(depthOf))).toBe(4)
    expect(Math.max(...plans.map(({ children }) => children.length))).toBe(5)
    const members = plans.flatMap(membersOf)
    expect([...new Set(members)].sort()).toEqual([0, 1, 2])
  })

  test('Q16 a tree shrinks to the branch that is at fault', () => {
    const arbitrary = trees({ members: 3 })
    const limits = { kind: 'supervisor', intensity: 0, periodMs: 60_000 }
    const child = { kind: 'child', member: 2, restart: 'transient', durability: 'sync' }
    expect(smallest(arbitrary, () => false)).toEqual({ ...limits, id: 'root', children: [] })
    expect(smallest(arbitrary, (plan) => !membersOf(plan).includes(2))).toEqual({
      ...limits,
      id: 'root',
      children: [{ ...child, id: 'c0' }],
    })
    expect(smallest(arbitrary, (plan) => depthOf(plan) < 2)).toEqual({
      ...limits,
      id: 'root',
      children: [{ ...limits, id: 's0', children: [] }],
    })
  })

  const depthOf = (plan: TreePlan): number =>
    plan.kind === 'child' ? 0 : 1 + Math.max(0, ...plan.children.map(depthOf))
  const membersOf = (plan: TreePlan): readonly number[] =>
    plan.kind === 'child' ? [plan.member] : plan.children.flatMap(membersOf)
})

describe('schedules', () => {
  test.each([undefined, 0, 0.1, 1])('Q17 the share of faults is as asked: %s', (faultRate) => {
    const all = sampled(
      schedules({ max: 50, ...(faultRate !== undefined && { faultRate }) }),
    ).flat()
    const share = all.filter((step) => step > 0).length / all.length
    expect(Math.abs(share - (faultRate ?? 0.3))).toBeLessThan(0.03)
    expect(all.every((step) => Number.isInteger(step) && step >= 0 && step <= 1000)).toBe(true)
  })

  test('Q17 a schedule is as long as it may be, and shrinks to one fault', () => {
    const lengths = sampled(schedules({ max: 30 })).map(({ length }) => length)
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([0, 30])
    expect(smallest(schedules(), (steps) => steps.every((step) => step < 7))).toEqual([7])
    expect(smallest(schedules(), (steps) => !(steps[2] ?? 0))).toEqual([0, 0, 1])
  })
})

function usedOf({ id, actions }: ReturnType<typeof defineEnvelope>, spent: number) {
  const windows = Object.entries(actions).flatMap(([action, { windows: found = [] }]) =>
    found.map((window) => windowKey(id, action, window)),
  )
  return Object.fromEntries(windows.map((key) => [key, spent]))
}
