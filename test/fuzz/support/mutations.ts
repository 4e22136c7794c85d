import fc from 'fast-check'
import { hostileJsonScalar, hostileText } from './hostile-values.ts'

/** One change at a place of a JSON value: `at` picks the place, so that it means something for any value. */
export interface Mutation {
  readonly at: number
  readonly kind: 'delete' | 'replace' | 'wrap' | 'duplicate' | 'insert' | 'rename'
  readonly key: string
  readonly value: unknown
}

type Container = Record<string, unknown> | unknown[]

interface Place {
  readonly holder: Container
  readonly key: string
  readonly path: readonly string[]
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('delete', 'replace', 'replace', 'wrap', 'duplicate', 'insert', 'rename'),
  key: hostileText,
  value: fc.oneof(hostileText, hostileJsonScalar, fc.jsonValue({ maxDepth: 3 })),
})

/** A changed copy, and where it was changed. */
export function mutate(
  original: unknown,
  mutations: readonly Mutation[],
): { readonly value: unknown; readonly paths: readonly (readonly string[])[] } {
  const root: Container = { value: structuredClone(original) }
  const paths: (readonly string[])[] = []
  for (const each of mutations) {
    const places = placesIn(root.value, root, 'value', [])
    const place = places[each.at % places.length]
    if (place === undefined) break
    paths.push(apply(place, each))
  }
  return { value: root.value, paths }
}

function apply({ holder, key, path }: Place, { kind, key: other, value }: Mutation): string[] {
  const given = structuredClone(value)
  const old = (holder as Record<string, unknown>)[key]
  switch (kind) {
    case 'delete':
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else Reflect.deleteProperty(holder, key)
      return [...path]
    case 'replace':
      set(holder, key, given)
      return [...path]
    case 'wrap':
      set(holder, key, typeof old === 'object' ? [old] : { [key]: old })
      return [...path]
    case 'duplicate':
      if (Array.isArray(holder)) holder.push(structuredClone(old))
      else set(holder, other, structuredClone(old))
      return beside(path, other)
    case 'insert':
      if (typeof old !== 'object' || old === null) return insertInto(holder, other, given, path)
      return insertInto(old as Container, other, given, [...path, ''])
    case 'rename':
      if (Array.isArray(holder)) holder.reverse()
      else {
        Reflect.deleteProperty(holder, key)
        set(holder, other, old)
      }
      return beside(path, other)
  }
}

function insertInto(
  holder: Container,
  key: string,
  value: unknown,
  path: readonly string[],
): string[] {
  if (Array.isArray(holder)) holder.unshift(value)
  else set(holder, key, value)
  return beside(path, key)
}

/** Beside the whole value there is nothing. */
function beside(path: readonly string[], key: string): string[] {
  return path.length === 0 ? [] : [...path.slice(0, -1), key]
}

/** As `JSON.parse` does it: a key of any name is data. */
function set(holder: Container, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

function placesIn(
  value: unknown,
  holder: Container,
  key: string,
  path: readonly string[],
): readonly Place[] {
  const here: Place = { holder, key, path }
  if (typeof value !== 'object' || value === null) return [here]
  const inner = Object.keys(value).flatMap((name) =>
    placesIn((value as Record<string, unknown>)[name], value as Container, name, [...path, name]),
  )
  return [here, ...inner]
}
