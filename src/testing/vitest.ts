import { test } from 'vitest'
import { check, describeCheck, type CheckOptions } from './check.ts'
import type { Scenario } from './simulate.ts'

/** How long a simulation may take beyond its random runs. */
const EXTRA_MS = 120_000

/**
 * A vitest test that plays a simulation, prints what it reached, and fails with the whole report: the broken invariant,
 * the replay line, the diagram.
 *
 * @example
 * simulationTest(simulate({ name: 'refund desk', system, traffic }), { exhaustive: 1, randomMs: 4000 })
 */
export function simulationTest(scenario: Scenario, options: CheckOptions = {}): void {
  const timeout = (options.randomMs ?? 0) + EXTRA_MS
  test(`simulation: ${scenario.name}`, { timeout }, async () => {
    const result = await check(scenario, options)
    const report = describeCheck(result)
    if (result.ok) process.stdout.write(`${report}\n`)
    else throw new SimulationFailure(report)
  })
}

/** What a failing simulation test throws: the report is the message, and no stack of ours is in the way. */
class SimulationFailure extends Error {
  constructor(report: string) {
    super(report)
    this.name = 'SimulationFailure'
    this.stack = `${this.name}: ${report}`
  }
}
