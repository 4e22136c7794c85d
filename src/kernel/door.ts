import { parseAddress, type Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { Delivery } from './delivery.ts'
import { AmbitError } from './errors.ts'
import { receive } from './ingress.ts'
import { OUTSIDE, type Event, type Headers, type Message, type SendResult } from './message.ts'
import type { Outside } from './outside.ts'
import type { Random } from './ports/random.ts'
import type { Clock } from './ports/clock.ts'
import { ASK_TIMEOUT_MS, type ActorRef, type AskOptions } from './ref.ts'
import type { Tree } from './tree.ts'

type Checked =
  { readonly cell: Cell; readonly message: Message } | Extract<SendResult, { status: 'rejected' }>

export interface DoorPorts {
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

  constructor(tree: Tree, delivery: Delivery, outside: Outside, ports: DoorPorts) {
    this.tree = tree
    this.delivery = delivery
    this.outside = outside
    this.ports = ports
  }

  ref(text: string): ActorRef {
    const address = parseAddress(text)
    return {
      address,
      send: (event, { deadline } = {}) =>
        this.send(address, event, deadline === undefined ? {} : { deadline }),
      ask: (event, options) => this.ask(address, event, options),
      deliver: (event, { id }) => this.deliver(address, event, id),
    }
  }

  async ask(
    to: Address,
    event: Event,
    options: AskOptions = {},
    headers: Partial<Headers> = {},
  ): Promise<Event> {
    const { timeoutMs = ASK_TIMEOUT_MS } = options
    const invocation = this.ports.random.id()
    const deadline = this.ports.clock.now() + timeoutMs
    const answer = this.outside.ask(invocation, to, event.type, timeoutMs)
    const replyTo = { address: OUTSIDE, invocation }
    const sent = this.send(to, event, { ...headers, replyTo, deadline })
    if (sent.status === 'rejected') {
      this.outside.refuse(invocation, refused(to, event, sent.reason))
    }
    return answer
  }

  private send(to: Address, event: Event, headers: Partial<Headers>): SendResult {
    const checked = this.check(to, event, headers)
    if ('status' in checked) return checked
    return this.delivery.offer(checked.cell, checked.message, 'user')
  }

  /** Whether a message may come in, and to whom; every refusal is a dead letter. */
  private check(to: Address, event: Event, headers: Partial<Headers>): Checked {
    if (!this.ports.isOpen()) return { status: 'rejected', reason: 'stopped' }
    const { message, refused: fault, detail } = receive(this.ports.random.id(), to, event, headers)
    if (fault !== undefined) {
      this.delivery.deadLetter(message, fault, detail)
      return { status: 'rejected', reason: fault }
    }
    const refusal = this.tree.engineAt(to)?.refuse?.(message.body)
    if (refusal !== undefined) {
      this.delivery.deadLetter(message, 'invalid', refusal)
      return { status: 'rejected', reason: 'invalid' }
    }
    const cell = this.tree.cellAt(to)
    if (cell !== undefined && cell.life !== 'ended') return { cell, message }
    const reason = cell === undefined ? 'unknownActor' : 'stopped'
    this.delivery.undeliverable(message, reason)
    return { status: 'rejected', reason }
  }

  private async deliver(to: Address, event: Event, id: string): Promise<'committed' | 'duplicate'> {
    const checked = this.check(to, event, { once: id })
    if ('status' in checked) throw refused(to, event, checked.reason)
    const acknowledged = this.outside.acknowledgement(to, id)
    const sent = this.delivery.offer(checked.cell, checked.message, 'user')
    if (sent.status === 'rejected') {
      this.outside.refuseAcknowledgement(checked.message, refused(to, event, sent.reason))
    }
    return acknowledged
  }
}

function refused(to: Address, event: Event, reason: string): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `"${to}" refused "${String((event as unknown as Event | null)?.type)}": ${reason}. See the dead letters for more.`,
  )
}
