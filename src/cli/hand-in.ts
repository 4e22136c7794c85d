import { randomUUID } from 'node:crypto'
import { sqliteJournal } from '../embedded/sqlite-journal.ts'
import type { Event, Message } from '../kernel/message.ts'
import { plainCommit } from '../kernel/plain-commit.ts'
import { APPROVALS } from '../../machines/action-steps.ts'
import type { JournalSession } from '../kernel/ports/journal.ts'
import { callApi } from './connection.ts'

/** How something handed in was taken: by the running desk with its answer, or by the journal for the next start. */
export type HandedIn =
  | { readonly by: 'desk'; readonly status: number; readonly body: Record<string, unknown> }
  | { readonly by: 'journal' }

/** Gives the approval desk an event: through the API of the desk that runs, else into the journal, durably. */
export async function handIn(
  directory: string,
  path: string,
  body: object,
  event: Event,
): Promise<HandedIn> {
  const answer = await callApi(directory, 'POST', path, body)
  if (answer !== undefined) return { by: 'desk', ...answer }
  await withSession(directory, (session) => leaveInJournal(session, APPROVALS, event))
  return { by: 'journal' }
}

/** Owns the journal for a moment; only while no desk runs. */
export async function withSession<T>(
  directory: string,
  use: (session: JournalSession) => Promise<T>,
): Promise<T> {
  const session = await sqliteJournal(directory).open()
  try {
    return await use(session)
  } finally {
    await session.close()
  }
}

/** The journal has no owner but this process now: the message waits in an outbox for the next start. */
export async function leaveInJournal(
  session: JournalSession,
  to: string,
  body: Event,
): Promise<void> {
  const sender = `/~cli/${randomUUID()}`
  const stream = { sender, generation: 1, lane: 'user' as const, number: 1 }
  const headers = { from: sender, privileged: true, stream }
  const message: Message = { id: `${sender}:1`, type: body.type, to, body, headers }
  const record = {
    v: 1,
    actor: sender,
    seq: 1,
    at: Date.now(),
    disposition: 'handedIn',
    message: { id: message.id, type: body.type, body },
  }
  await session.commit([
    plainCommit({
      address: sender,
      expectedSeq: 0,
      seq: 1,
      records: [JSON.stringify(record)],
      outbox: [message],
    }),
  ])
}
