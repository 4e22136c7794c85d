import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.ts'

/** Rows in one statement: on libsql a call costs as much as a row. */
const ROWS_AT_ONCE = 8

/** Writes many rows of one table with few statements. */
export class SqliteBulk {
  private readonly one: SqliteStatement
  private readonly many: SqliteStatement

  /** `insert` is the statement up to its values. */
  constructor(database: SqliteDatabase, insert: string, columns: number) {
    const row = `(${Array(columns).fill('?').join()})`
    this.one = database.prepare(`${insert} VALUES ${row}`)
    this.many = database.prepare(`${insert} VALUES ${Array(ROWS_AT_ONCE).fill(row).join()}`)
  }

  write(rows: readonly (readonly SqliteValue[])[]): void {
    const whole = rows.length - (rows.length % ROWS_AT_ONCE)
    for (let at = 0; at < whole; at += ROWS_AT_ONCE)
      this.many.run(...rows.slice(at, at + ROWS_AT_ONCE).flat())
    for (const row of rows.slice(whole)) this.one.run(...row)
  }
}
