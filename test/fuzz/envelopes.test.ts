import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AmbitError, defineEnvelope, type Envelope, type EnvelopeInput } from 'ambit'
import { attempt } from '../support/hostile.ts'
import { refutes } from '../support/refutes.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import { isPrototypeClean } from './support/hostile-values.ts'
import { mutate, mutation } from './support/mutations.ts'

const tally = new Tally('envelopes')

/** Every word of the vocabulary is in one of them. */
const valid: readonly EnvelopeInput[] = [
  { id: 'small', owner: 'head', actions: {} },
  {
    id: 'refund-desk',
    version: 3,
    owner: 'head-of-support',
    actions: {
      refund: {
        atMost: { amount: '500.00 USD' },
        windows: [
          { amount: '1000.00 USD', per: 'day', timeZone: 'Europe/Berlin' },
          { amount: '99.999 KWD', within: '36h' },
        ],
        counterparties: { allow: ['anna', 'bert'], deny: ['carl'] },
      },
      write: {},
    },
    escalateWhen: [
      { confidenceUnder: 0.8 },
      { category: ['legal', 'press'] },
      { currencyOtherThan: ['USD'] },
    ],
    approval: { by: ['finance', 'cfo'], quorum: 2, expiresAfter: '4h', onExpiry: 'reject' },
  },
]

/** Far more than any envelope takes, and far less than a regular expression that runs away. */
const HANG_MS = 2000

const changed = fc
  .tuple(fc.constantFrom(...valid), fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([base, mutations]) => mutate(base, mutations))

type Define = (input: EnvelopeInput) => Envelope

function judge(define: Define, { value, paths }: ReturnType<typeof mutate>): boolean {
  const given = JSON.stringify(value)
  const began = performance.now()
  const result = attempt(() => define(value as EnvelopeInput)) as Envelope & { thrown?: unknown }
  expect(performance.now() - began).toBeLessThan(HANG_MS)
  expect(isPrototypeClean()).toBe(true)
  // What was handed in is as it was.
  expect(JSON.stringify(value)).toBe(given)
  if (!('thrown' in result)) {
    expectCanonical(define, result)
    expectNothingLost(value, result)
    return true
  }
  expect(result.thrown).toBeInstanceOf(AmbitError)
  const { code, message } = result.thrown as AmbitError
  expect(code).toBe('AMBIT_ENVELOPE_INVALID')
  expect(message).toMatch(/Mend it|Add approval/)
  if (paths.length === 1) expectNamed(message, paths[0] ?? [])
  return false
}

/** The place that was changed, or what it is part of. */
function expectNamed(message: string, path: readonly string[]): void {
  if (message.includes('escalates but names nobody')) return
  const names = path.filter((name) => !/^\d*$/.test(name)).slice(-2)
  if (names.length === 0) expect(message).toMatch(/envelope|: /)
  else expect(names.filter((name) => message.includes(name))).not.toEqual([])
}

/** What was accepted is the same when it is read again, also from its text. */
function expectCanonical(define: Define, envelope: Envelope): void {
  const { hash, ...data } = envelope
  expect(define(data)).toEqual(envelope)
  expect(define(JSON.parse(JSON.stringify(data)) as EnvelopeInput).hash).toBe(hash)
  expect(Object.isFrozen(envelope)).toBe(true)
}

/** Whatever was written is in force: nothing is left out without a word. */
function expectNothingLost(written: unknown, held: unknown): void {
  if (typeof written !== 'object' || written === null) {
    expect(held).toEqual(written)
    return
  }
  for (const key of Object.keys(written)) {
    expect(Object.hasOwn(held as object, key)).toBe(true)
    expectNothingLost((written as never)[key], (held as never)[key])
  }
}

test(
  'Y3 a mutated envelope is accepted as it is read again, or refused with the field that is wrong',
  () => {
    const property = fc.property(changed, (given) => {
      tally.given()
      tally.settle(judge(defineEnvelope, given))
    })
    fc.assert(property, runs(6000))
  },
  LIMIT_MS,
)

test('Y3 the property refutes a definition that drops what it does not know', () => {
  const lax: Define = (input) => {
    const { id, owner, actions, version, escalateWhen, approval } = input
    return defineEnvelope({ id, owner, actions, version, escalateWhen, approval })
  }
  expect(refutes(fc.property(changed, (given) => void judge(lax, given)))).toBe(true)
})
