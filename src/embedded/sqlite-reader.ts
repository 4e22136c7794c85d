import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AmbitError } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import {
  CHAIN_START,
  HISTORY_PAGE_MAX,
  type Head,
  type HistoryQuery,
  type StoredRow,
  type StoredTurn,
} from '../kernel/ports/journal.ts'
import { SQLITE_FORMAT } from './sqlite-schema.ts'
import { Shapes } from './shapes.ts'
import { loadSqliteDriver, type SqliteDatabase, type SqliteValue } from './sqlite-driver.ts'

/** Looks into a journal without owning it, beside a running system or without one. */
export interface JournalReader {
  readonly systemId: string
  rows(address: string): ReadonlyMap<string, Json>
  parked(limit: number): readonly StoredRow[]
  history(query: HistoryQuery): readonly StoredTurn[]
  head(): Head
  close(): void
}

/** Opens the journal of a folder for reading; undefined when there is none. */
export async function openSqliteReader(directory: string): Promise<JournalReader | undefined> {
  const file = join(directory, 'journal.sqlite')
  if (!existsSync(file)) return undefined
  const driver = await loadSqliteDriver()
  const named = <T>(read: () => T): T => nameDamage(directory, read)
  const database = named(() => driver.open(file, { readOnly: true }))
  try {
    return named(() => {
      database.exec('PRAGMA busy_timeout=5000')
      refuseOtherFormat(database)
      const shapes = new Shapes(database, false)
      const meta = database.prepare("SELECT value FROM meta WHERE key = 'system'").get() as
        { value: string } | undefined
      return {
        systemId: meta?.value ?? '',
        rows: (address) => named(() => readRows(database, shapes, address)),
        parked: (limit) => named(() => readParked(database, shapes, limit)),
        history: (query) => named(() => readHistory(database, query)),
        head: () => named(() => readHead(database)),
        close: () => database.close(),
      }
    })
  } catch (error) {
    database.close()
    throw error
  }
}

/** What SQLite or JSON says of a file that is not what was written becomes a refusal with a name. */
export function nameDamage<T>(directory: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw damageOf(directory, error)
  }
}

export function damageOf(directory: string, error: unknown): AmbitError {
  if (error instanceof AmbitError) return error
  const found = error instanceof Error ? error.message : String(error)
  return new AmbitError(
    'AMBIT_JOURNAL_DAMAGED',
    `The journal in "${directory}" cannot be read: ${found}. Keep a copy of the folder and put a backup in its place.`,
    { cause: error },
  )
}

/** A file of another format is refused by name. */
export function refuseOtherFormat(database: SqliteDatabase): void {
  const found = database.prepare("SELECT value FROM meta WHERE key = 'format'").get() as
    { value: string } | undefined
  const format = Number(found?.value ?? SQLITE_FORMAT)
  if (format === SQLITE_FORMAT) return
  throw new AmbitError(
    'AMBIT_JOURNAL_FORMAT',
    `The journal has format ${format}, this version of Ambit reads ${SQLITE_FORMAT}. Use the version that wrote it.`,
  )
}

export function readHead(database: SqliteDatabase): Head {
  const last = database
    .prepare('SELECT position, hash FROM turn ORDER BY position DESC LIMIT 1')
    .get()
  if (last === undefined) return { position: 0, hash: CHAIN_START }
  const { position, hash } = last as Head
  return { position, hash }
}

export function readHistory(database: SqliteDatabase, query: HistoryQuery): readonly StoredTurn[] {
  const conditions = ['position > ?']
  const values: SqliteValue[] = [query.afterPosition ?? 0]
  if (query.address !== undefined) {
    conditions.push('address = ?')
    values.push(query.address)
  }
  if (query.under !== undefined && query.under !== '/') {
    conditions.push('(address = ? OR substr(address, 1, ?) = ?)')
    values.push(query.under, query.under.length + 1, `${query.under}/`)
  }
  values.push(Math.min(query.limit ?? HISTORY_PAGE_MAX, HISTORY_PAGE_MAX))
  // Each record's predecessor is the one before it in the whole journal, whoever's records are asked for.
  const sql = `SELECT position, address, seq, record, hash, coalesce(
      (SELECT before.hash FROM turn AS before WHERE before.position = turn.position - 1), '${CHAIN_START}'
    ) AS previous FROM turn
    WHERE ${conditions.join(' AND ')} ORDER BY position LIMIT ?`
  return database.prepare(sql).all(...values) as StoredTurn[]
}

/** Every actor's, by an index of their own. */
export function readParked(
  database: SqliteDatabase,
  shapes: Shapes,
  limit: number,
): readonly StoredRow[] {
  const sql = `SELECT address, key, value FROM keyed_row
    WHERE key >= '~parked:' AND key < '~parked;' ORDER BY key, address LIMIT ?`
  const found = database.prepare(sql).all(limit) as {
    address: string
    key: string
    value: string
  }[]
  return found.map(({ address, key, value }) => ({ address, key, value: shapes.valueOf(value) }))
}

function readRows(
  database: SqliteDatabase,
  shapes: Shapes,
  address: string,
): ReadonlyMap<string, Json> {
  const found = database.prepare('SELECT key, value FROM keyed_row WHERE address = ?').all(address)
  return new Map(
    (found as { key: string; value: string }[]).map(({ key, value }) => [
      key,
      shapes.valueOf(value),
    ]),
  )
}
