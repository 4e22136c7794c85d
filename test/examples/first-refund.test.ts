import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runCli, temporaryFolder } from '../support/desk-process.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const example = join(root, 'examples/first-refund.mjs')

/** Runs the example to its end, which is a SIGKILL. */
async function run(journal: string): Promise<string[]> {
  const child = spawn(process.execPath, [example, journal], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) out += String(chunk)
  return out.trim().split('\n')
}

test('D9 the case of the first example survives the crash, and its refund happens once', async () => {
  const journal = join(temporaryFolder(), 'first')
  expect(await run(journal)).toEqual(['c-1 open: perAction'])
  expect(await run(journal)).toEqual(['c-1 open: perAction'])
  expect((await runCli('keygen', 'alice', '--journal', journal)).code).toBe(0)
  expect((await runCli('approvals', 'approve', 'c-1', '--journal', journal)).code).toBe(0)
  expect(await run(journal)).toEqual(['refunded A-7', 'c-1 approved: perAction'])
  expect(await run(journal)).toEqual(['c-1 approved: perAction'])
})

test('D9 the README shows the example as it is', () => {
  const squeeze = (text: string) => text.replace(/\s+/g, ' ')
  const readme = squeeze(readFileSync(join(root, 'README.md'), 'utf8'))
  const [, body = ''] = readFileSync(example, 'utf8').split("from 'zod'\n")
  for (const line of body.split('\n').filter((text) => text.trim().length > 12)) {
    const words = squeeze(line.trim()).replace(/,$/, '')
    expect(readme).toContain(words)
  }
})
