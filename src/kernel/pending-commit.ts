import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import type { Message } from './message.ts'
import type { Consumed, StoredTimer } from './ports/journal.ts'

/** Something that happens only once the turn is durable. */
export type Release = () => void

/** What one actor did in this drain and nobody outside may see yet. */
export class PendingCommit {
  readonly expectedSeq: number
  readonly records: string[] = []
  readonly rows = new Map<string, Json>()
  readonly outbox: Message[] = []
  readonly consumed: Consumed[] = []
  readonly timersSet = new Map<string, StoredTimer>()
  readonly timersCleared = new Set<string>()
  readonly deadLetters: Message[] = []
  readonly releases: Release[] = []
  /** The messages these turns took: given back when the commit fails. */
  readonly taken: { message: Message; lane: Lane }[] = []

  constructor(expectedSeq: number) {
    this.expectedSeq = expectedSeq
  }

  /** These turns and those made since, as one commit on what the journal holds. */
  followedBy(later: PendingCommit | undefined, expectedSeq: number): PendingCommit {
    const joined = new PendingCommit(expectedSeq)
    for (const part of later === undefined ? [this] : [this, later]) {
      joined.records.push(...part.records)
      joined.outbox.push(...part.outbox)
      joined.consumed.push(...part.consumed)
      joined.deadLetters.push(...part.deadLetters)
      joined.releases.push(...part.releases)
      joined.taken.push(...part.taken)
      for (const [key, value] of part.rows) joined.rows.set(key, value)
      for (const timer of part.timersSet.values()) joined.setTimer(timer)
      for (const id of part.timersCleared) joined.clearTimer(id)
    }
    return joined
  }

  setTimer(timer: StoredTimer): void {
    this.timersCleared.delete(timer.id)
    this.timersSet.set(timer.id, timer)
  }

  clearTimer(id: string): void {
    this.timersSet.delete(id)
    this.timersCleared.add(id)
  }
}
