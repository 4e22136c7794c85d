import { z } from 'zod'
import { AmbitError } from '../kernel/errors.ts'

/** An amount of money: a whole number of the currency's minor units, never a float. */
export interface Money {
  /** ISO 4217, such as `USD`. */
  readonly currency: string
  /** Cents for USD, yen for JPY. A safe integer. */
  readonly minor: number
}

/** Currencies whose minor unit is not a hundredth (ISO 4217, List One, 2024). */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
    .split(' ')
    .map((code) => [code, 0] as const),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3] as const),
  ...'CLF UYW'.split(' ').map((code) => [code, 4] as const),
])
/** The most used need no look at ICU's list, which takes a while at start-up. */
const USUAL: ReadonlySet<string> = new Set(['USD', 'EUR', 'GBP', 'CHF', 'CAD', 'AUD', 'JPY'])
let known: ReadonlySet<string> | undefined
const PLAIN_DECIMAL = /^(0|[1-9]\d{0,11})(?:\.(\d{1,4}))?$/

export function isCurrency(code: string): boolean {
  if (USUAL.has(code)) return true
  known ??= new Set([...Intl.supportedValuesOf('currency'), ...DIGITS.keys()])
  return known.has(code)
}

/** How many decimals a currency has by ISO 4217: 2 for USD, 0 for JPY, 3 for KWD. Not what a locale would show. */
export function currencyDigits(currency: string): number {
  return DIGITS.get(currency) ?? 2
}

/** Reads a plain decimal such as `499.99` with its currency. Throws `AMBIT_AMOUNT_INVALID`. */
export function parseMoney(amount: string, currency: string): Money {
  const match = PLAIN_DECIMAL.exec(amount)
  const decimals = match?.[2] ?? ''
  if (!isCurrency(currency) || match === null || decimals.length > currencyDigits(currency)) {
    throw new AmbitError(
      'AMBIT_AMOUNT_INVALID',
      `Expected an amount such as "499.99 USD", got "${amount.slice(0, 40)} ${currency.slice(0, 10)}". ` +
        'Use a plain decimal without signs or separators, and an ISO 4217 currency.',
    )
  }
  const minor = Number(`${match[1] ?? ''}${decimals.padEnd(currencyDigits(currency), '0')}`)
  if (!Number.isSafeInteger(minor))
    throw new AmbitError('AMBIT_AMOUNT_INVALID', `${amount} ${currency} is too large.`)
  return { currency, minor }
}

/** Reads `500.00 USD`. Throws `AMBIT_AMOUNT_INVALID`. */
export function readMoney(text: string): Money {
  const cut = text.indexOf(' ')
  return parseMoney(text.slice(0, Math.max(cut, 0)), text.slice(cut + 1))
}

/** The plain decimal, with all the currency's decimals: `499.90`. */
export function formatAmount({ minor, currency }: Money): string {
  const places = currencyDigits(currency)
  const sign = minor < 0 ? '-' : ''
  const text = String(Math.abs(minor)).padStart(places + 1, '0')
  return places === 0 ? sign + text : `${sign}${text.slice(0, -places)}.${text.slice(-places)}`
}

export function formatMoney(money: Money): string {
  return `${formatAmount(money)} ${money.currency}`
}

/** A zod schema for money written as `"499.99 USD"` or held as `{ currency, minor }`; it gives the latter. */
export function money() {
  const held = z.strictObject({
    currency: z.string().refine(isCurrency, 'expected an ISO 4217 currency'),
    minor: z.int().nonnegative(),
  })
  const written = z.string().transform((text, context): Money => {
    try {
      return readMoney(text)
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof Error ? error.message : String(error),
      })
      return z.NEVER
    }
  })
  return z.union([held, written])
}
