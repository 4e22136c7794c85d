import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decide,
  severities,
  type Decision,
  type LedgerView,
  type Severity,
} from '../../src/envelope/decide.ts'
import type { Envelope, Trigger } from '../../src/envelope/envelope.ts'
import { windowKey } from '../../src/envelope/windows.ts'
import type { Proposal } from '../../src/envelope/proposal.ts'
import { envelopeOf, proposalOf, without } from '../support/envelopes.ts'
import { refutes } from '../support/refutes.ts'

const nothingUsed: LedgerView = { used: {}, at: 0 }
const rank = (severity: Severity) => severities.indexOf(severity)
const usd = (minor: number) => ({ currency: 'USD', minor })

describe('what is allowed', () => {
  test.each(['pay', 'Refund', 'refund ', '', '__proto__', 'constructor', 'toString'])(
    'E2 the action "%s", which no envelope lists, is denied',
    (action) => {
      const { severity, rules } = decide([envelopeOf()], proposalOf({ action }), nothingUsed)
      expect({ severity, rules }).toEqual({ severity: 'deny', rules: ['action'] })
    },
  )

  test('E2 no envelope at all denies everything', () => {
    const { severity, results } = decide([], proposalOf(), nothingUsed)
    expect(severity).toBe('deny')
    expect(results).toMatchObject([{ rule: 'action', envelope: '(none)' }])
  })

  test('E2 an action that only one envelope of the chain lists is denied', () => {
    const chain = [envelopeOf({ id: 'top', actions: { pay: {} } }), envelopeOf()]
    expect(decide(chain, proposalOf(), nothingUsed).severity).toBe('deny')
    expect(decide([...chain].reverse(), proposalOf(), nothingUsed).severity).toBe('deny')
  })

  test('E2 an action that every envelope lists without limits is allowed', () => {
    const chain = [envelopeOf({ id: 'top' }), envelopeOf()]
    expect(decide(chain, proposalOf(), nothingUsed)).toMatchObject({ severity: 'allow', rules: [] })
  })
})

describe('at a limit', () => {
  const day = { amount: '100.00 USD', per: 'day', timeZone: 'UTC' } as const
  const hour = { amount: '100.00 USD', within: '1h' } as const
  const used = (window: typeof day | typeof hour, minor: number): LedgerView => ({
    used: { [windowKey('desk', 'refund', window)]: minor },
    at: 0,
  })
  const atMost = envelopeOf({ actions: { refund: { atMost: { amount: '500.00 USD' } } } })
  const windowed = (window: typeof day | typeof hour) =>
    envelopeOf({ actions: { refund: { windows: [window] } } })
  const sure = envelopeOf({ escalateWhen: [{ confidenceUnder: 0.8 }] })

  const table: [string, Envelope, Partial<Proposal>, LedgerView, Severity][] = [
    ['500.00 at 500.00', atMost, { amount: usd(50_000) }, nothingUsed, 'allow'],
    ['500.01 at 500.00', atMost, { amount: usd(50_001) }, nothingUsed, 'escalate'],
    ['0.00 at 500.00', atMost, { amount: usd(0) }, nothingUsed, 'allow'],
    ['10.00 after 90.00 of 100.00 a day', windowed(day), {}, used(day, 9000), 'allow'],
    ['10.00 after 90.01 of 100.00 a day', windowed(day), {}, used(day, 9001), 'escalate'],
    ['10.00 after 90.00 of 100.00 in 1h', windowed(hour), {}, used(hour, 9000), 'allow'],
    ['10.00 after 90.01 of 100.00 in 1h', windowed(hour), {}, used(hour, 9001), 'escalate'],
    ['100.01 of an unused 100.00', windowed(day), { amount: usd(10_001) }, nothingUsed, 'escalate'],
    ['a confidence of 0.8 at 0.8', sure, { confidence: 0.8 }, nothingUsed, 'allow'],
    ['a confidence of 0.799 at 0.8', sure, { confidence: 0.799 }, nothingUsed, 'escalate'],
  ]

  test.each(table)('E3 %s', (_, envelope, over, view, expected) => {
    expect(decide([envelope], proposalOf(over), view).severity).toBe(expected)
  })

  test('E3 the use of one window is not the use of another', () => {
    expect(decide([windowed(day)], proposalOf(), used(hour, 9999)).severity).toBe('allow')
  })

  test('E4 a rule says what it saw and what its limit is', () => {
    const { results } = decide([windowed(day)], proposalOf(), used(day, 9500))
    expect(results).toContainEqual({
      rule: 'window',
      envelope: 'desk',
      severity: 'escalate',
      seen: '95.00 USD + 10.00 USD',
      limit: '100.00 USD per day',
    })
  })
})

describe('several rules', () => {
  const strict = envelopeOf({
    actions: {
      refund: {
        atMost: { amount: '5.00 USD' },
        counterparties: { allow: ['anna'], deny: ['eve'] },
      },
    },
    escalateWhen: [
      { confidenceUnder: 0.95 },
      { category: ['legal'] },
      { currencyOtherThan: ['USD'] },
    ],
  })

  test('E4 all rules are evaluated and reported, those that pass too', () => {
    const { results, rules } = decide([strict], proposalOf(), nothingUsed)
    expect(results.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual([
      'action allow',
      'perAction escalate',
      'counterparty allow',
      'confidence escalate',
      'category allow',
      'currency allow',
    ])
    expect(rules).toEqual(['perAction', 'confidence'])
  })

  test.each([
    ['escalate over allow', {}, 'escalate'],
    ['deny over escalate', { counterparty: 'eve' }, 'deny'],
    ['deny for whoever is not allowed', { counterparty: 'bob' }, 'deny'],
  ] as const)('E4 the most severe wins: %s', (_, over, expected) => {
    expect(decide([strict], proposalOf(over), nothingUsed).severity).toBe(expected)
  })

  test('E4 a rule that two envelopes broke is named once', () => {
    const chain = [strict, envelopeOf({ id: 'other', escalateWhen: [{ confidenceUnder: 0.99 }] })]
    const { rules } = decide(chain, proposalOf(), nothingUsed)
    expect(rules).toEqual(['perAction', 'confidence'])
  })
})

describe('missing facts', () => {
  const byAmount = envelopeOf({ actions: { refund: { atMost: { amount: '5.00 USD' } } } })
  const byWhom = envelopeOf({ actions: { refund: { counterparties: { deny: ['eve'] } } } })
  const bySure = envelopeOf({ escalateWhen: [{ confidenceUnder: 0.8 }] })
  const byKind = envelopeOf({ escalateWhen: [{ category: ['legal'] }] })

  test.each([
    ['amount', byAmount],
    ['counterparty', byWhom],
    ['confidence', bySure],
    ['category', byKind],
  ] as const)('E6 an unknown %s escalates where a rule needs it', (fact, envelope) => {
    const { severity, rules } = decide([envelope], without(fact), nothingUsed)
    expect({ severity, rules }).toEqual({ severity: 'escalate', rules: ['missingFact'] })
  })

  test('E6 what the action itself calls missing escalates under any envelope, once each', () => {
    const proposal = { ...without('amount'), missing: ['amount', 'order'] }
    const { severity, results } = decide([byAmount], proposal, nothingUsed)
    expect(severity).toBe('escalate')
    const missing = results.filter(({ rule }) => rule === 'missingFact')
    expect(missing.map(({ limit }) => limit)).toEqual(['amount', 'order'])
  })

  test('E6 an amount in another currency than the limit’s escalates', () => {
    const proposal = proposalOf({ amount: { currency: 'EUR', minor: 1 } })
    const { severity, rules } = decide([byAmount], proposal, nothingUsed)
    expect({ severity, rules }).toEqual({ severity: 'escalate', rules: ['currency'] })
  })

  test('E6 an escalation that leads to nobody is a denial', () => {
    const actions = { refund: { atMost: { amount: '5.00 USD' } } }
    const nobody = envelopeOf({ actions, approval: undefined })
    expect(decide([nobody], proposalOf(), nothingUsed)).toMatchObject({ severity: 'deny' })
    const small = proposalOf({ amount: usd(500) })
    expect(decide([nobody], small, nothingUsed).severity).toBe('allow')
  })
})

describe('chains', () => {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
  const amount = fc.constantFrom('1.00 USD', '10.00 USD', '100.00 USD', '10.00 EUR')
  const window = fc.record({
    amount,
    per: fc.constant('day' as const),
    timeZone: fc.constant('UTC'),
  })
  const limits = fc.record({
    atMost: maybe(fc.record({ amount })),
    windows: maybe(fc.array(window, { maxLength: 2 })),
    counterparties: maybe(fc.constantFrom({ allow: ['anna'] }, { deny: ['eve'] })),
  })
  const trigger = fc.constantFrom<Trigger[]>(
    { confidenceUnder: 0.5 },
    { category: ['legal'] },
    { currencyOtherThan: ['USD'] },
  )
  const envelope = fc
    .record({
      id: fc.constantFrom('a', 'b', 'c'),
      refund: maybe(limits),
      escalateWhen: fc.array(trigger, { maxLength: 2 }),
      quorum: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ id, refund, escalateWhen, quorum }) =>
      envelopeOf({
        id,
        actions:
          refund === undefined ? {} : { refund: JSON.parse(JSON.stringify(refund)) as object },
        escalateWhen,
        approval: { by: ['finance'], quorum },
      }),
    )
  const chain = fc.array(envelope, { minLength: 1, maxLength: 4 })
  const proposal = fc
    .record({
      minor: maybe(fc.constantFrom(0, 100, 101, 1000, 1001, 20_000)),
      currency: fc.constantFrom('USD', 'EUR'),
      confidence: maybe(fc.constantFrom(0.4, 0.5, 0.9)),
      category: maybe(fc.constantFrom('legal', 'late')),
      counterparty: maybe(fc.constantFrom('anna', 'eve', 'bob')),
      missing: fc.constantFrom([], ['order']),
    })
    .map(({ minor, currency, ...facts }) => {
      const known = minor === undefined ? {} : { amount: { currency, minor } }
      const bare = without('amount', 'confidence', 'category', 'counterparty')
      return { ...bare, ...known, ...(JSON.parse(JSON.stringify(facts)) as object) } as Proposal
    })

  type Judge = (chain: readonly Envelope[], proposal: Proposal) => Pick<Decision, 'severity'>
  const judge: Judge = (envelopes, asked) => decide(envelopes, asked, nothingUsed)

  const noMemberIsExceeded = (tested: Judge) =>
    fc.property(chain, proposal, (envelopes, asked) => {
      const whole = rank(tested(envelopes, asked).severity)
      for (const each of envelopes) {
        expect(whole).toBeGreaterThanOrEqual(rank(tested([each], asked).severity))
      }
    })

  const addingNeverLowers = (tested: Judge) =>
    fc.property(chain, envelope, fc.nat(4), proposal, (envelopes, added, at, asked) => {
      const longer = envelopes.toSpliced(Math.min(at, envelopes.length), 0, added)
      const before = rank(tested(envelopes, asked).severity)
      expect(rank(tested(longer, asked).severity)).toBeGreaterThanOrEqual(before)
    })

  /** Broken on purpose: the nearest envelope alone decides. */
  const nearestOnly: Judge = (envelopes, asked) => judge(envelopes.slice(-1), asked)

  test('E5 a chain is at least as severe as each of its envelopes', () => {
    fc.assert(noMemberIsExceeded(judge), { numRuns: 500 })
  })

  test('E5 an envelope more never lowers the severity, wherever it stands', () => {
    fc.assert(addingNeverLowers(judge), { numRuns: 500 })
  })

  test('E5 both properties refute a judge that asks the nearest envelope only', () => {
    expect(refutes(noMemberIsExceeded(nearestOnly))).toBe(true)
    expect(refutes(addingNeverLowers(nearestOnly))).toBe(true)
  })

  test('E4 the decision is the most severe of its results', () => {
    fc.assert(
      fc.property(chain, proposal, (envelopes, asked) => {
        const { severity, results } = decide(envelopes, asked, nothingUsed)
        expect(rank(severity)).toBe(Math.max(...results.map((each) => rank(each.severity))))
      }),
    )
  })

  test('E5 the largest quorum that any envelope of the chain asks for is needed', () => {
    fc.assert(
      fc.property(chain, proposal, (envelopes, asked) => {
        const asksFor = envelopes.map(({ approval }) => approval?.quorum ?? 0)
        const { approval } = decide(envelopes, asked, nothingUsed)
        expect(approval?.quorum).toBe(Math.max(...asksFor))
      }),
    )
  })

  test('E4 deciding again decides the same, and changes nothing', () => {
    fc.assert(
      fc.property(chain, proposal, (envelopes, asked) => {
        const text = JSON.stringify([envelopes, asked])
        const first = decide(envelopes, asked, nothingUsed)
        expect(decide(envelopes, asked, nothingUsed)).toEqual(first)
        expect(JSON.stringify([envelopes, asked])).toBe(text)
      }),
    )
  })
})
