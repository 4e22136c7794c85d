import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { AmbitError, ErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import type { Invocation } from './invocation.ts'
import type { Lane } from './mailbox.ts'
import type { Event, Message, ReplyTo } from './message.ts'
import type { Order } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { TurnReport } from './ports/observer.ts'
import type { Order as Supervising } from './ports/supervising.ts'
import type { Registry } from './registry.ts'
import type { InSight } from './turn.ts'

/** The part of the monitors that a cell needs. */
export interface Watches {
  watch(watcher: Address, target: Address): void
  unwatch(watcher: Address, target: Address): void
}

/** What a cell needs of its system. */
export interface CellHost {
  readonly clock: Clock
  readonly registry: Registry
  readonly monitors: Watches
  readonly systemId: string
  /** Whether anyone wants to hear of turns that are not journaled. */
  readonly isWatched: boolean
  /** Whether rounds are made by the caller. */
  readonly isByHand: boolean
  /** Turns whose steps are made elsewhere. */
  readonly away: Set<object>
  logger(address: Address): Logger
  /** Puts a cell on the run queue. */
  schedule(cell: Cell): void
  /** A cell has something to commit. */
  changed(cell: Cell): void
  route(message: Message, lane: Lane): void
  /** Offers a message that is not stored yet to an actor that is stored with it; false when it has to wait. */
  routeAhead(message: Message, lane: Lane): boolean
  /** An actor whose rows say all there is to know of it, and that is stored with whoever looks at it now. */
  lookAt(address: Address): InSight | undefined
  /** In which order things happen in the system. */
  readonly order: Order
  /** Answers somebody outside the system, if it was this actor that was asked. */
  answerOutside(to: ReplyTo, answer: Event, from: Address): void
  /** A message an actor sends itself, from beside its steps: refused when its mailbox is full. */
  postTo(cell: Cell, body: Event, lane: Lane): void
  /** An event that somebody outside has for a member of an actor. */
  postForeign(cell: Cell, target: string, event: Event): void
  /** A lane has room again. */
  freed(cell: Cell): void
  startEffect(cell: Cell, invocation: Invocation): void
  abortEffect(cell: Cell, ref: string): void
  /** Tells a machine that what it invoked was refused before it began. */
  refuseInvocation(cell: Cell, invocation: Invocation, error: ErrorRecord): void
  setTimer(address: Address, id: string, dueAt: number): void
  clearTimer(address: Address, id: string): void
  failed(cell: Cell, error: unknown, message?: Message): void
  /** An actor's start is over. */
  begun(cell: Cell): void
  /** A generation of an actor is over and another begins. */
  renewed(cell: Cell): void
  /** An actor says in its start that it will not run. */
  ignores(cell: Cell): void
  /** Whether an actor that would end only stops, so that another life of it can begin; then it has stopped. */
  goesOn(cell: Cell): boolean
  /** What a supervisor wants done with its children. */
  supervise(cell: Cell, order: Supervising): void
  /** The circle of questions that one closes which still waits. */
  circleThrough(question: ReplyTo): readonly Address[] | undefined
  /** Tells whoever asked this actor that nobody will answer. */
  refuse(cell: Cell, question: ReplyTo, error: AmbitError): void
  ended(cell: Cell, reason: ExitReason): void
  deadLetter(message: Message, reason: 'expired' | 'staleReply' | 'stopped', detail?: string): void
  /** A message with a caller's own id was taken, now or before. */
  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void
  /** Takes a numbered message out of its sender's outbox without a turn. */
  dispose(message: Message): void
  reported(report: TurnReport): void
}
