import fc from 'fast-check'

/** An element of a sequence, with what it needs to shrink. */
interface Part<T> {
  readonly source: fc.Arbitrary<T>
  readonly made: fc.Value<T>
}

/**
 * Sequences whose elements are chosen one after the other, each in the light of those before. They shrink as lists do,
 * by leaving elements out and by smaller elements: what was chosen later stays as it is, though it was chosen for
 * another course of events.
 */
export class SequenceArbitrary<T> extends fc.Arbitrary<readonly T[]> {
  private readonly draw: (random: fc.Random) => readonly fc.Arbitrary<T>[]

  constructor(draw: (random: fc.Random) => readonly fc.Arbitrary<T>[]) {
    super()
    this.draw = draw
  }

  generate(random: fc.Random, biasFactor: number | undefined): fc.Value<readonly T[]> {
    const sources = this.draw(random)
    return valueOf(sources.map((source) => ({ source, made: source.generate(random, biasFactor) })))
  }

  canShrinkWithoutContext(_value: unknown): _value is readonly T[] {
    return false
  }

  shrink(_value: readonly T[], context: unknown): fc.Stream<fc.Value<readonly T[]>> {
    return fc.stream(smaller(context as readonly Part<T>[])).map(valueOf)
  }
}

function valueOf<T>(parts: readonly Part<T>[]): fc.Value<readonly T[]> {
  return new fc.Value(
    parts.map(({ made }) => made.value),
    parts,
  )
}

/** Without all, without a half, a quarter, one; then with one that is smaller. */
function* smaller<T>(parts: readonly Part<T>[]): IterableIterator<readonly Part<T>[]> {
  for (let size = parts.length; size > 0; size = Math.floor(size / 2)) {
    for (let start = 0; start < parts.length; start += size) {
      yield [...parts.slice(0, start), ...parts.slice(start + size)]
    }
  }
  for (const [i, { source, made }] of parts.entries()) {
    for (const next of source.shrink(made.value_, made.context)) {
      yield parts.with(i, { source, made: next })
    }
  }
}
