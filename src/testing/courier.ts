import type { ActorSystem } from '../../actors/system.ts'
import type { SignedStatement } from '../envelope/statement.ts'
import { AmbitError } from '../kernel/errors.ts'
import type { Event } from '../kernel/message.ts'
import type { Choices } from './choices.ts'
import { textOf } from './dossiers.ts'
import { faultsAt, type FaultName } from './faults.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A message from outside. */
export interface Input {
  readonly to: string
  readonly event: Event
  /** When it is sent, in virtual milliseconds from the start. Default: all at the start, in their order. */
  readonly afterMs?: number
}

/** What somebody who runs the system does to one of its actors. */
export interface Operation {
  readonly to: string
  readonly operator: 'startFresh' | 'stopActor'
  /** When, in virtual milliseconds from the start; a second later, and so on, while no process runs. */
  readonly afterMs: number
}

export interface CourierCalls {
  readonly choices: Choices
  readonly trace: Trace
  readonly time: VirtualTime
  readonly faults: readonly FaultName[]
  /** The system that runs now, if one does. */
  readonly system: () => ActorSystem | undefined
  /** Something was handed to the system. */
  readonly touched: () => void
}

/** How long a sender waits for an acknowledgement before it sends again. */
const RETRY_MS = 1000
const DELAY_MS = 5000
/** A sender gives up after so many tries; then nothing was promised. */
export const TRIES_MAX = 50

/** One thing on its way, until it is answered for good. */
interface Parcel {
  readonly label: string
  tries: number
  isSettled: boolean
  /** Hands it over; answers once the system has said what became of it. */
  hand(system: ActorSystem): Promise<string>
  settled(answer: string): void
  refused(reason: string): void
}

/**
 * Carries what comes from outside: senders that keep what they sent until it is acknowledged, over a network that
 * loses, repeats and delays.
 */
export class Courier {
  private readonly calls: CourierCalls

  constructor(calls: CourierCalls) {
    this.calls = calls
  }

  send(id: string, { to, event }: Input): void {
    const { trace } = this.calls
    trace.add({ kind: 'sent', id, to, type: event.type })
    this.dispatch({
      label: `${event.type} to ${to}`,
      tries: 0,
      isSettled: false,
      hand: async (system) => await system.ref(to).deliver(event, { id }),
      settled: () => trace.add({ kind: 'acknowledged', id }),
      refused: (reason) => trace.add({ kind: 'refused', id, reason }),
    })
  }

  operate(operation: Operation): void {
    const { to, operator } = operation
    const { trace, time, system, touched } = this.calls
    const running = system()
    if (running === undefined) {
      time.after(this, RETRY_MS, `${operator} of ${to}`, () => this.operate(operation))
      return
    }
    touched()
    trace.add({ kind: 'operated', to, operator })
    running[operator](to)
  }

  submit(signed: SignedStatement): void {
    const { trace } = this.calls
    const { case: id, person } = signed.statement
    const answered = (answer: string) => trace.add({ kind: 'decisionAnswered', case: id, answer })
    this.dispatch({
      label: `the decision of ${person} on ${id}`,
      tries: 0,
      isSettled: false,
      hand: async (system) => {
        const answer = await system.submitDecision(signed)
        return textOf(answer.reason ?? answer.type)
      },
      settled: answered,
      refused: answered,
    })
  }

  /** One try; the next comes by itself when nobody has answered by then. */
  private dispatch(parcel: Parcel): void {
    if (parcel.isSettled || ++parcel.tries > TRIES_MAX) return
    const { choices, trace, time, faults } = this.calls
    time.after(this, RETRY_MS, `another try of ${parcel.label}`, () => this.dispatch(parcel))
    const fault = choices.fault('message', faultsAt('message', faults))
    if (fault !== undefined) trace.add({ kind: 'fault', fault, where: parcel.label })
    if (fault === 'drop') return
    if (fault === 'delay') {
      time.after(this, DELAY_MS, parcel.label, () => this.arrive(parcel, true))
      return
    }
    this.arrive(parcel, fault !== 'cut')
    if (fault === 'duplicate') this.arrive(parcel, true)
  }

  private arrive(parcel: Parcel, isHeard: boolean): void {
    const { system, touched } = this.calls
    const running = system()
    if (running === undefined) return
    touched()
    const over = (tell: () => void) => {
      // What a process said that is gone by now, nobody hears.
      if (parcel.isSettled || !isHeard || system() !== running) return
      parcel.isSettled = true
      tell()
    }
    parcel.hand(running).then(
      (answer) => over(() => parcel.settled(answer)),
      (error: unknown) => {
        if (!isForGood(error)) return
        over(() => parcel.refused((error as AmbitError).message))
      },
    )
  }
}

/** Whether another try would be refused alike. */
function isForGood(error: unknown): boolean {
  if (!(error instanceof AmbitError)) return true
  if (error.code === 'AMBIT_EVENT_REFUSED') return !/: (full|stopped)\./.test(error.message)
  return error.code !== 'AMBIT_ASK_TIMEOUT' && error.code !== 'AMBIT_STOPPED'
}
