import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openSqliteReader } from '../src/embedded/sqlite-reader.ts'

// How long from process start to the first resumed turn, after a kill with 1,000 waiting cases in the journal?
// Measured on the built package, against bare `node -e 0` in the same run.

const CASES = 1000
const ROUNDS = 7

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = join(root, 'dist/src/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'ambit-bench-'))
const journal = join(folder, 'journal')
const input = join(folder, 'tickets.jsonl')

function ticket(i: number): string {
  const facts = {
    order: `o-${i}`,
    amount: '720.00',
    currency: 'USD',
    category: 'refund',
    confidence: 0.95,
  }
  return JSON.stringify({
    id: `t-${i}`,
    customer: 'c',
    text: 'Please refund my order, it arrived broken.',
    facts,
  })
}

function run(...options: string[]) {
  const args = [
    cli,
    'run',
    join(root, 'examples/refund-desk'),
    '--journal',
    journal,
    '--input',
    input,
    '--port',
    '0',
    ...options,
  ]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
}

async function bareNode(): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
  return performance.now() - began
}

/** Starts the desk, waits for its first committed turn, and kills it. */
async function firstTurn(): Promise<number> {
  const before = await head()
  const began = Date.now()
  const child = run()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes('listens on')) break
  child.kill('SIGKILL')
  await ended
  const reader = await openSqliteReader(journal)
  const [first] = reader?.history({ afterPosition: before, limit: 1 }) ?? []
  reader?.close()
  if (first === undefined) throw new Error('the desk made no turn before it was killed')
  return (JSON.parse(first.record) as { at: number }).at - began
}

async function head(): Promise<number> {
  const reader = await openSqliteReader(journal)
  const position = reader?.head().position ?? 0
  reader?.close()
  return position
}

function median(of: number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN
}

writeFileSync(input, Array.from({ length: CASES }, (_, i) => ticket(i)).join('\n'))
const prepared = run('--until-idle', '--json', '--agents', '100')
let last = ''
for await (const line of createInterface({ input: prepared.stdout })) last = line
console.log(`prepared: ${last}`)
const [bare, resumed]: [number[], number[]] = [[], []]
for (let i = 0; i < ROUNDS; i++) {
  bare.push(await bareNode())
  resumed.push(await firstTurn())
}
console.log(
  `bare node: median ${median(bare).toFixed(0)} ms, best ${Math.min(...bare).toFixed(0)} ms`,
)
console.log(
  `first resumed turn with ${CASES} waiting cases: median ${median(resumed)} ms, best ${Math.min(...resumed)} ms`,
)
const [over, bestOver] = [median(resumed) - median(bare), Math.min(...resumed) - Math.min(...bare)]
console.log(
  `over bare node: median ${over.toFixed(0)} ms, best ${bestOver.toFixed(0)} ms (aim: at most 300)`,
)
