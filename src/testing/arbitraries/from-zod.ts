import fc from 'fast-check'
import { z } from 'zod'
import { AmbitError } from '../../kernel/errors.ts'
import { checksOf, defOf, type Kind, type Schema } from './definition.ts'
import { impossible, leaf, whole, type Make, type Maker, type Option, type Place } from './maker.ts'
import { tried, TRIES_MAX } from './tried.ts'
import { makeArray, makeMap, makeObject, makeRecord, makeSet, makeTuple } from './zod-container.ts'
import { makeBigInt, makeDate, makeNumber } from './zod-number.ts'
import { makeText, matching } from './zod-text.ts'
import {
  makeDefault,
  makeInner,
  makeIntersection,
  makeJson,
  makeNullable,
  makeOptional,
  makePipe,
  makeUnion,
} from './zod-wrapper.ts'

export interface FromZodOptions {
  /**
   * What to use instead in some places, by path: `order.total`, `lines.*.price`, `pair.0`, `names.@key` for the keys
   * of a record or a map; `''` is the root.
   */
  readonly at?: Readonly<Record<string, fc.Arbitrary<unknown>>>
  /** How deep a recursive schema goes, in choices: an optional, a union and a list are one each. Default 4. */
  readonly depthMax?: number
}

const DEPTH_MAX = 4

/**
 * Values that a zod 4 schema accepts, made from its definition: what may be sent, so of a pipe the input. They shrink.
 *
 * Refinements filter, and a text that is refined or transformed is now and then an amount, a currency, a duration or a
 * time zone, so that `money()` works as it is. Functions, files, symbols, promises and instances of classes need an
 * override. Throws `AMBIT_ARBITRARY_IMPOSSIBLE`, naming the path, when nothing can be made, when 1,000 values in a row
 * are refused, and when an override's path is nowhere in the schema.
 *
 * @example
 * fromZod(z.object({ id: z.uuid(), amount: money() }), { at: { id: fc.constant(knownId) } })
 */
export function fromZod<S extends Schema>(
  schema: S,
  options: FromZodOptions = {},
): fc.Arbitrary<z.input<S>> {
  const { at = {}, depthMax = DEPTH_MAX } = options
  const walk: Walk = {
    at: new Map(Object.entries(at)),
    found: new Set(),
    depth: {
      depthIdentifier: fc.createDepthIdentifier(),
      depthSize: 'small',
      maxDepth: depthMax,
    },
  }
  const { arbitrary } = make(walk, { schema, path: '', open: new Map(), isFiltered: false })
  checkOverrides(walk)
  return arbitrary as fc.Arbitrary<z.input<S>>
}

/** What all places of one schema share. */
interface Walk {
  readonly at: ReadonlyMap<string, fc.Arbitrary<unknown>>
  readonly found: Set<string>
  /** Counts the choices that a recursion has made. */
  readonly depth: fc.OneOfConstraints
}

interface Spot {
  readonly schema: Schema
  readonly path: string
  /** The schemas around it that may recur, each with what makes it again. */
  readonly open: ReadonlyMap<Schema, fc.Arbitrary<unknown>>
  readonly isFiltered: boolean
}

const makers: { readonly [K in Kind]?: Make<K> } = {
  string: (_def, place) => makeText(place),
  number: (_def, place) => makeNumber(place),
  bigint: (_def, place) => makeBigInt(place),
  date: (_def, place) => makeDate(place),
  boolean: () => leaf(fc.boolean()),
  null: () => leaf(fc.constant(null)),
  undefined: () => leaf(fc.constant(undefined)),
  void: () => leaf(fc.constant(undefined)),
  nan: () => leaf(fc.constant(NaN)),
  literal: ({ values }) => leaf(fc.constantFrom(...values)),
  enum: (_def, { schema }) => leaf(fc.constantFrom(...(schema._zod.values ?? []))),
  template_literal: (_def, { schema }) => leaf(matching(schema._zod.pattern ?? /^$/)),
  object: makeObject,
  record: makeRecord,
  array: makeArray,
  tuple: makeTuple,
  map: makeMap,
  set: makeSet,
  union: makeUnion,
  intersection: makeIntersection,
  optional: makeOptional,
  nullable: makeNullable,
  default: makeDefault,
  prefault: makeDefault,
  nonoptional: makeInner,
  readonly: makeInner,
  catch: makeInner,
  success: makeInner,
  lazy: (_def, place) => place.make((place.schema as z.core.$ZodLazy)._zod.innerType),
  pipe: makePipe,
  transform: makeJson,
  custom: makeJson,
  any: makeJson,
  unknown: makeJson,
}

/** What accepts less than what is made for it. */
const filtered: ReadonlySet<Kind> = new Set<Kind>([
  'custom',
  'intersection',
  'nonoptional',
  'pipe',
  'template_literal',
  'transform',
])

function make(walk: Walk, spot: Spot): Maker {
  const { schema, path, open } = spot
  const place = placeOf(walk, spot)
  const override = walk.at.get(path)
  if (override !== undefined) {
    walk.found.add(path)
    return leaf(accepted(place, override))
  }
  const again = open.get(schema)
  if (again !== undefined) return { arbitrary: again, ends: false, loops: new Set([schema]) }
  const { type } = defOf(schema)
  // Every recursion passes through one of these.
  return type === 'object' || type === 'lazy' ? makeLoop(walk, spot) : makeKind(place)
}

function makeLoop(walk: Walk, spot: Spot): Maker {
  const { schema, open } = spot
  let maker: Maker = leaf(fc.constant(undefined))
  const { self } = fc.letrec<{ self: unknown }>((tie) => {
    const within = new Map([...open, [schema, tie('self')]])
    maker = makeKind(placeOf(walk, { ...spot, open: within }))
    return { self: maker.arbitrary }
  })
  const loops = new Set(maker.loops)
  const recurs = loops.delete(schema)
  if (recurs && !maker.ends && loops.size === 0) {
    throw impossible(placeOf(walk, spot), 'it contains itself without an end')
  }
  return { arbitrary: self, ends: maker.ends, loops }
}

function makeKind(place: Place): Maker {
  const def = defOf(place.schema)
  const found = makers[def.type] as Make<Kind> | undefined
  if (found === undefined) throw impossible(place, 'there is no general way to make one')
  const maker = attempt(place, () => found(def, place))
  const isExclusive = def.type === 'union' && def.inclusive === false
  if (place.checks.length === 0 && !isExclusive && !filtered.has(def.type)) return maker
  return { ...maker, arbitrary: accepted(place, maker.arbitrary) }
}

/** What fast-check cannot make, such as a list with a minimum over its maximum, it says without the place. */
function attempt(place: Place, run: () => Maker): Maker {
  try {
    return run()
  } catch (error) {
    if (error instanceof AmbitError) throw error
    throw impossible(place, messageOf(error), error)
  }
}

function placeOf(walk: Walk, spot: Spot): Place {
  const { schema, path, isFiltered } = spot
  const inPlace = (next: Schema, isInput = isFiltered) =>
    make(walk, { ...spot, schema: next, isFiltered: isInput })
  return {
    path,
    schema,
    isFiltered,
    checks: checksOf(schema),
    make: (next) => inPlace(next),
    makeInput: (next) => inPlace(next, true),
    makePart: (next, step) =>
      make(walk, {
        ...spot,
        schema: next,
        path: path === '' ? step : `${path}.${step}`,
        isFiltered: false,
      }),
    choose: (options) => choose(walk, options),
  }
}

function choose({ depth }: Walk, options: readonly Option[]): Maker {
  const inOrder = options.toSorted((one, other) => +other.maker.ends - +one.maker.ends)
  const parts = inOrder.map(({ maker }) => maker)
  const { arbitrary: _, loops } = whole(fc.constant(undefined), parts)
  const arbitrary = fc.oneof(
    { withCrossShrink: true, ...(loops.size > 0 && depth) },
    ...inOrder.map(({ maker, weight = 1 }) => ({ arbitrary: maker.arbitrary, weight })),
  )
  return { arbitrary, ends: parts.some(({ ends }) => ends), loops }
}

function accepted(place: Place, arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  let refusal = ''
  const passes = (value: unknown): boolean => {
    try {
      const { success, error } = z.safeParse(place.schema, value)
      refusal = error?.issues[0]?.message ?? ''
      return success
    } catch (error) {
      // A transform that throws refuses as well; an asynchronous check always does.
      refusal = messageOf(error)
      return false
    }
  }
  return tried(arbitrary, passes, () =>
    impossible(place, `${TRIES_MAX} values in a row were refused, the last with "${refusal}"`),
  )
}

function checkOverrides({ at, found }: Walk): void {
  const unknown = [...at.keys()].filter((path) => !found.has(path))
  if (unknown.length === 0) return
  throw new AmbitError(
    'AMBIT_ARBITRARY_IMPOSSIBLE',
    `fromZod has an override for "${unknown.join('", "')}", where the schema has nothing. ` +
      'Write a path such as "order.total", "lines.*.price" or "pair.0".',
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
