import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isNestedDeeperThan } from '../../src/kernel/json.ts'
import { hostile, hostileJson } from '../../src/testing/arbitraries/index.ts'
import { randomSchemas, strictSchemas } from './random-schemas.ts'

const order = z.strictObject({
  id: z.string().min(2).max(10),
  amount: z.number().min(0).max(500),
  kind: z.enum(['refund', 'credit']),
  count: z.int32(),
  lines: z
    .array(z.strictObject({ sku: z.string().length(4) }))
    .min(1)
    .max(3),
  note: z.string().optional(),
})

const sampled = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns = 4000): readonly Value[] =>
  fc.sample(arbitrary, { numRuns, seed: 7 })

const found = sampled(hostile(order))
const labelsAt = (path: string) =>
  new Set(found.filter((each) => each.path === path).map(({ label }) => label))
const valuesOf = (label: string) => found.filter((each) => each.label === label)

describe('hostile', () => {
  test('Q7 a verdict is the word of the schema', () => {
    fc.assert(
      fc.property(randomSchemas, ({ schema }) => {
        for (const { value, verdict, label } of sampled(hostile(schema), 20)) {
          expect([label, accepts(schema, value)]).toEqual([label, verdict === 'maybe'])
        }
      }),
      { numRuns: 200 },
    )
  })

  test('Q7 a strict schema refuses whatever is of another kind in whatever place', () => {
    let seen = 0
    fc.assert(
      fc.property(strictSchemas, ({ schema }) => {
        for (const { label, verdict } of sampled(hostile(schema), 20)) {
          if (!/instead of (a|null)|in a list|in an object|extra key|own key/.test(label)) continue
          seen++
          expect([label, verdict]).toEqual([label, 'invalid'])
        }
      }),
      { numRuns: 200, seed: 1 },
    )
    expect(seen).toBeGreaterThan(1000)
  })

  test('Q7 what a schema does not forbid is a maybe', () => {
    const loose = sampled(hostile(z.looseObject({ n: z.number() })))
    const isKnown = ({ path }: { path: string }) => path === '' || path === 'n'
    const verdictOf = (label: string) =>
      new Set(loose.flatMap((each) => (each.label === label && isKnown(each) ? each.verdict : [])))
    expect(verdictOf('an extra key')).toEqual(new Set(['maybe']))
    expect(verdictOf('-0')).toEqual(new Set(['maybe']))
    expect(verdictOf('NaN')).toEqual(new Set(['invalid']))
  })
})

describe('ways to spoil a value', () => {
  test.each([
    ['', 'null instead of an object'],
    ['', 'a list instead of an object'],
    ['', 'without "amount"'],
    ['', 'an extra key'],
    ['', 'nested 2,000 levels deep'],
    ['id', '1 long'],
    ['id', '11 long'],
    ['id', 'a text of 100,000 characters'],
    ['id', 'a lone high surrogate'],
    ['amount', 'under the minimum'],
    ['amount', 'over the maximum'],
    ['amount', 'a number as text'],
    ['amount', '-0'],
    ['amount', 'NaN'],
    ['amount', 'Infinity'],
    ['amount', '2^53 + 1, which becomes 2^53'],
    ['kind', 'an option in another case'],
    ['count', 'one more than int32 holds'],
    ['count', 'a fraction more'],
    ['lines', '0 long'],
    ['lines', '4 long'],
    ['lines', 'without item 0'],
    ['lines.0', 'without "sku"'],
    ['lines.0.sku', '3 long'],
    ['lines.0.sku', '5 long'],
  ])('Q8 "%s" can be: %s', (path, label) => {
    expect(labelsAt(path)).toContain(label)
  })

  test('Q8 just outside a bound is one step outside', () => {
    expect(new Set(valuesOf('under the minimum').map(amountOf))).toEqual(new Set([-1]))
    expect(new Set(valuesOf('over the maximum').map(amountOf))).toEqual(new Set([501]))
    expect(valuesOf('4 long').every(({ verdict }) => verdict === 'invalid')).toBe(true)
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'Q8 an object can have a key "%s" of its own',
    (name) => {
      const [first] = valuesOf(`an own key "${name}"`).filter(({ path }) => path === '')
      expect(Object.hasOwn(first!.value as object, name)).toBe(true)
      expect(Object.getPrototypeOf(first!.value)).toBe(Object.prototype)
    },
  )

  test('Q8 nothing is longer than 100,000 characters or deeper than 2,000 levels and its place', () => {
    const texts = found.map(({ value }) => JSON.stringify([value]))
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThan(250_000)
    expect(texts.some((text) => isNestedDeeperThan(text, 2000))).toBe(true)
    expect(texts.some((text) => isNestedDeeperThan(text, 2006))).toBe(false)
  })
})

describe('a report', () => {
  test('Q9 a failing property says what was wrong and where, and not 100 kB of it', () => {
    const property = fc.property(hostile(order), ({ label }) => !label.includes('100,000'))
    const { counterexample, failed } = fc.check(property, { seed: 1, numRuns: 5000 })
    expect(failed).toBe(true)
    expect(fc.stringify(counterexample)).toBe('[a text of 100,000 characters at "id"]')
  })

  test('Q9 a hostile value shrinks to the rest that is least', () => {
    const property = fc.property(hostile(order), ({ label }) => label !== 'NaN')
    const { counterexample } = fc.check(property, { seed: 1, numRuns: 5000 })
    const [{ path, value }] = counterexample!
    expect([path, value]).toEqual(['count', { ...least, count: NaN }])
  })
})

const least = { id: '  ', amount: 0, kind: 'refund', count: 0, lines: [{ sku: '    ' }] }

test('Q10 any JSON is spoiled without a schema', () => {
  const labels = new Set(sampled(hostileJson()).map(({ label }) => label))
  for (const label of ['an own key "__proto__"', 'NaN', 'a lone low surrogate', '10,000 items']) {
    expect(labels).toContain(label)
  }
})

function amountOf({ value }: { value: unknown }): number {
  return (value as { amount: number }).amount
}

function accepts(schema: z.ZodType, value: unknown): boolean {
  try {
    return schema.safeParse(value).success
  } catch {
    return false
  }
}
