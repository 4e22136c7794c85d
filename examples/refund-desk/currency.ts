const codes: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Whether a text is an ISO 4217 code that this Node knows, in capitals. */
export function isCurrency(code: string): boolean {
  return codes.has(code)
}

/** How many decimals an amount may have: 0 for JPY and its like, else 2, because nothing here refunds thousandths. */
export function countDecimals(code: string): 0 | 2 {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: code })
  return format.resolvedOptions().maximumFractionDigits === 0 ? 0 : 2
}

/** A plain decimal above zero, as every amount of the refund desk is written: `5`, `20.5`, `499.99`. */
export function isPlainAmount(amount: string): boolean {
  return /^(0|[1-9]\d{0,11})(\.\d{1,2})?$/.test(amount) && /[1-9]/.test(amount)
}
