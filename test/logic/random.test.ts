import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planArbitrary, stepsArbitrary } from './random/arbitraries.ts'
import { agree, comparable, randomScript } from './random/random-script.ts'
import { traceOfAmbit, traceOfXState } from './worlds.ts'

// `npm run evidence` asks for more; a seed makes a run that failed come again.
const MACHINES = Number(process.env.AMBIT_MACHINES ?? 5000)
const SEED = process.env.AMBIT_SEED === undefined ? undefined : Number(process.env.AMBIT_SEED)
const MS_PER_MACHINE = 20
const LIMIT_MS = 60_000 + MACHINES * MS_PER_MACHINE

test(
  `M7 ${MACHINES} random machines run as under XState`,
  async () => {
    await fc.assert(
      fc.asyncProperty(planArbitrary, stepsArbitrary, async (plan, steps) => {
        const script = randomScript(plan, steps)
        const [expected, found] = [await traceOfXState(script), await traceOfAmbit(script)]
        if (!agree(expected, found)) expect(comparable(found)).toEqual(comparable(expected))
      }),
      {
        numRuns: MACHINES,
        ...(SEED !== undefined && { seed: SEED }),
        interruptAfterTimeLimit: LIMIT_MS,
      },
    )
  },
  2 * LIMIT_MS,
)
