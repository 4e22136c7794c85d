// npm run check: everything that must hold before a change is proposed, one line a step.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { install, root, tool } from './prepare.js'

install()

const own = (name) => [join(root, 'scripts', name)]
const steps = [
  ['format', [tool('prettier', 'prettier'), '--check', '--log-level', 'warn', '.']],
  ['lint', [tool('eslint', 'eslint'), '.', '--max-warnings', '0']],
  ['types', [tool('typescript', 'tsc'), '-p', 'tsconfig.json']],
  ['tidy', [tool('vitest', 'vitest'), 'run', '--reporter=dot', 'test/tidy.test.ts']],
  ['build', own('build.js')],
  ['api', own('api-report.js')],
  ['package', [tool('vitest', 'vitest'), 'run', '--reporter=dot', 'test/package.test.ts']],
]

const failed = steps.filter(([name, command]) => !passes(name, command)).map(([name]) => name)
if (failed.length > 0) {
  console.log(`failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

function passes(name, command) {
  const start = process.hrtime.bigint()
  const ran = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const seconds = (Number(process.hrtime.bigint() - start) / 1e9).toFixed(1)
  console.log(`${ran.status === 0 ? 'ok  ' : 'FAIL'}  ${name}  ${seconds} s`)
  if (ran.status !== 0)
    console.log(`${ran.stdout}${ran.stderr}${ran.error?.message ?? ''}`.trimEnd())
  return ran.status === 0
}
