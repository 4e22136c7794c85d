import type { Message } from '../kernel/message.ts'
import type { Consumed } from '../kernel/ports/journal.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/**
 * The committed messages that nobody has taken yet. Which row a message has is kept in memory, so that taking it out
 * needs no index: a message is written once and deleted once, and seldom lives longer than a few commits.
 */
export class SqliteOutbox {
  private readonly rows = new Map<string, number>()
  private readonly insert: SqliteStatement
  private readonly remove: SqliteStatement
  private readonly read: SqliteStatement
  private last = 0
  private added: string[] = []
  private taken: string[] = []

  constructor(database: SqliteDatabase) {
    this.insert = database.prepare('INSERT INTO outbox VALUES (?, ?)')
    this.remove = database.prepare('DELETE FROM outbox WHERE position = ?')
    this.read = database.prepare('SELECT position, message FROM outbox ORDER BY position')
    for (const { position, message } of this.stored()) {
      this.rows.set(keyOf(message), position)
      this.last = position
    }
  }

  /** In the order of commits, also between senders: what was handed in first is taken first. */
  messages(): Message[] {
    return this.stored().map(({ message }) => message)
  }

  put(message: Message): void {
    const key = keyOf(message)
    this.insert.run(++this.last, JSON.stringify(message))
    this.rows.set(key, this.last)
    this.added.push(key)
  }

  /** A message that is not there has been taken before. */
  take(consumed: Consumed): void {
    const key = keyOfConsumed(consumed)
    const position = this.rows.get(key)
    if (position === undefined) return
    this.remove.run(position)
    this.taken.push(key)
  }

  committed(): void {
    for (const key of this.taken) this.rows.delete(key)
    this.taken = []
    this.added = []
  }

  rolledBack(): void {
    for (const key of this.added) this.rows.delete(key)
    this.taken = []
    this.added = []
  }

  private stored(): { position: number; message: Message }[] {
    const found = this.read.all() as { position: number; message: string }[]
    return found.map(({ position, message }) => ({
      position,
      message: JSON.parse(message) as Message,
    }))
  }
}

function keyOf({ id, to, headers: { stream } }: Message): string {
  if (stream === undefined) throw new Error(`message ${id} in an outbox has no stream`)
  return keyOfConsumed({ ...stream, receiver: to })
}

function keyOfConsumed({ sender, generation, receiver, lane, number }: Consumed): string {
  return `${sender} ${generation} ${receiver} ${lane} ${number}`
}
