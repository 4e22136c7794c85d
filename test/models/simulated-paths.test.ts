import { expect, test } from 'vitest'
import { faults, fromChance, playRun } from 'ambit/testing'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { payouts } from '../../examples/simulations/payouts.ts'
import { refundDesk, withdrawals } from '../../examples/simulations/refund-desk.ts'
import { isPathOfLedgerModel, stepsOf } from './ledger-paths.ts'

const RUNS = 100

// The model has no time: a leap of the clock into another day would empty its windows.
const survived = { faults: faults.filter((fault) => fault !== 'clockJump'), invariants: [] }

test.each([refundDesk(survived), withdrawals(survived), payouts(survived)])(
  `K6 ${RUNS} simulated runs of $name, with faults, are paths of the ledger model`,
  { timeout: 120_000 },
  async (simulation) => {
    let steps = 0
    for (let seed = 0; seed < RUNS; seed++) {
      const { trace } = await playRun(simulation, fromChance(createSeededRandom(`path ${seed}`)))
      const turns = trace.entries.flatMap((entry) => (entry.kind === 'turn' ? [entry.record] : []))
      const walked = stepsOf(turns.map((record) => ({ record: JSON.stringify(record) })))
      steps += walked.length
      expect(isPathOfLedgerModel(walked), `seed ${seed}`).toBeUndefined()
    }
    expect(steps).toBeGreaterThan(RUNS)
    console.log(
      `models: ${simulation.name}, ${RUNS} simulated runs, ${steps} steps of the ledger's model`,
    )
  },
)
