import fc from 'fast-check'
import { z } from 'zod'
import type { Schema } from './definition.ts'
import { fromZod, type FromZodOptions } from './from-zod.ts'
import { placesIn, valueAt, withValueAt, type ValuePath } from './places.ts'
import { edgesOf, type Edge } from './schema-edges.ts'
import { variantsOf, type Variant } from './variants.ts'

/** A value that is wrong, or strange, in one place. A failing property prints its label and path, not the value. */
export interface HostileValue {
  /** What is strange: `a text instead of a number`, `an own key "__proto__"`, `11 long`. */
  readonly label: string
  /** Where, such as `order.lines.0.price`; empty at the root. */
  readonly path: string
  readonly value: unknown
}

export interface Hostile extends HostileValue {
  /** `invalid`: the schema refuses it, or fails on it; `maybe`: strange, but the schema lets it pass. */
  readonly verdict: 'invalid' | 'maybe'
}

/** Which place, and which of the ways to spoil it. */
const CHOICES_MAX = 10_000

/**
 * Near misses of a zod schema: valid values, each spoiled in one place. Of another kind, null for an object, a list for
 * an object, a number as text, just outside a bound, a key too few or too many, own keys such as `__proto__`, lone
 * surrogates, -0, NaN, Infinity, 2^53 + 1, texts of 100 kB, nesting of 2,000 levels. Throws as `fromZod` does.
 */
export function hostile(schema: Schema, options: FromZodOptions = {}): fc.Arbitrary<Hostile> {
  const edges = edgesOf(schema)
  return spoiled(fromZod(schema, options), edges).map((found) =>
    quiet({ ...found, verdict: accepts(schema, found.value) ? 'maybe' : 'invalid' }),
  )
}

/** Any JSON spoiled in the same ways: for what takes a value and has no schema. */
export function hostileJson(): fc.Arbitrary<HostileValue> {
  return spoiled(fromZod(z.json()), []).map(quiet)
}

function spoiled(values: fc.Arbitrary<unknown>, edges: readonly Edge[]) {
  const choice = fc.nat({ max: CHOICES_MAX })
  return fc.tuple(values, choice, choice).map(([value, place, way]): HostileValue => {
    const path = pick(placesIn(value), place)
    const { label, make } = pick(waysToSpoil(valueAt(value, path), path, edges), way)
    return { label, path: path.join('.'), value: withValueAt(value, path, make()) }
  })
}

function waysToSpoil(value: unknown, path: ValuePath, edges: readonly Edge[]): readonly Variant[] {
  const near = edges
    .filter((edge) => isAt(edge, path))
    .flatMap(({ label, make }): Variant[] => {
      const made = make(value)
      return made === undefined ? [] : [{ label, make: () => made }]
    })
  return [...near, ...variantsOf(value)]
}

function isAt({ path }: Edge, place: ValuePath): boolean {
  return (
    path.length === place.length &&
    path.every((step, i) => step === '*' || step === String(place[i]))
  )
}

function pick<Item>(items: readonly Item[], choice: number): Item {
  return items[choice % items.length] as Item
}

function accepts(schema: Schema, value: unknown): boolean {
  try {
    return z.safeParse(schema, value).success
  } catch {
    // Nesting may be too deep for zod as well.
    return false
  }
}

/** A report with 100 kB or 2,000 levels in it helps nobody. */
function quiet<Found extends HostileValue>(found: Found): Found {
  const text = `${found.label} at "${found.path}"`
  return Object.defineProperty(found, fc.toStringMethod, { value: () => text })
}
