// npm run profile -- BENCH: runs one bench under `node --cpu-prof` and prints where its time went, by function and by
// folder. What V8 itself does for a function, JSON.stringify for one, counts as the function's own time.
// `npm run profile -- file.cpuprofile` reads a profile that was taken elsewhere.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, install, readJson, root } from './prepare.js'

const FUNCTIONS_SHOWN = 15
const SAMPLE_US = 200
/** What V8 calls the time in which no JavaScript runs. */
const outside = { '(garbage collector)': 'gc', '(program)': 'native', '(idle)': 'idle' }
const folders = ['src/kernel', 'src/logic', 'src/embedded', 'src/envelope', 'src/inspect', 'src']

const [asked, ...rest] = process.argv.slice(2)
if (asked === undefined) {
  console.error('Usage: npm run profile -- BENCH | FILE.cpuprofile')
  process.exit(2)
}
const maps = new Map()
const profile = readJson(asked.endsWith('.cpuprofile') ? asked : record(asked))
const selfTimes = selfTimesOf(profile)
const total = [...selfTimes.values()].reduce((sum, us) => sum + us, 0)
const busy = total - (selfTimes.get('(idle)  idle') ?? 0)
console.log(`\nbusy ${(busy / 1e6).toFixed(2)} s of ${(total / 1e6).toFixed(2)} s; by function:`)
print([...selfTimes], FUNCTIONS_SHOWN)
console.log('\nby folder:')
print([...byFolder(selfTimes)], Infinity)

/** Runs a bench with the profiler on; answers its profile's file. */
function record(name) {
  install()
  build()
  const bench = join(root, 'dist/bench', `${name}.js`)
  if (!existsSync(bench)) {
    console.error(`There is no bench "${name}". See the folder bench.`)
    process.exit(2)
  }
  const folder = mkdtempSync(join(tmpdir(), 'ambit-profile-'))
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_US}`]
  const ran = spawnSync(process.execPath, [...flags, bench, ...rest], { stdio: 'inherit' })
  if (ran.status !== 0) process.exit(ran.status ?? 1)
  const [file] = readdirSync(folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, file)
}

/** Microseconds by `function  file:line`. */
function selfTimesOf({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map()
  for (const [i, id] of samples.entries()) {
    const name = names.get(id)
    times.set(name, (times.get(name) ?? 0) + Math.max(0, timeDeltas[i + 1] ?? 0))
  }
  return times
}

function nameOf({ functionName, url, lineNumber, columnNumber }) {
  const name = functionName || '(anonymous)'
  if (url === '') return `${name}  ${outside[name] ?? 'native'}`
  if (!url.startsWith('file:')) return `${name}  ${url}:${lineNumber + 1}`
  const { file, line } = sourceOf(fileURLToPath(url), lineNumber, columnNumber)
  return `${name}  ${relative(root, file)}:${line}`
}

/** Where a line of dist/ comes from. */
function sourceOf(file, line, column) {
  if (!maps.has(file)) {
    const map = `${file}.map`
    const isOurs = file.startsWith(join(root, 'dist')) && existsSync(map)
    maps.set(file, isOurs ? new SourceMap(JSON.parse(readFileSync(map, 'utf8'))) : undefined)
  }
  const found = maps.get(file)?.findEntry(line, column)
  if (found?.originalSource === undefined) return { file, line: line + 1 }
  return { file: join(file, '..', found.originalSource), line: found.originalLine + 1 }
}

function byFolder(times) {
  const folderTimes = new Map()
  for (const [name, us] of times) {
    const folder = folderOf(name.slice(name.lastIndexOf('  ') + 2))
    folderTimes.set(folder, (folderTimes.get(folder) ?? 0) + us)
  }
  return folderTimes
}

function folderOf(place) {
  if (place.startsWith('node:')) return 'node internals'
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(place)
  if (inPackage !== null) return inPackage[1]
  const own = folders.find((folder) => place.startsWith(`${folder}/`))
  return own ?? (place.includes('/') ? place.split('/')[0] : place)
}

function print(times, count) {
  const shown = times
    .filter(([name]) => !name.endsWith('idle'))
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
  for (const [name, us] of shown) {
    const percent = ((100 * us) / busy).toFixed(1).padStart(5)
    console.log(`${percent} %  ${(us / 1000).toFixed(0).padStart(6)} ms  ${name}`)
  }
}
