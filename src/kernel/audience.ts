import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { DeadLetter } from './dead-letters.ts'
import { toErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { SupervisionNews } from './ports/supervising.ts'
import type { Stall } from './ports/watchdog.ts'
import type { Observer, TurnReport } from './ports/observer.ts'

/** The observers of a system. What one of them throws is logged, and stops nobody else. */
export class Audience {
  private readonly observers: readonly Observer[]
  private readonly turnObservers: readonly Observer[]
  private readonly supervisionObservers: readonly Observer[]
  private readonly clock: Clock
  private readonly log: Logger

  constructor(observers: readonly Observer[], clock: Clock, log: Logger) {
    this.observers = observers
    this.turnObservers = observers.filter(
      (observer) => observer.onTurn !== undefined && observer.journaledOnly !== true,
    )
    this.supervisionObservers = observers.filter((observer) => observer.onSupervision !== undefined)
    this.clock = clock
    this.log = log
  }

  /** Whether anyone wants to hear of turns that are not journaled. */
  get hearsAllTurns(): boolean {
    return this.turnObservers.length > 0
  }

  turn(report: TurnReport): void {
    const observers = report.isJournaled ? this.observers : this.turnObservers
    this.tell((observer) => observer.onTurn?.(report), observers)
  }

  exit({ address, incarnation }: Cell, reason: ExitReason): void {
    const at = this.clock.now()
    this.tell((observer) => observer.onExit?.({ address, reason, incarnation, at }))
  }

  restart({ address, incarnation }: Cell, delayMs: number): void {
    this.tell((observer) => observer.onRestart?.({ address, incarnation, delayMs }))
  }

  supervision(supervisor: Address, news: SupervisionNews): void {
    if (this.supervisionObservers.length === 0) return
    const report = { ...news, supervisor, at: this.clock.now() }
    this.tell((observer) => observer.onSupervision?.(report), this.supervisionObservers)
  }

  stall(stall: Stall): void {
    this.tell((observer) => observer.onStall?.(stall))
  }

  deadLetter(letter: DeadLetter): void {
    this.tell((observer) => observer.onDeadLetter?.(letter))
  }

  private tell(notify: (observer: Observer) => unknown, observers = this.observers): void {
    for (const observer of observers) {
      const failed = (error: unknown) => {
        this.log.warn({ err: toErrorRecord(error) }, 'an observer failed')
      }
      try {
        // An observer may be an async function: what it rejects with later is no one else's business either.
        const told = notify(observer)
        if (told instanceof Promise) told.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
