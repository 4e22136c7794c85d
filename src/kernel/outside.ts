import { AmbitError } from './errors.ts'
import type { Event, Message } from './message.ts'
import type { Clock } from './ports/clock.ts'

export const ASKS_OUTSIDE_MAX = 10_000

interface Waiting {
  readonly resolve: (event: Event) => void
  readonly reject: (error: Error) => void
  readonly cancel: () => void
}

/** Those outside the system who wait for an answer or for an acknowledgement. Kept in memory only. */
export class Outside {
  private asks = new Map<string, Waiting>()
  private acknowledgements = new Map<string, (outcome: 'committed' | 'duplicate') => void>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  ask(id: string, to: string, type: string, timeoutMs: number): Promise<Event> {
    if (this.asks.size >= ASKS_OUTSIDE_MAX) {
      return Promise.reject(tooMany())
    }
    return new Promise((resolve, reject) => {
      const cancel = this.clock.wakeAt(this.clock.now() + timeoutMs, () => {
        this.asks.delete(id)
        const message =
          `"${to}" did not answer "${type}" within ${timeoutMs} ms. ` +
          'Look at what it waits for, or raise timeoutMs.'
        reject(new AmbitError('AMBIT_ASK_TIMEOUT', message))
      })
      this.asks.set(id, { resolve, reject, cancel })
    })
  }

  answer(id: string, event: Event): void {
    const waiting = this.asks.get(id)
    if (waiting === undefined) return
    this.asks.delete(id)
    waiting.cancel()
    waiting.resolve(event)
  }

  refuse(id: string, error: Error): void {
    const waiting = this.asks.get(id)
    this.asks.delete(id)
    waiting?.cancel()
    waiting?.reject(error)
  }

  acknowledgement(messageId: string): Promise<'committed' | 'duplicate'> {
    if (this.acknowledgements.size >= ASKS_OUTSIDE_MAX) return Promise.reject(tooMany())
    return new Promise((resolve) => this.acknowledgements.set(messageId, resolve))
  }

  forget(messageId: string): void {
    this.acknowledgements.delete(messageId)
  }

  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void {
    this.acknowledgements.get(message.id)?.(outcome)
    this.acknowledgements.delete(message.id)
  }

  refuseAll(): void {
    for (const id of [...this.asks.keys()]) {
      this.refuse(id, new AmbitError('AMBIT_STOPPED', 'The system stopped before the answer came.'))
    }
  }
}

function tooMany(): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `${ASKS_OUTSIDE_MAX} answers are awaited from outside already. Come back later.`,
  )
}
