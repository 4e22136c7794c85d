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

  setTimer(timer: StoredTimer): void {
    this.timersCleared.delete(timer.id)
    this.timersSet.set(timer.id, timer)
  }

  clearTimer(id: string): void {
    this.timersSet.delete(id)
    this.timersCleared.add(id)
  }
}
