import { randomUUID } from 'node:crypto'
import { sqliteJournal } from '../embedded/sqlite-journal.ts'
import type { Event, Message } from '../kernel/message.ts'
import { plainCommit } from '../kernel/plain-commit.ts'
import { APPROVALS } from '../../machines/action-steps.ts'
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
  await leaveInJournal(directory, event)
  return { by: 'journal' }
}

/** The journal has no owner now, so this process is its owner for one commit: the message waits in an outbox. */
async function leaveInJournal(directory: string, body: Event): Promise<void> {
  const session = await sqliteJournal(directory).open()
  try {
    const sender = `/~cli/${randomUUID()}`
    const stream = { sender, generation: 1, lane: 'user' as const, number: 1 }
    const headers = { from: sender, privileged: true, stream }
    const message: Message = { id: `${sender}:1`, type: body.type, to: APPROVALS, body, headers }
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
  } finally {
    await session.close()
  }
}
