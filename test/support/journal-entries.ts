import type { Message, StreamPosition } from '../../src/kernel/message.ts'
import type { Disposal, TurnCommit } from '../../src/kernel/ports/journal.ts'

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
