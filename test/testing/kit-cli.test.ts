import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const project = fileURLToPath(new URL('../..', import.meta.url))
const broken = (name: string) => `simulate({
  name: '${name}',
  system: (ports) => createSystem({ root: supervisor({ children: [actor('a', counter)] }), ...ports }),
  traffic: [{ to: '/a', event: { type: 'go' } }],
  invariants: [invariant('neverAgain', () => ({
    see: (entry) => entry.kind === 'started' && entry.process > 1 ? 'It started again.' : undefined,
  }))],
})`
const imports = `import { actor, createSystem, supervisor } from 'ambit'
import { invariant, simulate } from 'ambit/testing'
import { fromTransition } from 'xstate'
const counter = fromTransition((count) => count + 1, 0)
`

/** Inside the project, where `ambit` is found by its name. */
const folder =
  (mkdirSync(join(project, 'test/testing/.kit'), { recursive: true }),
  mkdtempSync(join(project, 'test/testing/.kit/')))
afterAll(() => rmSync(join(project, 'test/testing/.kit'), { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      {
        cwd: project,
        timeout: 60_000,
        maxBuffer: 1e8,
        env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}

describe('simulationTest', () => {
  test('V18 fails with the report of a broken simulation, and prints that of one that holds', async () => {
    const file = join(folder, 'broken.test.js')
    writeFileSync(
      file,
      `${imports}import { simulationTest } from 'ambit/testing/vitest'
simulationTest(${broken('broken one')}, { randomRuns: 0 })
simulationTest({ ...${broken('whole one')}, invariants: [] }, { randomRuns: 0 })
`,
    )
    const vitest = join(project, 'node_modules/vitest/vitest.mjs')
    const config = join(folder, 'vitest.config.js')
    writeFileSync(config, `export default { test: { include: ['**/broken.test.js'] } }`)
    const { code, out, err } = await run(vitest, 'run', '--config', config, '--root', folder)
    expect(code).toBe(1)
    expect(out + err).toContain('SimulationFailure: broken one: BROKEN')
    expect(out + err).toContain('neverAgain is broken: It started again.')
    expect(out + err).toContain('sequenceDiagram')
    expect(out).toContain('whole one: holds in')
    expect(out).toMatch(/1 failed.*1 passed/)
  })
})

describe('ambit simulate and ambit replay', () => {
  const cli = (...args: string[]) => run(join(project, 'dist/src/cli/main.js'), ...args)
  const module = join(folder, 'simulations.js')
  const none = join(folder, 'none.js')
  writeFileSync(
    module,
    `${imports}export const one = ${broken('one')}
export const others = [{ ...one, name: 'two', invariants: [] }]
`,
  )
  writeFileSync(none, 'export const nothing = 1\n')
  const brief = ['--random-ms', '0']

  test('V19 a broken simulation ends with 1, its report, its trace and the command to play it again', async () => {
    const trace = join(folder, 'trace.json')
    const { code, out, err } = await cli('simulate', module, ...brief, '--trace', trace)
    expect([code, err]).toEqual([1, ''])
    expect(out).toContain('one: BROKEN')
    expect(out).toContain('two: holds')
    const [, line = ''] =
      /ambit replay \S+simulations\.js '(\S+)' --simulation 'one'/.exec(out) ?? []
    expect(readdirSync(folder)).toContain('trace.json')
    const again = await cli('replay', module, line, '--simulation', 'one')
    expect(again.code).toBe(1)
    expect(again.out).toContain('BROKEN: neverAgain: It started again.')
    const json = await cli('replay', module, line, '--simulation', 'one', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ breach: { invariant: 'neverAgain' } })
    const ordinary = await cli('replay', module, '1:', '--simulation', 'two')
    expect([ordinary.code, ordinary.out.trim().split('\n').at(-1)]).toEqual([
      0,
      'Everything holds.',
    ])
  })

  test('V19 results are one JSON text, and 0 is the exit code when everything holds', async () => {
    const { code, out } = await cli('simulate', module, ...brief, '--json', '--simulation', 'two')
    expect(code).toBe(0)
    const { results } = JSON.parse(out) as { results: { ok: boolean; name: string }[] }
    expect(results).toMatchObject([{ ok: true, name: 'two', runs: { corpus: 0, random: 0 } }])
  })

  const mistakes: [string[], RegExp][] = [
    [['simulate', 'no/such'], /Found no module at "no\/such"/],
    [['simulate', none], /exports no simulation\. Export what simulate\(\{ \.\.\. \}\) returns/],
    [
      ['simulate', module, '--simulation', 'three'],
      /has no simulation "three"\. It has "one", "two"\./,
    ],
    [
      ['simulate', module, '--exhaustive', '3'],
      /--exhaustive: expected a whole number from 0 to 2, got "3"/,
    ],
    [['simulate', module, '--random-ms', 'x'], /--random-ms: expected a whole number/],
    [
      ['replay', module, '1:'],
      /has several simulations: "one", "two"\. Say which with --simulation NAME\./,
    ],
    [
      ['replay', module, '17=2', '--simulation', 'one'],
      /Expected a replay line such as "1:17=2,40=1", got "17=2"/,
    ],
    [['replay', module], /missing required argument 'schedule'/],
  ]
  test.each(mistakes)('V19 ambit %j is refused with what to do', async (args, says) => {
    const { code, out, err } = await cli(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(says)
  })
})
