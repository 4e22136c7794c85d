import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import type { Head, Journal, JournalSession, StoredTurn } from '../../src/kernel/ports/journal.ts'
import { ChainCheck } from '../../src/thought-log/chain.ts'

const hasNodeSqlite = Number(process.versions.node.split('.')[0]) >= 22
if (!hasNodeSqlite) {
  console.log(`node:sqlite is not tried: Node ${process.versions.node} has none before 22`)
}

/** Every implementation of the journal's contract that this Node can run. */
export const journalKinds: [string, (directory: string) => Journal][] = [
  ['memory', () => memoryJournal()],
  ['sqlite on libsql', (directory) => sqliteJournal(directory, { driver: 'libsql' })],
  ...(hasNodeSqlite
    ? [
        [
          'sqlite on node:sqlite',
          (directory: string) => sqliteJournal(directory, { driver: 'node:sqlite' }),
        ] as [string, (directory: string) => Journal],
      ]
    : []),
]

/** A driver may add fields of its own to what it reads. */
export async function headOf(session: JournalSession) {
  const { position, hash } = await session.head()
  return { position, hash }
}

/** What is wrong with a chain of records, if anything is, against a head that was kept. */
export function faultIn(turns: readonly StoredTurn[], kept: Head) {
  const check = new ChainCheck([kept])
  check.add(turns)
  const verdict = check.finish()
  return verdict.ok ? undefined : verdict.fault
}
