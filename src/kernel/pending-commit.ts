import type { Address } from './address.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { forgetSending, sentWith, type Message, type Sending } from './message.ts'
import type { Consumed, StoredTimer } from './ports/journal.ts'

/** Something that happens only once the turn is durable. */
export type Release = () => void

/** Says in which order things happened in one system, whoever did them. */
export class Order {
  private last = 0

  next(): number {
    return ++this.last
  }
}

/** What has a place in the order of a system. */
interface Placed {
  readonly place: number
}

export interface PlacedRecord extends Placed {
  readonly text: string
}

export interface PlacedRelease extends Placed {
  readonly actor: Address
  readonly run: Release
}

/** What one actor did in this drain and nobody outside may see yet. */
export class PendingCommit implements Sending {
  readonly expectedSeq: number
  readonly records: PlacedRecord[] = []
  readonly rows = new Map<string, Json>()
  /** What was sent and nobody has taken, with its lane. */
  readonly outbox = new Map<Message, Lane>()
  readonly consumed: Consumed[] = []
  readonly timersSet = new Map<string, StoredTimer>()
  readonly timersCleared = new Set<string>()
  readonly deadLetters: Message[] = []
  readonly releases: PlacedRelease[] = []
  /** The messages these turns took and others hold: given back when the commit fails. */
  readonly taken: { message: Message; lane: Lane }[] = []
  isSealed = false
  isStored = false
  private readonly actor: Address
  private readonly order: Order
  private joined: PendingCommit | undefined
  /** Receivers and lanes to which something waits for the commit: what follows must not overtake it. */
  private waiting: Set<string> | undefined

  constructor(actor: Address, expectedSeq: number, order: Order) {
    this.actor = actor
    this.expectedSeq = expectedSeq
    this.order = order
  }

  /** Names the turns that are stored together, all or none: each took something that another of them sent. */
  get group(): PendingCommit {
    if (this.joined === undefined) return this
    this.joined = this.joined.group
    return this.joined
  }

  record(text: string): void {
    this.records.push({ place: this.order.next(), text })
  }

  release(run: Release): void {
    this.releases.push({ place: this.order.next(), actor: this.actor, run })
  }

  /** Takes a message that is stored with nothing but this: it leaves no trace in an outbox. */
  takeAhead(message: Message, sender: PendingCommit): void {
    sender.outbox.delete(message)
    forgetSending(message)
    this.joinTo(sender)
  }

  /** From now on these turns and those of another are stored together, all or none. */
  joinTo(other: PendingCommit): void {
    const [own, others] = [this.group, other.group]
    if (own !== others) own.joined = others
  }

  /** Whether what goes there has to wait for the commit. */
  isWaiting(to: string, lane: Lane): boolean {
    return this.waiting?.has(`${to}|${lane}`) === true
  }

  wait(to: string, lane: Lane): void {
    this.waiting ??= new Set()
    this.waiting.add(`${to}|${lane}`)
  }

  /** These turns and those made since, as one commit on what the journal holds. */
  followedBy(later: PendingCommit | undefined, expectedSeq: number): PendingCommit {
    const joined = new PendingCommit(this.actor, expectedSeq, this.order)
    for (const part of later === undefined ? [this] : [this, later]) {
      joined.records.push(...part.records)
      joined.consumed.push(...part.consumed)
      joined.deadLetters.push(...part.deadLetters)
      joined.releases.push(...part.releases)
      joined.taken.push(...part.taken)
      for (const [message, lane] of part.outbox) joined.outbox.set(message, lane)
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

/** The commit under construction in which a message was sent, if it still is. */
export function senderOf(message: Message): PendingCommit | undefined {
  const sending = message[sentWith] as PendingCommit | undefined
  return sending?.isSealed === false ? sending : undefined
}

/**
 * Ends a message that nobody waits for with the turn that sent it, if that is not handed over yet. It gets no place
 * in their stream: another that was sent ahead after it may lie in the mailbox already, and would come before it.
 */
export function endAhead(
  message: Message,
  receiver: PendingCommit | undefined,
  told: Release,
): boolean {
  const sender = senderOf(message)
  if (sender === undefined) return false
  // Why nobody waits for it may not be stored yet either.
  receiver?.joinTo(sender)
  sender.outbox.delete(message)
  forgetSending(message)
  sender.release(told)
  return true
}

/** Whether a message is not stored yet; with a journal far away that may be after its commit was handed over. */
export function postponed(message: Message, route: () => void): boolean {
  const sending = message[sentWith] as PendingCommit | undefined
  sending?.release(route)
  return sending !== undefined
}

/** What several did, in the order in which they did it. */
export function inOrder<T extends Placed>(lists: readonly (readonly T[])[]): readonly T[] {
  const [only] = lists
  if (only !== undefined && lists.length === 1) return only
  return lists.flat().sort((a, b) => a.place - b.place)
}
