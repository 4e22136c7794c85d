import { sha256 } from '../../src/kernel/json.ts'
import type { Message, StreamPosition } from '../../src/kernel/message.ts'
import {
  CHAIN_START,
  type Disposal,
  type StoredTurn,
  type TurnCommit,
} from '../../src/kernel/ports/journal.ts'

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

/** Where a chain of records is broken, if it is. */
export function breakIn(turns: readonly StoredTurn[], head: { position: number; hash: string }) {
  let previous = CHAIN_START
  for (const [i, each] of turns.entries()) {
    const whole = each.previous === previous && each.hash === sha256(previous, each.record)
    if (!whole || each.position !== i + 1) return each.position
    previous = each.hash
  }
  return turns.length === head.position && previous === head.hash ? undefined : 'head'
}
