import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AmbitError } from '../kernel/errors.ts'
import type { SqliteDatabase, SqliteDriver } from './sqlite-driver.ts'

const LOCK_FILE = 'owner.lock'
/** How long a new owner waits for the last one to be gone. */
export const OWNER_WAIT_MS = 1000
const OWNER_FILE = 'owner.json'

/**
 * Holds a journal folder for this process: an exclusive transaction on a small lock database, which the operating
 * system drops the moment the process ends, however it ends. Throws `AMBIT_JOURNAL_OWNED` while another holds it.
 */
export function takeOwnership(directory: string, driver: SqliteDriver): { release(): void } {
  let lock: SqliteDatabase | undefined
  try {
    lock = driver.open(join(directory, LOCK_FILE))
    // An owner that was killed a moment ago may still be on its way out.
    lock.exec(`PRAGMA busy_timeout=${OWNER_WAIT_MS}`)
    lock.exec('PRAGMA locking_mode=EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    if (!isHeld(error)) throw damagedLock(directory, error)
    throw new AmbitError(
      'AMBIT_JOURNAL_OWNED',
      `The journal in "${directory}" belongs to ${describeOwner(directory)}. Stop that process, or use another folder.`,
      { cause: error },
    )
  }
  writeFileSync(join(directory, OWNER_FILE), JSON.stringify({ pid: process.pid }))
  const held = lock
  return {
    release() {
      held.exec('ROLLBACK')
      held.close()
    },
  }
}

/** SQLite's three drivers share its words, not its codes. */
function isHeld(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message)
}

function damagedLock(directory: string, error: unknown): AmbitError {
  return new AmbitError(
    'AMBIT_JOURNAL_DAMAGED',
    `The lock file "${join(directory, LOCK_FILE)}" cannot be used. Delete it once no process uses this journal.`,
    { cause: error },
  )
}

function describeOwner(directory: string): string {
  try {
    const { pid } = JSON.parse(readFileSync(join(directory, OWNER_FILE), 'utf8')) as { pid: number }
    return `process ${pid}`
  } catch {
    return 'another process'
  }
}
