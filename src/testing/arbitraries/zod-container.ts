import fc from 'fast-check'
import { z } from 'zod'
import { kindOf, type Schema } from './definition.ts'
import { leaf, whole, type Make, type Maker, type Option, type Place } from './maker.ts'
import { lengthsOf } from './zod-text.ts'

const EXTRA_KEYS_MAX = 2
const absent: Option = { maker: leaf(fc.constant(undefined)) }

/** A key that may be missing is missing now and then; it is never there with `undefined`, which is no JSON. */
export const makeObject: Make<'object'> = ({ shape, catchall }, place) => {
  // Zod takes no notice of this key.
  const fields = Object.entries(shape).filter(([key]) => key !== '__proto__')
  const optional = new Set(fields.filter(([, field]) => mayBeAbsent(field)).map(([key]) => key))
  const parts = fields.map(([key, field]) => {
    const maker = place.makePart(field, key)
    return [key, optional.has(key) ? place.choose([absent, { maker, weight: 2 }]) : maker] as const
  })
  const known = recordOf(parts).map((value) => withoutAbsent(value, optional))
  const makers = parts.map(([, maker]) => maker)
  if (catchall === undefined || kindOf(catchall) === 'never') return whole(known, makers)
  const others = place.choose([
    { maker: leaf(fc.constant({})) },
    { maker: extras(place.makePart(catchall, '*'), new Set(Object.keys(shape))) },
  ])
  const both = fc.tuple(others.arbitrary, known)
  return whole(
    both.map(([other, own]) => ({ ...(other as object), ...own })),
    [...makers, others],
  )
}

export const makeRecord: Make<'record'> = ({ keyType, valueType, partial }, place) => {
  const value = place.makePart(valueType, '*')
  const { values } = keyType._zod
  if (values !== undefined && partial !== true) {
    return whole(recordOf([...values].map((key) => [String(key), value])), [value])
  }
  const keys = place
    .makePart(keyType, '@key')
    .arbitrary.map(String)
    .filter((key) => key !== '__proto__')
  return collection(place, [value], (size) =>
    fc.dictionary(keys, value.arbitrary, { noNullPrototype: true, maxKeys: size.max }),
  )
}

export const makeArray: Make<'array'> = ({ element }, place) => {
  const item = place.makePart(element, '*')
  return collection(place, [item], ({ min, max }) =>
    fc.array(item.arbitrary, { minLength: min, maxLength: max }),
  )
}

export const makeSet: Make<'set'> = ({ valueType }, place) => {
  const item = place.makePart(valueType, '*')
  return collection(place, [item], ({ min, max }) =>
    fc.set(item.arbitrary, { minLength: min, maxLength: max }),
  )
}

export const makeMap: Make<'map'> = ({ keyType, valueType }, place) => {
  const parts = [place.makePart(keyType, '@key'), place.makePart(valueType, '*')] as const
  return collection(place, parts, ({ min, max }) =>
    fc.map(parts[0].arbitrary, parts[1].arbitrary, { minKeys: min, maxKeys: max }),
  )
}

export const makeTuple: Make<'tuple'> = ({ items, rest }, place) => {
  const makers = items.map((item, i) => place.makePart(item, String(i)))
  const fixed = fc.tuple(...makers.map(({ arbitrary }) => arbitrary))
  const lengthMin = 1 + items.findLastIndex((item) => !accepts(z.tuple([item as z.ZodType]), []))
  if (rest === null)
    return whole(
      fixed.map((all) => withoutLast(all, lengthMin)),
      makers,
    )
  const tail = place.makePart(rest, '*')
  const others = collection(place, [tail], ({ max }) =>
    fc.array(tail.arbitrary, { maxLength: max }),
  )
  const both = fc.tuple(fixed, others.arbitrary)
  return whole(
    both.map(([first, last]) => withoutLast([...first, ...(last as unknown[])], lengthMin)),
    [...makers, others],
  )
}

function mayBeAbsent(field: Schema): boolean {
  return accepts(z.object({ field }), {})
}

/** What may be left out only zod knows: a default, a catch, an exact optional and a pipe each have their own rule. */
function accepts(schema: Schema, value: unknown): boolean {
  try {
    return z.safeParse(schema, value, { jitless: true }).success
  } catch {
    return false
  }
}

function recordOf(fields: readonly (readonly [string, Maker])[]) {
  const parts = fields.map(([key, { arbitrary }]) => [key, arbitrary] as const)
  return fc.record(Object.fromEntries(parts), { noNullPrototype: true })
}

function withoutAbsent(value: Readonly<Record<string, unknown>>, optional: ReadonlySet<string>) {
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.filter(([key, part]) => part !== undefined || !optional.has(key)),
  )
}

function extras(value: Maker, taken: ReadonlySet<string>): Maker {
  const keys = fc
    .string({ minLength: 1, maxLength: 8 })
    .filter((key) => !taken.has(key) && key !== '__proto__')
  const limits = { minKeys: 1, maxKeys: EXTRA_KEYS_MAX, noNullPrototype: true }
  return whole(fc.dictionary(keys, value.arbitrary, limits), [value])
}

interface Size {
  readonly min: number
  readonly max: number | undefined
}

/** Many of the same. If that is where a schema recurs, none of them is a choice of its own, which ends it. */
function collection(
  place: Place,
  parts: readonly Maker[],
  make: (size: Size) => fc.Arbitrary<unknown>,
): Maker {
  const size = lengthsOf(place.checks)
  const some = whole(make(size), parts)
  if (size.min > 0) return some
  if (some.loops.size === 0) return leaf(some.arbitrary)
  const none = leaf(make({ min: 0, max: 0 }))
  return place.choose([{ maker: none }, { maker: some, weight: 2 }])
}

/** An item that may be left out is left out where it can be: JSON has no `undefined` in a list. */
function withoutLast(items: readonly unknown[], lengthMin: number): unknown[] {
  const length = 1 + items.findLastIndex((item) => item !== undefined)
  return items.slice(0, Math.max(length, lengthMin))
}
