import { afterAll } from 'vitest'

/** `AMBIT_FUZZ=1` is the evidence run, twenty times as much; another number is so many times. */
export const TIMES = timesOf(process.env.AMBIT_FUZZ)

/** The same inputs at every run, so that a red build is its change's doing; another AMBIT_SEED asks for others. */
const SEED = Number(process.env.AMBIT_SEED ?? 2026)

export const LIMIT_MS = 60_000 * TIMES

/** So many runs in CI; a failure prints the seed and the shrunk input. */
export function runs(count: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: count * TIMES, seed: SEED }
}

/** Counts what became of the inputs of one campaign: each is accepted or refused, and anything else is a crash. */
export class Tally {
  private inputs = 0
  private accepted = 0
  private refused = 0
  private more = ''

  constructor(name: string) {
    afterAll(() => {
      const { inputs, accepted, refused, more } = this
      const crashes = inputs - accepted - refused
      console.log(
        `fuzz ${name}: ${inputs} inputs, accepted ${accepted}, refused ${refused}, crashes ${crashes}${more}`,
      )
    })
  }

  given(): void {
    this.inputs++
  }

  settle(isAccepted: boolean): void {
    if (isAccepted) this.accepted++
    else this.refused++
  }

  /** Something else that the line should say. */
  add(fact: string): void {
    this.more += `; ${fact}`
  }
}

function timesOf(asked: string | undefined): number {
  if (asked === undefined || asked === '' || asked === '0') return 1
  return asked === '1' ? 20 : Number(asked)
}
