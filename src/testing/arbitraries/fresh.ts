import fc from 'fast-check'

/**
 * Shrinks every value as if it had just been made.
 *
 * fast-check's numbers remember what they were tried with, and take it that the property passed. If a filter refused
 * it instead, as for `z.int().refine(isEven)`, they would stop at once.
 */
export function fresh<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return new FreshArbitrary(arbitrary)
}

class FreshArbitrary<T> extends fc.Arbitrary<T> {
  private readonly source: fc.Arbitrary<T>

  constructor(source: fc.Arbitrary<T>) {
    super()
    this.source = source
  }

  generate(random: fc.Random, biasFactor: number | undefined): fc.Value<T> {
    return this.source.generate(random, biasFactor)
  }

  canShrinkWithoutContext(value: unknown): value is T {
    return this.source.canShrinkWithoutContext(value)
  }

  shrink(value: T): fc.Stream<fc.Value<T>> {
    return this.source.shrink(value, undefined)
  }
}
