import type { Cell } from './cell.ts'
import { DeadLetters, type DeadLetter, type DeadLetterReason } from './dead-letters.ts'
import { AmbitError } from './errors.ts'
import type { Lane } from './mailbox.ts'
import { OUTSIDE, type Event, type Message, type SendResult } from './message.ts'
import type { Outside } from './outside.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { Tree } from './tree.ts'

export interface DeliveryCalls {
  readonly clock: Clock
  readonly logger: Logger
  schedule(cell: Cell): void
  /** Takes a numbered message out of its sender's outbox without a turn. */
  dispose(message: Message, reason: DeadLetterReason): void
  deadLetter(letter: DeadLetter): void
}

/** A full mailbox says when to come back. */
export const RETRY_AFTER_MS = 100
/** Of each kind of dead letter so many are logged, and then one in a thousand: never silent, never a flood. */
export const DEAD_LETTERS_LOGGED_FIRST = 10
export const DEAD_LETTERS_LOGGED_EACH = 1000

/** Brings messages to mailboxes, and says what became of those that nobody could take. */
export class Delivery {
  readonly deadLetters = new DeadLetters()
  private readonly tree: Tree
  private readonly outside: Outside
  private readonly calls: DeliveryCalls

  constructor(tree: Tree, outside: Outside, calls: DeliveryCalls) {
    this.tree = tree
    this.outside = outside
    this.calls = calls
  }

  route(message: Message, lane: Lane): void {
    if (message.to === OUTSIDE) {
      this.outside.answer(String(message.body.invocation), message.body.event as Event)
      return
    }
    const cell = this.tree.cellAt(message.to)
    if (cell === undefined) this.undeliverable(message, 'unknownActor')
    else if (cell.life === 'ended') this.undeliverable(message, 'stopped')
    else this.offer(cell, message, lane)
  }

  /** A numbered message that finds no room waits in its sender's outbox; any other is refused. */
  offer(cell: Cell, message: Message, lane: Lane): SendResult {
    const offer = cell.mailbox.offer(message, lane)
    if (offer.status === 'full') {
      if (message.headers.stream !== undefined) {
        cell.held.push({ message, lane })
        return { status: 'accepted' }
      }
      this.deadLetter(message, 'mailboxFull')
      return { status: 'rejected', reason: 'mailboxFull', retryAfterMs: RETRY_AFTER_MS }
    }
    if (offer.status === 'dropped') this.undeliverable(offer.message, 'mailboxFull')
    this.calls.schedule(cell)
    return { status: 'accepted' }
  }

  /** A lane has room again: the first message that was held up comes in. */
  freed(cell: Cell): void {
    const first = cell.held[0]
    if (first === undefined || cell.mailbox.isFull(first.lane)) return
    cell.held.shift()
    this.offer(cell, first.message, first.lane)
  }

  /** What an ended actor still had before it goes back to nobody. */
  abandon(cell: Cell): void {
    for (const { message } of cell.mailbox.drain()) this.undeliverable(message, 'stopped')
    for (const { message } of cell.held.splice(0)) this.undeliverable(message, 'stopped')
  }

  undeliverable(message: Message, reason: DeadLetterReason): void {
    this.deadLetter(message, reason)
    this.calls.dispose(message, reason)
    const { replyTo } = message.headers
    if (replyTo?.address !== OUTSIDE) return
    const error = new AmbitError('AMBIT_STOPPED', `"${message.to}" cannot answer: ${reason}.`)
    this.outside.refuse(replyTo.invocation, error)
  }

  deadLetter(message: Message, reason: DeadLetterReason, detail?: string): void {
    const at = this.calls.clock.now()
    const letter = { message, reason, at, ...(detail !== undefined && { detail }) }
    this.deadLetters.add(letter)
    const count = this.deadLetters.count(reason)
    const isTold = count <= DEAD_LETTERS_LOGGED_FIRST || count % DEAD_LETTERS_LOGGED_EACH === 0
    // An answer that comes too late is everyday; the rest is worth a line.
    if (reason !== 'staleReply' && isTold) {
      const { to, type } = message
      this.calls.logger.warn({ to, type, reason, detail, count }, 'dead letter')
    }
    this.calls.deadLetter(letter)
  }
}
