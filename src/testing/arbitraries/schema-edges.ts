import type { z } from 'zod'
import {
  checksOf,
  defOf,
  isWhole,
  numberFormats,
  type Check,
  type Def,
  type Schema,
} from './definition.ts'
import { HUGE_LENGTH } from './variants.ts'

/** A value just outside what a schema accepts in one place. */
export interface Edge {
  /** Keys and indices; `*` is any. */
  readonly path: readonly string[]
  readonly label: string
  /** `undefined` where it does not apply. */
  readonly make: (value: unknown) => unknown
}

type EdgeOf = Omit<Edge, 'path'>

/** The edges of every part of a schema. A recursive one is walked once. */
export function edgesOf(schema: Schema): readonly Edge[] {
  const edges: Edge[] = []
  const seen = new Set<Schema>()
  const visit = (at: Schema, path: readonly string[]): void => {
    if (seen.has(at)) return
    seen.add(at)
    const def = defOf(at)
    edges.push(...[...checksOf(at).flatMap(edgesOfCheck), ...edgesOfKind(def)].map(toEdge(path)))
    for (const [step, part] of partsOf(at, def)) visit(part, step === '' ? path : [...path, step])
    // The same schema may stand in two places, but not in itself.
    seen.delete(at)
  }
  visit(schema, [])
  return edges
}

const toEdge =
  (path: readonly string[]) =>
  (edge: EdgeOf): Edge => ({ ...edge, path })

/** A step that is empty stays in its place. */
function partsOf(schema: Schema, def: Def): readonly (readonly [string, Schema])[] {
  const parts: (readonly [string, Schema])[] = []
  if ('shape' in def) parts.push(...Object.entries(def.shape))
  if ('element' in def) parts.push(['*', def.element])
  if ('valueType' in def) parts.push(['*', def.valueType])
  if ('items' in def) parts.push(...def.items.map((item, i) => [String(i), item] as const))
  if ('options' in def) parts.push(...def.options.map((option) => ['', option] as const))
  if ('innerType' in def) parts.push(['', def.innerType])
  if ('left' in def) parts.push(['', def.left], ['', def.right])
  if ('in' in def) parts.push(['', def.in])
  if (def.type === 'lazy') parts.push(['', (schema as z.core.$ZodLazy)._zod.innerType])
  return parts
}

function edgesOfKind(def: Def): readonly EdgeOf[] {
  if (def.type !== 'enum' && def.type !== 'literal') return []
  return [
    { label: 'a text that is not among the options', make: (value) => `${String(value)}_` },
    { label: 'an option in another case', make: otherCase },
  ]
}

function edgesOfCheck(check: Check): readonly EdgeOf[] {
  switch (check.check) {
    case 'greater_than':
      return [beside(check.value, check.inclusive ? -1 : 0, 'under the minimum')]
    case 'less_than':
      return [beside(check.value, check.inclusive ? 1 : 0, 'over the maximum')]
    case 'multiple_of':
      return [beside(check.value, 0.5, 'between two multiples')]
    case 'min_length':
      return [ofLength(check.minimum - 1)]
    case 'max_length':
      return [ofLength(check.maximum + 1)]
    case 'length_equals':
      return [ofLength(check.length - 1), ofLength(check.length + 1)]
    case 'number_format':
      return numberEdges(check.format)
    case 'string_format':
      return [{ label: `not quite ${check.format}`, make: breakText }]
    case 'bigint_format':
    case 'custom':
    case 'max_size':
    case 'mime_type':
    case 'min_size':
    case 'overwrite':
    case 'property':
    case 'size_equals':
      return []
  }
}

function beside(bound: number | bigint | Date, by: number, label: string): EdgeOf {
  return {
    label,
    make: (value) => (typeof value === 'number' ? Number(bound) + by : undefined),
  }
}

function numberEdges(format: string): readonly EdgeOf[] {
  const bounds = numberFormats[format]
  if (bounds === undefined || !isWhole(format)) return []
  return [
    beside(bounds[0], -1, `one less than ${format} holds`),
    beside(bounds[1], 1, `one more than ${format} holds`),
  ]
}

/** Cut or filled to a length; a huge one is left to the variants. */
function ofLength(length: number): EdgeOf {
  return {
    label: `${length} long`,
    make: (value) => {
      if (length < 0 || length > HUGE_LENGTH) return undefined
      if (typeof value === 'string') return value.slice(0, length).padEnd(length, 'x')
      if (!Array.isArray(value)) return undefined
      return Array.from({ length }, (_, i) => (value as unknown[])[i] ?? (value as unknown[])[0])
    },
  }
}

function breakText(value: unknown): unknown {
  return typeof value === 'string' ? `${value.slice(0, -1)}\u00a0` : undefined
}

function otherCase(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  return value === value.toUpperCase() ? value.toLowerCase() : value.toUpperCase()
}
