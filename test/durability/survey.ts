import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { JOURNAL_FILE, sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { loadSqliteDriver, type SqliteDriverName } from '../../src/embedded/sqlite-driver.ts'
import type { JournalSession, StoredTurn } from '../../src/kernel/ports/journal.ts'
import { ChainCheck, describeFault } from '../../src/thought-log/chain.ts'
import { pathOf, relays, rowOf, STEPS } from './relay.js'

/** What a journal holds of the relays' work. */
export interface Survey {
  /** What is wrong with the file or with the chain of its records. */
  readonly fault: string | undefined
  /** The errands that were begun. */
  readonly begun: ReadonlySet<string>
  /** Errands of which a step was done, the next was not, and nobody is told to do it. */
  readonly dropped: readonly string[]
  /** Errands that have not come to their end. */
  readonly underWay: readonly string[]
  /** Relays that did an errand more often than once, or counted one that they have no row of. */
  readonly miscounted: readonly string[]
  /** The digests of its records, as `relay-worker.js` notes them. */
  readonly records: ReadonlySet<string>
}

/** Opens a journal as its next owner does, and looks at everything in it. */
export async function surveyJournal(directory: string, driver?: SqliteDriverName): Promise<Survey> {
  const session = await sqliteJournal(directory, { driver }).open()
  try {
    const turns = await allTurns(session)
    const chain = new ChainCheck([await session.head()])
    chain.add(turns)
    const verdict = chain.finish()
    const broken = await integrityFault(join(directory, JOURNAL_FILE), driver)
    const fault = verdict.ok ? broken : describeFault(verdict.fault)
    const records = new Set(turns.map(({ record }) => digestOf(record)))
    return { fault, records, ...(await surveyErrands(session)) }
  } finally {
    await session.close()
  }
}

async function surveyErrands(session: JournalSession) {
  const done = new Map<string, number>()
  const miscounted: string[] = []
  for (const address of relays) {
    const rows = [...((await session.load(address))?.rows ?? [])]
    const own = rows.filter(([key]) => key.startsWith('did:'))
    for (const [key, count] of own) done.set(key, count as number)
    const counts = own.map(([, count]) => count as number).sort((a, b) => a - b)
    if (counts.some((count, i) => count !== i + 1)) miscounted.push(address)
  }
  const ids = new Set([...done.keys()].map((key) => key.slice('did:'.length, key.indexOf('.'))))
  const bodies = (await session.recover()).outbox.map(({ body }) => body)
  const told = new Set(bodies.map(({ id, step }) => rowOf(id as string, step as number)))
  const isDropped = (id: string) => {
    const missing = pathOf(id).findIndex((_, step) => !done.has(rowOf(id, step)))
    return missing >= 0 && !told.has(rowOf(id, missing))
  }
  return {
    begun: new Set([...ids].filter((id) => done.has(rowOf(id, 0)))),
    dropped: [...ids].filter(isDropped),
    underWay: [...ids].filter((id) => !done.has(rowOf(id, STEPS - 1))),
    miscounted,
  }
}

async function allTurns(session: JournalSession): Promise<readonly StoredTurn[]> {
  const turns: StoredTurn[] = []
  for (;;) {
    const page = await session.history({ afterPosition: turns.at(-1)?.position ?? 0 })
    if (page.length === 0) return turns
    turns.push(...page)
  }
}

async function integrityFault(file: string, name?: SqliteDriverName): Promise<string | undefined> {
  const driver = await loadSqliteDriver(name)
  const database = driver.open(file)
  try {
    const found = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    const answer = found.map(({ integrity_check }) => integrity_check).join('; ')
    return answer === 'ok' ? undefined : answer
  } finally {
    database.close()
  }
}

function digestOf(record: string): string {
  return createHash('sha256').update(record).digest('hex').slice(0, 16)
}
