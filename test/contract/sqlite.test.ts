import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadSqliteDriver, type SqliteDatabase } from '../../src/embedded/sqlite-driver.ts'
import { JOURNAL_FILE, sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import type { JournalSession } from '../../src/kernel/ports/journal.ts'
import { message, turn } from '../support/journal-entries.ts'
import { rejection } from '../support/refusal.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ambit-sqlite-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const journal = () => sqliteJournal(directory, { driver: 'libsql' })

async function database(): Promise<SqliteDatabase> {
  return (await loadSqliteDriver('libsql')).open(join(directory, JOURNAL_FILE))
}

/** The connection a session commits on: its settings are not those of any other connection. */
function connectionOf(session: JournalSession): SqliteDatabase {
  return (session as unknown as { database: SqliteDatabase }).database
}

function pragma(session: JournalSession, name: string): unknown {
  return Object.values(connectionOf(session).prepare(`PRAGMA ${name}`).get() as object)[0]
}

describe('durability', () => {
  test('J6 every opening commits in WAL mode with synchronous FULL', async () => {
    for (let opening = 0; opening < 2; opening++) {
      const session = await journal().open()
      expect(pragma(session, 'journal_mode')).toBe('wal')
      expect(pragma(session, 'synchronous')).toBe(2)
      await session.close()
    }
  })

  test('J1 a batch that cannot be stored is stored not at all', async () => {
    const session = await journal().open()
    const unnumbered = { ...message(1), headers: {} }
    const batch = [turn('/a', 1), turn('/b', 1, { outbox: [unnumbered] })]
    const { code } = await rejection(Promise.resolve(session.commit(batch)))
    expect(code).toBe('AMBIT_COMMIT_FAILED')
    expect(await session.load('/a')).toBeUndefined()
    expect(await session.load('/b')).toBeUndefined()
    expect(await session.history({})).toEqual([])
    await session.close()
  })

  test('J6 the journal’s folder is its owner’s alone', async () => {
    const inside = sqliteJournal(join(directory, 'new'), { driver: 'libsql' })
    const session = await inside.open()
    expect(statSync(join(directory, 'new')).mode & 0o077).toBe(0)
    await session.close()
  })
})

describe('ownership', () => {
  // What takeOwnership does, in a process of its own that can be killed.
  const hold = `
    const Database = require('libsql')
    const lock = new Database(process.argv[1] + '/owner.lock', { timeout: 0 })
    lock.exec('PRAGMA locking_mode=EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
    const owner = JSON.stringify({ pid: process.pid })
    require('fs').writeFileSync(process.argv[1] + '/owner.json', owner)
    console.log('held')
    setInterval(() => undefined, 1000)
  `

  test('J3 a second process is refused by name until kill -9 ends the first', async () => {
    const owner = spawn(process.execPath, ['-e', hold, directory], { cwd: process.cwd() })
    await once(owner.stdout, 'data')
    const { code, message } = await rejection(Promise.resolve(journal().open()))
    expect(code).toBe('AMBIT_JOURNAL_OWNED')
    expect(message).toContain(`process ${owner.pid}`)
    expect(message).toContain(directory)
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    const session = await journal().open()
    expect(session.epoch).toBe(1)
    await session.close()
  })

  test('J3 a reader looks on beside the owner', async () => {
    const session = await journal().open()
    await session.commit([turn('/a', 1, { rows: [['k', { v: 1 }]] })])
    const reader = await openSqliteReader(directory)
    expect(reader?.systemId).toBe(session.systemId)
    expect(reader?.rows('/a').get('k')).toEqual({ v: 1 })
    expect(reader?.history({})).toEqual(await session.history({}))
    expect(reader?.head()).toMatchObject(await session.head())
    reader?.close()
    await session.close()
  })

  test('J3 where there is no journal a reader finds none and makes none', async () => {
    expect(await openSqliteReader(join(directory, 'none'))).toBeUndefined()
  })
})

describe('format', () => {
  test('J11 a journal of another format is refused by name and kept', async () => {
    const session = await journal().open()
    await session.close()
    const set = async (format: string) => {
      const file = await database()
      file.prepare("UPDATE meta SET value = ? WHERE key = 'format'").run(format)
      file.close()
    }
    await set('99')
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, message } = await rejection(Promise.resolve(journal().open()))
      expect(code).toBe('AMBIT_JOURNAL_FORMAT')
      expect(message).toMatch(/format 99, this version of Ambit reads 3/)
    }
    await set('3')
    const again = await journal().open()
    expect(again.epoch).toBe(2)
    await again.close()
  })

  test('J11 a driver that is not there is refused with the remedy', async () => {
    const missing = sqliteJournal(directory, { driver: 'better-sqlite3' })
    const { code, message } = await rejection(Promise.resolve(missing.open()))
    expect(code).toBe('AMBIT_SQLITE_MISSING')
    expect(message).toContain('npm install libsql')
  })
})
