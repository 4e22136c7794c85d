import { mkdirSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  generateApproverKey,
  governed,
  keyIdOf,
  money,
  pool,
  signStatement,
  sqlite,
  supervisor,
  type ActorSystem,
  type Observer,
  type SignedStatement,
} from 'ambit'
import { setup } from 'xstate'
import { z } from 'zod'
import { loadSqliteDriver, type SqliteDatabase } from '../src/embedded/sqlite-driver.ts'

// What does it cost to have a human decide? Agents propose more than they may, so that each opens a case; then signed
// approvals come in and every agent goes on to its end. And what does a waiting case take on the disk?

const CASES = 1000
const CONCURRENCY = 50
const ROUNDS = 3
const TMPFS = 0x01021994

const refund = defineAction({
  name: 'refund',
  input: z.object({ order: z.string(), amount: money() }),
  key: ({ order }) => order,
  amount: ({ amount }) => amount,
  idempotent: true,
  execute: ({ idempotencyKey }) => Promise.resolve({ refundId: `r-${idempotencyKey}` }),
})

const envelope = defineEnvelope({
  id: 'desk',
  owner: 'head-of-support',
  actions: {
    refund: {
      atMost: { amount: '500.00 USD' },
      windows: [{ amount: '5000.00 USD', per: 'day', timeZone: 'UTC' }],
    },
  },
  escalateWhen: [{ confidenceUnder: 0.8 }],
  approval: { by: ['finance'] },
})

const deskMachine = setup({
  types: {
    context: {} as { order: string },
    input: {} as { order: string },
    events: {} as { type: 'refund.asked' } | { type: 'refund.waiting' },
  },
  actors: { refund: governed(refund, { onWaiting: 'refund.waiting' }) },
}).createMachine({
  id: 'desk',
  context: ({ input }) => ({ order: input.order }),
  initial: 'idle',
  states: {
    idle: { on: { 'refund.asked': 'refunding' } },
    refunding: {
      invoke: {
        src: 'refund',
        input: ({ context }) => ({
          args: { order: context.order, amount: '720.00 USD' },
          why: 'The customer asked for a refund: it arrived broken.',
          confidence: 0.95,
        }),
        onDone: 'refunded',
        onError: 'declined',
      },
      initial: 'proposed',
      states: { proposed: { on: { 'refund.waiting': 'awaitingHuman' } }, awaitingHuman: {} },
    },
    refunded: { type: 'final' },
    declined: {},
  },
})

/** Tells when an agent has heard that a human is asked, and when it has come to its end. */
class Progress {
  private readonly waiting = new Map<string, () => void>()
  readonly observer: Observer = {
    onTurn: ({ address, state, status }) => {
      const isWaiting = JSON.stringify(state) === '{"refunding":"awaitingHuman"}'
      if (isWaiting || status === 'done' || state === 'declined') this.waiting.get(address)?.()
    },
  }

  async next(address: string): Promise<void> {
    await new Promise<void>((resolve) => this.waiting.set(address, resolve))
    this.waiting.delete(address)
  }
}

interface Measured {
  readonly perSecond: number
  readonly cpuMicrosecondsEach: number
}

async function measure(work: (i: number) => Promise<void>): Promise<Measured> {
  let next = 0
  const lane = async () => {
    while (next < CASES) await work(next++)
  }
  const before = process.cpuUsage()
  const began = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  return { perSecond: CASES / seconds, cpuMicrosecondsEach: (user + system) / CASES }
}

function describe(what: string, rounds: readonly Measured[]): void {
  const sorted = [...rounds].sort((a, b) => a.cpuMicrosecondsEach - b.cpuMicrosecondsEach)
  const { perSecond = 0, cpuMicrosecondsEach = 0 } = sorted[Math.floor(rounds.length / 2)] ?? {}
  console.log(
    `${what}, ${CONCURRENCY} at a time: ${perSecond.toFixed(0)}/s, ` +
      `${(1e6 / cpuMicrosecondsEach).toFixed(0)}/CPU-s, ${cpuMicrosecondsEach.toFixed(0)} us CPU each`,
  )
}

/** Signs an approval of every open case, by the address of the agent that waits for it. */
async function signAll(system: ActorSystem): Promise<Map<string, SignedStatement>> {
  const { privateKey, publicKey } = generateApproverKey()
  const person = 'dana'
  await system.addApprover(keyIdOf(publicKey), { person, roles: ['finance'], publicKey })
  return new Map(
    system.cases().map(({ id, digest, proposal }) => {
      const nonce = `nonce-of-the-bench-${id}`
      const about = { v: 1, system: system.id, case: id, digest, verdict: 'approve' } as const
      const statement = { ...about, person, at: Date.now(), nonce }
      return [proposal.proposer, signStatement(statement, privateKey)]
    }),
  )
}

interface Sizes {
  readonly file: number
  /** Where the numbers of `parts` come from. */
  readonly by: 'dbstat' | 'sum(length())'
  readonly parts: ReadonlyMap<string, number>
}

const texts: readonly (readonly [part: string, sql: string])[] = [
  ['agent snapshots', "SELECT snapshot FROM actor WHERE address LIKE '/desks/%'"],
  ['action snapshots', "SELECT snapshot FROM actor WHERE address LIKE '/system/actions/%'"],
  ['rows: cases', "SELECT value FROM keyed_row WHERE key LIKE 'case:%'"],
  ['rows: open', "SELECT address || key || value FROM keyed_row WHERE key LIKE 'open:%'"],
  ['rows: stream ends', "SELECT address || key || value FROM keyed_row WHERE key LIKE '~%'"],
  ['outbox', 'SELECT message FROM outbox'],
  ['timers', 'SELECT address || id FROM timer'],
  ['records (thought log)', 'SELECT record FROM turn'],
]

/** What the journal's file holds, after its write-ahead log was written into it. */
function sizesOf(database: SqliteDatabase, file: string): { sizes: Sizes; text: Sizes } {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const bytes = statSync(file).size
  const parts = texts.map(([part, sql]): [string, number] => {
    const [column = ''] = /(?<=SELECT ).*(?= FROM)/.exec(sql) ?? []
    const sum = sql.replace(column, `coalesce(sum(length(CAST(${column} AS BLOB))), 0) AS bytes`)
    return [part, (database.prepare(sum).get() as { bytes: number }).bytes]
  })
  const text: Sizes = { file: bytes, by: 'sum(length())', parts: new Map(parts) }
  try {
    const pages = database.prepare('SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name')
    const found = (pages.all() as { name: string; bytes: number }[]).map(
      ({ name, bytes: size }): [string, number] => [name, size],
    )
    return { sizes: { file: bytes, by: 'dbstat', parts: new Map(found) }, text }
  } catch {
    return { sizes: text, text }
  }
}

function printSizes(before: Sizes, after: Sizes): void {
  const grown = [...after.parts]
    .map(([part, bytes]): [string, number] => [part, bytes - (before.parts.get(part) ?? 0)])
    .filter(([, bytes]) => bytes !== 0)
    .sort(([, a], [, b]) => b - a)
  console.log(`  by ${after.by}:`)
  for (const [part, bytes] of grown)
    console.log(`    ${part.padEnd(34)}${(bytes / CASES).toFixed(0).padStart(6)} bytes a case`)
}

function printWaiting(before: Sizes, after: Sizes): void {
  const total = after.file - before.file
  const isLog = (part: string) => part.startsWith('turn') || part.startsWith('records')
  const log = [...after.parts]
    .filter(([part]) => isLog(part))
    .reduce((sum, [part, bytes]) => sum + bytes - (before.parts.get(part) ?? 0), 0)
  console.log(
    `on disk: ${((total - log) / CASES).toFixed(0)} bytes a waiting case, ` +
      `and ${(log / CASES).toFixed(0)} of thought log (${after.by})`,
  )
}

/** A folder on a disk: an fsync on a file system in memory costs nothing and would flatter everybody. */
function diskFolder(): string {
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtempSync(join(tmpdir(), 'ambit-bench-'))
  const built = fileURLToPath(new URL('..', import.meta.url))
  mkdirSync(built, { recursive: true })
  return mkdtempSync(join(built, 'bench-data-'))
}

interface Round {
  readonly opened: Measured
  readonly decided: Measured
  readonly empty: ReturnType<typeof sizesOf>
  readonly full: ReturnType<typeof sizesOf>
}

/** Opens the cases in a journal of their own, looks at the disk, and decides them all. */
async function playRound(folder: string): Promise<Round> {
  const progress = new Progress()
  const desks = pool('desks', agent('desk', deskMachine, { envelope }), {
    inputOf: (order) => ({ order }),
  })
  const system = createSystem({
    root: supervisor({ children: [desks] }),
    journal: sqlite(folder),
    observers: [progress.observer],
  })
  await system.start()
  const file = join(folder, 'journal.sqlite')
  const database = driver.open(file)
  const empty = sizesOf(database, file)
  const opened = await measure(async (i) => {
    const address = `/desks/order-${i}`
    const waits = progress.next(address)
    system.ref(address).send({ type: 'refund.asked' })
    await waits
  })
  await system.atRest()
  const full = sizesOf(database, file)
  database.close()
  const statements = [...(await signAll(system))]
  if (statements.length !== CASES) throw new Error(`${statements.length} cases were opened`)
  const decided = await measure((i) => decide(system, progress, statements[i]))
  await system.stop()
  return { opened, decided, empty, full }
}

async function decide(
  system: ActorSystem,
  progress: Progress,
  signedBy: readonly [address: string, signed: SignedStatement] | undefined,
): Promise<void> {
  if (signedBy === undefined) return
  const [address, signed] = signedBy
  const ended = progress.next(address)
  const answer = await system.submitDecision(signed)
  if (answer.type !== 'ambit.approval.accepted') throw new Error(JSON.stringify(answer))
  await ended
}

const driver = await loadSqliteDriver()
const folder = diskFolder()
console.log(`node ${process.versions.node}, ${driver.name}, WAL, synchronous FULL, in ${folder}`)
const rounds: Round[] = []
for (let i = 0; i <= ROUNDS; i++) {
  const round = join(folder, String(i))
  mkdirSync(round)
  rounds.push(await playRound(round))
}
// The first round warms up and does not count.
const counted = rounds.slice(1)
describe(
  `${CASES} cases opened`,
  counted.map(({ opened }) => opened),
)
describe(
  `${CASES} approved and done`,
  counted.map(({ decided }) => decided),
)
const [first] = counted
if (first !== undefined) {
  const { empty, full } = first
  printWaiting(empty.sizes, full.sizes)
  printSizes(empty.text, full.text)
  if (full.sizes.by === 'dbstat') printSizes(empty.sizes, full.sizes)
}
rmSync(folder, { recursive: true, force: true })
