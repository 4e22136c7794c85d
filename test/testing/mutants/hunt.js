// node hunt.js PACKAGE SIMULATION INVARIANT: plays one simulation of a built package until the invariant breaks.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder = '', name = '', wanted = ''] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(join(folder, 'dist', file)).href)
const { check, invariants, restartIntensityBounded } = await load('src/testing/index.js')
const { burst } = await load('examples/simulations/burst.js')
const { payouts } = await load('examples/simulations/payouts.js')
const { refundDesk } = await load('examples/simulations/refund-desk.js')
const { secondThoughts } = await load('examples/simulations/second-thoughts.js')
const { jobsArrive, relay } = await load('examples/simulations/relay.js')

const { team } = await load('examples/simulations/team.js')

const onlyIn = (scenario) => {
  const kept = scenario.invariants.filter((each) => each.name === wanted)
  return { ...scenario, invariants: kept }
}
const only = { invariants: [...invariants, jobsArrive].filter((each) => each.name === wanted) }
const simulations = {
  'refund desk': () => refundDesk(only),
  payouts: () => payouts(only),
  relay: () => relay(only),
  'poisoned relay': () => relay({ ...only, jobs: 45, invariants: [restartIntensityBounded()] }),
  burst: () => burst(only),
  team: () => onlyIn(team()),
  'second thoughts': () => secondThoughts(only),
}
const { ok, runs, seconds, failure } = await check(simulations[name](), {
  exhaustive: 1,
  randomRuns: 600,
})
const played = runs.corpus + runs.exhaustive + runs.random
const { invariant, sentence, replay } = failure ?? {}
console.log(JSON.stringify({ killed: !ok, runs: played, seconds, invariant, sentence, replay }))
process.exit(0)
