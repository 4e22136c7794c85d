import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { DeadLetters, type DeadLetter, type DeadLetterReason } from './dead-letters.ts'
import { AmbitError } from './errors.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, sentWith, type Message, type SendResult } from './message.ts'
import type { Down } from './monitors.ts'
import type { Outside } from './outside.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import { skipMessage } from './streams.ts'
import type { Tree } from './tree.ts'

export interface DeliveryCalls {
  readonly clock: Clock
  readonly logger: Logger
  schedule(cell: Cell): void
  /** The same, for a cell that goes on with what another has begun. */
  scheduleAhead(cell: Cell): void
  /** Brings one that sleeps back into memory. */
  wake(cell: Cell): void
  /** Takes a numbered message out of its sender's outbox without a turn. */
  dispose(message: Message, reason: DeadLetterReason): void
  deadLetter(letter: DeadLetter): void
}

const ACCEPTED: SendResult = { status: 'accepted' }

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
    const known = this.tree.peek(message.to)
    if (known !== undefined && known.life !== 'ended') {
      this.offer(known, message, lane)
      return
    }
    const cell = this.tree.cellAt(message.to)
    if (cell === undefined) this.undeliverable(message, 'unknownActor')
    else if (cell.life === 'ended') this.undeliverable(message, 'stopped')
    else this.offer(cell, message, lane)
  }

  /**
   * A message that is not stored yet, to an actor that can be stored with its sender. False when it has to wait for
   * its commit: the receiver keeps nothing, is down, has no room, or may push it out again.
   */
  offerAhead(message: Message, lane: Lane): boolean {
    const spec = this.tree.specAt(message.to)
    if (spec?.durability !== 'sync' || spec.mailbox.overflow === 'dropOldest') return false
    // A step that is made elsewhere is not there when its sender is stored.
    if (spec.engine.stepAway !== undefined) return false
    const cell = this.tree.cellAt(message.to, message[sentWith])
    if (cell?.life !== 'running') return false
    if ((cell.held?.[lane]?.length ?? 0) > 0 || cell.mailbox.isFull(lane)) return false
    cell.mailbox.offer(message, lane)
    this.calls.scheduleAhead(cell)
    return true
  }

  /** An actor that has taken all it was sent, and can be stored with whoever looks at it. */
  lookAt(address: Address): Cell | undefined {
    const cell = this.tree.peek(address)
    if (cell?.life !== 'running' || cell.spec.durability !== 'sync') return undefined
    return cell.started && !cell.isCommitting && cell.mailbox.length === 0 ? cell : undefined
  }

  /** Takes back what was never stored. */
  retract(messages: Iterable<Message>): void {
    const byReceiver = new Map<Address, Set<Message>>()
    for (const message of messages) {
      const known = byReceiver.get(message.to)
      if (known === undefined) byReceiver.set(message.to, new Set([message]))
      else known.add(message)
    }
    for (const [to, retracted] of byReceiver) {
      const cell = this.tree.peek(to)
      if (cell === undefined) continue
      cell.mailbox.remove(retracted)
      this.freed(cell)
      const isBornOfThem = [...retracted].some((message) => message[sentWith] === cell.bornWith)
      if (isBornOfThem && cell.pending === undefined && this.wasNeverBorn(cell)) continue
      this.calls.schedule(cell)
    }
  }

  /** A member of a pool that came into memory for what never was leaves it, unless others have written to it. */
  wasNeverBorn(cell: Cell, taken: readonly { message: Message }[] = []): boolean {
    const isOwed = cell.bornWith?.isStored !== false
    cell.bornWith = undefined
    if (isOwed) return false
    const own = cell.mailbox.drain()
    const rest = own.filter(({ message }) => message.type !== kernelTypes.start)
    const isHolding = Object.values(cell.held ?? {}).some((held) => held.length > 0)
    if (rest.length > 0 || taken.length > 0 || isHolding) {
      for (const { message, lane } of own.reverse()) cell.mailbox.putBack(message, lane)
      return false
    }
    cell.life = 'ended'
    this.tree.remove(cell)
    return true
  }

  /** The notice that an actor has ended, behind what that one had sent before: its last word is heard first. */
  private offerEnd(cell: Cell, message: Message): SendResult {
    const { address } = message.body as unknown as Down
    const waiting = cell.held?.user ?? []
    // Where the oldest is dropped no message is owed, but the notice is.
    const isOwed = cell.spec.mailbox.overflow !== 'dropOldest'
    if (isOwed && waiting.some(({ headers }) => headers.from === address)) waiting.push(message)
    else if (isOwed && cell.mailbox.holdsFrom(address)) cell.mailbox.putBehind(message)
    else cell.mailbox.offer(message, 'system')
    this.calls.schedule(cell)
    return ACCEPTED
  }

  /** A numbered message that finds no room waits in its sender's outbox; any other is refused. */
  offer(cell: Cell, message: Message, lane: Lane): SendResult {
    // Before the message is there: by hand it is taken by `drain()`, and not by the way.
    this.wake(cell)
    if (message.type === kernelTypes.down) return this.offerEnd(cell, message)
    const isNumbered = message.headers.stream !== undefined
    // Whoever came before on this lane goes in before.
    if (isNumbered && ((cell.held?.[lane]?.length ?? 0) > 0 || cell.mailbox.isFull(lane))) {
      cell.held ??= {}
      const held = (cell.held[lane] ??= [])
      held.push(message)
      return { status: 'accepted' }
    }
    const offer = cell.mailbox.offer(message, lane)
    if (offer.status === 'full') {
      this.deadLetter(message, 'mailboxFull')
      return { status: 'rejected', reason: 'mailboxFull', retryAfterMs: RETRY_AFTER_MS }
    }
    if (offer.status === 'dropped') {
      skipMessage(cell, offer.message, lane)
      this.undeliverable(offer.message, 'mailboxFull')
    }
    this.calls.schedule(cell)
    return ACCEPTED
  }

  /** One that sleeps is brought back into memory. */
  wake(cell: Cell): void {
    if (cell.life === 'asleep') this.calls.wake(cell)
  }

  /** Lanes may have room again: what was held up comes in, in its order. */
  freed(cell: Cell): void {
    for (const lane of ['control', 'user'] as const) {
      const held = cell.held?.[lane]
      if (held === undefined) continue
      while (held.length > 0 && !cell.mailbox.isFull(lane)) {
        const first = held.shift()
        if (first !== undefined) cell.mailbox.offer(first, lane)
      }
    }
  }

  /** What an ended actor still had before it goes back to nobody. */
  abandon(cell: Cell): void {
    for (const { message } of cell.mailbox.drain()) this.undeliverable(message, 'stopped')
    for (const held of Object.values(cell.held ?? {})) {
      for (const message of held.splice(0)) this.undeliverable(message, 'stopped')
    }
  }

  undeliverable(message: Message, reason: DeadLetterReason): void {
    this.deadLetter(message, reason)
    this.calls.dispose(message, reason)
    const { replyTo } = message.headers
    const error = new AmbitError('AMBIT_STOPPED', `"${message.to}" cannot answer: ${reason}.`)
    this.outside.refuseAcknowledgement(message, error)
    if (replyTo !== undefined) this.outside.refuse(replyTo, error)
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
