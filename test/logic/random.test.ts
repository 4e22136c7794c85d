import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planArbitrary, stepsArbitrary } from './random/arbitraries.ts'
import { agree, comparable, randomScript } from './random/random-script.ts'
import { TimersMultiply, traceOfAmbit, traceOfXState } from './worlds.ts'

// The same machines at every run, so that a red build is its change's doing; `npm run evidence` goes on to 100,000, and
// another AMBIT_SEED asks for others.
const MACHINES = Number(process.env.AMBIT_MACHINES ?? 5000)
const SEED = Number(process.env.AMBIT_SEED ?? 2026)
const LIMIT_MS = 120_000 + MACHINES * 40

function unlessTheyMultiply(error: unknown): undefined {
  if (!(error instanceof TimersMultiply)) throw error
}

test(
  `M7 ${MACHINES} random machines run as under XState`,
  async () => {
    let multiplying = 0
    await fc.assert(
      fc.asyncProperty(planArbitrary, stepsArbitrary, async (plan, steps) => {
        const script = randomScript(plan, steps)
        const expected = await traceOfXState(script).catch(unlessTheyMultiply)
        if (expected === undefined) {
          multiplying++
          return
        }
        const found = await traceOfAmbit(script)
        if (!agree(expected, found)) expect(comparable(found)).toEqual(comparable(expected))
      }),
      { numRuns: MACHINES, seed: SEED },
    )
    console.log(
      `machines alike ${MACHINES - multiplying}, not compared ${multiplying}: their timers multiply for ever`,
    )
    expect(multiplying).toBeLessThanOrEqual(MACHINES / 1000)
  },
  LIMIT_MS,
)

test('M7 the property refutes an engine that loses one event in a hundred', async () => {
  let heard = 0
  const isLost = () => ++heard % 100 === 0
  const lossy = fc.asyncProperty(planArbitrary, stepsArbitrary, async (plan, steps) => {
    const script = randomScript(plan, steps)
    const forgetful = randomScript(
      plan,
      steps.filter((step) => !('send' in step) || !isLost()),
    )
    expect(agree(await traceOfXState(script), await traceOfXState(forgetful))).toBe(true)
  })
  const { failed } = await fc.check(lossy, { numRuns: 500, seed: SEED, endOnFailure: true })
  expect(failed).toBe(true)
})
