import { AmbitError } from '../kernel/errors.ts'

export type SqliteValue = string | number | null

export interface SqliteStatement {
  run(...values: SqliteValue[]): { changes: number | bigint }
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/** What the journal needs of SQLite; the three drivers share it. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

export type SqliteDriverName = 'node:sqlite' | 'libsql' | 'better-sqlite3'

export interface SqliteDriver {
  readonly name: SqliteDriverName
  open(file: string, options?: { readonly readOnly?: boolean }): SqliteDatabase
}

const order: readonly SqliteDriverName[] = ['node:sqlite', 'libsql', 'better-sqlite3']

/**
 * Loads the first SQLite driver that is there: `node:sqlite` (Node 22 and later), `libsql` (installed with Ambit),
 * `better-sqlite3` (if you have it). Throws `AMBIT_SQLITE_MISSING` otherwise.
 */
export async function loadSqliteDriver(only?: SqliteDriverName): Promise<SqliteDriver> {
  const tried: unknown[] = []
  for (const name of only === undefined ? order : [only]) {
    try {
      return name === 'node:sqlite' ? await loadNodeSqlite() : await loadPackage(name)
    } catch (error) {
      tried.push(error)
    }
  }
  throw new AmbitError(
    'AMBIT_SQLITE_MISSING',
    `No SQLite driver could be loaded (tried ${(only === undefined ? order : [only]).join(', ')}). ` +
      'Use Node 22 or later, or run `npm install libsql`.',
    { cause: tried[0] },
  )
}

interface NodeSqlite {
  DatabaseSync: new (file: string, options: { readOnly: boolean }) => SqliteDatabase
}

async function loadNodeSqlite(): Promise<SqliteDriver> {
  const specifier = 'node:sqlite'
  const restore = muteExperimentalWarning()
  try {
    const { DatabaseSync } = (await import(specifier)) as NodeSqlite
    return {
      name: 'node:sqlite',
      open: (file, options) => new DatabaseSync(file, { readOnly: options?.readOnly ?? false }),
    }
  } finally {
    restore()
  }
}

type PackageSqlite = new (
  file: string,
  options: { readonly: boolean; timeout: number },
) => SqliteDatabase

async function loadPackage(name: 'libsql' | 'better-sqlite3'): Promise<SqliteDriver> {
  const specifier: string = name
  const { default: Database } = (await import(specifier)) as { default: PackageSqlite }
  return {
    name,
    open: (file, options) =>
      new Database(file, { readonly: options?.readOnly ?? false, timeout: 0 }),
  }
}

/** Node 22 warns once that its SQLite is experimental; the user of a journal can do nothing about it. */
function muteExperimentalWarning(): () => void {
  const emit = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite')) return
    ;(emit as (...args: unknown[]) => void)(warning, ...rest)
  }
  return () => void (process.emitWarning = emit)
}
