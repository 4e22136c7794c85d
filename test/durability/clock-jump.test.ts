import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import type { StoredTurn } from '../../src/kernel/ports/journal.ts'
import { temporaryFolder } from '../support/desk-process.ts'
import { startTold, type Told } from './told.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describe('a clock that jumps', () => {
  let worker: Told
  let journal: string
  const start = async () => {
    worker = startTold(journal)
    await worker.hears(/^ready$/)
  }
  const begin = () => {
    journal = join(temporaryFolder(), 'journal')
    return start()
  }
  afterEach(() => worker.kill())

  let commands = 0
  const setBell = async (name: string, waitMs: number) => {
    worker.tell(`bell ${name} ${waitMs} ${++commands}`)
    await worker.hears(new RegExp(`^set ${name} `))
  }
  const rings = (name: string) => worker.hears(new RegExp(`^turn /bells/${name} .* ambit.timer `))
  const spend = async (order: string, minor: number, end: 'spent' | 'asking') => {
    worker.tell(`spend ${order} ${minor}`)
    await worker.hears(new RegExp(`^turn /purses/${order} .*${end}`))
  }

  test('Z7 a timer fires once, whether the clock jumps over its time or comes back to it', async () => {
    await begin()
    await setBell('far', HOUR_MS)
    worker.tell(`shift ${DAY_MS}`)
    // Whoever sets a timer after the jump does not wait behind one that the clock has jumped over.
    await setBell('next', 100)
    for (const name of ['far', 'next']) await rings(name)
    await setBell('late', 300)
    worker.tell(`shift ${-HOUR_MS}`)
    await setBell('other', 400)
    await rings('other')
    expect(await ringsOf(journal)).toEqual({ far: 1, next: 1, other: 1 })
    worker.tell(`shift ${HOUR_MS}`)
    await setBell('last', 100)
    await rings('late')
    await rings('last')
    await worker.leave()
    await start()
    worker.tell('rest')
    await worker.hears(/^rested$/)
    const once = { far: 1, next: 1, other: 1, late: 1, last: 1 }
    expect(await ringsOf(journal)).toEqual(once)
  })

  test('Z8 a window forgets no spending because the clock was set back', async () => {
    await begin()
    await spend('first', 6000, 'spent')
    await spend('second', 6000, 'asking')
    worker.tell(`shift ${DAY_MS}`)
    await spend('third', 6000, 'spent')
    // By the clock alone this hour is before the third, and more than the window after the first.
    worker.tell(`shift ${-HOUR_MS}`)
    await spend('fourth', 6000, 'asking')
    await spend('fifth', 4000, 'spent')
    await worker.kill()
    await start()
    // The clock of the next process is a day behind; the ledger's time is not.
    await spend('sixth', 100, 'asking')
    const entries = (await turnsIn(journal)).filter(({ address }) => address === '/system/ledger')
    expect(entries.length).toBeGreaterThan(6)
    expect(backwards(await turnsIn(journal))).toEqual([])
  })

  test('Z9 the time of an actor never runs backwards, whatever the clock does at work', async () => {
    await begin()
    for (const [n, shift] of [DAY_MS, -HOUR_MS, -DAY_MS, 2 * HOUR_MS].entries()) {
      worker.tell(`errands ${100 * n} ${100 * n + 100}`)
      worker.tell(`shift ${shift}`)
      await worker.hears(/^ack /, 100 * n + 100)
    }
    await worker.leave()
    const turns = await turnsIn(journal)
    expect(turns.length).toBeGreaterThanOrEqual(1600)
    expect(backwards(turns)).toEqual([])
  })
})

/** How often each bell rang. */
async function ringsOf(journal: string): Promise<Record<string, number>> {
  const rings: Record<string, number> = {}
  for (const { address, record } of await turnsIn(journal)) {
    const { message } = JSON.parse(record) as { message: { type: string } }
    if (!address.startsWith('/bells/') || message.type !== 'ambit.timer') continue
    const name = address.slice('/bells/'.length)
    rings[name] = (rings[name] ?? 0) + 1
  }
  return rings
}

/** The turns whose time is before that of the one before of the same actor. */
function backwards(turns: readonly StoredTurn[]): readonly string[] {
  const last = new Map<string, number>()
  return turns.flatMap(({ address, seq, record }) => {
    const { at } = JSON.parse(record) as { at: number }
    const isBackwards = at < (last.get(address) ?? 0)
    last.set(address, at)
    return isBackwards ? [`${address} ${seq}`] : []
  })
}

async function turnsIn(journal: string): Promise<readonly StoredTurn[]> {
  const reader = await openSqliteReader(journal)
  if (reader === undefined) return []
  const turns: StoredTurn[] = []
  for (let page = reader.history({}); page.length > 0;) {
    turns.push(...page)
    page = reader.history({ afterPosition: page.at(-1)?.position ?? 0 })
  }
  reader.close()
  return turns
}
