import { valueKind } from './variants.ts'

export type ValuePath = readonly (string | number)[]

/** Places of one value that are looked at. */
const PLACES_MAX = 500

/** Every place in a JSON value, the root first. */
export function placesIn(value: unknown): readonly ValuePath[] {
  const places: ValuePath[] = [[]]
  for (let i = 0; i < places.length && places.length < PLACES_MAX; i++) {
    const path = places[i] ?? []
    for (const key of keysOf(valueAt(value, path))) places.push([...path, key])
  }
  return places
}

export function valueAt(value: unknown, path: ValuePath): unknown {
  return path.reduce((at, key) => (at as Record<string | number, unknown>)[key], value)
}

/** A copy that has something else in one place. */
export function withValueAt(value: unknown, path: ValuePath, next: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return next
  const inner = withValueAt(valueAt(value, [key]), rest, next)
  if (Array.isArray(value)) return value.with(Number(key), inner)
  return { ...(value as object), [key]: inner }
}

/** Of a list and an object; maps, sets and dates are no JSON and stay whole. */
function keysOf(value: unknown): readonly (string | number)[] {
  if (Array.isArray(value)) return [...value.keys()]
  return valueKind(value) === 'object' ? Object.keys(value as object) : []
}
