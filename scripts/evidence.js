// npm run evidence [NAME...]: the campaigns of the test suite with full counts. CI runs the same tests with small ones.
// Writes evidence.json, and from it the table between the evidence marks of README.md.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, root, tool } from './prepare.js'

/** `env` holds the full counts; `lines` are those lines of the output that say what was seen. */
const campaigns = [
  {
    name: 'kills of a process',
    files: ['test/examples/desk-kill.test.ts', 'test/embedded/kill.test.ts'],
    env: { AMBIT_KILLS: '100', AMBIT_TICKETS: '200' },
    lines: /^(kills \d|\d+ lives|.*most spent)/,
  },
  {
    name: 'power cuts, full disks, stops, clock jumps',
    files: ['test/durability'],
    env: { AMBIT_CUTS: '500' },
    lines: /^(power cuts|disk full|stopped processes)/,
  },
  {
    name: 'simulated schedules',
    files: ['test/testing/simulations.test.ts'],
    env: { AMBIT_SIMULATION_MS: '60000' },
    lines: /(: holds in|: BROKEN|events in|same seed)/,
  },
  {
    name: 'planted faults',
    files: ['test/testing/mutants'],
    env: {},
    lines: /^(mutants killed|invariants caught)/,
  },
  {
    name: 'models',
    files: ['test/models'],
    env: {},
    lines: /^models: (\d|not run)/,
  },
  {
    name: 'random machines beside XState',
    files: ['test/logic/random.test.ts'],
    env: { AMBIT_MACHINES: '100000' },
    lines: /^machines alike/,
  },
  {
    name: 'hostile input',
    files: ['test/fuzz'],
    env: { AMBIT_FUZZ: '1' },
    lines: /^fuzz /,
  },
  {
    name: 'overload',
    files: ['test/overload'],
    env: { AMBIT_OVERLOAD_MS: '5000' },
    lines: /^(overload|goodput)/,
  },
]

install()
build()
const wanted = process.argv.slice(2)
const chosen = campaigns.filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
)
if (chosen.length === 0) {
  const names = campaigns.map(({ name }) => `"${name}"`).join(', ')
  console.error(`No campaign has a name with ${wanted.join(' or ')} in it. There are ${names}.`)
  process.exit(2)
}
const file = join(root, 'evidence.json')
const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).campaigns : []
const tree = describeTree()
const found = []
for (const campaign of chosen) found.push(await run(campaign))
const all = campaigns.flatMap(
  ({ name }) =>
    found.find((each) => each.name === name) ?? known.find((each) => each.name === name) ?? [],
)
writeFileSync(file, `${JSON.stringify({ campaigns: all }, null, 2)}\n`)
writeTable(all)
process.exitCode = found.some(({ failed }) => failed > 0) ? 1 : 0

/** Runs one campaign, shows its output as it comes, and keeps what it says. */
async function run({ name, files, env, lines }) {
  console.log(`\n# ${name}`)
  const folder = mkdtempSync(join(tmpdir(), 'ambit-evidence-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = [tool('vitest', 'vitest'), 'run', ...files, ...reporters]
  const began = performance.now()
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...env, ...process.env, NO_COLOR: '1' },
    stdio: ['inherit', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
    process.stdout.write(chunk)
  })
  await new Promise((resolve) => child.on('close', resolve))
  const seconds = Math.round((performance.now() - began) / 1000)
  const totals = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  rmSync(folder, { recursive: true, force: true })
  const {
    numPassedTests: passed = 0,
    numFailedTests: failed = 1,
    numPendingTests: notRun = 0,
  } = totals
  const said = output.split('\n').filter((line) => lines.test(line))
  const at = new Date().toISOString().slice(0, 10)
  const command = `npm run evidence '${name.split(',')[0]}'`
  const { node } = process.versions
  return { name, command, node, at, tree, passed, failed, notRun, seconds, said }
}

/** Which commit is looked at, with a mark where files differ from it; the evidence itself does not count. */
function describeTree() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!evidence.json', ':!README.md')
    return git('rev-parse', '--short', 'HEAD') + (changed === '' ? '' : ' and changes')
  } catch {
    return 'no commit'
  }
}

/** The newest figures of every campaign, as README.md shows them. */
function writeTable(all) {
  const readme = join(root, 'README.md')
  const [before, , after] = readFileSync(readme, 'utf8').split(/<!-- evidence:(?:begin|end) -->/)
  if (after === undefined) throw new Error('README.md has no evidence marks.')
  const rows = all.map(
    ({ command, said, passed, failed, notRun, at, node, tree = 'an earlier tree' }) => {
      const tests = [
        `${passed} passed`,
        failed > 0 && `${failed} FAILED`,
        notRun > 0 && `${notRun} not run`,
      ]
      const what = [...said, tests.filter(Boolean).join(', ')].join('<br>').replaceAll('|', '\\|')
      return `| \`${command}\` | ${what} | ${at}, Node ${node}, ${tree} |`
    },
  )
  const table = [
    '| command | what was seen | when, and of which commit |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')
  const marked = `<!-- evidence:begin -->\n\n<!-- prettier-ignore -->\n${table}\n\n<!-- evidence:end -->`
  writeFileSync(readme, `${before}${marked}${after}`)
}
