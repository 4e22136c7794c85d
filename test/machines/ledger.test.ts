import { describe, expect, test } from 'vitest'
import type { LedgerEntry } from '../../machines/ledger.ts'
import type { Json } from '../../src/kernel/json.ts'
import { charges, DAY, realLedger } from '../support/ledgers.ts'
import type { Stepper } from '../support/stepper.ts'

const entryOf = ({ rows }: Stepper, key: string) =>
  rows.get(`entry:${key}`) as unknown as LedgerEntry | undefined

const usedOf = (stepper: Stepper, window = 'desk/day'): unknown => {
  stepper.send({ type: 'ambit.ledger.view', charges })
  return (stepper.told('reply')[0]?.used as Record<string, number>)[window]
}

const rowsOf = ({ rows }: Stepper): Record<string, Json> => Object.fromEntries(rows)

describe('reserve', () => {
  test('L1 an amount that every window holds is reserved in every window', () => {
    const { stepper, reserve } = realLedger()
    expect(reserve('k', 40)).toBe('ambit.ledger.reserved')
    expect(entryOf(stepper, 'k')).toMatchObject({ status: 'reserved', minor: 40, account: 'desk' })
    for (const { window } of charges) expect(usedOf(stepper, window)).toBe(40)
  })

  test('L1 an amount that one window of one envelope cannot hold is reserved in none', () => {
    const { stepper, reserve } = realLedger()
    reserve('first', 50)
    const before = rowsOf(stepper)
    expect(reserve('second', 20)).toBe('ambit.ledger.refused')
    expect(rowsOf(stepper)).toEqual(before)
  })

  test('L1 the same key again is answered again and charged once, whatever became of it', () => {
    const { stepper, reserve, settle } = realLedger()
    reserve('k', 40)
    for (const how of ['inDoubt', 'commit'] as const) {
      const before = rowsOf(stepper)
      expect(reserve('k', 40)).toBe('ambit.ledger.reserved')
      expect(stepper.told('reply')[0]).toMatchObject({ again: true })
      expect(rowsOf(stepper)).toEqual(before)
      settle(how, 'k')
    }
    expect(usedOf(stepper)).toBe(40)
  })

  test('L2 exactly the limit is inside, one minor unit more is not', () => {
    const ledger = realLedger()
    expect(ledger.reserve('a', 59)).toBe('ambit.ledger.reserved')
    expect(ledger.reserve('b', 2)).toBe('ambit.ledger.refused')
    expect(ledger.reserve('c', 1)).toBe('ambit.ledger.reserved')
    expect(ledger.reserve('d', 1)).toBe('ambit.ledger.refused')
    expect(ledger.reserve('e', 0)).toBe('ambit.ledger.reserved')
  })

  test.each([-1, 0.5, Number.MAX_SAFE_INTEGER + 1])('L1 an amount of %d is refused', (minor) => {
    expect(realLedger().reserve('k', minor)).toBe('ambit.ledger.refused')
  })

  test('L4 an account without limits is charged without windows', () => {
    const { stepper, reserve } = realLedger()
    expect(reserve('k', 1_000_000, [])).toBe('ambit.ledger.reserved')
    expect(usedOf(stepper)).toBe(0)
  })

  test('L2 a look at the windows changes nothing', () => {
    const { stepper, reserve } = realLedger()
    reserve('k', 40)
    const before = rowsOf(stepper)
    usedOf(stepper)
    expect(rowsOf(stepper)).toEqual(before)
  })
})

describe('settle', () => {
  test('L3 release gives an amount back once', () => {
    const { stepper, reserve, settle } = realLedger()
    reserve('k', 40)
    reserve('other', 10)
    for (let i = 0; i < 3; i++) settle('release', 'k')
    expect(usedOf(stepper)).toBe(10)
    expect(entryOf(stepper, 'k')?.status).toBe('released')
  })

  test('L3 a commit cannot be released, nor put in doubt', () => {
    const { stepper, reserve, settle } = realLedger()
    reserve('k', 40)
    settle('commit', 'k')
    const before = rowsOf(stepper)
    for (const how of ['release', 'inDoubt', 'commit'] as const) settle(how, 'k')
    expect(rowsOf(stepper)).toEqual(before)
    expect(entryOf(stepper, 'k')?.status).toBe('committed')
  })

  test('L3 what was released stays released, unless it is reserved anew', () => {
    const { stepper, reserve, settle } = realLedger()
    reserve('k', 40)
    settle('release', 'k')
    for (const how of ['commit', 'inDoubt'] as const) settle(how, 'k')
    expect(usedOf(stepper)).toBe(0)
    expect(reserve('k', 30)).toBe('ambit.ledger.reserved')
    expect(usedOf(stepper)).toBe(30)
  })

  test('L2 an amount in doubt stays charged until it is settled either way', () => {
    const { stepper, reserve, settle } = realLedger()
    for (const key of ['a', 'b']) {
      reserve(key, 20)
      settle('inDoubt', key)
    }
    expect(usedOf(stepper)).toBe(40)
    settle('release', 'a')
    settle('commit', 'b')
    expect(usedOf(stepper)).toBe(20)
  })

  test('L3 settling a key that was never reserved does nothing', () => {
    const { stepper, settle } = realLedger()
    for (const how of ['commit', 'release', 'inDoubt'] as const) settle(how, 'nobody')
    expect(rowsOf(stepper)).toEqual({})
  })

  test('L3 a release in another window’s time gives back where it was charged', () => {
    const ledger = realLedger()
    ledger.reserve('yesterday', 40)
    ledger.now += DAY
    ledger.reserve('today', 30)
    ledger.settle('release', 'yesterday')
    expect(usedOf(ledger.stepper)).toBe(30)
  })
})
