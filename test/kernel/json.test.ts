import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assertJson,
  findNonJson,
  isNestedDeeperThan,
  JSON_DEPTH_MAX,
} from '../../src/kernel/json.ts'
import { refusal } from '../support/refusal.ts'
import { refutes } from '../support/refutes.ts'

const cyclic: { self?: unknown } = {}
cyclic.self = { back: cyclic }

const deep = (levels: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value }
  return value
}

class Order {
  readonly id = 'o-1'
}

describe('what is not JSON', () => {
  const table: [string, unknown, string][] = [
    ['NaN', { n: Number.NaN }, 'context.n is NaN'],
    ['infinity', { n: [1, Infinity] }, 'context.n[1] is Infinity'],
    ['a function', { f: () => 1 }, 'context.f is a function'],
    ['a symbol', { s: Symbol('x') }, 'context.s is a symbol'],
    ['a bigint', { b: 10n }, 'context.b is a bigint'],
    ['a date', { order: { at: new Date(0) } }, 'context.order.at is a Date'],
    ['a map', { m: new Map() }, 'context.m is a Map'],
    ['a set', { m: new Set() }, 'context.m is a Set'],
    ['a class instance', { o: new Order() }, 'context.o is a Order'],
    ['a promise', { p: Promise.resolve() }, 'context.p is a Promise'],
    ['bytes', { b: new Uint8Array(1) }, 'context.b is a Uint8Array'],
    ['undefined in a list', { list: [1, undefined] }, 'context.list[1] is undefined'],
    ['a hole in a list', { list: new Array(1) }, 'context.list[0] is undefined'],
    ['something deep inside', { a: [{ b: [() => 1] }] }, 'context.a[0].b[0] is a function'],
    ['a toJSON method', { toJSON: () => 1 }, 'context.toJSON is a function'],
  ]

  test.each(table)('T13 %s is refused with its path', (_, value, finding) => {
    expect(findNonJson(value, 'context')).toBe(finding)
  })

  test('T13 a cycle is refused as nested too deep, not followed for ever', () => {
    expect(findNonJson(cyclic, 'context')).toMatch(/^context\.self.* is nested deeper than 64/)
  })

  test('T13 64 levels are taken and 65 are refused', () => {
    expect(JSON_DEPTH_MAX).toBe(64)
    expect(findNonJson(deep(64), 'context')).toBeUndefined()
    expect(findNonJson(deep(65), 'context')).toContain('nested deeper than 64 levels')
  })

  test('T13 the refusal names the path and what to do', () => {
    const { code, message } = refusal(() => assertJson({ order: { at: new Date(0) } }, 'context'))
    expect(code).toBe('AMBIT_CONTEXT_NOT_JSON')
    expect(message).toContain('context.order.at is a Date')
    expect(message).toContain('store a string, number, list or plain object')
  })
})

describe('what is JSON', () => {
  test.each([
    ['null', null],
    ['undefined in an object, which is left out', { a: undefined }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['a key called __proto__', JSON.parse('{"__proto__":{"a":1}}') as unknown],
    ['a key called constructor', { constructor: 1, hasOwnProperty: 2 }],
    ['empty lists and objects', { a: [], b: {} }],
  ])('T13 %s is taken', (_, value) => {
    expect(findNonJson(value, 'context')).toBeUndefined()
  })

  const comesBackTheSame = (isJson: (value: unknown) => boolean) =>
    fc.property(fc.anything({ withDate: true, withMap: true, withSparseArray: true }), (value) => {
      if (!isJson(value)) return
      expect(JSON.parse(JSON.stringify({ value }))).toEqual(normal({ value }))
    })

  test('T13 whatever is taken comes back from its text as it was', () => {
    fc.assert(comesBackTheSame((value) => findNonJson(value, 'x') === undefined))
  })

  test('T13 the round-trip property refutes a check that lets dates and NaN pass', () => {
    const lax = (value: unknown) => typeof value !== 'function' && typeof value !== 'bigint'
    expect(refutes(comesBackTheSame(lax))).toBe(true)
  })

  test('T13 all that JSON can write is taken', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (v) => findNonJson(v, 'x') === undefined))
  })
})

describe('depth of a text', () => {
  test.each([
    ['[]', 1],
    ['[[]]', 2],
    ['{"a":[{"b":1}]}', 3],
    ['"[[[["', 0],
    ['{"[":"]{","\\"[":1}', 1],
    ['["\\\\",[1]]', 2],
    ['[],[],[]', 1],
  ])('T8 %s nests %i deep', (text, levels) => {
    expect(isNestedDeeperThan(text, levels)).toBe(false)
    if (levels > 0) expect(isNestedDeeperThan(text, levels - 1)).toBe(true)
  })

  test('T8 a text of a million brackets is measured without recursion', () => {
    expect(isNestedDeeperThan('['.repeat(1_000_000), 999_999)).toBe(true)
    expect(isNestedDeeperThan('['.repeat(1_000_000), 1_000_000)).toBe(false)
  })

  const agrees = (measure: typeof isNestedDeeperThan) =>
    fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: awkward }), fc.nat(8), (value, max) => {
      expect(measure(JSON.stringify(value), max)).toBe(depthOf(value) > max)
    })

  test('T8 the depth of any JSON text is the depth of its value', () => {
    fc.assert(agrees(isNestedDeeperThan))
  })

  test('T8 the depth property refutes a count that ignores strings', () => {
    const naive = (text: string, max: number) => {
      let depth = 0
      return Array.from(text).some((char) => {
        if (char === '[' || char === '{') depth++
        if (char === ']' || char === '}') depth--
        return depth > max
      })
    }
    expect(refutes(agrees(naive))).toBe(true)
  })
})

const awkward = fc.constantFrom('[', ']', '{', '}', '"', '\\', 'a')

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

/** What JSON keeps of a value: no undefined fields, no sign of nought, no prototypes. */
function normal(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(kept.map(([key, each]) => [key, normal(each)]))
}
