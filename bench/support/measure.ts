/** What some work cost: per second of wall clock, and per second of processor time, which neighbours disturb less. */
export interface Measured {
  readonly perSecond: number
  readonly perCpuSecond: number
}

export const ROUNDS = 5

/** Measures work that does `count` things. */
export function cpuOf(count: number, work: () => Promise<void>): Promise<Measured>
export function cpuOf(count: number, work: () => void): Measured
export function cpuOf(
  count: number,
  work: () => void | Promise<void>,
): Measured | Promise<Measured> {
  const before = process.cpuUsage()
  const began = performance.now()
  const measured = (): Measured => {
    const seconds = (performance.now() - began) / 1000
    const { user, system } = process.cpuUsage(before)
    return { perSecond: count / seconds, perCpuSecond: count / ((user + system) / 1_000_000) }
  }
  const done = work()
  return done instanceof Promise ? done.then(measured) : measured()
}

/** What is measured: its name, the work, and the place of its baseline in the list. */
export type Work = readonly [
  what: string,
  work: () => Measured | Promise<Measured>,
  baseline?: number,
]

/**
 * Prints the best of some rounds of each, taken in turn so that all meet the same neighbours; the first round warms up.
 */
export async function compare(works: readonly Work[]): Promise<void> {
  const found: Measured[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, work]] of works.entries()) {
      const next = await work()
      const known = found[i]
      if (known === undefined || next.perCpuSecond > known.perCpuSecond) found[i] = next
    }
  }
  for (const [i, [what, , baseline]] of works.entries()) {
    const measured = found[i]
    if (measured !== undefined) line(what, measured, found[baseline ?? -1])
  }
}

function line(what: string, measured: Measured, baseline?: Measured): void {
  const { perSecond, perCpuSecond } = measured
  const ratio =
    baseline === undefined ? '' : `  ratio ${(perCpuSecond / baseline.perCpuSecond).toFixed(2)}`
  console.log(
    `${what.padEnd(34)} ${thousands(perSecond)}/s  ${thousands(perCpuSecond)}/CPU-s${ratio}`,
  )
}

export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en').padStart(11)
}
