import fc from 'fast-check'
import { formatMoney } from '../../envelope/money.ts'

/** ISO 4217 codes with two, no and three decimals. */
export const currencies = fc.constantFrom('USD', 'EUR', 'CHF', 'JPY', 'KWD')

/** Whole minor units of a currency as text: `12.50 USD`, up to a million units. */
export function amountsIn(currency: string, minorMax = 1_000_000): fc.Arbitrary<string> {
  return fc.nat({ max: minorMax }).map((minor) => formatMoney({ currency, minor }))
}

/** Amounts as an envelope writes them. Most are dollars. */
export const amounts: fc.Arbitrary<string> = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: amountsIn('USD') },
  ...['EUR', 'JPY', 'KWD'].map((currency) => ({ weight: 1, arbitrary: amountsIn(currency) })),
)

/** From `1ms` to `999d`. */
export const durations: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('h', 'm', 's', 'ms', 'd'))
  .map(([count, unit]) => `${count}${unit}`)

export const timeZones = fc.constantFrom('UTC', 'Europe/Zurich', 'America/New_York', 'Asia/Kolkata')

/** Texts that a refinement of Ambit's own schemas, such as `money()`, may be waiting for: random ones never pass it. */
export const knownTexts: fc.Arbitrary<string> = fc.oneof(
  amounts,
  currencies,
  durations,
  timeZones,
  fc.constantFrom('2024-02-29', '1', 'true', 'a@example.com', '{}'),
)
