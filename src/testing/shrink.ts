/** Runs that the search for a simpler schedule may take. */
export const SHRINK_RUNS_MAX = 400

export interface Shrunk {
  readonly list: readonly number[]
  readonly runs: number
}

/**
 * Makes a failing schedule simpler for as long as it fails: cuts its end, makes choices ordinary, many at once at
 * first, and takes the simplest of those that are left.
 */
export async function shrink(
  list: readonly number[],
  fails: (list: readonly number[]) => Promise<boolean>,
): Promise<Shrunk> {
  let best = trimmed(list)
  let runs = 0
  const attempt = async (candidate: readonly number[]): Promise<boolean> => {
    const simpler = trimmed(candidate)
    if (runs >= SHRINK_RUNS_MAX || isSame(simpler, best)) return false
    runs++
    if (!(await fails(simpler))) return false
    best = simpler
    return true
  }
  for (let length = best.length >> 1; length > 0; length >>= 1)
    while (best.length > length && (await attempt(best.slice(0, -length))));
  for (let size = placesOf(best).length; size > 0; size >>= 1) await zero(size)
  for (const at of placesOf(best)) {
    for (let value = 1; value < (best[at] ?? 0); value++)
      if (await attempt(best.with(at, value))) break
  }
  return { list: best, runs }

  /** Makes so many of the choices ordinary at once, wherever that still fails. */
  async function zero(size: number): Promise<void> {
    for (let from = 0; from < placesOf(best).length;) {
      const places = new Set(placesOf(best).slice(from, from + size))
      const candidate = best.map((value, at) => (places.has(at) ? 0 : value))
      if (!(await attempt(candidate))) from += size
    }
  }
}

function placesOf(list: readonly number[]): number[] {
  return list.flatMap((value, at) => (value === 0 ? [] : at))
}

function trimmed(list: readonly number[]): readonly number[] {
  return list.slice(0, list.findLastIndex((value) => value !== 0) + 1)
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at])
}
