import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import { ChainCheck } from '../../src/thought-log/chain.ts'
import { exited, temporaryFolder } from '../support/desk-process.ts'

const KILLS = Number(process.env.AMBIT_KILLS ?? 8)
const IDS = KILLS * 40

const script = fileURLToPath(new URL('../support/counter.js', import.meta.url))

interface Life {
  readonly acknowledged: string[]
  readonly duplicates: string[]
}

/** One life: hands in the ids from the first unacknowledged one on, and is killed after so many answers. */
async function live(journal: string, ids: readonly string[], killAfter: number): Promise<Life> {
  const child = spawn(process.execPath, [script, journal], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = exited(child)
  // A killed child closes its end of the pipe: that is what this test is about.
  child.stdin.on('error', () => undefined)
  const life: Life = { acknowledged: [], duplicates: [] }
  child.stdin.write(ids.map((id) => `${id}\n`).join(''))
  for await (const line of createInterface({ input: child.stdout })) {
    const [outcome, id = ''] = line.split(' ')
    if (outcome === 'duplicate') life.duplicates.push(id)
    if (outcome === 'committed' || outcome === 'duplicate') life.acknowledged.push(id)
    if (life.acknowledged.length >= Math.min(killAfter, ids.length)) child.kill('SIGKILL')
  }
  await ended
  return life
}

async function finalCount(journal: string): Promise<number> {
  const child = spawn(process.execPath, [script, journal], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end('count\n')
  let count = NaN
  for await (const line of createInterface({ input: child.stdout })) {
    const match = /^count (\d+)$/.exec(line)
    if (match !== null) count = Number(match[1])
  }
  return count
}

test('J7 kill -9 loses no acknowledged turn and does none twice', async () => {
  const random = createSeededRandom('kill the counter')
  const journal = join(temporaryFolder(), 'journal')
  const ids = Array.from({ length: IDS }, (_, i) => `id-${i}`)
  const acknowledged = new Set<string>()
  let [lives, repeated] = [0, 0]
  while (acknowledged.size < ids.length) {
    const life = await live(journal, ids.slice(acknowledged.size), 1 + Math.floor(random() * 60))
    for (const id of life.acknowledged) acknowledged.add(id)
    repeated += life.duplicates.length
    lives++
  }
  const reader = await openSqliteReader(journal)
  const kept = [...(reader?.rows('/counter').keys() ?? [])].filter((key) => key.startsWith('id:'))
  const chain = new ChainCheck()
  chain.add(reader?.history({ limit: 1_000_000 }) ?? [])
  reader?.close()
  expect(chain.finish().ok).toBe(true)
  expect(kept.length).toBe(ids.length)
  expect(await finalCount(journal)).toBe(ids.length)
  console.log(`${lives} lives, ${ids.length} ids, ${repeated} repeats answered as duplicates`)
}, 600_000)
