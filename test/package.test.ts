import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const consumer = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-consumer-')))
const compilers = { typescript5: '~5.9.3', typescript6: '~6.0.3', typescript7: '~7.0.2' }
const kinds = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

/** Runs a command; its output is in the error, should it fail. */
async function run(command: string, args: string[], cwd = consumer): Promise<string> {
  const isNpm = command === 'npm'
  const shell = isNpm && process.platform === 'win32'
  const ran = promisify(execFile)(command, args, { cwd, shell, maxBuffer: 64 * 1024 * 1024 })
  return ran.then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
    },
  )
}

/** What importing the packages loads in the consumer project. */
async function loadedBy(...names: string[]): Promise<string[]> {
  return JSON.parse(await run('node', ['loads.js', ...names])) as string[]
}

function tarball(): string {
  return join(consumer, readdirSync(consumer).find((name) => name.endsWith('.tgz')) ?? 'no tarball')
}

beforeAll(async () => {
  cpSync(join(root, 'test', 'consumer'), consumer, { recursive: true })
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }')
  await run('npm', ['pack', '--pack-destination', consumer], root)
  const aliases = Object.entries(compilers).map(
    ([name, range]) => `${name}@npm:typescript@${range}`,
  )
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...options, tarball(), ...aliases, '@types/node@20'])
}, 300_000)

afterAll(() => rmSync(consumer, { recursive: true, force: true }))

test('P3 publint finds nothing in the tarball', async () => {
  await run('node', [join(root, 'node_modules/publint/src/cli.js'), tarball(), '--strict'])
})

test('P3 every entry of the tarball resolves with its types for ESM', async () => {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
  await run('node', [attw, tarball(), '--profile', 'esm-only', '--no-color'])
})

test.each(
  Object.keys(compilers).flatMap((compiler) => kinds.map((kind) => ({ compiler, ...kind }))),
)('P3 a consumer type-checks: $compiler, $moduleResolution', async ({ compiler, ...kind }) => {
  const project = `tsconfig.${compiler}.${kind.moduleResolution}.json`
  const compilerOptions = {
    ...kind,
    target: 'es2023',
    strict: true,
    types: ['node'],
    outDir: project + '.out',
  }
  writeFileSync(join(consumer, project), JSON.stringify({ compilerOptions, files: ['desk.ts'] }))
  await run('node', [join(consumer, 'node_modules', compiler, 'bin/tsc'), '-p', project])
  expect(await run('node', [join(project + '.out', 'desk.js')])).toBe('started and stopped\n')
})

test('P3 nothing but the named entries can be imported', async () => {
  await expect(loadedBy('ambit/dist/src/index.js')).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
})

test("P4 `import 'ambit'` loads neither a SQLite driver nor a server", async () => {
  const isHeavy = (url: string) =>
    /node:(sqlite|http|net)$|node_modules\/(libsql|better-sqlite3|hono|@hono|commander|pino)\//.test(
      url,
    )
  const loaded = await loadedBy('ambit')
  expect(loaded.filter(isHeavy)).toEqual([])
  expect(loaded.some((url) => url.endsWith('/node_modules/ambit/dist/src/index.js'))).toBe(true)
  // The same look finds them where they are loaded.
  expect((await loadedBy('hono', 'commander', 'node:http')).filter(isHeavy)).not.toEqual([])
})
