import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { LANES, type Lane } from './mailbox.ts'
import type { Message } from './message.ts'

/** A mailbox in which something waits. */
export interface MailboxView {
  readonly address: Address
  /** Messages per lane, with those that wait for room in it. */
  readonly lengths: Readonly<Record<Lane, number>>
  /**
   * Milliseconds since a look first found the message that has waited longest: never more than it has waited, and less
   * by at most the time between that look and the one before. At the first look it is 0.
   */
  readonly oldestAgeMs: number
}

/**
 * How long messages wait. A message bears no time of arrival, so that sending one reads no clock: each look notes what
 * it finds for the first time, and costs as much as there are messages that wait.
 */
export class MailboxAges {
  private readonly foundAt = new WeakMap<Message, number>()

  look(cells: Iterable<Cell>, now: number): readonly MailboxView[] {
    const views: MailboxView[] = []
    for (const { address, mailbox, held } of cells) {
      if (mailbox.length === 0 && held === undefined) continue
      const lengths = { system: 0, reply: 0, control: 0, user: 0 }
      let oldest = now
      for (const lane of LANES) {
        for (const message of [...mailbox.waiting(lane), ...(held?.[lane] ?? [])]) {
          lengths[lane]++
          oldest = Math.min(oldest, this.found(message, now))
        }
      }
      if (LANES.some((lane) => lengths[lane] > 0))
        views.push({ address, lengths, oldestAgeMs: now - oldest })
    }
    return views.sort((a, b) => b.oldestAgeMs - a.oldestAgeMs)
  }

  private found(message: Message, now: number): number {
    const before = this.foundAt.get(message)
    if (before === undefined) this.foundAt.set(message, now)
    return before ?? now
  }
}
