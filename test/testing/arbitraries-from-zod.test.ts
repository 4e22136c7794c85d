import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineEnvelope, envelopeSchema } from '../../src/envelope/envelope.ts'
import { money } from '../../src/envelope/money.ts'
import { fromZod, type FromZodOptions } from '../../src/testing/arbitraries/index.ts'
import { randomSchemas } from './random-schemas.ts'
import { numberKinds, otherKinds, recursiveKinds, textKinds } from './schema-kinds.ts'

const sampled = <Value>(arbitrary: fc.Arbitrary<Value>, numRuns = 200): readonly Value[] =>
  fc.sample(arbitrary, { numRuns, seed: 7 })

const refusedBy = (schema: z.ZodType, values: readonly unknown[]) =>
  values.filter((value) => !schema.safeParse(value).success)

/** The counterexample that a property with a planted fault comes down to. */
function smallest<Value>(arbitrary: fc.Arbitrary<Value>, isFine: (value: Value) => boolean): Value {
  const { counterexample } = fc.check(fc.property(arbitrary, isFine), { seed: 3, numRuns: 5000 })
  if (counterexample === null) throw new Error('the fault was not found')
  return counterexample[0]
}

describe('fromZod', () => {
  const kinds = { ...textKinds, ...numberKinds, ...otherKinds, ...recursiveKinds }
  test.each(Object.entries(kinds))('Q1 every value made for %s passes its schema', (_, schema) => {
    const values = sampled(fromZod(schema))
    expect(refusedBy(schema, values)).toEqual([])
  })

  test('Q1 every value made for a random nested schema passes it', () => {
    fc.assert(
      fc.property(randomSchemas, ({ schema }) => {
        expect(refusedBy(schema, sampled(fromZod(schema), 10))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  test('Q1 a shrunken value passes the schema as well', () => {
    fc.assert(
      fc.property(randomSchemas, ({ schema }) => {
        const tried: unknown[] = []
        const isFine = (value: unknown) => tried.push(value) < 20
        fc.check(fc.property(fromZod(schema), isFine), { seed: 5, endOnFailure: false })
        expect(refusedBy(schema, tried.slice(0, 500))).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  test('Q1 what makes a schema accept more is made as well', () => {
    const loose = sampled(fromZod(z.looseObject({ a: z.int().optional() })))
    expect(loose.some((value) => !('a' in value))).toBe(true)
    expect(loose.some((value) => Object.keys(value).some((key) => key !== 'a'))).toBe(true)
    const text = sampled(fromZod(z.string()))
    expect(text.some((value) => /[^\0-\x7f]/u.test(value))).toBe(true)
  })

  test('Q2 a recursive schema goes as deep as it may', () => {
    const depths = (depthMax: number) =>
      sampled(fromZod(z.json(), { depthMax })).map((value) => depthOf(value))
    // Each level of JSON is a union and a list or a record.
    expect(Math.max(...depths(1))).toBe(1)
    expect(Math.max(...depths(4))).toBe(2)
  })

  test('Q3 money and envelopes need no override', () => {
    const moneys = sampled(fromZod(money()))
    expect(refusedBy(money(), moneys)).toEqual([])
    expect(new Set(moneys.map((value) => typeof value))).toEqual(new Set(['object', 'string']))
    const found = sampled(fromZod(envelopeSchema), 50)
    expect(refusedBy(envelopeSchema, found)).toEqual([])
    expect(found.some(({ actions }) => Object.keys(actions).length > 0)).toBe(true)
  })
})

describe('overrides', () => {
  const schema = z.object({
    args: z.object({ x: z.custom<() => void>((value) => typeof value === 'function') }),
    lines: z.array(z.object({ price: z.number() })).min(1),
    pair: z.tuple([z.string(), z.string()]),
    prices: z.record(z.string(), z.number()),
  })

  test('Q4 an override makes the values of its place', () => {
    const at = {
      'args.x': fc.constant(defineEnvelope),
      'lines.*.price': fc.constant(5),
      'pair.1': fc.constant('second'),
      'prices.@key': fc.constant('sku'),
    }
    for (const { args, lines, pair, prices } of sampled(fromZod(schema, { at }))) {
      expect(args.x).toBe(defineEnvelope)
      expect(lines.every(({ price }) => price === 5)).toBe(true)
      expect(pair[1]).toBe('second')
      expect(['', 'sku']).toContain(Object.keys(prices).join())
    }
  })

  test('Q4 an override whose path is nowhere is refused', () => {
    const at = { 'arg.x': fc.constant(1) }
    expect(() => fromZod(z.object({ x: z.int() }), { at })).toThrow(/override for "arg.x"/)
  })

  test('Q4 an override that the schema refuses is refused', () => {
    const arbitrary = fromZod(z.object({ x: z.int() }), { at: { x: fc.constant('one') } })
    expect(() => sampled(arbitrary)).toThrow(/at "x" \(zod type "number"\): 1000 values/)
  })
})

const endless: z.ZodType = z.object({ self: z.lazy(() => endless) })
const isLater = (value: unknown) => Promise.resolve(value !== undefined)
const refused: Readonly<Record<string, [z.ZodType, RegExp, FromZodOptions?]>> = {
  'a function': [
    z.object({ args: z.object({ x: z.function() as never }) }),
    /"args.x".*"function"/,
  ],
  'a symbol': [z.array(z.symbol()), /at "\*" \(zod type "symbol"\).*at: \{ '\*': fc/],
  'a file': [z.file(), /at "" \(zod type "file"\)/],
  'a promise': [z.promise(z.int()), /zod type "promise"/],
  'an instance': [z.object({ at: z.instanceof(URL) }), /at "at" \(zod type "custom"\): 1000/],
  never: [z.never(), /zod type "never"/],
  'a check that nothing passes': [
    z.object({ n: z.int().refine(() => false, 'no!') }),
    /"n".*"no!"/,
  ],
  'an asynchronous check': [z.string().refine(isLater), /at "".*async/i],
  'bounds that leave nothing': [z.object({ n: z.int().min(3).max(2) }), /"n".*within its bounds/],
  'no multiple within bounds': [z.number().multipleOf(10).min(1).max(9), /no multiple of 10/],
  'a length that leaves nothing': [
    z.object({ s: z.string().min(5).max(3) }),
    /at "s" \(zod type "string"\)/,
  ],
  'dates that leave nothing': [z.date().min(new Date(9)).max(new Date(1)), /zod type "date"/],
  'a pattern with a lookahead': [z.string().regex(/^(?=a)b$/), /Lookahead not implemented/],
  'a schema without an end': [endless, /contains itself without an end/],
}

test.each(Object.entries(refused))('Q5 %s is refused by path, type and remedy', (_, found) => {
  const [schema, message, options] = found
  const make = () => sampled(fromZod(schema, options), 1)
  expect(make).toThrow(message)
  expect(make).toThrow(/fromZod cannot make a value .*fromZod\(schema, \{ at: /)
  expect(make).toThrow(expect.objectContaining({ code: 'AMBIT_ARBITRARY_IMPOSSIBLE' }))
})

describe('shrinking', () => {
  test('Q6 a number comes down to the bound of the fault', () => {
    expect(smallest(fromZod(z.number()), (n) => n < 17)).toBe(17)
    expect(smallest(fromZod(z.number().multipleOf(0.25)), (n) => n < 1.1)).toBe(1.25)
    expect(smallest(fromZod(z.bigint()), (n) => n < 100n)).toBe(100n)
  })

  test('Q6 an order comes down to one line, without what may be missing', () => {
    const order = z.strictObject({
      id: z.string().min(2),
      note: z.string().optional(),
      urgent: z.boolean().default(false),
      lines: z.array(z.object({ sku: z.enum(['a', 'b']), count: z.int().min(1) })),
    })
    const isFine = ({ lines }: z.input<typeof order>) => lines.every(({ count }) => count < 42)
    const found = smallest(fromZod(order), isFine)
    expect(found).toEqual({ id: '  ', lines: [{ sku: 'a', count: 42 }] })
  })

  test('Q6 a refinement holds while a value shrinks', () => {
    const day = z.int().min(1).max(31)
    const stay = z.object({ from: day, to: day }).refine(({ from, to }) => from <= to)
    expect(smallest(fromZod(stay), ({ to }) => to < 20)).toEqual({ from: 1, to: 20 })
    // Halving steps over some odd numbers, so the last one is near the least.
    const odd = z.int().refine((n) => n % 2 !== 0)
    expect(smallest(fromZod(odd), (n) => n < 100)).toBeLessThan(110)
  })

  test('Q6 a union comes down to its simplest option', () => {
    const any = z.union([z.object({ big: z.array(z.int()) }), z.string(), z.null()])
    expect(smallest(fromZod(any), () => false)).toBe(null)
  })

  test('Q6 a recursive value comes down to the levels that it needs', () => {
    const found = smallest(fromZod(recursiveKinds['an object with getters']!), isFlat)
    expect(found).toEqual({ value: 0, children: [{ value: 0, children: [] }] })
    expect(smallest(fromZod(z.json()), (value) => depthOf(value) < 2)).toEqual({ '': {} })
  })

  test('Q6 money comes down to nothing of it', () => {
    const isText = (value: unknown) => typeof value === 'object'
    expect(smallest(fromZod(money()), isText)).toBe('0.00 USD')
  })
})

function isFlat(value: unknown): boolean {
  const { children } = value as { children: readonly unknown[] }
  return children.length === 0
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}
