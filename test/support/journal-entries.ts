import type { Message, StreamPosition } from '../../src/kernel/message.ts'
import type { Disposal, JournalSession, TurnCommit } from '../../src/kernel/ports/journal.ts'
import { headOf } from './journal-kinds.ts'

export const turn = (address: string, seq: number, rest: Partial<TurnCommit> = {}): TurnCommit => ({
  kind: 'turns',
  address,
  generation: 1,
  incarnation: 1,
  expectedSeq: seq - 1,
  seq,
  status: 'active',
  snapshot: `{"at":${seq}}`,
  records: [`{"turn":"${address} ${seq}"}`],
  running: 0,
  rows: [],
  outbox: [],
  consumed: [],
  timersSet: [],
  timersCleared: [],
  deadLetters: [],
  ...rest,
})

export const position = (number: number, sender = '/a'): StreamPosition => ({
  sender,
  generation: 1,
  lane: 'user',
  number,
})

export const message = (number: number, to = '/b', sender = '/a'): Message => ({
  id: `${sender}>${to} ${number}`,
  type: 'go',
  to,
  body: { type: 'go', n: number },
  headers: { from: sender, stream: position(number, sender) },
})

export const disposal = (number: number): Disposal => ({
  kind: 'disposal',
  consumed: { ...position(number), receiver: '/b' },
  deadLetter: message(number),
  reason: 'unknownActor',
})

/** A first turn of /a, and a second one that changes everything a commit can change. */
export const before = turn('/a', 1, {
  rows: [
    ['kept', 'old'],
    ['gone', 1],
  ],
  outbox: [message(1)],
  timersSet: [{ address: '/a', id: 'first', dueAt: 7, body: '{}' }],
})

export const full = turn('/a', 2, {
  rows: [
    ['kept', 'new'],
    ['gone', null],
  ],
  outbox: [message(5)],
  consumed: [{ ...position(1), receiver: '/b' }],
  timersSet: [{ address: '/a', id: 'other', dueAt: 9, body: '{}' }],
  timersCleared: ['first'],
  running: 1,
})

/** All that a journal holds of /a and of what is left to do. */
export async function viewOf(session: JournalSession) {
  const stored = await session.load('/a')
  const { outbox, timers, busy } = await session.recover()
  return {
    stored: { ...stored, rows: Object.fromEntries(stored?.rows ?? []) },
    outbox: outbox.map(({ id }) => id),
    timers,
    busy,
    head: await headOf(session),
  }
}
