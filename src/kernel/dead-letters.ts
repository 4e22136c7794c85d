import Denque from 'denque'
import type { Message } from './message.ts'

export type DeadLetterReason =
  'unknownActor' | 'stopped' | 'mailboxFull' | 'expired' | 'invalid' | 'tooLarge' | 'staleReply'

/** A message that nobody could take, with the reason. */
export interface DeadLetter {
  readonly message: Message
  readonly reason: DeadLetterReason
  readonly detail?: string
  readonly at: number
}

export const DEAD_LETTERS_KEPT_MAX = 1000

/** The last 1,000 dead letters, and how many there were of each kind. */
export class DeadLetters {
  private kept = new Denque<DeadLetter>()
  private counts = new Map<DeadLetterReason, number>()

  add(letter: DeadLetter): void {
    this.kept.push(letter)
    if (this.kept.length > DEAD_LETTERS_KEPT_MAX) this.kept.shift()
    this.counts.set(letter.reason, (this.counts.get(letter.reason) ?? 0) + 1)
  }

  list(): DeadLetter[] {
    return this.kept.toArray()
  }

  count(reason?: DeadLetterReason): number {
    if (reason !== undefined) return this.counts.get(reason) ?? 0
    let sum = 0
    for (const count of this.counts.values()) sum += count
    return sum
  }
}
