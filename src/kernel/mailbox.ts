import Denque from 'denque'
import type { Address } from './address.ts'
import type { Message } from './message.ts'

/** `system`: stop, exits. `reply`: answers, effect ends, due timers. `control`: human decisions. `user`: the rest. */
export type Lane = 'system' | 'reply' | 'control' | 'user'

export const LANES = ['system', 'reply', 'control', 'user'] as const satisfies readonly Lane[]

export type Overflow = 'reject' | 'deadLetter' | 'dropOldest'

export interface MailboxLimits {
  /** Messages on the user lane. Default 1,024. */
  readonly userLengthMax: number
  /** Messages on the control lane. Default 128. */
  readonly controlLengthMax: number
  /** What happens to a user message that does not fit. Default `reject`: the sender is told. */
  readonly overflow: Overflow
}

export const mailboxDefaults: MailboxLimits = {
  userLengthMax: 1024,
  controlLengthMax: 128,
  overflow: 'reject',
}

/** After so many control messages one user message is taken, so that neither lane starves the other. */
export const CONTROL_BURST_MAX = 16

export type Offer =
  | { readonly status: 'accepted' }
  | { readonly status: 'full' }
  | { readonly status: 'dropped'; readonly message: Message }

/**
 * The four bounded lanes of one actor, each first in, first out.
 *
 * The system lane is bounded by the tree's shape and the reply lane by the slots reserved when an ask, effect or
 * timer is made, so neither is ever full. The control and user lanes refuse when full.
 */
export class Mailbox {
  readonly limits: MailboxLimits
  /** All messages in it. */
  length = 0
  /** The lane of the message that was taken last. */
  takenFrom: Lane = 'user'
  /** The first of the user lane: most mailboxes hold one message or none, and need no queue. */
  private first: Message | undefined
  private user: Denque<Message> | undefined
  /** The other lanes, as long as something is in them. */
  private others: Partial<Record<Exclude<Lane, 'user'>, Denque<Message>>> | undefined
  private othersLength = 0
  private controlBurst = 0

  constructor(limits: MailboxLimits) {
    this.limits = limits
  }

  size(lane: Lane): number {
    if (lane !== 'user') return this.others?.[lane]?.length ?? 0
    return (this.first === undefined ? 0 : 1) + (this.user?.length ?? 0)
  }

  isFull(lane: Lane): boolean {
    if (lane === 'user') return this.size('user') >= this.limits.userLengthMax
    return lane === 'control' && this.size('control') >= this.limits.controlLengthMax
  }

  offer(message: Message, lane: Lane): Offer {
    if (lane === 'user' && this.length === 0 && this.limits.userLengthMax > 0) {
      // Most mailboxes are empty when something comes.
      this.length = 1
      this.first = message
      return ACCEPTED
    }
    if (!this.isFull(lane)) {
      this.push(message, lane)
      return ACCEPTED
    }
    if (lane !== 'user' || this.limits.overflow === 'reject') return { status: 'full' }
    if (this.limits.overflow === 'deadLetter') return { status: 'dropped', message }
    const oldest = this.takeFrom('user')
    this.push(message, 'user')
    return oldest === undefined ? ACCEPTED : { status: 'dropped', message: oldest }
  }

  /** Puts a message behind all that waits on the user lane, whether there is room or not. */
  putBehind(message: Message): void {
    this.push(message, 'user')
  }

  /** Whether something an actor has sent waits on the user lane. */
  holdsFrom(address: Address): boolean {
    if (this.first?.headers.from === address) return true
    for (let at = 0; at < (this.user?.length ?? 0); at++)
      if (this.user?.peekAt(at)?.headers.from === address) return true
    return false
  }

  /** What waits on a lane, the first first. */
  waiting(lane: Lane): readonly Message[] {
    if (lane !== 'user') return this.others?.[lane]?.toArray() ?? []
    return [...(this.first === undefined ? [] : [this.first]), ...(this.user?.toArray() ?? [])]
  }

  take(): Message | undefined {
    if (this.length === 0) return undefined
    if (this.others === undefined) {
      this.length--
      this.takenFrom = 'user'
      return this.takeUser()
    }
    return this.takeFrom('system') ?? this.takeFrom('reply') ?? this.takeControlOrUser()
  }

  /** Takes the first message of any lane that has failed, or was refused by the journal, as often as allowed. */
  takeTried(attemptsMax: number, refusedMax: number): { message: Message; lane: Lane } | undefined {
    for (const lane of LANES) {
      const { attempt = 0, refused = 0 } = this.firstOf(lane)?.headers ?? {}
      if (attempt < attemptsMax && refused < refusedMax) continue
      const message = this.takeFrom(lane)
      if (message !== undefined) return { message, lane }
    }
    return undefined
  }

  /** Takes a message if it is the first of its lane; false when it is not. */
  takeFirst(message: Message, lane: Lane): boolean {
    if (this.firstOf(lane) !== message) return false
    return this.takeFrom(lane) === message
  }

  /** Puts a message back where it stood, so that order holds after a failed turn. */
  putBack(message: Message, lane: Lane): void {
    this.length++
    if (lane !== 'user') {
      this.othersLength++
      this.lane(lane).unshift(message)
      return
    }
    if (this.first !== undefined) this.lane('user').unshift(this.first)
    this.first = message
  }

  /** Takes messages out wherever they stand; those that are not there are no matter. */
  remove(messages: ReadonlySet<Message>): void {
    for (const { message, lane } of this.drain())
      if (!messages.has(message)) this.push(message, lane)
  }

  drain(): { message: Message; lane: Lane }[] {
    const rest: { message: Message; lane: Lane }[] = []
    for (let message = this.take(); message !== undefined; message = this.take())
      rest.push({ message, lane: this.takenFrom })
    return rest
  }

  private takeControlOrUser(): Message | undefined {
    if (this.controlBurst >= CONTROL_BURST_MAX && this.size('user') > 0) {
      this.controlBurst = 0
      return this.takeFrom('user')
    }
    const control = this.takeFrom('control')
    if (control === undefined) return this.takeFrom('user')
    this.controlBurst++
    return control
  }

  private push(message: Message, lane: Lane): void {
    this.length++
    if (lane === 'user' && this.first === undefined && (this.user?.length ?? 0) === 0) {
      this.first = message
      return
    }
    if (lane !== 'user') this.othersLength++
    this.lane(lane).push(message)
  }

  private takeFrom(lane: Lane): Message | undefined {
    const message = lane === 'user' ? this.takeUser() : this.others?.[lane]?.shift()
    if (message === undefined) return undefined
    this.length--
    this.takenFrom = lane
    if (lane !== 'user' && --this.othersLength === 0) this.others = undefined
    return message
  }

  private takeUser(): Message | undefined {
    const { first } = this
    if (first === undefined) return this.user?.shift()
    this.first = undefined
    return first
  }

  private firstOf(lane: Lane): Message | undefined {
    if (lane !== 'user') return this.others?.[lane]?.peekFront()
    return this.first ?? this.user?.peekFront()
  }

  private lane(lane: Lane): Denque<Message> {
    if (lane === 'user') return (this.user ??= new Denque<Message>())
    this.others ??= {}
    return (this.others[lane] ??= new Denque<Message>())
  }
}

const ACCEPTED: Offer = { status: 'accepted' }
