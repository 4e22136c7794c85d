import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sqlite } from 'ambit'
import { keepHead } from '../../src/cli/heads.ts'
import { refundSystem, World } from '../support/refund-world.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import { hostileText } from './support/hostile-values.ts'

const tally = new Tally('command line')

const root = realpathSync(mkdtempSync(join(tmpdir(), 'ambit-cli-')))
const [journal, file, program] = ['journal', 'file', 'program.mjs'].map((name) =>
  join(root, name),
) as [string, string, string]
const home = process.cwd()
let main: (argv: readonly string[]) => Promise<number>

beforeAll(async () => {
  mkdirSync(join(root, 'empty'))
  writeFileSync(file, 'no journal')
  writeFileSync(
    program,
    `export const program = {
      name: 'stub', description: 'does not start',
      options: [{ flags: '--agents <n>', description: 'how many', parse: (text) => Number(text) }],
      start: async () => { throw new Error('This program does not start.') },
    }`,
  )
  const system = refundSystem(new World(), { amount: '700.00 USD', journal: sqlite(journal) })
  await system.start()
  await system.atRest()
  await keepHead(journal, system)
  await system.stop()
  // Whatever is written without a folder is written here.
  process.chdir(root)
  main = await loadMain()
})

afterAll(() => {
  process.chdir(home)
  rmSync(root, { recursive: true, force: true })
})

/** The command runs when it is loaded: it is asked for its help. */
async function loadMain() {
  const { argv } = process
  process.argv = [process.execPath, 'ambit', '--help']
  const { result } = await heard(async () => import('../../src/cli/main.ts'))
  process.argv = argv
  process.exitCode = undefined
  return result.main
}

interface Heard<T> {
  readonly result: T
  readonly out: string
  readonly err: string
}

async function heard<T>(run: () => Promise<T>): Promise<Heard<T>> {
  const said = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text)
      return true
    }),
  )
  try {
    return { result: await run(), out: said.stdout, err: said.stderr }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

const command = fc.constantFrom(
  ...['run', 'keygen', 'log show', 'log verify', 'log head', 'log explain', 'approvals list'],
  ...['approvals show', 'approvals approve', 'approvals reject', 'approvals amend'],
  ...[
    'parked list',
    'parked retry',
    'parked discard',
    'approvals settle',
    'approvals',
    'log',
    'rnu',
    '--version',
    '-h',
    '',
  ],
)

/** A folder that a command may write to. */
const folder = fc.constantFrom(
  journal,
  journal,
  file,
  join(root, 'empty'),
  join(root, 'none'),
  '\0',
)
const place = fc.constantFrom('c-1', 'c-2', 'alice', program, file, '/', '/system/approvals')

const words: fc.Arbitrary<readonly string[]> = fc.oneof(
  folder.map((path) => ['--journal', path]),
  place.map((text) => [text]),
  hostileText.filter((text) => !text.startsWith('--journal')).map((text) => [text]),
  fc
    .tuple(
      fc.constantFrom(
        '--role',
        '--as',
        '--reason',
        '--args',
        '--actor',
        '--last',
        '--head',
        '--port',
      ),
      fc.oneof(
        hostileText,
        fc.constantFrom('{}', '[]', '{"amount":5}', '1:x', '0', '99999', 'alice'),
      ),
    )
    .map(([name, value]) => [name, value]),
  fc.tuple(fc.constantFrom('--now', '--log-level', '--agents'), hostileText),
  fc
    .constantFrom('--json', '--all', '--happened', '--not-happened', '--until-idle', '--help', '--')
    .map((flag) => [flag]),
)

/** How a line of a stack trace looks. */
const STACK = /^\s+at .+:\d+:\d+\)?$/m

test(
  'Y12 any command line ends with a stable exit code and, unless it was done, with a reason and no stack',
  async () => {
    const lines = fc.tuple(command, folder, fc.array(words, { maxLength: 4 }))
    const property = fc.asyncProperty(lines, async ([name, path, more]) => {
      tally.given()
      const args = [...name.split(' '), ...more.flat(), '--journal', path].filter(
        (word, i) => word !== '' || i > 0,
      )
      const { result: code, err } = await heard(() => main(args))
      expect([0, 1, 2, 3]).toContain(code)
      expect(err).not.toMatch(STACK)
      if (code !== 0 && !args.includes('--json')) expect(err).toMatch(/\S/)
      if (code === 2) expect(err).toMatch(REMEDY)
      tally.settle(code === 0)
    })
    await fc.assert(property, runs(600))
  },
  LIMIT_MS,
)

/** A wrong use says what was expected, or where to read it. */
const REMEDY = /[Ee]xpected|see --help|Usage|Say what|Use --|Found nothing|does not export/
