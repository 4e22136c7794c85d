import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  currencyDigits,
  formatAmount,
  formatMoney,
  isCurrency,
  money,
  parseMoney,
  readMoney,
  type Money,
} from '../../src/envelope/money.ts'
import { refusal } from '../support/refusal.ts'
import { refutes } from '../support/refutes.ts'

test.each([
  ['0.00 USD', 0],
  ['0.01 USD', 1],
  ['5 USD', 500],
  ['5.1 USD', 510],
  ['499.99 EUR', 49_999],
  ['500 JPY', 500],
  ['1.234 KWD', 1234],
  ['999999999999.99 USD', 99_999_999_999_999],
])('E8 %s is %i whole minor units', (text, minor) => {
  expect(readMoney(text)).toEqual({ currency: text.split(' ')[1], minor })
})

test.each([
  ['more decimals than the currency has', '1.234 USD'],
  ['decimals of a currency that has none', '500.5 JPY'],
  ['an unknown currency', '5.00 QQQ'],
  ['a currency in small letters', '5.00 usd'],
  ['no currency', '5.00'],
  ['no amount', ' USD'],
  ['a sign', '-5.00 USD'],
  ['a plus', '+5.00 USD'],
  ['separators', '1,000.00 USD'],
  ['a comma for a point', '5,00 EUR'],
  ['an exponent', '1e3 USD'],
  ['a leading nought', '007.00 USD'],
  ['no digit before the point', '.50 USD'],
  ['no digit after the point', '5. USD'],
  ['digits of another script', '٥ USD'],
  ['the currency in front', 'USD 5.00'],
  ['a symbol', '$5.00'],
  ['two spaces', '5.00  USD'],
  ['infinity', 'Infinity USD'],
  ['more than a trillion', '1000000000000.00 USD'],
  ['nothing', ''],
])('E8 an amount with %s is refused with an example', (_, text) => {
  const { code, message } = refusal(() => readMoney(text))
  expect(code).toBe('AMBIT_AMOUNT_INVALID')
  expect(message).toContain('499.99 USD')
})

test('E8 a refusal quotes little of what it got', () => {
  expect(refusal(() => parseMoney('9'.repeat(10_000), 'USD')).message.length).toBeLessThan(250)
})

test.each([
  ['USD', 2],
  ['EUR', 2],
  ['JPY', 0],
  ['KWD', 3],
])('E8 %s has %i decimals', (currency, digits) => {
  expect(currencyDigits(currency)).toBe(digits)
})

test('E8 ISO 4217 codes are currencies, other words are not', () => {
  for (const code of ['USD', 'EUR', 'CHF', 'JPY']) expect(isCurrency(code)).toBe(true)
  for (const code of ['usd', 'BTC', 'DOLLAR', '', '__proto__']) expect(isCurrency(code)).toBe(false)
})

const currency = fc.constantFrom('USD', 'EUR', 'JPY', 'KWD', 'CHF')
const amount = fc.record({ currency, minor: fc.nat({ max: 99_999_999_999 }) })

const comesBack = (format: (money: Money) => string) =>
  fc.property(amount, (money) => {
    expect(readMoney(format(money))).toEqual(money)
  })

describe('formatting', () => {
  test('E8 parsing what was formatted gives the same money', () => {
    fc.assert(comesBack(formatMoney))
  })

  test('E8 the round trip refutes formatting by division', () => {
    const divided = ({ minor, currency }: Money) => `${minor / 100} ${currency}`
    expect(refutes(comesBack(divided))).toBe(true)
  })

  test('E8 formatting writes all the decimals of the currency', () => {
    fc.assert(
      fc.property(amount, (money) => {
        const [, decimals = ''] = formatAmount(money).split('.')
        expect(decimals).toHaveLength(currencyDigits(money.currency))
      }),
    )
  })

  test('E8 a negative difference is written with its sign', () => {
    expect(formatMoney({ currency: 'USD', minor: -5 })).toBe('-0.05 USD')
    expect(formatMoney({ currency: 'JPY', minor: -5 })).toBe('-5 JPY')
  })
})

describe('in a schema', () => {
  const schema = z.object({ amount: money() })

  test('E8 money is taken as text or as minor units, and gives minor units', () => {
    const held = { currency: 'USD', minor: 500 }
    expect(schema.parse({ amount: '5.00 USD' })).toEqual({ amount: held })
    expect(schema.parse({ amount: held })).toEqual({ amount: held })
  })

  test.each([
    ['a number', 5],
    ['a fraction of a minor unit', { currency: 'USD', minor: 0.5 }],
    ['a debt', { currency: 'USD', minor: -1 }],
    ['an unsafe integer', { currency: 'USD', minor: 2 ** 53 }],
    ['an unknown currency', { currency: 'QQQ', minor: 1 }],
    ['a field more', { currency: 'USD', minor: 1, major: 1 }],
    ['text that is no amount', 'five dollars'],
    ['null', null],
  ])('E8 %s is no money', (_, given) => {
    expect(schema.safeParse({ amount: given }).success).toBe(false)
  })
})
