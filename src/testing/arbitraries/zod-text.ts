import fc from 'fast-check'
import type { z } from 'zod'
import type { Check } from './definition.ts'
import { knownTexts } from './known-texts.ts'
import { impossible, leaf, type Maker, type Place } from './maker.ts'
import { textFormats, tokens } from './text-formats.ts'

type FormatCheck = z.core.$ZodCheckStringFormatDef & {
  readonly prefix?: string
  readonly suffix?: string
  readonly includes?: string
  readonly alg?: string
}

/** Formats that say what a text holds, and leave the rest of it free. */
const parts = new Set(['starts_with', 'ends_with', 'includes', 'lowercase', 'uppercase'])

export function makeText(place: Place): Maker {
  const { checks } = place
  const formats: readonly FormatCheck[] = checks.filter((check) => check.check === 'string_format')
  const format = formats.find((each) => !parts.has(each.format))
  if (format !== undefined) return leaf(formatted(place, format, lengthsOf(checks).max))
  const texts = inCase(plainTexts(checks, formats), formats)
  const isFiltered = place.isFiltered || checks.some((check) => check.check === 'custom')
  if (!isFiltered) return leaf(texts)
  return leaf(fc.oneof({ withCrossShrink: true }, texts, knownTexts))
}

/** Texts that match a pattern. */
export function matching(pattern: RegExp, maxLength?: number): fc.Arbitrary<string> {
  return fc.stringMatching(pattern, maxLength === undefined ? {} : { maxLength })
}

/** The most and the fewest items or characters; also of a map or a set. */
export function lengthsOf(checks: readonly Check[]): { min: number; max: number | undefined } {
  let min = 0
  let max = Infinity
  for (const check of checks) {
    if (check.check === 'min_length' || check.check === 'min_size') {
      min = Math.max(min, check.minimum)
    } else if (check.check === 'max_length' || check.check === 'max_size') {
      max = Math.min(max, check.maximum)
    } else if (check.check === 'length_equals') [min, max] = [check.length, check.length]
    else if (check.check === 'size_equals') [min, max] = [check.size, check.size]
  }
  return { min, max: max === Infinity ? undefined : max }
}

function formatted(place: Place, check: FormatCheck, max: number | undefined) {
  if (check.format === 'jwt') return tokens(check.alg)
  const known = textFormats[check.format]
  if (known !== undefined) return known
  if (check.pattern === undefined) throw impossible(place, `format "${check.format}" is unknown`)
  return matching(check.pattern, max)
}

function plainTexts(checks: readonly Check[], formats: readonly FormatCheck[]) {
  const before = formats.flatMap((check) => check.prefix ?? [])
  const inside = formats.flatMap((check) => check.includes ?? [])
  const after = formats.flatMap((check) => check.suffix ?? [])
  const start = [...before, ...inside].join('')
  const end = after.join('')
  const { min, max } = lengthsOf(checks)
  const taken = start.length + end.length
  const texts = textsOf(Math.max(0, min - taken), max && Math.max(0, max - taken))
  return taken === 0 ? texts : texts.map((text) => start + text + end)
}

/** Most are ASCII; some have any characters, which count for one or two of the length. */
function textsOf(min: number, max: number | undefined): fc.Arbitrary<string> {
  const ascii = fc.string({ minLength: min, ...(max !== undefined && { maxLength: max }) })
  const charactersMax = max === undefined ? undefined : Math.floor(max / 2)
  if (charactersMax !== undefined && charactersMax < min) return ascii
  const any = fc.string({
    unit: 'binary',
    minLength: min,
    ...(charactersMax !== undefined && { maxLength: charactersMax }),
  })
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: ascii },
    { weight: 1, arbitrary: any },
  )
}

function inCase(texts: fc.Arbitrary<string>, formats: readonly FormatCheck[]) {
  const has = (name: string) => formats.some(({ format }) => format === name)
  if (has('lowercase')) return texts.map((text) => text.toLowerCase())
  return has('uppercase') ? texts.map((text) => text.toUpperCase()) : texts
}
