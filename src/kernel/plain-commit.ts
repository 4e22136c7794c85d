import type { TurnCommit } from './ports/journal.ts'

type Written = Pick<TurnCommit, 'address' | 'expectedSeq' | 'seq' | 'records'> &
  Partial<Pick<TurnCommit, 'rows' | 'outbox' | 'status' | 'snapshot'>>

/** A commit by something that is no running actor: a record with its rows or messages, and nothing under way. */
export function plainCommit(written: Written): TurnCommit {
  return {
    kind: 'turns',
    generation: 1,
    incarnation: 1,
    status: 'done',
    snapshot: {},
    running: 0,
    rows: [],
    outbox: [],
    consumed: [],
    timersSet: [],
    timersCleared: [],
    deadLetters: [],
    ...written,
  }
}
