import { z } from 'zod'

interface Tree {
  readonly value: number
  readonly left?: Tree | undefined
  readonly children: readonly Tree[]
}

const tree: z.ZodType<Tree> = z.object({
  value: z.int(),
  get left() {
    return tree.optional()
  },
  get children() {
    return z.array(tree)
  },
})

/** Two schemas that contain each other. */
const [expression] = (() => {
  const sum: z.ZodType = z.strictObject({
    kind: z.literal('sum'),
    of: z.lazy(() => z.array(term).min(1)),
  })
  const term: z.ZodType = z.lazy(() => z.union([sum, z.number()]))
  return [term]
})()

export const recursiveKinds: Readonly<Record<string, z.ZodType>> = {
  'an object with getters': tree,
  'schemas that contain each other': expression,
  'any JSON': z.json(),
  'a lazy list': z.lazy(() => z.tuple([z.int(), z.array(recursiveKinds['a lazy list']!)])),
  'a record of itself': z.lazy(() => z.record(z.string(), recursiveKinds['a record of itself']!)),
}

export const textKinds: Readonly<Record<string, z.ZodType>> = {
  email: z.email(),
  uuid: z.uuid(),
  uuidv7: z.uuidv7(),
  guid: z.guid(),
  url: z.url(),
  httpUrl: z.httpUrl(),
  emoji: z.emoji(),
  nanoid: z.nanoid(),
  cuid: z.cuid(),
  cuid2: z.cuid2(),
  ulid: z.ulid(),
  xid: z.xid(),
  ksuid: z.ksuid(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  mac: z.mac(),
  cidrv4: z.cidrv4(),
  cidrv6: z.cidrv6(),
  base64: z.base64(),
  base64url: z.base64url(),
  e164: z.e164(),
  creditCard: z.creditCard(),
  iban: z.iban(),
  currencyCode: z.currencyCode(),
  jwt: z.jwt(),
  'jwt of an algorithm': z.jwt({ alg: 'ES256' }),
  hex: z.hex(),
  hash: z.hash('sha256'),
  hostname: z.hostname(),
  datetime: z.iso.datetime(),
  'datetime with offset': z.iso.datetime({ offset: true, local: true, precision: 3 }),
  date: z.iso.date(),
  time: z.iso.time(),
  duration: z.iso.duration(),
  lowercase: z.string().lowercase().min(3).max(5),
  uppercase: z.string().uppercase(),
  pattern: z
    .string()
    .regex(/^[A-Z]\d+$/)
    .max(4),
  'own format': z.stringFormat('roman', /^[IVXLC]+$/),
  affixes: z.string().startsWith('ab').endsWith('z').includes('mm').min(8).max(10),
  trimmed: z.string().trim().min(1),
  coerced: z.coerce.string().min(2),
  'template literal': z.templateLiteral(['v', z.int(), '-', z.enum(['alpha', 'beta'])]),
}

export const numberKinds: Readonly<Record<string, z.ZodType>> = {
  number: z.number(),
  'open interval': z.number().gt(0).lt(1),
  'one number': z.number().min(2.5).max(2.5),
  int: z.int(),
  int32: z.int32(),
  uint32: z.uint32(),
  float32: z.float32(),
  float64: z.float64(),
  'whole in between': z.number().int().gt(3).lt(5),
  'multiple of 7': z.int().multipleOf(7).gt(10).lt(22),
  'multiple of a hundredth': z.number().multipleOf(0.01).min(0).max(1),
  'multiple of a millionth': z.number().multipleOf(1e-6),
  'multiple of a ten-millionth': z.number().multipleOf(1e-7).min(-1).max(1),
  'multiple of 1,200': z.int().multipleOf(1200),
  'negative numbers': z.number().negative(),
  'coerced number': z.coerce.number().min(3),
  bigint: z.bigint(),
  int64: z.int64(),
  uint64: z.uint64(),
  'bigint multiple': z.bigint().multipleOf(5n).gt(3n).lte(20n),
  date: z.date(),
  'date in between': z.date().min(new Date(0)).max(new Date(1000)),
}

const a = z.object({ a: z.string(), both: z.number().min(3) })
const b = z.object({ b: z.int(), both: z.number().max(5) })

export const otherKinds: Readonly<Record<string, z.ZodType>> = {
  'literal and enum': z.tuple([z.literal(['a', 1, null, undefined]), z.enum({ A: 1, B: 'x' })]),
  'null, undefined, void, NaN': z.tuple([z.null(), z.undefined(), z.void(), z.nan()]),
  'a field called constructor': z.strictObject({ constructor: z.int(), toString: z.int() }),
  'undefined field': z.object({ none: z.undefined(), nothing: z.void() }),
  'optional fields': z.strictObject({
    optional: z.int().optional(),
    exact: z.int().exactOptional(),
    byDefault: z.string().default('x'),
    byPrefault: z.int().prefault(3),
    caught: z.int().catch(3),
    never: z.never().optional(),
    required: z.string().optional().nonoptional(),
  }),
  'loose object': z.looseObject({ known: z.int() }),
  'object with catchall': z.object({ known: z.int() }).catchall(z.string()),
  'refined object': z.object({ from: z.int(), to: z.int() }).refine(({ from, to }) => from <= to),
  'record by enum': z.record(z.enum(['a', 'b']), z.int()),
  'record by number': z.record(z.int(), z.int()),
  'record by pattern': z.record(z.string().regex(/^[a-z]{1,3}$/), z.boolean()),
  'partial record': z.partialRecord(z.enum(['a', 'b']), z.int()),
  'array of three': z.array(z.int()).length(3),
  'map and set': z.tuple([z.map(z.string(), z.int()).min(1), z.set(z.int()).min(2).max(3)]),
  'tuple with rest': z.tuple([z.string(), z.int().optional()], z.boolean()),
  'tuple of what may be undefined': z.tuple([
    z.null().default(null).nonoptional(),
    z.null().optional(),
  ]),
  intersection: z.intersection(a, b),
  'strict intersection': z.intersection(
    z.strictObject({ a: z.string() }),
    z.strictObject({ b: z.int() }),
  ),
  'exclusive union': z.xor([z.string().min(3), z.string().max(5)]),
  'discriminated union': z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), x: z.int() }),
    z.object({ kind: z.literal('b') }),
  ]),
  'transformed text': z
    .string()
    .transform((text) => text.length)
    .pipe(z.number().max(3)),
  'text that is parsed': z.string().transform((text) => JSON.parse(text) as unknown),
  preprocessed: z.preprocess(Number, z.int()),
  codec: z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  }),
  'text for a boolean': z.stringbool(),
  brand: z.string().brand('name'),
  custom: z.custom<string>((value) => typeof value === 'string'),
  'any and unknown': z.object({ any: z.any(), unknown: z.unknown() }),
}
