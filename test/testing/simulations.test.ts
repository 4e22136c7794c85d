import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { check, describeCheck, invariants, lyingDisk, playRun, fromChance } from 'ambit/testing'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { simulations } from '../../examples/simulations/index.ts'
import { relay } from '../../examples/simulations/relay.ts'

const corpus = fileURLToPath(new URL('corpus', import.meta.url))
// `npm run evidence` plays pairs of faults too, and random schedules for longer.
const randomMs = Number(process.env.AMBIT_SIMULATION_MS ?? 3000)
const exhaustive = process.env.AMBIT_SIMULATION_MS === undefined ? 1 : 2
const exhaustiveRunsMax = Number(process.env.AMBIT_SIMULATION_RUNS ?? 5000)

const SEEDS = 200
/** What one run may take on a busy machine, on the average. */
const RUN_MS_MAX = 500

describe('simulations', () => {
  test.each(simulations)(
    'V1 $name holds under every fault at every point, and under random ones',
    { timeout: randomMs + Math.max(600_000, exhaustiveRunsMax * RUN_MS_MAX) },
    async (simulation) => {
      const result = await check(simulation, {
        exhaustive,
        exhaustiveRunsMax,
        randomMs,
        corpus,
      })
      const report = describeCheck(result)
      console.log(report)
      expect(result.ok, report).toBe(true)
    },
  )

  test(
    `V2 the same schedule gives the same run, ${SEEDS} times`,
    { timeout: 300_000 },
    async () => {
      let same = 0
      for (let seed = 0; seed < SEEDS; seed++) {
        const simulation = simulations[seed % simulations.length]
        if (simulation === undefined) continue
        const play = () => playRun(simulation, fromChance(createSeededRandom(`twice ${seed}`)))
        const [first, second] = [await play(), await play()]
        if (first.trace.hash === second.trace.hash) same++
      }
      console.log(`same seed, same trace: ${same} of ${SEEDS}`)
      expect(same).toBe(SEEDS)
    },
  )

  test('V3 a disk that lies about what it stored is found out', async () => {
    const result = await check(relay({ faults: lyingDisk }), { exhaustive: 1, randomRuns: 0 })
    expect(result.failure?.faults).toEqual(['fsyncLost'])
    expect(invariants.map(({ name }) => name)).toContain(result.failure?.invariant)
  })
})
