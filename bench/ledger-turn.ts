import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ledgerMachine, type LedgerEntry, type Reservation } from '../machines/ledger.ts'
import { sqliteJournal } from '../src/embedded/sqlite-journal.ts'
import { supervisor } from '../actors/supervisor.ts'
import { actorSpec } from '../src/kernel/child-spec.ts'
import type { Json } from '../src/kernel/json.ts'
import { plainCommit } from '../src/kernel/plain-commit.ts'
import type { Journal } from '../src/kernel/ports/journal.ts'
import { Kernel } from '../src/kernel/system.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'

// Does a ledger turn cost the same with 10 known keys as with 100,000? The same turns, on real files, in one run.

const TURNS = 3000
const ROUNDS = 3
const LEDGER = '/ledger'

interface Measured {
  readonly turnsPerSecond: number
  readonly cpuMicrosecondsPerTurn: number
}

/** Puts so many settled entries into a journal before the ledger first starts. */
async function prepare(journal: Journal, keys: number): Promise<void> {
  const session = await journal.open()
  const entry: LedgerEntry = {
    status: 'committed',
    account: 'desk',
    minor: 100,
    currency: 'USD',
    counted: [],
    at: 1,
  }
  const rows = Array.from(
    { length: keys },
    (_, i) => [`entry:known-${i}`, entry as unknown as Json] as const,
  )
  const state = { root: { value: 'open', context: {} } }
  const { id, version, hash } = createInterpreter(ledgerMachine)
  const snapshot = { machine: { id, version, hash }, state, lastNow: 0 }
  const status = 'active'
  const records = ['{}']
  await session.commit([
    plainCommit({ address: LEDGER, expectedSeq: 0, seq: 1, status, snapshot, records, rows }),
  ])
  await session.close()
}

async function measure(kernel: Kernel, round: number): Promise<Measured> {
  const before = process.cpuUsage()
  const began = performance.now()
  for (let i = 0; i < TURNS; i += 500) {
    const batch = Array.from({ length: 500 }, (_, j) => reserve(kernel, `${round}-${i + j}`))
    await Promise.all(batch)
  }
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  return { turnsPerSecond: TURNS / seconds, cpuMicrosecondsPerTurn: (user + system) / TURNS }
}

function reserve(kernel: Kernel, key: string) {
  const charges = [
    {
      window: 'w',
      spec: { amount: '9000000.00 USD', per: 'day', timeZone: 'UTC' } as const,
      limit: 900_000_000,
    },
  ]
  const reservation: Reservation = { key, account: 'desk', minor: 100, currency: 'USD', charges }
  return kernel.askPrivileged(
    LEDGER,
    { type: 'ambit.ledger.reserve', reservation },
    { timeoutMs: 60_000 },
  )
}

async function start(keys: number): Promise<Kernel> {
  const journal = sqliteJournal(mkdtempSync(join(tmpdir(), 'ambit-bench-')))
  await prepare(journal, keys)
  const kernel = new Kernel({
    root: supervisor({
      children: [actorSpec('ledger', createInterpreter(ledgerMachine), { privileged: true })],
    }),
    journal,
  })
  await kernel.start()
  return kernel
}

const sizes = [10, 100_000]
const kernels = await Promise.all(sizes.map(start))
const best: Measured[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, kernel] of kernels.entries()) {
    const measured = await measure(kernel, round)
    const known = best[i]
    if (known === undefined || measured.cpuMicrosecondsPerTurn < known.cpuMicrosecondsPerTurn)
      best[i] = measured
  }
}
for (const [i, keys] of sizes.entries()) {
  const { turnsPerSecond = 0, cpuMicrosecondsPerTurn = 0 } = best[i] ?? {}
  console.log(
    `${String(keys).padStart(7)} known keys: ${turnsPerSecond.toFixed(0)} turns/s, ` +
      `${cpuMicrosecondsPerTurn.toFixed(1)} us CPU a turn`,
  )
}
const [few, many] = best
const ratio = (many?.cpuMicrosecondsPerTurn ?? 0) / (few?.cpuMicrosecondsPerTurn ?? 1)
console.log(`CPU a turn, 100,000 keys / 10 keys: ${ratio.toFixed(2)}`)
await Promise.all(kernels.map((kernel) => kernel.stop()))
