/** Another value in the place of a value, and what is strange about it. */
export interface Variant {
  readonly label: string
  readonly make: () => unknown
}

export type ValueKind = 'null' | 'boolean' | 'number' | 'text' | 'list' | 'object' | 'other'

/** Characters of a huge text; about 100 kB. */
export const HUGE_LENGTH = 100_000
/** Levels of deep nesting. */
export const NESTING_LEVELS = 2_000
/** Items of a huge list. */
export const HUGE_ITEMS = 10_000

const samples: Readonly<Record<Exclude<ValueKind, 'other'>, () => unknown>> = {
  null: () => null,
  boolean: () => true,
  number: () => 1,
  text: () => 'text',
  list: () => [],
  object: () => ({}),
}

const articles: Readonly<Record<ValueKind, string>> = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  text: 'a text',
  list: 'a list',
  object: 'an object',
  other: 'a value',
}

const ownNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', 'toJSON']

export function valueKind(value: unknown): ValueKind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'text'
  if (typeof value === 'boolean' || typeof value === 'number') return typeof value as ValueKind
  return isPlainObject(value) ? 'object' : 'other'
}

/** Every way to spoil a value that needs no schema; of another kind first. */
export function variantsOf(value: unknown): readonly Variant[] {
  return [...replacements(value), ...changes(value), deep]
}

function replacements(value: unknown): readonly Variant[] {
  const kind = valueKind(value)
  const others = Object.entries(samples).filter(([other]) => other !== kind)
  const here = articles[kind]
  return [
    ...others.map(([other, make]) => ({
      label: `${articles[other as ValueKind]} instead of ${here}`,
      make,
    })),
    { label: `undefined instead of ${here}`, make: () => undefined },
    { label: `${here} in a list`, make: () => [value] },
    { label: `${here} in an object`, make: () => ({ value }) },
  ]
}

function changes(value: unknown): readonly Variant[] {
  if (typeof value === 'string') return textChanges(value)
  if (typeof value === 'number') return numberChanges(value)
  if (typeof value === 'boolean') return [{ label: 'a boolean as text', make: () => String(value) }]
  if (Array.isArray(value)) return listChanges(value)
  return valueKind(value) === 'object' ? objectChanges(value as Record<string, unknown>) : []
}

function textChanges(text: string): readonly Variant[] {
  return [
    { label: 'an empty text', make: () => '' },
    { label: 'a text of blanks', make: () => '  ' },
    { label: 'blanks around', make: () => ` ${text} ` },
    { label: 'a text of 100,000 characters', make: () => 'x'.repeat(HUGE_LENGTH) },
    { label: 'a lone high surrogate', make: () => `${text}\ud800` },
    { label: 'a lone low surrogate', make: () => `\udc00${text}` },
    { label: 'a NUL character', make: () => `${text}\u0000` },
    { label: 'a right-to-left mark', make: () => `\u202e${text}` },
    { label: 'the text "__proto__"', make: () => '__proto__' },
    { label: 'a numeric text', make: () => '1e3' },
  ]
}

function numberChanges(number: number): readonly Variant[] {
  return [
    { label: 'a number as text', make: () => String(number) },
    { label: 'the opposite number', make: () => -number },
    { label: 'a fraction more', make: () => number + 0.5 },
    { label: '-0', make: () => -0 },
    { label: 'NaN', make: () => NaN },
    { label: 'Infinity', make: () => Infinity },
    { label: '-Infinity', make: () => -Infinity },
    { label: '2^53 + 1, which becomes 2^53', make: () => 2 ** 53 + 1 },
    { label: 'the largest number', make: () => Number.MAX_VALUE },
  ]
}

function listChanges(list: readonly unknown[]): readonly Variant[] {
  const without = list.map((_, i) => ({
    label: `without item ${i}`,
    make: () => list.filter((_item, at) => at !== i),
  }))
  return [
    ...without,
    { label: 'one null more', make: () => [...list, null] },
    { label: '10,000 items', make: () => Array.from({ length: HUGE_ITEMS }, () => list[0] ?? 0) },
    { label: 'a list as an object', make: () => Object.assign({}, list) },
  ]
}

function objectChanges(object: Readonly<Record<string, unknown>>): readonly Variant[] {
  const without = Object.keys(object).map((key) => ({
    label: `without "${key}"`,
    make: () => Object.fromEntries(Object.entries(object).filter(([other]) => other !== key)),
  }))
  const withOwn = ownNames.map((name) => ({
    label: `an own key "${name}"`,
    make: () => withKey(object, name, { isAdmin: true }),
  }))
  return [
    ...without,
    { label: 'an extra key', make: () => withKey(object, 'extra', 1) },
    { label: 'an empty key', make: () => withKey(object, '', 1) },
    ...withOwn,
    { label: 'an object as its entries', make: () => Object.entries(object) },
  ]
}

function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const deep: Variant = {
  label: 'nested 2,000 levels deep',
  make: () => {
    let value: unknown = {}
    for (let level = 1; level < NESTING_LEVELS; level++) value = { value }
    return value
  },
}

/** Also for `__proto__`, which an assignment would take for the prototype. */
function withKey(object: object, key: string, value: unknown): object {
  return Object.defineProperty({ ...object }, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  })
}
