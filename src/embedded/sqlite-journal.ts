import { prepareStatements } from './sqlite-statements.ts'
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { AmbitError } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { MaybePromise } from '../kernel/maybe.ts'
import {
  type ActorStatus,
  type CommitResult,
  type Disposal,
  type Head,
  type HistoryQuery,
  type Journal,
  type JournalEntry,
  type JournalSession,
  type Recovery,
  type StoredActor,
  type StoredRow,
  type StoredTimer,
  type StoredTurn,
  type TurnCommit,
  type Wake,
} from '../kernel/ports/journal.ts'
import { inGroups, recordsOf } from './batch.ts'
import { makeFolder } from './folder.ts'
import { takeOwnership } from './owner-lock.ts'
import {
  loadSqliteDriver,
  type SqliteDatabase,
  type SqliteDriverName,
  type SqliteValue,
} from './sqlite-driver.ts'
import { Shapes } from './shapes.ts'
import { SqliteOutbox } from './sqlite-outbox.ts'
import {
  damageOf,
  nameDamage,
  readHead,
  readHistory,
  readParked,
  refuseOtherFormat,
} from './sqlite-reader.ts'
import { SQLITE_FORMAT, SQLITE_PAGE_BYTES, sqliteMeta, sqliteSchema } from './sqlite-schema.ts'

export const JOURNAL_FILE = 'journal.sqlite'
export const DEAD_LETTERS_STORED_MAX = 10_000

export interface SqliteJournalOptions {
  /** Default: the first that can be loaded of `node:sqlite`, `libsql`, `better-sqlite3`. */
  readonly driver?: SqliteDriverName
}

/**
 * A journal in one SQLite file of the given folder: write-ahead log, synchronous FULL, one owner process, one fsync
 * per drain. Acknowledged turns survive `kill -9` and a power cut.
 */
export function sqliteJournal(directory: string, options: SqliteJournalOptions = {}): Journal {
  return {
    async open() {
      const driver = await loadSqliteDriver(options.driver)
      makeFolder(directory)
      const lock = takeOwnership(directory, driver)
      try {
        const file = join(directory, JOURNAL_FILE)
        // The journal holds the secret of its authorisations: nobody else may read it, whatever the folder's mode.
        // SQLite gives its side files the mode of the main one.
        closeSync(openSync(file, 'a', 0o600))
        return nameDamage(directory, () => openSession(directory, driver.open(file), lock))
      } catch (error) {
        lock.release()
        throw error
      }
    },
  }
}

function openSession(
  directory: string,
  database: SqliteDatabase,
  lock: { release(): void },
): SqliteSession {
  try {
    return new SqliteSession(directory, database, lock)
  } catch (error) {
    database.close()
    throw error
  }
}

/** An actor as it is stored, and how many of its turns the log has. */
interface ActorRow {
  readonly proved: number | null
  readonly generation: number
  readonly incarnation: number
  readonly seq: number
  readonly status: ActorStatus
  readonly snapshot: string
}

interface NoActorRow {
  readonly proved: number | null
  readonly snapshot: null
}

type Group = readonly JournalEntry[]

interface TimerRow extends Omit<StoredTimer, 'body'> {
  readonly body: string
}

class SqliteSession implements JournalSession {
  readonly epoch: number
  readonly storesGroups = true
  readonly systemId: string
  readonly secret: string
  private readonly directory: string
  private readonly database: SqliteDatabase
  private readonly lock: { release(): void }
  private readonly statements: ReturnType<typeof prepareStatements>
  private readonly outbox: SqliteOutbox
  private readonly shapes: Shapes
  private last: Head
  private closed = false

  constructor(directory: string, database: SqliteDatabase, lock: { release(): void }) {
    this.directory = directory
    this.database = database
    this.lock = lock
    // FULL must be set at every opening: a file in WAL mode falls back to NORMAL, which loses acknowledged turns at
    // a power cut.
    database.exec(`PRAGMA page_size=${SQLITE_PAGE_BYTES}`)
    database.exec('PRAGMA journal_mode=WAL')
    database.exec('PRAGMA synchronous=FULL')
    database.exec('PRAGMA busy_timeout=5000')
    database.exec(sqliteMeta)
    readOrSetMeta(database, 'format', () => String(SQLITE_FORMAT))
    refuseOtherFormat(database)
    database.exec(sqliteSchema)
    this.systemId = readOrSetMeta(database, 'system', () => randomUUID())
    this.secret = readOrSetMeta(database, 'secret', () => randomBytes(32).toString('hex'))
    this.epoch = Number(readOrSetMeta(database, 'epoch', () => '0')) + 1
    if (!Number.isSafeInteger(this.epoch)) throw new Error('its epoch is no number')
    database.prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(String(this.epoch))
    this.statements = prepareStatements(database)
    this.outbox = new SqliteOutbox(database)
    this.shapes = new Shapes(database, true)
    this.last = readHead(database)
  }

  commit(batch: readonly JournalEntry[]): MaybePromise<readonly CommitResult[]> {
    const before = this.last
    const groups = inGroups(batch)
    const refused = new Set<Group>()
    try {
      for (;;) {
        const results = this.tryCommit(groups, refused)
        if (results !== undefined) return results
      }
    } catch (error) {
      this.last = before
      this.outbox.rolledBack()
      this.rollback()
      const message = `The journal did not take ${batch.length} entries: ${String(error)}`
      return Promise.reject(new AmbitError('AMBIT_COMMIT_FAILED', message, { cause: error }))
    }
  }

  /**
   * Stores all groups but those that were refused. Undefined, and nothing is stored, when one more is to be refused: a
   * conflict among single owners is rare, and to be able to undo one group costs at each commit.
   */
  private tryCommit(
    groups: readonly Group[],
    refused: Set<Group>,
  ): readonly CommitResult[] | undefined {
    this.database.exec('BEGIN IMMEDIATE')
    this.refuseIfSucceeded()
    const stored: TurnCommit[] = []
    const results: CommitResult[] = []
    for (const group of groups) {
      const result = refused.has(group) ? 'conflict' : this.storeGroup(group, stored)
      if (result === 'undo') {
        refused.add(group)
        this.outbox.rolledBack()
        this.rollback()
        return undefined
      }
      results.push(...group.map(() => result))
    }
    this.appendRecords(stored)
    this.shapes.save()
    this.database.exec('COMMIT')
    this.outbox.committed()
    this.shapes.committed()
    return results
  }

  load(address: string): StoredActor | undefined {
    try {
      return this.readActor(address)
    } catch (error) {
      // Whoever asks asks again, which helps against what passes.
      throw isPassing(error) ? error : damageOf(this.directory, error)
    }
  }

  private readActor(address: string): StoredActor | undefined {
    const found = this.statements.loadActor.get(address, address) as ActorRow | NoActorRow
    refuseOtherPast(address, found)
    if (found.snapshot === null) return undefined
    const rows = new Map<string, Json>()
    for (const row of this.statements.loadRows.all(address) as { key: string; value: string }[]) {
      rows.set(row.key, this.shapes.valueOf(row.value))
    }
    const { generation, incarnation, seq, status } = found
    const snapshot = this.shapes.valueOf(found.snapshot)
    const timers = (this.statements.loadTimers.all(address) as TimerRow[]).map(
      (timer): StoredTimer => ({ ...timer, body: this.shapes.valueOf(timer.body) }),
    )
    return { generation, incarnation, seq, status, snapshot, rows, timers }
  }

  parked(limit: number): readonly StoredRow[] {
    return nameDamage(this.directory, () => readParked(this.database, this.shapes, limit))
  }

  recover(): Recovery {
    return nameDamage(this.directory, () => this.readRecovery())
  }

  private readRecovery(): Recovery {
    const busy = this.database
      .prepare("SELECT address FROM actor WHERE running > 0 AND status = 'active'")
      .all()
    const timers = this.database
      .prepare('SELECT address, id, due_at AS dueAt FROM timer ORDER BY due_at')
      .all()
    return {
      busy: (busy as { address: string }[]).map(({ address }) => address),
      timers: timers as Wake[],
      outbox: this.outbox.messages(),
    }
  }

  async history(query: HistoryQuery): Promise<readonly StoredTurn[]> {
    await Promise.resolve()
    return nameDamage(this.directory, () => readHistory(this.database, query))
  }

  head(): Promise<Head> {
    return Promise.resolve(this.last)
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    this.database.close()
    this.lock.release()
    return Promise.resolve()
  }

  /** The lock keeps a second owner out; should it be lost, the epoch still keeps the older one from writing. */
  private refuseIfSucceeded(): void {
    const { value } = this.statements.epoch.get() as { value: string }
    if (Number(value) === this.epoch) return
    throw new AmbitError(
      'AMBIT_JOURNAL_OWNED',
      `Owner ${this.epoch} was succeeded by ${value}. Stop this process.`,
    )
  }

  /** All of a group or nothing: `undo` when something of it was stored before a conflict. */
  private storeGroup(group: Group, stored: TurnCommit[]): CommitResult | 'undo' {
    for (const [i, entry] of group.entries()) {
      const result = entry.kind === 'turns' ? this.storeTurns(entry) : this.dispose(entry)
      if (result === 'conflict') return i === 0 ? result : 'undo'
    }
    stored.push(...group.filter((entry) => entry.kind === 'turns'))
    return 'stored'
  }

  private storeTurns(entry: TurnCommit): CommitResult {
    if (!this.storeState(entry)) return 'conflict'
    const { address } = entry
    const { statements } = this
    for (const [key, value] of entry.rows) {
      if (value === null) statements.deleteRow.run(address, key)
      else statements.putRow.run(address, key, this.shapes.textOf(value))
    }
    for (const message of entry.outbox) this.outbox.put(message)
    for (const consumed of entry.consumed) this.outbox.take(consumed)
    for (const id of entry.timersCleared) statements.deleteTimer.run(address, id)
    for (const { id, dueAt, body } of entry.timersSet)
      statements.putTimer.run(address, id, dueAt, this.shapes.textOf(body))
    for (const message of entry.deadLetters)
      statements.deadLetter.run('expired', JSON.stringify(message))
    return 'stored'
  }

  /** Answers whether the actor was where the entry expects it. */
  private storeState(entry: TurnCommit): boolean {
    const { address, generation, incarnation, seq, expectedSeq, status, running } = entry
    const { statements, epoch } = this
    const life = [generation, incarnation, seq, epoch]
    const snapshot = this.shapes.textOf(entry.snapshot)
    if (expectedSeq === 0) {
      const born = [address, ...life, status, running, snapshot]
      return isOne(statements.insertActor.run(...born))
    }
    const place = [address, expectedSeq, epoch]
    return (
      isOne(statements.goOnActor.run(...life, snapshot, ...place, status, running)) ||
      isOne(statements.updateActor.run(...life, status, running, snapshot, ...place))
    )
  }

  private appendRecords(stored: readonly TurnCommit[]): void {
    let { position, hash } = this.last
    const rows = recordsOf(stored).map(({ address, seq, record }): SqliteValue[] => {
      hash = sha256(hash, record)
      return [++position, address, seq, record, hash]
    })
    this.statements.appendTurns.write(rows)
    this.last = { position, hash }
  }

  private dispose({ consumed, deadLetter, reason }: Disposal): CommitResult {
    this.outbox.take(consumed)
    if (reason === 'duplicate') return 'stored'
    this.statements.deadLetter.run(reason, JSON.stringify(deadLetter))
    this.statements.trimDeadLetters.run(DEAD_LETTERS_STORED_MAX)
    return 'stored'
  }

  private rollback(): void {
    try {
      this.database.exec('ROLLBACK')
    } catch {
      // SQLite rolls back by itself after some errors, a full disk among them.
    }
  }
}

const STATUSES: readonly string[] = ['active', 'done', 'stopped'] satisfies ActorStatus[]

/** An actor whose state is missing, or of another turn than its last one in the log, is not started as if it were. */
function refuseOtherPast(address: string, found: ActorRow | NoActorRow): void {
  const { proved } = found
  const { seq, status } = found.snapshot === null ? { seq: 0, status: 'active' } : found
  if (seq === (proved ?? 0) && STATUSES.includes(status)) return
  throw new Error(
    `the log has ${proved ?? 0} turns of "${address}", its state is ${status} after ${seq}`,
  )
}

function isOne({ changes }: { readonly changes: number | bigint }): boolean {
  return Number(changes) === 1
}

function isPassing(error: unknown): boolean {
  return error instanceof Error && /locked|busy|I\/O/i.test(error.message)
}

function readOrSetMeta(database: SqliteDatabase, key: string, make: () => string): string {
  const found = database.prepare('SELECT value FROM meta WHERE key = ?').get(key) as
    { value: string } | undefined
  if (found !== undefined) return found.value
  const value = make()
  database.prepare('INSERT INTO meta VALUES (?, ?)').run(key, value)
  return value
}
