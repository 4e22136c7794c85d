import fc from 'fast-check'

/** Values that are looked at before a filter gives up. */
export const TRIES_MAX = 1000

/**
 * Lets through what passes, like `filter`, which would look for ever when nothing does: after 1,000 misses in a row it
 * throws what `giveUp` returns.
 */
export function tried<T>(
  arbitrary: fc.Arbitrary<T>,
  passes: (value: T) => boolean,
  giveUp: () => Error,
): fc.Arbitrary<T> {
  return new TriedArbitrary(arbitrary, passes, giveUp)
}

class TriedArbitrary<T> extends fc.Arbitrary<T> {
  private readonly source: fc.Arbitrary<T>
  private readonly passes: (value: T) => boolean
  private readonly giveUp: () => Error

  constructor(source: fc.Arbitrary<T>, passes: (value: T) => boolean, giveUp: () => Error) {
    super()
    this.source = source
    this.passes = passes
    this.giveUp = giveUp
  }

  generate(random: fc.Random, biasFactor: number | undefined): fc.Value<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = this.source.generate(random, biasFactor)
      if (this.passes(found.value)) return found
    }
    throw this.giveUp()
  }

  canShrinkWithoutContext(value: unknown): value is T {
    return this.source.canShrinkWithoutContext(value) && this.passes(value)
  }

  shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    return this.source.shrink(value, context).filter((found) => this.passes(found.value))
  }
}
