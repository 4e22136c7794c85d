import { currencyDigits } from 'ambit'

export { isCurrency } from 'ambit'

/** How many decimals an amount may have: the currency's own, at most 2, because nothing here refunds thousandths. */
export function countDecimals(code: string): number {
  return Math.min(2, currencyDigits(code))
}

/** A plain decimal above zero, as every amount of the refund desk is written: `5`, `20.5`, `499.99`. */
export function isPlainAmount(amount: string): boolean {
  return /^(0|[1-9]\d{0,11})(\.\d{1,2})?$/.test(amount) && /[1-9]/.test(amount)
}
