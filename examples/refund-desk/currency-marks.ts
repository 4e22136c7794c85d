import { isCurrency } from './currency.ts'

/** What a mark in a text stands for: a currency, or money of which nobody can say which. */
export type MarkMeaning = { readonly currency: string } | 'ambiguous'

/** Signs and words that name a currency; `?` where several countries use them. */
const marks: Readonly<Record<string, string>> = {
  $: 'USD',
  us$: 'USD',
  c$: 'CAD',
  ca$: 'CAD',
  a$: 'AUD',
  au$: 'AUD',
  nz$: 'NZD',
  hk$: 'HKD',
  s$: 'SGD',
  r$: 'BRL',
  '€': 'EUR',
  '£': 'GBP',
  '₹': 'INR',
  '₩': 'KRW',
  '₪': 'ILS',
  '₺': 'TRY',
  zł: 'PLN',
  '¥': '?',
  kr: '?',
  rs: '?',
  '¢': '?',
  dollar: 'USD',
  buck: 'USD',
  'us dollar': 'USD',
  'american dollar': 'USD',
  'canadian dollar': 'CAD',
  'australian dollar': 'AUD',
  'new zealand dollar': 'NZD',
  'hong kong dollar': 'HKD',
  'singapore dollar': 'SGD',
  euro: 'EUR',
  pound: 'GBP',
  'pound sterling': 'GBP',
  'british pound': 'GBP',
  quid: 'GBP',
  'swiss franc': 'CHF',
  yen: 'JPY',
  yuan: 'CNY',
  zloty: 'PLN',
  'swedish krona': 'SEK',
  franc: '?',
  krona: '?',
  krone: '?',
  kronor: '?',
  kroner: '?',
  rupee: '?',
  peso: '?',
  cent: '?',
  pence: '?',
  penny: '?',
}

/** Codes read in any spelling; the others count in capitals only, because `all 20` is no Albanian money. */
const everydayCodes =
  'usd eur gbp chf jpy cad aud nzd sek nok dkk pln czk huf inr cny hkd sgd zar brl mxn krw'.split(
    ' ',
  )

/** Codes that are English words, too: `TOP 5` and `TRY 20` are no money even in capitals. */
const wordCodes = new Set(
  'ALL ARS BAM BOB COP CUP DOP GEL LAK MAD MOP PEN RON RUB SOS TOP TRY'.split(' '),
)

const names = Object.keys(marks).sort((a, b) => b.length - a.length)
const patternOfMarks = names.map((name) => name.replace(/\$/, String.raw`\$`)).join('|')

/** Any mark, as the source of a regular expression: signs, names with their plural, three-letter codes. */
export const markPattern = String.raw`(?:(?:${patternOfMarks})s?|[a-z]{3})`

const writtenNames = names.filter((name) => name.length > 2 && !name.includes('$'))

/** The names that are written out, for amounts whose number is a word, too. */
export const markNamePattern = `(?:${writtenNames.join('|')})s?`

/** Says what a mark stands for; `undefined` if it is none, such as any three letters beside a number. */
export function readMark(mark: string): MarkMeaning | undefined {
  const name = mark.toLowerCase()
  const known = marks[name] ?? marks[name.replace(/s$/, '')]
  if (known !== undefined) return known === '?' ? 'ambiguous' : { currency: known }
  const code = mark.toUpperCase()
  if (everydayCodes.includes(name)) return { currency: code }
  return mark === code && isCurrency(code) && !wordCodes.has(code) ? { currency: code } : undefined
}
