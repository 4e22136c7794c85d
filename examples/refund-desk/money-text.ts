import { countDecimals } from './currency.ts'
import { markNamePattern, markPattern, readMark } from './currency-marks.ts'

/** An amount of money that a text states. */
export interface MoneyText {
  /** Plain decimal with two decimals, or with none for a currency that has none. */
  readonly amount: string
  /** ISO 4217. */
  readonly currency: string
}

/** What one number of a text is: money, money that cannot be read for sure, or something else. */
type NumberMeaning = MoneyText | 'unreadable' | 'other'

interface NumberInText {
  readonly digits: string
  readonly before: string
  readonly after: string
}

/** How far around a number its currency and its qualifiers are looked for. */
const surroundingsLength = 40

const markAtEnd = new RegExp(String.raw`(?<![\p{L}\p{N}])(${markPattern})\s{0,2}$`, 'iu')
const markAtStart = new RegExp(String.raw`^\s{0,2}\(?(${markPattern})(?![\p{L}\p{N}])`, 'iu')

const numberWord =
  'an?|another|extra|few|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|' +
  'twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|half'
const amountInWords = new RegExp(
  String.raw`\b(?:${numberWord})[\s-](?:${markNamePattern})(?!\p{L})`,
  'iu',
)

const multiplier = /^\s?(?:k|m|mn|bn|grand|hundred|thousand|million|billion)(?!\p{L})/iu
const doubtBefore: readonly RegExp[] = [
  /\d(?:[-–—]|\s(?:to|or)\s|\s?[x×*]\s?)$/iu,
  /(?:(?:^|\s)[-−+]|[.,'’#])$/u,
  /\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|circa|ca\.?|up to)\s?$/iu,
  /\b(?:over|above|under|below|more than|less than|at least|at most)\s?$/iu,
  /(?:%|\b(?:half|third|quarter|part|rest|percent)) (?:of|on) ?(?:the |my )?$/iu,
  /\b(?:AU|CA|NZ|HK|SG)\s$/u,
]
const doubtAfter: readonly RegExp[] = [
  /^(?:[-–—]|\s(?:to|or)\s)\D?\d/iu,
  /^\s\d{3}(?!\d)/u,
  /^\s?(?:\/|%|×|x\s?\d|-?ish\b)/iu,
  /^\s(?:each|apiece|per|of|heavy|weight|(?:or|and) (?:so|more|less)|times\s\d)\b/iu,
  /^\s(?:a|an|every) (?:hour|day|week|month|year|piece)\b/iu,
  /^\s(?:canadian|australian|singapore|hong kong|new zealand)\b/iu,
]
const contrastBefore =
  /\b(?:instead of|rather than|only|not|but|got|gave me|asked for|wanted|paid|charged|be)\s$/iu
const contrastAfter = /^(?:[.,;:!?)]|\s*$|\s(?:and|but|back|instead|out|in cash)\b)/iu

/**
 * Reads the one amount of money that a text states, with its currency. Pure.
 *
 * Whatever leaves room for a second reading gives `undefined`: a number without a currency, two different amounts,
 * a range, "about", a unit price, a sign that several countries use, a separator that may mean two things.
 */
export function readMoney(text: string): MoneyText | undefined {
  if (amountInWords.test(text)) return undefined
  const found = new Map<string, MoneyText>()
  for (const number of findNumbers(text)) {
    const meaning = readNumber(number)
    if (meaning === 'unreadable') return undefined
    if (meaning !== 'other') found.set(`${meaning.amount} ${meaning.currency}`, meaning)
  }
  const [only, ...others] = found.values()
  return only === undefined || others.length > 0 || !/[1-9]/.test(only.amount) ? undefined : only
}

function* findNumbers(text: string): Generator<NumberInText> {
  for (const match of text.matchAll(/\d[\d.,'’]*/g)) {
    const digits = match[0].replace(/[.,'’]+$/, '')
    const end = match.index + digits.length
    yield {
      digits,
      before: text.slice(Math.max(0, match.index - surroundingsLength), match.index),
      after: text.slice(end, end + surroundingsLength),
    }
  }
}

function readNumber({ digits, before, after }: NumberInText): NumberMeaning {
  const unscaled = after.replace(multiplier, '')
  const left = cutMarks(before, 'end')
  const right = cutMarks(unscaled, 'start')
  const marks = [...left.marks, ...right.marks]
  if (marks.length === 0) return readBareNumber({ digits, before, after })
  // The number of an order, such as W20, is no money even when a currency follows.
  if (left.marks.length === 0 && /[\p{L}#]$/u.test(before)) return 'other'
  const currency = agreeOnCurrency(marks)
  const isDoubtful =
    unscaled !== after ||
    (left.marks.length === 0 && /\d\s(?:and\s)?$/iu.test(before)) ||
    doubtBefore.some((pattern) => pattern.test(left.rest)) ||
    doubtAfter.some((pattern) => pattern.test(right.rest))
  if (currency === undefined || isDoubtful) return 'unreadable'
  const amount = writeAmount(digits, currency)
  return amount === undefined ? 'unreadable' : { amount, currency }
}

/** Takes up to two marks off one side of a number, as in "CAD $20" or "20 $ (CAD)". */
function cutMarks(text: string, side: 'start' | 'end'): { marks: string[]; rest: string } {
  const marks: string[] = []
  let rest = text
  while (marks.length < 2) {
    const match = (side === 'end' ? markAtEnd : markAtStart).exec(rest)
    const mark = match?.[1]
    if (match === null || mark === undefined || readMark(mark) === undefined) break
    marks.push(mark)
    rest = side === 'end' ? rest.slice(0, match.index) : rest.slice(match[0].length)
  }
  return { marks, rest }
}

function agreeOnCurrency(marks: readonly string[]): string | undefined {
  const meanings = marks.map(readMark)
  if (meanings.includes('ambiguous')) return undefined
  const currencies = new Set(
    meanings.flatMap((meaning) => (typeof meaning === 'object' ? [meaning.currency] : [])),
  )
  // A plain "$" is a US one unless the text also names whose dollar it is.
  if (currencies.size === 2 && marks.some((mark) => /^(?:\$|dollars?)$/i.test(mark))) {
    const dollar = [...currencies].find((code) => code !== 'USD' && /(?:D|MXN)$/.test(code))
    if (dollar !== undefined) return dollar
  }
  return currencies.size === 1 ? [...currencies][0] : undefined
}

function readBareNumber({ digits, before, after }: NumberInText): NumberMeaning {
  const looksLikeMoney = /^\d+[.,]\d{2}$/.test(digits) || /^\s?[pc](?![\p{L}.])/u.test(after)
  const isOtherAmount = contrastBefore.test(before) && contrastAfter.test(after)
  return looksLikeMoney || isOtherAmount ? 'unreadable' : 'other'
}

function writeAmount(digits: string, currency: string): string | undefined {
  const [whole, decimals] = splitDigits(digits) ?? []
  if (whole === undefined || decimals === undefined || whole.length > 12) return undefined
  const plain = whole.replace(/^0+(?=\d)/, '')
  if (countDecimals(currency) === 0) return /^0*$/.test(decimals) ? plain : undefined
  return `${plain}.${decimals.padEnd(2, '0')}`
}

/** Splits "1,299.00", "1.299,00", "20,50" and the like; "1.299" may be either and is left unread. */
function splitDigits(digits: string): [whole: string, decimals: string] | undefined {
  const english = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,2}))?$/.exec(digits)
  const european = /^(\d{1,3}(?:\.\d{3})+|\d+),(\d{2})$/.exec(digits)
  const match = english ?? european
  if (match?.[1] === undefined) return undefined
  return [match[1].replace(/[.,]/g, ''), match[2] ?? '']
}
