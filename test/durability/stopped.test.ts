import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import { temporaryFolder } from '../support/desk-process.ts'
import { rejection } from '../support/refusal.ts'
import { waitFor } from '../wait-for.ts'
import { startTold, stateOf, type Told } from './told.ts'

const BELLS = 5
const WAIT_MS = 1000

const hasStop = process.platform === 'linux'
if (!hasStop) console.log('stopped processes: not run (they are looked at in /proc)')

describe('a stopped process', () => {
  const workers: Told[] = []
  const start = async (journal: string) => {
    const worker = startTold(journal)
    workers.push(worker)
    await worker.hears(/^ready$/)
    return worker
  }
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())))

  /** A process that is stopped while it works and while bells are set, which fall due meanwhile. */
  const stopAtWork = async (journal: string) => {
    const worker = await start(journal)
    worker.tell('errands 0 400')
    for (let n = 0; n < BELLS; n++) worker.tell(`bell b${n} ${WAIT_MS} set-${n}`)
    await worker.hears(/^set /, BELLS)
    const due = Date.now() + WAIT_MS
    process.kill(worker.pid, 'SIGSTOP')
    await waitFor(() => stateOf(worker.pid) === 'T')
    await waitFor(() => Date.now() > due)
    expect(worker.said.filter((line) => line.includes('ambit.timer'))).toEqual([])
    return worker
  }

  test('Z5 a process that is stopped keeps its journal, and goes on where it was', async ({
    skip,
  }) => {
    skip(!hasStop, 'stopped processes are looked at in /proc')
    const journal = join(temporaryFolder(), 'journal')
    const worker = await stopAtWork(journal)
    const refusal = await rejection(Promise.resolve(sqliteJournal(journal).open()))
    expect(refusal.code).toBe('AMBIT_JOURNAL_OWNED')
    expect(refusal.message).toContain(String(worker.pid))
    expect(stateOf(worker.pid)).toBe('T')
    process.kill(worker.pid, 'SIGCONT')
    await worker.hears(/^ack /, 400)
    await waitFor(async () => (await ringsIn(journal)).length >= BELLS)
    worker.tell('rest')
    await worker.hears(/^rested$/)
    await worker.leave()
    expect(await ringsIn(journal)).toEqual(oneEach)
  })

  test('Z6 a stopped process that is killed leaves its journal to a successor, who fires its timers once', async ({
    skip,
  }) => {
    skip(!hasStop, 'stopped processes are looked at in /proc')
    const journal = join(temporaryFolder(), 'journal')
    const first = await stopAtWork(journal)
    await first.kill()
    const second = await start(journal)
    await waitFor(async () => (await ringsIn(journal)).length >= BELLS)
    second.tell('errands 0 400')
    await second.hears(/^ack /, 400)
    const repeated = second.said.filter((line) => /^ack \S+ duplicate$/.test(line)).length
    const before = first.said.filter((line) => line.startsWith('ack ')).length
    expect(repeated).toBeGreaterThanOrEqual(before)
    second.tell('rest')
    await second.hears(/^rested$/)
    await second.leave()
    expect(await ringsIn(journal)).toEqual(oneEach)
  })
})

const oneEach = Array.from({ length: BELLS }, (_, n) => `/bells/b${n} ring:1`)

/** Which bells rang how often, by the rows that each ring leaves. */
async function ringsIn(journal: string): Promise<readonly string[]> {
  const reader = await openSqliteReader(journal)
  const bells = Array.from({ length: BELLS }, (_, n) => `/bells/b${n}`)
  const rings = bells.flatMap((bell) =>
    [...(reader?.rows(bell).keys() ?? [])]
      .filter((key) => key.startsWith('ring:'))
      .map((key) => `${bell} ${key}`),
  )
  reader?.close()
  return rings
}
