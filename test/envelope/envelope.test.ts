import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { actionKey, defineAction } from '../../src/envelope/action.ts'
import { parseDuration } from '../../src/envelope/duration.ts'
import { canonical, defineEnvelope, type EnvelopeInput } from '../../src/envelope/envelope.ts'
import { envelopeOf } from '../support/envelopes.ts'
import { refusal } from '../support/refusal.ts'

const good: EnvelopeInput = {
  id: 'desk',
  owner: 'head',
  actions: {
    refund: {
      atMost: { amount: '500.00 USD' },
      windows: [
        { amount: '5000.00 USD', per: 'day', timeZone: 'UTC' },
        { amount: '900.00 USD', within: '1h' },
      ],
      counterparties: { allow: ['anna'], deny: ['eve'] },
    },
  },
  escalateWhen: [{ confidenceUnder: 0.8 }, { category: ['legal'] }, { currencyOtherThan: ['USD'] }],
  approval: { by: ['finance'], quorum: 2, expiresAfter: '4h', onExpiry: 'reject' },
}

const limits = (refund: object) => ({ actions: { refund } })
const windows = (...list: object[]) => limits({ windows: list })

describe('what is refused', () => {
  // Each: what is wrong, what is changed, the field that the refusal names.
  const bad: [string, object, string][] = [
    ['an unknown field', { limit: 5 }, 'limit'],
    ['a misspelt section', { escalateIf: [] }, 'escalateIf'],
    ['an unknown field of an action', limits({ atmost: {} }), 'atmost'],
    ['an unknown field of a limit', limits({ atMost: { amount: '1.00 USD', max: 1 } }), 'max'],
    [
      'an unknown field of a window',
      windows({ amount: '1.00 USD', per: 'day', timeZone: 'UTC', zone: 1 }),
      'zone',
    ],
    ['an unknown trigger', { escalateWhen: [{ amountOver: '5.00 USD' }] }, 'escalateWhen.0'],
    ['an unknown field of the approval', { approval: { by: ['x'], auto: true } }, 'auto'],
    ['a float amount', limits({ atMost: { amount: 5.5 } }), 'atMost.amount'],
    ['an amount without a currency', limits({ atMost: { amount: '5.00' } }), 'atMost.amount'],
    ['an unknown currency', limits({ atMost: { amount: '5.00 QQQ' } }), 'atMost.amount'],
    ['too many decimals', limits({ atMost: { amount: '5.001 USD' } }), 'atMost.amount'],
    [
      'an unknown time zone',
      windows({ amount: '1.00 USD', per: 'day', timeZone: 'Mars/Olympus' }),
      'timeZone',
    ],
    ['an unknown currency of a window', windows({ amount: '1.00 QQQ', within: '1h' }), 'amount'],
    ['a span that is none', windows({ amount: '1.00 USD', within: 'a while' }), 'within'],
    ['no id', { id: undefined }, 'id'],
    ['an id with a slash', { id: 'a/b' }, 'id'],
    ['no owner', { owner: '' }, 'owner'],
    ['a version of nought', { version: 0 }, 'version'],
    ['a quorum of nought', { approval: { by: ['x'], quorum: 0 } }, 'quorum'],
    ['nobody to approve', { approval: { by: [] } }, 'approval.by'],
    ['an expiry that approves', { approval: { by: ['x'], onExpiry: 'approve' } }, 'onExpiry'],
    ['actions as a list', { actions: ['refund'] }, 'actions'],
  ]

  test.each(bad)('E1 %s is a load error that names the field', (_, change, field) => {
    const { code, message } = refusal(() => defineEnvelope({ ...good, ...change } as never))
    expect(code).toBe('AMBIT_ENVELOPE_INVALID')
    expect(message).toContain(field)
  })

  test.each([
    ['a confidence above one', { confidenceUnder: 1.5 }],
    ['a confidence of nought', { confidenceUnder: 0 }],
    ['an empty category list', { category: [] }],
    ['two triggers in one', { confidenceUnder: 0.5, category: ['x'] }],
  ])('E1 a trigger with %s is a load error that names its place', (_, trigger) => {
    const refused = refusal(() => defineEnvelope({ ...good, escalateWhen: [trigger] } as never))
    expect(refused.message).toContain('escalateWhen.0')
  })

  test('E6 an envelope that escalates but names nobody who decides is a load error', () => {
    const { code, message } = refusal(() => defineEnvelope({ ...good, approval: undefined }))
    expect(code).toBe('AMBIT_ENVELOPE_INVALID')
    expect(message).toContain('approval')
  })
})

describe('what is made', () => {
  test('E1 the vocabulary is taken whole, with its defaults', () => {
    expect(defineEnvelope(good)).toMatchObject(good)
    expect(envelopeOf()).toMatchObject({
      version: 1,
      escalateWhen: [],
      approval: { quorum: 1, expiresAfter: '4h', onExpiry: 'reject' },
    })
  })

  test('E13 an envelope is frozen, all the way down', () => {
    const { actions, escalateWhen } = defineEnvelope(good)
    expect(Object.isFrozen(actions.refund?.windows?.[0])).toBe(true)
    expect(() => (escalateWhen as unknown[]).push({ category: ['x'] })).toThrow(TypeError)
  })

  test('E13 the hash names the content, whatever the order of fields', () => {
    const { id, owner, actions } = good
    const forwards = defineEnvelope({ id, owner, actions })
    const backwards = defineEnvelope({ actions, owner, id })
    expect(forwards.hash).toBe(backwards.hash)
    expect(forwards.hash).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each([
    ['version', { version: 2 }],
    ['owner', { owner: 'other' }],
    ['limit', limits({ atMost: { amount: '500.01 USD' } })],
    ['quorum', { approval: { by: ['finance'], quorum: 3 } }],
  ])('E13 another %s is another hash', (_, change) => {
    const changed = defineEnvelope({ ...good, ...change })
    expect(changed.hash).not.toBe(defineEnvelope(good).hash)
  })

  test('E13 canonical JSON has sorted keys and no spaces', () => {
    expect(canonical({ b: 1, a: [true, null, 'ä'] })).toBe('{"a":[true,null,"ä"],"b":1}')
  })
})

test.each([
  ['250ms', 250],
  ['5s', 5000],
  ['30m', 1_800_000],
  ['4h', 14_400_000],
  ['7d', 604_800_000],
])('E1 the duration %s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', '0h', '-1h', '1.5h', '4 h', '4H', 'PT4H', '1w', 'h', '9999999999d'])(
  'E1 "%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined()
  },
)

describe('an action', () => {
  const refund = {
    name: 'refund',
    input: z.object({ order: z.string() }),
    key: ({ order }: { order: string }) => order,
    idempotent: true,
    execute: () => Promise.resolve(null),
  }

  test.each([
    ['name', { name: undefined }],
    ['name', { name: '' }],
    ['name', { name: 'a/b' }],
    ['name', { name: 'x'.repeat(101) }],
    ['key', { key: undefined }],
    ['execute', { execute: undefined }],
    ['idempotent', { idempotent: undefined }],
    ['idempotent', { idempotent: 'yes' }],
  ])('E12 an action without a valid %s is refused at definition', (lacking, change) => {
    const { code, message } = refusal(() => defineAction({ ...refund, ...change } as never))
    expect(code).toBe('AMBIT_ACTION_INVALID')
    expect(message).toContain(`lacks a valid ${lacking}`)
  })

  test('E12 all that is lacking is named at once', () => {
    const { message } = refusal(() => defineAction({} as never))
    for (const part of ['name', 'key', 'execute', 'idempotent']) expect(message).toContain(part)
  })

  test('E12 an action has 5 attempts of 30 s unless it says otherwise', () => {
    expect(defineAction(refund)).toMatchObject({ attemptsMax: 5, timeoutMs: 30_000 })
    const patient = defineAction({ ...refund, attemptsMax: 2, timeoutMs: 7 })
    expect(patient).toMatchObject({ attemptsMax: 2, timeoutMs: 7 })
  })

  test('A4 the key in the world differs by system, action and key, and by nothing else', () => {
    const keys = [
      actionKey('s', 'refund', 'o-1'),
      actionKey('t', 'refund', 'o-1'),
      actionKey('s', 'order', 'o-1'),
      actionKey('s', 'refund', 'o-2'),
      actionKey('s', 'refundo', '-1'),
    ]
    expect(new Set(keys).size).toBe(5)
    expect(actionKey('s', 'refund', 'o-1')).toBe(keys[0])
  })
})
