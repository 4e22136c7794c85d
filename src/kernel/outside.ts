import type { Address } from './address.ts'
import { AmbitError } from './errors.ts'
import { OUTSIDE, type Event, type Message, type ReplyTo } from './message.ts'
import type { Clock } from './ports/clock.ts'

export const ASKS_OUTSIDE_MAX = 10_000

interface Waiting {
  readonly dueAt: number
  readonly to: string
  readonly type: string
  readonly timeoutMs: number
  readonly resolve: (event: Event) => void
  readonly reject: (error: Error) => void
}

interface Acknowledgement {
  readonly resolve: (outcome: 'committed' | 'duplicate') => void
  readonly reject: (error: Error) => void
}

/** Those outside the system who wait for an answer or for an acknowledgement. Kept in memory only. */
export class Outside {
  /** Where answers to this process go; another life of it has another, so that answers of the past reach nobody. */
  readonly address: Address
  private readonly asks: Asks
  private asked = 0
  private acknowledgements = new Map<string, Acknowledgement[]>()
  private acknowledgementsAwaited = 0
  private readonly clock: Clock

  constructor(clock: Clock, life: string) {
    this.clock = clock
    this.address = `${OUTSIDE}/${life}`
    this.asks = new Asks(clock)
  }

  /** Asks in the name of somebody outside; `send` hands the question over under the name it is given. */
  ask(
    to: Address,
    type: string,
    timeoutMs: number,
    send: (replyTo: ReplyTo, deadline: number) => Error | undefined,
  ): Promise<Event> {
    if (this.asks.size >= ASKS_OUTSIDE_MAX) return Promise.reject(tooMany())
    return new Promise((resolve, reject) => {
      const invocation = String(++this.asked)
      const dueAt = this.clock.now() + timeoutMs
      this.asks.add(invocation, { dueAt, to, type, timeoutMs, resolve, reject })
      const refused = send({ address: this.address, invocation }, dueAt)
      if (refused !== undefined) this.asks.take(invocation)?.reject(refused)
    })
  }

  /** Only who was asked can answer, once: the name of a question can be guessed. */
  answer({ address, invocation }: ReplyTo, event: Event, from: Address): boolean {
    if (address !== this.address || this.asks.askedOf(invocation) !== from) return false
    this.asks.take(invocation)?.resolve(event)
    return true
  }

  refuse({ address, invocation }: ReplyTo, error: Error): void {
    if (address === this.address) this.asks.take(invocation)?.reject(error)
  }

  /** Waits for a message with the caller's own id to be taken. Two with one id are answered in their order. */
  acknowledgement(to: Address, id: string): Promise<'committed' | 'duplicate'> {
    if (this.acknowledgementsAwaited >= ASKS_OUTSIDE_MAX) return Promise.reject(tooMany())
    this.acknowledgementsAwaited++
    return new Promise((resolve, reject) => {
      const waiting = this.acknowledgements.get(`${to} ${id}`) ?? []
      this.acknowledgements.set(`${to} ${id}`, waiting)
      waiting.push({ resolve, reject })
    })
  }

  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void {
    this.takeAcknowledgement(message)?.resolve(outcome)
  }

  refuseAcknowledgement(message: Message, error: Error): void {
    this.takeAcknowledgement(message)?.reject(error)
  }

  refuseAll(): void {
    const stopped = new AmbitError(
      'AMBIT_STOPPED',
      'The system stopped before the message was taken.',
    )
    for (const waiting of this.acknowledgements.values())
      for (const each of waiting) each.reject(stopped)
    this.acknowledgements.clear()
    this.acknowledgementsAwaited = 0
    for (const { reject } of this.asks.takeAll())
      reject(new AmbitError('AMBIT_STOPPED', 'The system stopped before the answer came.'))
  }

  private takeAcknowledgement({ to, headers }: Message): Acknowledgement | undefined {
    if (headers.once === undefined) return undefined
    const key = `${to} ${headers.once}`
    const waiting = this.acknowledgements.get(key)
    const first = waiting?.shift()
    if (first !== undefined) this.acknowledgementsAwaited--
    if (waiting?.length === 0) this.acknowledgements.delete(key)
    return first
  }
}

/** Timeouts of so many lengths have a list and one wake-up for all; the others a wake-up each. */
const LENGTHS_MAX = 8

/** The questions from outside that wait. Those with one timeout fall due in the order in which they were asked. */
class Asks {
  private readonly lists = new Map<number, AskList>()
  private readonly others = new Map<string, Waiting & { readonly cancel: () => void }>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  get size(): number {
    let size = this.others.size
    for (const list of this.lists.values()) size += list.waiting.size
    return size
  }

  add(id: string, waiting: Waiting): void {
    const { timeoutMs, dueAt } = waiting
    const list = this.lists.get(timeoutMs)
    if (list !== undefined) list.add(id, waiting)
    else if (this.lists.size < LENGTHS_MAX) {
      const made = new AskList(this.clock)
      this.lists.set(timeoutMs, made)
      made.add(id, waiting)
    } else {
      const pass = () => this.take(id)?.reject(timedOut(waiting))
      const cancel = dueAt === Infinity ? () => undefined : this.clock.wakeAt(dueAt, pass)
      this.others.set(id, { ...waiting, cancel })
    }
  }

  askedOf(id: string): Address | undefined {
    for (const { waiting } of this.lists.values()) {
      const found = waiting.get(id)
      if (found !== undefined) return found.to
    }
    return this.others.get(id)?.to
  }

  take(id: string): Waiting | undefined {
    for (const { waiting } of this.lists.values()) {
      const found = waiting.get(id)
      if (found !== undefined) {
        waiting.delete(id)
        return found
      }
    }
    const other = this.others.get(id)
    this.others.delete(id)
    other?.cancel()
    return other
  }

  takeAll(): Waiting[] {
    const all = [...this.others.values()] as Waiting[]
    for (const { cancel } of this.others.values()) cancel()
    this.others.clear()
    for (const list of this.lists.values()) all.push(...list.takeAll())
    this.lists.clear()
    return all
  }
}

class AskList {
  readonly waiting = new Map<string, Waiting>()
  private cancelWake: (() => void) | undefined
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(id: string, waiting: Waiting): void {
    this.waiting.set(id, waiting)
    if (this.cancelWake === undefined) this.arm(waiting.dueAt)
  }

  takeAll(): Waiting[] {
    this.cancelWake?.()
    const all = [...this.waiting.values()]
    this.waiting.clear()
    return all
  }

  private arm(dueAt: number): void {
    if (dueAt !== Infinity) this.cancelWake = this.clock.wakeAt(dueAt, () => this.wake())
  }

  private wake(): void {
    this.cancelWake = undefined
    const now = this.clock.now()
    for (const [id, waiting] of this.waiting) {
      if (waiting.dueAt > now) {
        this.arm(waiting.dueAt)
        return
      }
      this.waiting.delete(id)
      waiting.reject(timedOut(waiting))
    }
  }
}

function timedOut({ to, type, timeoutMs }: Waiting): AmbitError {
  const message =
    `"${to}" did not answer "${type}" within ${timeoutMs} ms. ` +
    'Look at what it waits for, or raise timeoutMs.'
  return new AmbitError('AMBIT_ASK_TIMEOUT', message)
}

function tooMany(): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `${ASKS_OUTSIDE_MAX} answers are awaited from outside already. Come back later.`,
  )
}
