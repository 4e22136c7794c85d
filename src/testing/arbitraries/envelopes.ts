import fc from 'fast-check'
import type { ActionLimits, Envelope, EnvelopeInput, WindowLimit } from '../../envelope/envelope.ts'
import { readMoney } from '../../envelope/money.ts'
import { amounts, amountsIn, currencies, durations, timeZones } from './known-texts.ts'

type Limits = EnvelopeInput['actions'][string]
type TriggerInput = NonNullable<EnvelopeInput['escalateWhen']>[number]

const plain = { noNullPrototype: true } as const

/** Few of each, so that two of them often speak of the same. */
const names = fc.constantFrom('refund', 'credit', 'mail', 'order', 'cancel')
const roles = someOf('finance', 'lead', 'legal')
const people = someOf('anna', 'ben', 'shop-7')
const categories = someOf('late', 'broken', 'legal-threat')
const shares = fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100)

/**
 * Envelopes that `defineEnvelope` accepts: up to four actions with amounts, windows and counterparties, up to three
 * rules that ask a human, and who decides. Shrinks to one that allows nothing.
 */
export function envelopes(): fc.Arbitrary<EnvelopeInput> {
  const triggers = fc.array(trigger, { maxLength: 3 })
  const escalating = fc.record({ escalateWhen: triggers, approval }, plain)
  const rules: fc.Arbitrary<Pick<EnvelopeInput, 'escalateWhen' | 'approval'>> = fc.oneof(
    { withCrossShrink: true },
    fc.record({}, plain),
    { weight: 3, arbitrary: escalating },
  )
  const base = fc.record(
    {
      id: fc.constantFrom('desk', 'desk-2', 'head.office'),
      version: fc.integer({ min: 1, max: 9 }),
      owner: fc.constantFrom('head-of-support', 'cfo'),
      actions: fc.dictionary(names, limits, { maxKeys: 4, ...plain }),
    },
    plain,
  )
  return fc.tuple(base, rules).map(([own, others]) => ({ ...own, ...others }))
}

/**
 * Next versions of an envelope that allow no more: actions left out, smaller amounts, fewer counterparties, more that
 * asks a human. Its id, windows and route stay.
 */
export function narrower(envelope: Envelope): fc.Arbitrary<EnvelopeInput> {
  const { hash: _, version, actions, escalateWhen, approval: route, ...same } = envelope
  const listed = Object.entries(actions).map(([name, found]) =>
    fc.option(narrowerLimits(found).map((less) => [name, less] as const)),
  )
  // An envelope without a route may not ask anyone.
  const more = route === undefined ? fc.constant([]) : fc.array(trigger, { maxLength: 2 })
  return fc.tuple(fc.tuple(...listed), more).map(([kept, added]) => ({
    ...same,
    version: version + 1,
    actions: Object.fromEntries(kept.filter((entry) => entry !== null)),
    escalateWhen: [...escalateWhen, ...added],
    ...(route !== undefined && { approval: route }),
  }))
}

const window: fc.Arbitrary<WindowLimit> = fc.oneof(
  { withCrossShrink: true },
  fc.record(
    {
      amount: amounts,
      per: fc.constantFrom('day' as const, 'week' as const, 'month' as const),
      timeZone: timeZones,
    },
    plain,
  ),
  fc.record({ amount: amounts, within: durations }, plain),
)

const limits: fc.Arbitrary<Limits> = fc.record(
  {
    atMost: fc.record({ amount: amounts }, plain),
    windows: fc.array(window, { maxLength: 3 }),
    counterparties: fc.record({ allow: people, deny: people }, { requiredKeys: [], ...plain }),
  },
  { requiredKeys: [], ...plain },
)

const trigger: fc.Arbitrary<TriggerInput> = fc.oneof(
  { withCrossShrink: true },
  fc.record({ confidenceUnder: shares }, plain),
  fc.record({ category: categories }, plain),
  fc.record({ currencyOtherThan: fc.uniqueArray(currencies, { minLength: 1 }) }, plain),
)

const approval: fc.Arbitrary<NonNullable<EnvelopeInput['approval']>> = fc.record(
  { by: roles, quorum: fc.integer({ min: 1, max: 3 }), expiresAfter: durations },
  { requiredKeys: ['by'], ...plain },
)

function someOf(...items: readonly string[]): fc.Arbitrary<string[]> {
  return fc.subarray([...items], { minLength: 1 })
}

function narrowerLimits({ atMost, windows, counterparties }: ActionLimits): fc.Arbitrary<Limits> {
  return fc.record(
    {
      ...(atMost && { atMost: smaller(atMost) }),
      ...(windows && { windows: fc.tuple(...windows.map(smaller)) }),
      ...(counterparties && { counterparties: fewer(counterparties) }),
    },
    plain,
  )
}

function smaller<Limit extends { readonly amount: string }>(limit: Limit): fc.Arbitrary<Limit> {
  const { currency, minor } = readMoney(limit.amount)
  return amountsIn(currency, minor).map((amount) => ({ ...limit, amount }))
}

function fewer({ allow, deny }: NonNullable<ActionLimits['counterparties']>) {
  return fc.record(
    {
      ...(allow && { allow: fc.subarray(allow, { minLength: 1 }) }),
      ...(deny && { deny: people.map((more) => [...new Set([...deny, ...more])]) }),
    },
    plain,
  )
}
