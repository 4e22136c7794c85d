import { AmbitError } from './errors.ts'

/** What an option may be, and how that is called. */
export interface OptionRule {
  readonly expected: string
  is(value: unknown): boolean
}

export type OptionRules = Readonly<Record<string, OptionRule>>

/**
 * Throws `AMBIT_SPEC_INVALID` unless every option is known and what it should be. Types promise that already, but not
 * to plain JavaScript; and a misspelt `durability` would be none at all.
 */
export function checkOptions(who: string, options: unknown, rules: OptionRules): void {
  if (!isObject(options)) throw invalid(`${who} expects its options as an object`, options)
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) {
      const known = Object.keys(rules).join(', ')
      throw new AmbitError('AMBIT_SPEC_INVALID', `${who} has no option "${name}". Use: ${known}.`)
    }
    if (value !== undefined && !rule.is(value))
      throw invalid(`${who} expects "${name}" to be ${rule.expected}`, value)
  }
}

/** Throws `AMBIT_SPEC_INVALID` unless an option that has no default is there. */
export function requireOption(who: string, options: object, name: string): void {
  if ((options as Record<string, unknown>)[name] !== undefined) return
  throw new AmbitError('AMBIT_SPEC_INVALID', `${who} expects "${name}", got nothing. Add it.`)
}

export function oneOf(...words: readonly string[]): OptionRule {
  return { expected: `one of ${words.join(', ')}`, is: (value) => words.includes(value as string) }
}

/** A whole number; `Infinity` stands for no limit. */
export function atLeast(least: number): OptionRule {
  const is = (value: unknown) =>
    value === Infinity || (Number.isSafeInteger(value) && (value as number) >= least)
  return { expected: `a whole number from ${least}`, is }
}

export function having(expected: string, ...methods: readonly string[]): OptionRule {
  const is = (value: unknown) =>
    isObject(value) && methods.every((name) => typeof value[name] === 'function')
  return { expected, is }
}

export function listOf(each: OptionRule): OptionRule {
  // Spread, so that a hole is looked at too.
  const is = (value: unknown) =>
    Array.isArray(value) && [...(value as unknown[])].every((one) => each.is(one))
  return { expected: `a list, each ${each.expected}`, is }
}

export function either(...rules: readonly OptionRule[]): OptionRule {
  const expected = rules.map((rule) => rule.expected).join(' or ')
  return { expected, is: (value) => rules.some((rule) => rule.is(value)) }
}

export const anything: OptionRule = { expected: 'anything', is: () => true }
export const anObject: OptionRule = { expected: 'an object', is: isObject }
export const aText: OptionRule = {
  expected: 'a text',
  is: (value) => typeof value === 'string' && value !== '',
}
export const aBoolean: OptionRule = {
  expected: 'true or false',
  is: (value) => typeof value === 'boolean',
}
export const aFunction: OptionRule = {
  expected: 'a function',
  is: (value) => typeof value === 'function',
}
export const aChild: OptionRule = {
  expected: 'made by actor(), agent(), supervisor() or pool()',
  is: (value) => isObject(value) && ['actor', 'supervisor', 'pool'].includes(value.kind as string),
}

/** What came instead, in a few words; never throws. */
export function invalid(expectation: string, got: unknown): AmbitError {
  return new AmbitError('AMBIT_SPEC_INVALID', `${expectation}, got ${nameOf(got)}. Mend it.`)
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return `"${value.slice(0, 100)}"`
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'function' || isObject(value)) return `a value of type ${typeof value}`
  return String(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
