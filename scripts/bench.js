// npm run bench: the benches of the built package; `npm run bench -- ledger-turn` runs one.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build, install, root } from './prepare.js'

install()
build()
const benches = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => basename(file, '.ts'))
const asked = process.argv.slice(2)
const unknown = asked.find((name) => !benches.includes(name))
if (unknown !== undefined) {
  console.error(`There is no bench "${unknown}". Known: ${benches.join(', ')}.`)
  process.exit(2)
}
for (const name of asked.length > 0 ? asked : benches) {
  console.log(`\n# ${name}`)
  const ran = spawnSync(process.execPath, [join(root, 'dist/bench', `${name}.js`)], {
    stdio: 'inherit',
  })
  if (ran.status !== 0) process.exit(ran.status ?? 1)
}
