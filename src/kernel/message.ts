import type { Address } from './address.ts'
import type { Lane } from './mailbox.ts'

/** What a machine is sent: an XState event. Everything beside `type` must be JSON. */
export interface Event {
  readonly type: string
  readonly [key: string]: unknown
}

/** Where an answer goes: the asker and the invocation that waits. Plain JSON, so a machine may store it. */
export interface ReplyTo {
  readonly address: Address
  readonly invocation: string
}

/** A gapless, numbered channel: (sender, generation, receiver, lane). */
export interface StreamPosition {
  readonly sender: Address
  readonly generation: number
  readonly lane: Lane
  readonly number: number
}

export interface Headers {
  /** The sender; absent when the message came from outside the system. */
  readonly from?: Address
  /** The message that made the sender send this one. */
  readonly causation?: string
  /** The first message of the whole story. */
  readonly correlation?: string
  /** Milliseconds since the epoch; a later dequeue is a dead letter. */
  readonly deadline?: number
  readonly replyTo?: ReplyTo
  readonly stream?: StreamPosition
  /** How often this message has been given to its actor before, because a turn failed. */
  readonly attempt?: number
  /** How often the journal took the turns of others and not the one made of this message. */
  readonly refused?: number
  /** Set when it was kept for a later state: the how manieth its actor kept, and how often. */
  readonly deferred?: { readonly number: number; readonly times: number }
  /** The caller's own id: a second message with it is a duplicate. */
  readonly once?: string
  /** Whether an Ambit machine or the kernel sent it: only those may use types starting with `ambit.`. */
  readonly privileged?: boolean
}

/** Most messages say nothing about themselves. */
export const NO_HEADERS: Headers = Object.freeze({})

/** The wire unit: id, type, body, headers. The machine sees `body` with its `type`. */
export interface Message {
  readonly id: string
  readonly type: string
  readonly to: Address
  readonly body: Event
  readonly headers: Headers
  /** What it is stored with, as long as it is not stored. Never part of its text. */
  readonly [sentWith]?: Sending | undefined
}

/** Makes the ids of one process, unlike those of any other. */
export class Numbering {
  readonly prefix: string
  private last = 0

  constructor(prefix: string) {
    this.prefix = prefix
  }

  next(): number {
    return ++this.last
  }

  nextId(): string {
    return `${this.prefix}.${this.next()}`
  }
}

/** A message of which nothing is kept: seldom does anybody ask for its id, and making it is a sixth of such a turn. */
export class PassingMessage implements Message {
  readonly type: string
  readonly to: Address
  readonly body: Event
  readonly headers: Headers
  private readonly prefix: string
  private readonly number: number

  constructor(ids: Numbering, to: Address, body: Event, headers: Headers) {
    this.type = body.type
    this.to = to
    this.body = body
    this.headers = headers
    this.prefix = ids.prefix
    this.number = ids.next()
  }

  get id(): string {
    return `${this.prefix}.${this.number}`
  }

  toJSON(): Message {
    return plainOf(this)
  }
}

/** A message as it is stored. */
export function plainOf({ id, type, to, body, headers }: Message): Message {
  return { id, type, to, body, headers }
}

export const sentWith: unique symbol = Symbol('sentWith')

/** The commit under construction that a message is part of. */
export interface Sending {
  /** Whether it is with the journal: from then on nobody takes its messages before they are stored. */
  readonly isSealed: boolean
  readonly isStored: boolean
}

/** A message that is stored, or taken by a turn that is stored with it, waits for nothing any more. */
export function forgetSending(message: Message): void {
  if (message[sentWith] === undefined) return
  const changed: { [sentWith]?: Sending | undefined } = message
  changed[sentWith] = undefined
}

/** Changes what a message says of itself, wherever it lies. */
export function setHeaders(message: Message, headers: Headers): void {
  const changed: { headers: Headers } = message
  changed.headers = headers
}

/** What `send` answers: taken, or refused with a reason and, when it helps, a time to come back. */
export type SendResult =
  | { readonly status: 'accepted' }
  | { readonly status: 'rejected'; readonly reason: RejectReason; readonly retryAfterMs?: number }

export type RejectReason =
  'mailboxFull' | 'stopped' | 'unknownActor' | 'invalid' | 'tooLarge' | 'expired'

export const MESSAGE_BYTES_MAX = 1_048_576
export const MESSAGE_DEPTH_MAX = 32
/** The caller's own id is stored as long as the actor lives. */
export const ONCE_LENGTH_MAX = 1000

/** Whether a type belongs to XState's or Ambit's own protocol, which nobody outside may speak. */
export function isReservedType(type: string): boolean {
  return type.startsWith('xstate.') || type.startsWith('ambit.')
}

/** Where answers to askers outside the system go; each process has an address below it. */
export const OUTSIDE = '/~outside'

/** The messages the kernel sends to its own cells. */
export const kernelTypes = {
  start: 'ambit.start',
  stop: 'ambit.stop',
  /** What an actor hears that does something before it stops. */
  stopping: 'ambit.stopping',
  timer: 'ambit.timer',
  effectEnded: 'ambit.effect.ended',
  reply: 'ambit.reply',
  /** An event that an actor's own callbacks and observables bring for one of its members. */
  post: 'ambit.post',
  /** What a monitored actor's end is told with. */
  down: 'ambit.down',
  /** The order to retry or discard a parked message, and the answer to it. */
  parked: 'ambit.parked',
  /** Something that ran beside the steps has ended by itself. */
  ended: 'ambit.member.ended',
} as const

const ownTypes: ReadonlySet<string> = new Set(Object.values(kernelTypes))

/** Whether the kernel says it to one of its own cells, and no actor to another. */
export function isKernelType(type: string): boolean {
  return ownTypes.has(type)
}

export function isOutside(address: Address): boolean {
  return address.startsWith(OUTSIDE)
}
