import type { Address } from './address.ts'
import { circleThrough } from './ask-circle.ts'
import type { Audience } from './audience.ts'
import type { Phase } from './boot.ts'
import type { Cell } from './cell.ts'
import type { CellHost } from './cell-host.ts'
import type { Committer } from './committer.ts'
import type { DeadLetterReason } from './dead-letters.ts'
import type { Delivery } from './delivery.ts'
import type { Door } from './door.ts'
import type { Effects } from './effects.ts'
import type { AmbitError, ErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import { questionIn, type Invocation } from './invocation.ts'
import type { Lives } from './lives.ts'
import type { Lane } from './mailbox.ts'
import { MailboxAges, type MailboxView } from './mailbox-ages.ts'
import { isOutside, kernelTypes, type Event, type Message, type ReplyTo } from './message.ts'
import type { Monitors } from './monitors.ts'
import type { Notices } from './notices.ts'
import type { Outside } from './outside.ts'
import type { Order } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { TurnReport } from './ports/observer.ts'
import type { Order as Supervising } from './ports/supervising.ts'
import type { Registry } from './registry.ts'
import type { Rounds } from './rounds.ts'
import type { RunQueue } from './run-queue.ts'
import type { Suspensions } from './suspensions.ts'
import type { Timers } from './timers.ts'
import type { Tree } from './tree.ts'

/** What the cells of a kernel call back: each call goes to the part that does it. */
export abstract class Host implements CellHost {
  abstract readonly clock: Clock
  abstract readonly registry: Registry
  abstract readonly order: Order
  abstract readonly monitors: Monitors
  abstract readonly systemId: string
  abstract readonly isByHand: boolean
  abstract readonly away: Set<object>
  protected abstract readonly log: Logger
  protected abstract readonly tree: Tree
  protected abstract readonly queue: RunQueue
  protected abstract readonly timers: Timers
  protected abstract readonly effects: Effects
  protected abstract readonly outside: Outside
  protected abstract readonly delivery: Delivery
  protected abstract readonly door: Door
  protected abstract readonly lives: Lives
  protected abstract readonly audience: Audience
  protected abstract readonly rounds: Rounds
  protected abstract readonly notices: Notices
  protected abstract readonly suspensions: Suspensions
  protected abstract committer: Committer | undefined
  protected abstract phase: Phase
  private readonly ages = new MailboxAges()

  get isWatched(): boolean {
    return this.audience.hearsAllTurns
  }

  logger(address: Address): Logger {
    return this.log.child({ actor: address })
  }

  /** The mailboxes in which something waits, the oldest first. */
  mailboxes(): readonly MailboxView[] {
    return this.ages.look(this.tree.all(), this.clock.now())
  }

  schedule(cell: Cell): void {
    this.queue.add(cell)
    this.committer?.wake()
  }

  changed(cell: Cell): void {
    this.committer?.add(cell)
  }

  route(message: Message, lane: Lane): void {
    this.delivery.route(message, lane)
  }

  routeAhead(message: Message, lane: Lane): boolean {
    return this.mayRunAhead && this.delivery.offerAhead(message, lane)
  }

  lookAt(address: Address): Cell | undefined {
    return this.mayRunAhead ? this.delivery.lookAt(address) : undefined
  }

  answerOutside(to: ReplyTo, answer: Event, from: Address): void {
    if (this.outside.answer(to, answer, from)) return
    const { address, invocation } = to
    const late = { type: kernelTypes.reply, invocation, event: answer }
    this.delivery.deadLetter(
      { id: invocation, type: late.type, to: address, body: late, headers: { from } },
      'staleReply',
    )
  }

  postTo(cell: Cell, body: Event, lane: Lane): void {
    if (cell.life === 'ended' || cell.hasLeft) return
    this.delivery.offer(cell, this.notices.message(cell.address, body), lane)
    this.rounds.takeAtOnce()
  }

  postForeign(cell: Cell, target: string, event: Event): void {
    if (cell.life === 'ended' || cell.hasLeft) return
    this.door.post(cell, target, event)
    this.rounds.takeAtOnce()
  }

  freed(cell: Cell): void {
    this.delivery.freed(cell)
  }

  startEffect(cell: Cell, invocation: Invocation): void {
    // Between the turn and its release the machine may have left: then there is nothing to start.
    if (cell.invocations.get(invocation.path)?.ref !== invocation.ref) return
    const { logic } = invocation
    if (logic.kind !== 'effect') return
    this.suspensions.begin(cell, invocation, logic, () => {
      if (cell.invocations.get(invocation.path)?.ref === invocation.ref)
        this.effects.start(cell, invocation, logic)
    })
  }

  abortEffect(cell: Cell, ref: string): void {
    this.effects.abort(cell.address, ref)
  }

  refuseInvocation(cell: Cell, invocation: Invocation, error: ErrorRecord): void {
    this.notices.effectEnded(cell.address, invocation, { ok: false, error })
  }

  setTimer(address: Address, id: string, dueAt: number): void {
    this.timers.set(address, id, dueAt)
  }

  clearTimer(address: Address, id: string): void {
    this.timers.clear(address, id)
  }

  failed(cell: Cell, error: unknown, message?: Message): void {
    this.lives.failed(cell, error, message)
  }

  ended(cell: Cell, reason: ExitReason): void {
    this.lives.ended(cell, reason)
  }

  begun(cell: Cell): void {
    this.lives.supervision.started(cell)
    this.lives.sleep.begun(cell)
  }

  renewed(cell: Cell): void {
    this.lives.renewed(cell)
  }

  ignores(cell: Cell): void {
    this.lives.ignores(cell)
  }

  goesOn(cell: Cell): boolean {
    return this.lives.stops.goesOn(cell)
  }

  circleThrough(question: ReplyTo): readonly Address[] | undefined {
    return circleThrough(question, (at) => this.tree.peek(at))
  }

  refuse({ address }: Cell, question: ReplyTo, error: AmbitError): void {
    if (isOutside(question.address)) {
      this.outside.refuse(question, error)
      return
    }
    const asker = this.tree.peek(question.address)
    // What withdraws a question bears its name, and is no question.
    if (asker !== undefined && questionIn(asker, question.invocation) === undefined) return
    this.notices.refused(question, address, error)
  }

  supervise(cell: Cell, order: Supervising): void {
    this.lives.carryOut(cell, order)
  }

  deadLetter(message: Message, reason: DeadLetterReason, detail?: string): void {
    this.delivery.deadLetter(message, reason, detail)
  }

  dispose(message: Message): void {
    this.committer?.dispose(message, 'duplicate')
  }

  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void {
    this.outside.acknowledged(message, outcome)
  }

  reported(report: TurnReport): void {
    this.audience.turn(report)
  }

  private get mayRunAhead(): boolean {
    return this.phase === 'running' && this.committer?.mayRunAhead === true
  }
}
