import { fromList, playRun, type Scenario } from 'ambit/testing'
import { burst } from '../examples/simulations/burst.ts'
import { refundDesk } from '../examples/simulations/refund-desk.ts'
import { relay } from '../examples/simulations/relay.ts'

// How much is simulated in a second? Runs without faults, every invariant watched, each turn made again at the end.

const ROUNDS = 5

const orders = Array.from({ length: 50 }, (_, i) => ({
  to: `/desks/o-${i + 1}`,
  event: { type: 'ticket' },
}))

const worlds: readonly (readonly [what: string, scenario: Scenario, runs: number])[] = [
  ['plain actors, one burst of 1,500 messages', burst(), 20],
  ['plain actors, jobs handed on', relay({ jobs: 20 }), 20],
  ['machines, four refunds with people and effects', refundDesk(), 30],
  ['machines, fifty refunds', refundDesk({ traffic: orders }), 4],
]

interface Measured {
  readonly eventsPerCpuSecond: number
  readonly turnsPerCpuSecond: number
  readonly msPerRun: number
}

async function measure(scenario: Scenario, runs: number): Promise<Measured> {
  const before = process.cpuUsage()
  const began = performance.now()
  let events = 0
  let turns = 0
  for (let i = 0; i < runs; i++) {
    const { breach, trace } = await playRun(scenario, fromList([]))
    if (breach !== undefined) throw new Error(`${scenario.name}: ${breach.sentence}`)
    events += trace.entries.length
    turns += trace.entries.filter(({ kind }) => kind === 'turn').length
  }
  const { user, system } = process.cpuUsage(before)
  const cpuSeconds = (user + system) / 1e6
  const msPerRun = (performance.now() - began) / runs
  return {
    eventsPerCpuSecond: events / cpuSeconds,
    turnsPerCpuSecond: turns / cpuSeconds,
    msPerRun,
  }
}

console.log(`node ${process.versions.node}, the median of ${ROUNDS} rounds`)
for (const [what, scenario, runs] of worlds) {
  const rounds: Measured[] = []
  // The first round warms up and does not count.
  for (let round = 0; round <= ROUNDS; round++) rounds.push(await measure(scenario, runs))
  const sorted = rounds.slice(1).sort((a, b) => a.eventsPerCpuSecond - b.eventsPerCpuSecond)
  const median = sorted[ROUNDS >> 1]
  if (median === undefined) continue
  const { eventsPerCpuSecond, turnsPerCpuSecond, msPerRun } = median
  console.log(
    `${what}: ${eventsPerCpuSecond.toFixed(0)} events/CPU-s, ${turnsPerCpuSecond.toFixed(0)} turns/CPU-s, ` +
      `${msPerRun.toFixed(1)} ms a run`,
  )
}
