import fc from 'fast-check'
import { z } from 'zod'

/** A schema with the code that makes it, which a failing property prints. */
export interface RandomSchema {
  readonly code: string
  readonly schema: z.ZodType
}

/** `JSON` has no text for a bigint. */
const evenText = (value: unknown) => String(value).length % 2 === 0

const leaves: readonly RandomSchema[] = [
  named('z.null()', z.null()),
  named('z.boolean()', z.boolean()),
  named("z.literal(['a', 1, null])", z.literal(['a', 1, null])),
  named("z.enum(['x', 'y'])", z.enum(['x', 'y'])),
  named('z.number()', z.number()),
  named('z.int().min(-3).max(3)', z.int().min(-3).max(3)),
  named('z.number().gt(0).lt(1)', z.number().gt(0).lt(1)),
  named('z.number().multipleOf(0.05).max(2)', z.number().multipleOf(0.05).max(2)),
  named('z.bigint().positive()', z.bigint().positive()),
  named('z.string()', z.string()),
  named('z.string().min(2).max(4)', z.string().min(2).max(4)),
  named(
    'z.string().regex(/^[a-c]{2,5}$/).max(4)',
    z
      .string()
      .regex(/^[a-c]{2,5}$/)
      .max(4),
  ),
  named("z.string().startsWith('a').endsWith('z')", z.string().startsWith('a').endsWith('z')),
  named('z.email()', z.email()),
  named('z.iso.datetime()', z.iso.datetime()),
  named('z.date()', z.date()),
  named('z.json()', z.json()),
  named('z.unknown()', z.unknown()),
  named(
    'z.string().transform(length)',
    z.string().transform((text) => text.length),
  ),
  named(
    'z.codec(number, text)',
    z.codec(z.number(), z.string(), { decode: String, encode: Number }),
  ),
]

const onOne: Readonly<Record<string, (inner: z.ZodType) => z.ZodType>> = {
  optional: (inner) => inner.optional(),
  exactOptional: (inner) => z.exactOptional(inner),
  nullable: (inner) => inner.nullable(),
  nonoptional: (inner) => inner.optional().nonoptional(),
  readonly: (inner) => inner.readonly(),
  catch: (inner) => inner.catch('caught'),
  prefault: (inner) => inner.or(z.string()).prefault('before'),
  default: (inner) => inner.or(z.string()).default('after'),
  refine: (inner) => inner.or(z.string()).refine(evenText),
  lazy: (inner) => z.lazy(() => inner),
  pipe: (inner) => inner.pipe(z.unknown()),
  array: (inner) => z.array(inner).min(1).max(3),
  set: (inner) => z.set(inner).max(2),
  record: (inner) => z.record(z.string().max(3), inner),
  enumRecord: (inner) => z.record(z.enum(['p', 'q']), inner),
  partialRecord: (inner) => z.partialRecord(z.enum(['p', 'q']), inner),
  map: (inner) => z.map(z.int(), inner),
  list: (inner) =>
    z.lazy(() => {
      const Node: z.ZodType = z.strictObject({ inner, next: z.lazy(() => Node).nullable() })
      return Node
    }),
}

const onTwo: Readonly<Record<string, (one: z.ZodType, other: z.ZodType) => z.ZodType>> = {
  object: (one, other) => z.object({ one, other: other.optional() }),
  strictObject: (one, other) => z.strictObject({ one, other }),
  looseObject: (one, other) => z.looseObject({ one, other }),
  catchall: (one, other) => z.object({ one }).catchall(other),
  union: (one, other) => z.union([one, other]),
  tuple: (one, other) => z.tuple([one, other.optional()]),
  tupleWithRest: (one, other) => z.tuple([one], other),
  intersection: (one, other) => z.intersection(z.object({ one }), z.object({ other })),
  discriminatedUnion: (one, other) =>
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('one'), one }),
      z.strictObject({ kind: z.literal('other'), other }),
    ]),
}

/** Schemas of every kind within each other, three levels deep. */
export const randomSchemas: fc.Arbitrary<RandomSchema> = grow(leaves, onOne, onTwo)

/** Schemas that refuse whatever is of another kind in any place, and any key they do not know. */
export const strictSchemas: fc.Arbitrary<RandomSchema> = grow(
  leaves.filter(({ code }) => !/json|unknown|codec|literal/.test(code)),
  {
    array: (inner) => z.array(inner),
    readonly: (inner) => inner.readonly(),
    lazy: (inner) => z.lazy(() => inner),
  },
  {
    strictObject: (one, other) => z.strictObject({ one, other }),
    tuple: (one, other) => z.tuple([one, other]),
  },
)

function grow(
  from: readonly RandomSchema[],
  ones: typeof onOne,
  twos: typeof onTwo,
): fc.Arbitrary<RandomSchema> {
  let schemas: fc.Arbitrary<RandomSchema> = fc.constantFrom(...from)
  for (let level = 0; level < 3; level++) {
    const inner = schemas
    const one = fc
      .tuple(fc.constantFrom(...Object.keys(ones)), inner)
      .map(([name, { code, schema }]) => named(`${name}(${code})`, ones[name]!(schema)))
    const two = fc
      .tuple(fc.constantFrom(...Object.keys(twos)), inner, inner)
      .map(([name, a, b]) =>
        named(`${name}(${a.code}, ${b.code})`, twos[name]!(a.schema, b.schema)),
      )
    schemas = fc.oneof({ withCrossShrink: true }, inner, one, two)
  }
  return schemas
}

function named(code: string, schema: z.ZodType): RandomSchema {
  return Object.defineProperty({ code, schema }, fc.toStringMethod, { value: () => code })
}
