import { SqliteBulk } from './sqlite-bulk.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/** What a session says to its database, prepared once. */
export function prepareStatements(database: SqliteDatabase) {
  const prepare = (sql: string): SqliteStatement => database.prepare(sql)
  return {
    epoch: prepare("SELECT value FROM meta WHERE key = 'epoch'"),
    // One statement, though most often there is nothing: each first message to an actor asks.
    loadActor: prepare(
      `SELECT proved, generation, incarnation, seq, status, snapshot
       FROM (SELECT max(seq) AS proved FROM turn WHERE address = ?) LEFT JOIN actor ON address = ?`,
    ),
    loadTimers: prepare(
      'SELECT address, id, due_at AS dueAt, body FROM timer WHERE address = ? ORDER BY due_at',
    ),
    loadRows: prepare('SELECT key, value FROM keyed_row WHERE address = ?'),
    insertActor: prepare('INSERT OR IGNORE INTO actor VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)'),
    // Most turns change neither: what names neither leaves the index of the busy as it is, a page less to write.
    goOnActor: prepare(
      `UPDATE actor SET generation = ?, incarnation = ?, seq = ?, epoch = ?, snapshot = ?
       WHERE address = ? AND seq = ? AND epoch <= ? AND status = ? AND running = ?`,
    ),
    updateActor: prepare(
      `UPDATE actor SET generation = ?, incarnation = ?, seq = ?, epoch = ?, status = ?, running = ?, snapshot = ?
       WHERE address = ? AND seq = ? AND epoch <= ?`,
    ),
    // OR FAIL: what fails undoes the whole transaction, so a statement need not be able to undo itself, which costs.
    appendTurns: new SqliteBulk(database, 'INSERT OR FAIL INTO turn', 5),
    putRow: prepare('INSERT OR REPLACE INTO keyed_row VALUES (?, ?, ?)'),
    deleteRow: prepare('DELETE FROM keyed_row WHERE address = ? AND key = ?'),
    putTimer: prepare('INSERT OR REPLACE INTO timer VALUES (?, ?, ?, ?)'),
    deleteTimer: prepare('DELETE FROM timer WHERE address = ? AND id = ?'),
    deadLetter: prepare('INSERT INTO dead_letter (reason, message) VALUES (?, ?)'),
    trimDeadLetters: prepare(
      'DELETE FROM dead_letter WHERE id <= (SELECT max(id) FROM dead_letter) - ?',
    ),
  }
}
