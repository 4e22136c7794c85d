import { expect, test } from 'vitest'
import { checkCycles, checkLayers, checkPackages } from './tidy/layers.ts'
import { checkLimits } from './tidy/limits.ts'
import { checkRules } from './tidy/rules.ts'
import { readProject, type Finding } from './tidy/source.ts'
import { checkCalls, checkLeftovers, checkSleeps } from './tidy/words.ts'

const project = readProject()
const long = (count: number, line: string) => `${line}\n`.repeat(count)

function lines(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ file, line, what, remedy }) => `${file}:${line} ${what} ${remedy}`)
}

const checks = {
  checkLayers,
  checkCycles,
  checkPackages,
  checkLimits,
  checkCalls,
  checkSleeps,
  checkLeftovers,
}

test.each(Object.entries(checks))('P1 the project passes %s', (_, check) => {
  expect(lines(check(project))).toEqual([])
})

test('P2 every rule has a test and every test names a rule', () => {
  expect(lines(checkRules(project))).toEqual([])
})

/** A check, files with a violation, and the start of the finding: undefined if there is to be none. */
const planted: [typeof checkLayers, Record<string, string>, string | undefined][] = [
  [
    checkLayers,
    { 'src/kernel/a.ts': "import '../logic/b.ts'" },
    'src/kernel/a.ts:1 imports src/logic/b.ts.',
  ],
  [
    checkLayers,
    { 'src/logic/a.ts': "\nimport type { B } from '../cli/b.ts'" },
    'src/logic/a.ts:2 imports src/cli/b.ts.',
  ],
  [
    checkLayers,
    { 'src/embedded/a.ts': "export * from '../logic/b.ts'" },
    'src/embedded/a.ts:1 imports',
  ],
  [
    checkLayers,
    { 'machines/a.ts': "await import('../actors/b.ts')" },
    'machines/a.ts:1 imports actors/b.ts.',
  ],
  [
    checkLayers,
    { 'actors/a.ts': "type B = import('ambit').B" },
    'actors/a.ts:1 imports src/index.ts.',
  ],
  [checkLayers, { 'actors/a.ts': "import '../test/b.ts'" }, 'actors/a.ts:1 imports test/b.ts.'],
  [
    checkLayers,
    { 'src/new/a.ts': "import './b.ts'" },
    'src/new/a.ts:1 is in src/new, which has no layer.',
  ],
  [
    checkLayers,
    { 'examples/a/a.ts': "import '../b/b.ts'" },
    'examples/a/a.ts:1 imports examples/b/b.ts.',
  ],
  [
    checkLayers,
    { 'examples/a/a.ts': "import '../../src/index.ts'" },
    'examples/a/a.ts:1 imports src/index.ts.',
  ],
  [checkLayers, { 'examples/a/a.ts': "import './b.ts'\nimport 'ambit'\nimport 'zod'" }, undefined],
  [
    checkLayers,
    { 'actors/a.ts': "import '../machines/b.ts'\nimport '../src/kernel/c.ts'" },
    undefined,
  ],
  [
    checkCycles,
    {
      'actors/a.ts': "import './b.ts'",
      'actors/b.ts': "import './c.ts'",
      'actors/c.ts': "import './a.ts'",
    },
    'actors/c.ts:1 closes the cycle actors/a.ts -> actors/b.ts -> actors/c.ts -> actors/a.ts.',
  ],
  [
    checkCycles,
    { 'actors/a.ts': "import './b.ts'", 'actors/b.ts': "import type { A } from './a.ts'" },
    undefined,
  ],
  [
    checkCycles,
    { 'actors/a.ts': "import './b.ts'", 'actors/b.ts': "export { type A } from './a.ts'" },
    undefined,
  ],
  [
    checkPackages,
    { 'src/kernel/a.ts': "import { setup } from 'xstate'" },
    'src/kernel/a.ts:1 names xstate.',
  ],
  [
    checkPackages,
    { 'src/inspect/a.ts': "import '@xstate/store'" },
    'src/inspect/a.ts:1 names @xstate/store.',
  ],
  [checkPackages, { 'src/inspect/read-models.ts': "import '@xstate/store'" }, undefined],
  [checkPackages, { 'src/cli/a.ts': "const driver = 'libsql'" }, 'src/cli/a.ts:1 names libsql.'],
  [checkLimits, { 'src/a.ts': long(401, '//') }, 'src/a.ts:401 has 401 lines.'],
  [checkLimits, { 'src/a.ts': `//\n//${'x'.repeat(119)}` }, 'src/a.ts:2 has 121 characters.'],
  [checkLimits, { 'src/a.ts': `// https://${'x'.repeat(119)}` }, undefined],
  [
    checkLimits,
    { 'src/a.ts': `//\nfunction f() {\n${long(69, 'f()')}}` },
    'src/a.ts:2 starts a function of 71 lines.',
  ],
  [checkLimits, { 'src/a.ts': `function f() {\n${long(68, 'f()')}}` }, undefined],
  [checkLimits, { 'machines/a.ts': `function f() {\nsetup({\n${long(80, '//')}})\n}` }, undefined],
  [checkLimits, { 'test/a.ts': `describe('a', () => {\n${long(80, 'f()')}})` }, undefined],
  [checkCalls, { 'src/logic/a.ts': '\nconst at = Date.now()' }, 'src/logic/a.ts:2 uses Date.now.'],
  [
    checkCalls,
    { 'src/logic/a.ts': 'const at = new Date().getTime()' },
    'src/logic/a.ts:1 uses new Date().',
  ],
  [
    checkCalls,
    { 'src/logic/a.ts': 'const read = Math.random' },
    'src/logic/a.ts:1 uses Math.random.',
  ],
  [checkCalls, { 'machines/a.ts': 'performance.now()' }, 'machines/a.ts:1 uses performance.now.'],
  [
    checkCalls,
    { 'machines/a.ts': 'crypto.randomUUID()' },
    'machines/a.ts:1 uses crypto.randomUUID.',
  ],
  [
    checkCalls,
    { 'actors/a.ts': "import { randomBytes as r } from 'node:crypto'" },
    'actors/a.ts:1 uses crypto.randomBytes.',
  ],
  [checkCalls, { 'actors/a.ts': 'setTimeout(run, 5)' }, 'actors/a.ts:1 uses setTimeout.'],
  [
    checkCalls,
    { 'actors/a.ts': 'globalThis.setInterval(run, 5)' },
    'actors/a.ts:1 uses globalThis.setInterval.',
  ],
  [checkCalls, { 'src/embedded/a.ts': "import { randomUUID } from 'node:crypto'" }, undefined],
  [checkCalls, { 'src/embedded/a.ts': 'Math.random()' }, 'src/embedded/a.ts:1 uses Math.random.'],
  [checkCalls, { 'src/embedded/a.ts': 'Date.now()' }, 'src/embedded/a.ts:1 uses Date.now.'],
  [
    checkCalls,
    { 'src/logic/a.ts': 'new Date(at); clock.setTimeout(run); // Date.now()' },
    undefined,
  ],
  [checkCalls, { 'src/kernel/clock.ts': 'setTimeout(run, Date.now())' }, undefined],
  [
    checkSleeps,
    { 'test/a.test.ts': "import { setImmediate } from 'node:timers/promises'" },
    undefined,
  ],
  [
    checkSleeps,
    { 'test/a.test.ts': 'await new Promise((done) => setTimeout(done, 50))' },
    'test/a.test.ts:1 uses setTimeout.',
  ],
  [
    checkSleeps,
    { 'test/a.test.ts': "import { setTimeout } from 'node:timers/promises'" },
    'test/a.test.ts:1 uses setTimeout',
  ],
  [checkLeftovers, { 'src/a.ts': '\n// TODO: later\nf()' }, 'src/a.ts:2 says TODO.'],
  [checkLeftovers, { 'src/a.ts': '/** FIXME */\nf()' }, 'src/a.ts:1 says FIXME.'],
  [checkLeftovers, { 'src/a.ts': 'f()\n// XXX' }, 'src/a.ts:2 says XXX.'],
  [checkLeftovers, { 'src/a.ts': "f('XXX')" }, undefined],
  [checkLeftovers, { 'src/logic/a.ts': 'console.log(1)' }, 'src/logic/a.ts:1 calls console.log.'],
  [checkLeftovers, { 'src/cli/a.ts': 'console.log(1)' }, undefined],
  [
    checkLeftovers,
    { 'test/a.test.ts': "test.only('R1 a', f)" },
    'test/a.test.ts:1 calls test.only.',
  ],
  [
    checkLeftovers,
    { 'test/a.test.ts': "describe.skip('a', f)" },
    'test/a.test.ts:1 calls describe.skip.',
  ],
  [
    checkLeftovers,
    { 'test/a.test.ts': 'context.skip(isAbsent)' },
    'test/a.test.ts:1 skips without a reason.',
  ],
  [checkLeftovers, { 'test/a.test.ts': "skip(isAbsent, 'no server on this machine')" }, undefined],
  [checkRules, { 'SPEC.md': '\n- **R1** A fact.' }, 'SPEC.md:2 states R1, which no test shows.'],
  [checkRules, { 'test/a.test.ts': "test('R9 a fact', f)" }, 'test/a.test.ts:1 names the rule R9.'],
  [
    checkRules,
    { 'test/a.test.ts': "test('a fact', f)" },
    "test/a.test.ts:1 has the title 'a fact'.",
  ],
  [
    checkRules,
    { 'test/a.test.ts': 'it.each([1])(`${title} a fact`, f)' },
    'test/a.test.ts:1 has the title',
  ],
  [
    checkRules,
    {
      'SPEC.md': '- **R1** A fact.\n- **R2** Another.',
      'test/a.test.ts': "test('R1 a', f); test.each([[1]])(`R2 ${'b'}`, f); /a/.test('b')",
    },
    undefined,
  ],
]

for (const [check, files, start] of planted) {
  const verb = start === undefined ? 'allows' : 'finds'
  test(`P1 ${check.name} ${verb} ${JSON.stringify(files).slice(0, 100)}`, () => {
    const found = lines(check(new Map(Object.entries(files))))
    expect(found.map((line) => line.slice(0, start?.length))).toEqual(
      start === undefined ? [] : [start],
    )
  })
}
