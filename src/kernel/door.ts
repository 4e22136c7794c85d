import { parseAddress, type Address } from './address.ts'
import type { Delivery } from './delivery.ts'
import { AmbitError } from './errors.ts'
import { receive } from './ingress.ts'
import { OUTSIDE, type Event, type Headers, type SendResult } from './message.ts'
import type { Outside } from './outside.ts'
import type { Random } from './ports/random.ts'
import type { Clock } from './ports/clock.ts'
import { ASK_TIMEOUT_MS, type ActorRef, type AskOptions } from './ref.ts'
import type { Tree } from './tree.ts'

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
      send: (event, options) => this.send(address, event, { ...options }),
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
    if (!this.ports.isOpen()) return { status: 'rejected', reason: 'stopped' }
    const { message, refused: fault, detail } = receive(this.ports.random.id(), to, event, headers)
    if (fault !== undefined) {
      this.delivery.deadLetter(message, fault, detail)
      return { status: 'rejected', reason: fault }
    }
    const cell = this.tree.cellAt(to)
    if (cell === undefined || cell.life === 'ended') {
      const reason = cell === undefined ? 'unknownActor' : 'stopped'
      this.delivery.undeliverable(message, reason)
      return { status: 'rejected', reason }
    }
    const refusal = cell.spec.engine.refuse?.(event)
    if (refusal !== undefined) {
      this.delivery.deadLetter(message, 'invalid', refusal)
      return { status: 'rejected', reason: 'invalid' }
    }
    return this.delivery.offer(cell, message, 'user')
  }

  private async deliver(to: Address, event: Event, id: string): Promise<'committed' | 'duplicate'> {
    const acknowledged = this.outside.acknowledgement(id)
    const sent = this.send(to, event, { once: id })
    if (sent.status === 'accepted') return acknowledged
    this.outside.forget(id)
    throw refused(to, event, sent.reason)
  }
}

function refused(to: Address, event: Event, reason: string): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `"${to}" refused "${String((event as unknown as Event | null)?.type)}": ${reason}. See the dead letters for more.`,
  )
}
