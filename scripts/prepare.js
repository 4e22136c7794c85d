// Makes a fresh clone ready to run: Node's version, the installed packages, the built package.
// It uses Node alone, and writes to stderr alone: stdout belongs to the program that starts next.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const LOCK_WAIT_MAX_MS = 10 * 60_000
const LOCK_POLL_MS = 200
const sources = ['src', 'machines', 'actors', 'examples', 'bench']
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const lockFile = join(root, '.prepare.lock')
const stampFile = join(root, 'dist', '.sources')

/** Ends the process with one line if Node is too old. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(
    `Ambit needs Node 20.19 or newer; this is Node ${process.versions.node}. Install a newer Node.`,
  )
}

/** Installs the packages of package-lock.json unless they are there. */
export function install() {
  checkNode()
  if (isInstalled()) return
  alone(() => {
    if (isInstalled()) return
    refuseLink()
    say('installing packages (npm ci)')
    // A flag or a NODE_ENV of the outer npm must neither hide an error nor leave out the compiler.
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=warn']
    const npm = process.env.npm_execpath
    const ran = npm
      ? spawnSync(process.execPath, [npm, ...args], onStderr)
      : spawnSync('npm', args, { ...onStderr, shell: process.platform === 'win32' })
    if (ran.status !== 0) fail('`npm ci` failed; its message is above.')
  })
}

/** Builds dist/ unless it was built from exactly these sources. */
export function build() {
  if (isBuilt()) return
  alone(() => {
    if (isBuilt()) return
    say('building dist/ (tsc)')
    const stamp = hashOfSources()
    // What a deleted source left behind would otherwise stay in the package.
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    const ran = spawnSync(
      process.execPath,
      [tool('typescript', 'tsc'), '-p', 'tsconfig.build.json'],
      onStderr,
    )
    if (ran.status !== 0) fail('The build failed; the message of tsc is above.')
    // npx runs the command as a file of its own; npm makes it one only if it is there when the packages are installed.
    chmodSync(join(root, 'dist', 'src', 'cli', 'main.js'), 0o755)
    writeFileSync(stampFile, stamp)
  })
}

/** Goes on as another program in this very process, so that signals and the exit code need no forwarding. */
export async function become(file, args) {
  process.argv = [process.argv[0], file, ...args]
  await import(pathToFileURL(file).href)
}

/** The path of an installed package's command. */
export function tool(packageName, command) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = readJson(join(folder, 'package.json'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

export function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

const onStderr = { cwd: root, stdio: ['ignore', 2, 2] }

/** Through a link `npm ci` would take away the packages of whichever project it leads to. */
function refuseLink() {
  const folder = join(root, 'node_modules')
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) return
  fail(
    `node_modules is a link to ${readlinkSync(folder)}, which does not hold what package-lock.json asks for. ` +
      'Run `npm ci` there, or take the link away.',
  )
}

/** Compares contents, not times: a checkout or a copy changes times at will. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return false
  const there = readJson(installed).packages
  return Object.entries(readJson(join(root, 'package-lock.json')).packages).every(
    ([path, wanted]) =>
      path === '' ||
      (there[path] === undefined
        ? wanted.optional === true || wanted.devOptional === true
        : there[path].version === wanted.version && there[path].integrity === wanted.integrity),
  )
}

function isBuilt() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hashOfSources()
}

function hashOfSources() {
  const hash = createHash('sha256')
  const files = sources.flatMap((folder) => listFiles(join(root, folder)))
  for (const file of [...files.sort(), ...settings.map((name) => join(root, name))]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function listFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listFiles(path)
    return /\.ts$/.test(entry.name) ? [path] : []
  })
}

/** Two commands started together on a fresh clone must not install or build over each other. */
function alone(work) {
  const own = `${lockFile}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    const deadline = Date.now() + LOCK_WAIT_MAX_MS
    while (!tryLock(own)) {
      if (Date.now() > deadline)
        fail(`${lockFile} is held by another run. Remove it if there is none.`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS)
    }
  } finally {
    rmSync(own, { force: true })
  }
  const release = () => rmSync(lockFile, { force: true })
  process.once('exit', release)
  work()
  process.off('exit', release)
  release()
}

/** A hard link appears whole or not at all, so that nobody reads a lock without its owner. */
function tryLock(own) {
  try {
    linkSync(own, lockFile)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isOwnerAlive()) rmSync(lockFile, { force: true })
    return false
  }
}

function isOwnerAlive() {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function say(text) {
  process.stderr.write(`ambit: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
