// npm run evidence: the campaigns of the test suite with full counts. CI runs the same tests with small ones.

import { become, build, install, tool } from './prepare.js'

install()
build()
process.env.AMBIT_KILLS ??= '100'
process.env.AMBIT_TICKETS ??= '200'
process.env.AMBIT_MACHINES ??= '100000'
process.env.AMBIT_CUTS ??= '500'
const campaigns = [
  'test/examples/desk-kill.test.ts',
  'test/embedded/kill.test.ts',
  'test/logic/random.test.ts',
  'test/durability',
]
await become(tool('vitest', 'vitest'), ['run', ...campaigns, ...process.argv.slice(2)])
