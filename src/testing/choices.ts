import type { FaultName, Site } from './faults.ts'

/** One point of a run at which it could have gone otherwise. */
export interface Choice {
  readonly site: Site
  /** How many ways there were. */
  readonly ways: number
  /** The way taken; 0 is the ordinary one: the oldest first, and no fault. */
  readonly taken: number
  /** What way that was, when it was not the ordinary one. */
  readonly fault?: FaultName
}

/** Where a run's choices come from. Beyond the end of a list everything is ordinary. */
export interface ChoiceSource {
  next(site: Site, ways: number): number
}

/** A schedule is a list of integers, so that zeroing and cutting it short makes it simpler. */
export function fromList(list: readonly number[]): ChoiceSource {
  let at = 0
  return { next: (_, ways) => (list[at++] ?? 0) % ways }
}

/** Within so many choices of a random run faults may strike; the order stays a matter of chance to the end. */
export const RANDOM_CHOICES_MAX = 400
/** In every other random run faults begin at a choice before this one: in most early, in some far into a long run. */
export const RANDOM_START_MAX = 40_000

/** Where nearly every round ended before anything was taken, a run would go on for ever and show nothing. */
export const RANDOM_PICK_RATE_MAX = 0.9

/** Chance draws each choice; how often it leaves the ordinary way is drawn once a run. */
export function fromChance(chance: () => number): ChoiceSource {
  const faultRate = 0.2 * chance() ** 2
  const pickRate = chance() < 0.5 ? 0 : RANDOM_PICK_RATE_MAX * chance()
  const length = Math.ceil(RANDOM_CHOICES_MAX * chance())
  const start = chance() < 0.5 ? 0 : Math.floor(RANDOM_START_MAX ** chance())
  let drawn = 0
  return {
    next(site, ways) {
      const at = drawn++ - start
      const mayFail = at >= 0 && at < length
      const rate = site === 'pick' || site === 'traffic' ? pickRate : mayFail ? faultRate : 0
      return chance() < rate ? 1 + Math.floor(chance() * (ways - 1)) : 0
    },
  }
}

/** Takes choices and remembers them. */
export class Choices {
  readonly taken: Choice[] = []
  private readonly source: ChoiceSource

  constructor(source: ChoiceSource) {
    this.source = source
  }

  /** One of `ways`, 0 being the ordinary one. */
  choose(site: Site, ways: number): number {
    if (ways <= 1) return 0
    const taken = this.source.next(site, ways)
    const isReordered = site === 'pick' && taken !== 0
    this.taken.push({ site, ways, taken, ...(isReordered && { fault: 'reorder' }) })
    return taken
  }

  /** One of the faults that can happen at a place, or none. */
  fault<Name extends FaultName>(site: Site, possible: readonly Name[]): Name | undefined {
    if (possible.length === 0) return undefined
    const ways = possible.length + 1
    const taken = this.source.next(site, ways)
    const fault = taken === 0 ? undefined : possible[taken - 1]
    this.taken.push({ site, ways, taken, ...(fault !== undefined && { fault }) })
    return fault
  }

  /** The run as a list, without the ordinary end. */
  get list(): number[] {
    const list = this.taken.map(({ taken }) => taken)
    return list.slice(0, list.findLastIndex((taken) => taken !== 0) + 1)
  }

  get faults(): FaultName[] {
    return this.taken.flatMap(({ fault }) => fault ?? [])
  }
}
