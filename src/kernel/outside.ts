import type { Address } from './address.ts'
import { Deadlines } from './deadlines.ts'
import { AmbitError } from './errors.ts'
import type { Event, Message } from './message.ts'
import type { Clock } from './ports/clock.ts'

export const ASKS_OUTSIDE_MAX = 10_000

interface Waiting {
  readonly id: string
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
  private asks = new Map<string, Waiting>()
  private acknowledgements = new Map<string, Acknowledgement[]>()
  private acknowledgementsAwaited = 0
  private readonly deadlines: Deadlines<Waiting>

  constructor(clock: Clock) {
    this.deadlines = new Deadlines(
      clock,
      ({ id }) => this.asks.has(id),
      (waiting) => this.refuse(waiting.id, timedOut(waiting)),
    )
  }

  ask(id: string, to: string, type: string, timeoutMs: number): Promise<Event> {
    if (this.asks.size >= ASKS_OUTSIDE_MAX) {
      return Promise.reject(tooMany())
    }
    return new Promise((resolve, reject) => {
      const waiting = { id, to, type, timeoutMs, resolve, reject }
      this.asks.set(id, waiting)
      if (timeoutMs !== Infinity) this.deadlines.add(waiting, timeoutMs, this.asks.size)
    })
  }

  answer(id: string, event: Event): void {
    const waiting = this.asks.get(id)
    if (waiting === undefined) return
    this.asks.delete(id)
    waiting.resolve(event)
  }

  refuse(id: string, error: Error): void {
    const waiting = this.asks.get(id)
    this.asks.delete(id)
    waiting?.reject(error)
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
    this.deadlines.stop()
    const stopped = new AmbitError(
      'AMBIT_STOPPED',
      'The system stopped before the message was taken.',
    )
    for (const waiting of this.acknowledgements.values())
      for (const each of waiting) each.reject(stopped)
    this.acknowledgements.clear()
    this.acknowledgementsAwaited = 0
    for (const id of [...this.asks.keys()]) {
      this.refuse(id, new AmbitError('AMBIT_STOPPED', 'The system stopped before the answer came.'))
    }
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
