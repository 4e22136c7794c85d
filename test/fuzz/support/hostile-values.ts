import fc from 'fast-check'
import type { Json } from 'ambit'
import { boom, cycle, refused, revoked } from '../../support/hostile.ts'

/** How a value is made: anew for each use, because some change while they are read. */
export interface Recipe {
  readonly name: string
  readonly make: () => unknown
}

const texts = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\u202e',
  '*',
  '.',
  '..',
  '/',
  '__proto__',
  'constructor',
  'toString',
  'prototype',
  'then',
  'xstate.init',
  'xstate.done.actor.x',
  'ambit.start',
  '{}',
  '%s%n',
  '../../etc/passwd',
  "'; DROP TABLE turn; --",
  '<script>',
  'null',
  '1e400',
  'x'.repeat(10_000),
] as const

/** Texts that have a meaning somewhere, and texts that have none. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom<string>(...texts),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

/** Scalars as JSON can bring them. */
export const hostileJsonScalar: fc.Arbitrary<string | number | boolean | null> = fc.oneof(
  hostileText,
  fc.constantFrom(0, -0, -1, 0.1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 5e-324),
  fc.integer(),
  fc.constantFrom(true, false, null),
)

/** JSON with anything in it. */
export const hostileJson: fc.Arbitrary<Json> = fc.oneof(
  hostileJsonScalar,
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }) as fc.Arbitrary<Json>,
  fc.dictionary(hostileText, hostileJsonScalar),
  fc.integer({ min: 20, max: 70 }).map((depth) => nested(depth)),
)

/** So many lists in lists. */
export function nested(depth: number): Json {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as Json
}

/** Values that no JSON has. */
const strange: readonly Recipe[] = [
  ['undefined', () => undefined],
  ['NaN', () => NaN],
  ['Infinity', () => Infinity],
  ['a bigint', () => 1n],
  ['a symbol', () => Symbol('x')],
  ['a function', () => () => 1],
  ['an async function', () => async () => 1],
  ['a date', () => new Date(0)],
  ['a regex', () => /x/],
  ['a map', () => new Map([['type', 'note']])],
  ['a set', () => new Set([1])],
  ['a promise', () => Promise.resolve(1)],
  ['an error', () => new Error('note')],
  ['bytes', () => new Uint8Array(4)],
  ['a boxed text', () => Object('note') as unknown],
  ['a revoked proxy', () => revoked()],
  ['a cycle', () => cycle()],
  ['a throwing getter', () => Object.defineProperty({}, 'x', { enumerable: true, get: boom })],
  ['a throwing proxy', () => new Proxy({}, { get: boom, ownKeys: boom, getPrototypeOf: boom })],
  ['a throwing text', () => ({ toString: boom, [Symbol.toPrimitive]: boom, toJSON: boom })],
  ['own __proto__', () => JSON.parse('{"__proto__":{"polluted":true}}') as unknown],
  ['own constructor', () => JSON.parse('{"constructor":{"prototype":{"polluted":1}}}') as unknown],
  ['10,000 deep', () => nested(10_000)],
  ['a sparse list', () => Array<unknown>(3)],
  ['a long list', () => Array.from({ length: 50_000 }, () => 0)],
  ['endless children', () => endless()],
].map(([name, make]) => ({ name, make }) as Recipe)

/** Every look into it finds ten more of its kind. */
function endless(): object {
  const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
  const descriptor = { enumerable: true, configurable: true, writable: true }
  return new Proxy(
    {},
    {
      ownKeys: () => keys,
      getOwnPropertyDescriptor: () => ({ ...descriptor, value: 1 }),
      get: (_, key) => (typeof key === 'string' && key.startsWith('k') ? endless() : undefined),
    },
  )
}

const plain: fc.Arbitrary<Recipe> = fc
  .oneof(hostileJsonScalar, fc.anything({ withNullPrototype: true, withSparseArray: true }))
  .map((value) => ({ name: 'plain', make: () => structuredCloneOr(value) }))

/** Any value at all. */
export const hostileValue: fc.Arbitrary<Recipe> = fc.oneof(
  plain,
  fc.constantFrom(...strange),
  fc.constantFrom(...refused.map(([name, make]): Recipe => ({ name, make }))),
)

/** Any value that does not throw when it is looked at: what a program writes down by mistake. */
export const readableValue: fc.Arbitrary<Recipe> = fc.oneof(
  plain,
  fc.constantFrom(...strange.filter(({ make }) => isReadable(make))),
)

function isReadable(make: () => unknown): boolean {
  try {
    const value = make()
    return typeof value !== 'object' || JSON.stringify(Object.entries(value ?? {})) !== ''
  } catch {
    return false
  }
}

const eventTypes = ['note', 'note', 'get', 'echo', ...texts] as const

/** An event with anything in it, or anything in place of an event. */
export const hostileEvent: fc.Arbitrary<Recipe> = fc.oneof(
  { weight: 1, arbitrary: hostileValue },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...eventTypes), fc.dictionary(hostileText, hostileValue))
      .map(([type, fields]): Recipe => ({ name: type, make: () => eventOf(type, fields) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('type', 'what'), hostileValue, hostileValue, fc.nat(6))
      .map(([key, first, then, reads]): Recipe => {
        const make = () => turning(key, first.make(), then.make(), reads)
        return { name: `${key} turns after ${reads} reads`, make }
      }),
  },
)

function eventOf(type: string, fields: Readonly<Record<string, Recipe>>): object {
  const event: object = { type }
  for (const [key, { make }] of Object.entries(fields)) {
    if (key === 'type') continue
    Object.defineProperty(event, key, { value: make(), enumerable: true, configurable: true })
  }
  return event
}

/** Answers one value at the first reads and another ever after. */
function turning(key: string, first: unknown, then: unknown, reads: number): object {
  let left = reads
  const get = () => (left-- > 0 ? first : then)
  return Object.defineProperty({ type: 'note' }, key, { enumerable: true, get })
}

/** What may be copied is, so that one use cannot change the next. */
function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value
  }
}

const untouched = [Object, Array, Function, String].map((made) => [
  made.prototype as object,
  Reflect.ownKeys(made.prototype as object).length,
]) as [object, number][]

/** Whether nothing was added to what all objects inherit. */
export function isPrototypeClean(): boolean {
  return (
    untouched.every(([prototype, keys]) => Reflect.ownKeys(prototype).length === keys) &&
    ({} as { polluted?: unknown }).polluted === undefined
  )
}
