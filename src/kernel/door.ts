import { parseAddress, type Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { Delivery } from './delivery.ts'
import { AmbitError } from './errors.ts'
import { NO_LEAVE, receive, type Leave, type Refusal } from './ingress.ts'
import {
  kernelTypes,
  NO_HEADERS,
  Numbering,
  type Event,
  type Headers,
  type Message,
  type SendResult,
} from './message.ts'
import { tooMany, type Outside } from './outside.ts'
import type { Engine } from './ports/engine.ts'
import type { Random } from './ports/random.ts'
import type { Clock } from './ports/clock.ts'
import { ASK_TIMEOUT_MS, type ActorRef, type AskOptions, type SendOptions } from './ref.ts'
import type { Tree } from './tree.ts'

type Refused = Extract<SendResult, { status: 'rejected' }>

export interface DoorPorts {
  /** The same for every ref and every actor of one system. */
  readonly home: unknown
  readonly clock: Clock
  readonly random: Random
  isOpen(): boolean
}

/** Where messages from outside come in, checked, and answers go out. */
export class Door {
  private readonly tree: Tree
  private readonly delivery: Delivery
  private readonly outside: Outside
  private readonly ports: DoorPorts
  private numbering: Numbering | undefined

  constructor(tree: Tree, delivery: Delivery, outside: Outside, ports: DoorPorts) {
    this.tree = tree
    this.delivery = delivery
    this.outside = outside
    this.ports = ports
  }

  get home(): unknown {
    return this.ports.home
  }

  ref(text: string): ActorRef {
    return new DoorRef(parseAddress(text), this)
  }

  send(to: Address, known: Cell | undefined, event: Event, headers: Headers): SendResult {
    const message = this.check(to, known, event, headers)
    if (isRefused(message)) return message
    const cell = known ?? this.tree.cellAt(to)
    if (cell !== undefined && cell.life !== 'ended')
      return this.delivery.offer(cell, message, 'user')
    return this.nobody(cell, message)
  }

  ask(
    to: Address,
    known: Cell | undefined,
    event: Event,
    options: AskOptions = {},
    headers: Headers = NO_HEADERS,
  ): Promise<Event> {
    const { timeoutMs = ASK_TIMEOUT_MS } = options
    if (typeof (timeoutMs as unknown) !== 'number' || Number.isNaN(timeoutMs))
      return Promise.reject(refused(to, event, 'timeoutMs is not a number of milliseconds'))
    const question = this.outside.ask(to, typeOf(event), timeoutMs)
    if (question === undefined) return Promise.reject(tooMany())
    const { replyTo, dueAt: deadline } = question
    const asking =
      headers === NO_HEADERS ? { replyTo, deadline } : { ...headers, replyTo, deadline }
    try {
      const sent = this.send(to, known, event, asking)
      if (sent.status === 'rejected') this.outside.refuse(replyTo, unasked(to, event, sent))
    } catch (error) {
      // A schema of the receiver's that throws refuses the question, too.
      this.outside.refuse(replyTo, error as Error)
    }
    return question.answer
  }

  async deliver(to: Address, event: Event, id: string): Promise<'committed' | 'duplicate'> {
    const checked = this.check(to, this.present(to), event, { once: id })
    if (isRefused(checked)) throw refused(to, event, checked.reason)
    const cell = this.tree.cellAt(to)
    if (cell === undefined || cell.life === 'ended')
      throw refused(to, event, this.nobody(cell, checked).reason)
    const acknowledged = this.outside.acknowledgement(to, id)
    const sent = this.delivery.offer(cell, checked, 'user')
    if (sent.status === 'rejected') {
      this.outside.refuseAcknowledgement(checked, refused(to, event, sent.reason))
    }
    return acknowledged
  }

  /** An event for a member of an actor, by a ref that somebody outside holds. */
  post(cell: Cell, target: string, event: Event): void {
    const checked = receive(this.ids, cell.address, event, NO_HEADERS, leaveFor(cell, undefined))
    if (isRefusal(checked)) {
      const { message, refused, detail } = checked
      this.delivery.deadLetter(message, refused, detail)
      return
    }
    const { id, body: copy } = checked
    const body = { type: kernelTypes.post, target, event: copy }
    const message = { id, type: body.type, to: cell.address, body, headers: POSTED }
    this.delivery.offer(cell, message, 'user')
  }

  /** The actor at an address, if it is in memory. */
  present(to: Address): Cell | undefined {
    return this.tree.peek(to)
  }

  /** The actor at an address as its engine shows it; one that is not in memory is brought there. */
  view(to: Address): unknown {
    const cell = this.tree.cellAt(to)
    if (cell !== undefined) this.delivery.wake(cell)
    if (cell !== undefined) return cell.spec.engine.view?.(cell)
    throw new AmbitError(
      'AMBIT_STOPPED',
      `Nobody lives at "${to}". Expected the address of an actor in the tree.`,
    )
  }

  /** Whether a message may come in; every refusal is a dead letter. */
  private check(
    to: Address,
    known: Cell | undefined,
    event: Event,
    headers: Headers,
  ): Message | Refused {
    if (!this.ports.isOpen()) return { status: 'rejected', reason: 'stopped' }
    const engine = known?.spec.engine ?? this.tree.specAt(to)?.engine
    const received = receive(this.ids, to, event, headers, leaveFor(known, engine))
    if (isRefusal(received)) {
      const { message, refused, detail } = received
      this.delivery.deadLetter(message, refused, detail)
      return { status: 'rejected', reason: refused }
    }
    const message = received
    // What Ambit's own calls say is no event of the machine's.
    const refusal = headers.privileged === true ? undefined : engine?.refuse?.(message.body)
    if (refusal === undefined) return message
    this.delivery.deadLetter(message, 'invalid', refusal)
    return { status: 'rejected', reason: 'invalid' }
  }

  private nobody(cell: Cell | undefined, message: Message): Refused {
    const reason = cell === undefined ? 'unknownActor' : 'stopped'
    this.delivery.undeliverable(message, reason)
    return { status: 'rejected', reason }
  }

  private get ids(): Numbering {
    return (this.numbering ??= new Numbering(this.ports.random.id()))
  }
}

class DoorRef implements ActorRef {
  readonly address: Address
  private readonly door: Door
  /** Found again when it has left memory. */
  private cell: Cell | undefined

  constructor(address: Address, door: Door) {
    this.address = address
    this.door = door
  }

  send(event: Event, options?: SendOptions): SendResult {
    const { deadline } = options ?? {}
    return this.door.send(
      this.address,
      this.known(),
      event,
      deadline === undefined ? NO_HEADERS : { deadline },
    )
  }

  ask(event: Event, options?: AskOptions): Promise<Event> {
    return this.door.ask(this.address, this.known(), event, options)
  }

  deliver(event: Event, { id }: { readonly id: string }): Promise<'committed' | 'duplicate'> {
    return this.door.deliver(this.address, event, id)
  }

  view(): unknown {
    return this.door.view(this.address)
  }

  get home(): unknown {
    return this.door.home
  }

  private known(): Cell | undefined {
    if (this.cell === undefined || this.cell.hasLeft) this.cell = this.door.present(this.address)
    return this.cell
  }
}

function isRefused(checked: Message | Refused): checked is Refused {
  return (checked as Partial<Refused>).status !== undefined
}

/** A plain look at one property: it is taken for every message. */
function isRefusal(received: Message | Refusal): received is Refusal {
  return (received as Partial<Refusal>).refused !== undefined
}

/** What the receiver lets in beside plain events of types that nobody has reserved. */
function leaveFor(cell: Cell | undefined, engine: Engine | undefined): Leave {
  const mayHoldRefs = cell?.isDirect === true
  if (engine?.opens !== undefined) return { opened: engine.opens, mayHoldRefs }
  return mayHoldRefs ? REFS_PASS : NO_LEAVE
}

const POSTED: Headers = { privileged: true }
const REFS_PASS: Leave = { mayHoldRefs: true }

/** For messages only: the event may be anything, even something that throws when it is looked at. */
function typeOf(event: unknown): string {
  try {
    return String((event as { type?: unknown } | null | undefined)?.type)
  } catch {
    return 'an event that cannot be read'
  }
}

function unasked(to: Address, event: Event, { reason, retryAfterMs }: Refused): AmbitError {
  if (retryAfterMs === undefined) return refused(to, event, reason)
  const message =
    `The mailbox of "${to}" is full: "${typeOf(event)}" was not taken. ` +
    `Ask again in ${retryAfterMs} ms or later.`
  return new AmbitError('AMBIT_OVERLOADED', message, { retryAfterMs })
}

function refused(to: Address, event: Event, reason: string): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `"${to}" refused "${typeOf(event)}": ${reason}. See the dead letters for more.`,
  )
}
