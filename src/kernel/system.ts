import type { Address } from './address.ts'
import { Audience } from './audience.ts'
import { Boot, type Phase } from './boot.ts'
import type { Cell, CellHost } from './cell.ts'
import { createRealClock } from './clock.ts'
import { Committer } from './committer.ts'
import type { DeadLetterReason, DeadLetters } from './dead-letters.ts'
import { Delivery } from './delivery.ts'
import { Door } from './door.ts'
import { Effects } from './effects.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import type { Invocation } from './invocation.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, type Event, type Message, type ReplyTo } from './message.ts'
import { runMaybe, wait } from './maybe.ts'
import { Notices } from './notices.ts'
import type { KernelOptions, RestOptions, StopOptions } from './options.ts'
import { Outside } from './outside.ts'
import { Order } from './pending-commit.ts'
import { createRealRandom } from './random.ts'
import type { Clock } from './ports/clock.ts'
import type { JournalSession } from './ports/journal.ts'
import { safe, silentLogger, type Logger } from './ports/logger.ts'
import type { TurnReport } from './ports/observer.ts'
import { Recovery } from './recovery.ts'
import type { ActorRef, AskOptions } from './ref.ts'
import { Registry } from './registry.ts'
import { RestWatch } from './rest-watch.ts'
import { Rounds } from './rounds.ts'
import { RunQueue } from './run-queue.ts'
import { unowned, watchStrays } from './stray-errors.ts'
import { Supervision, type Alarm } from './supervision.ts'
import { watchLoop } from './stall.ts'
import { Timers } from './timers.ts'
import { Tree } from './tree.ts'

export const STOP_GRACE_MS = 5000

/** One tree of actors, its run queue and its journal: the shell that joins the kernel's parts. */
export class Kernel implements CellHost {
  readonly clock: Clock
  readonly registry = new Registry()
  readonly order = new Order()
  private readonly log: Logger
  private readonly options: KernelOptions
  private readonly tree: Tree
  private readonly queue: RunQueue
  private readonly timers: Timers
  private readonly effects: Effects
  private readonly outside: Outside
  private readonly delivery: Delivery
  private readonly door: Door
  private readonly recovery: Recovery
  private readonly supervision: Supervision
  private readonly boot: Boot
  private readonly audience: Audience
  private readonly rounds: Rounds
  private readonly rest: RestWatch
  private readonly notices: Notices
  private committer: Committer | undefined
  private phase: Phase = 'new'
  private unwatch: readonly (() => void)[] = []

  constructor(options: KernelOptions) {
    const { random = createRealRandom() } = options
    const clock = unowned(options.clock ?? createRealClock())
    const logger = safe(options.logger ?? silentLogger)
    this.options = options
    this.clock = clock
    this.log = logger
    this.queue = new RunQueue(clock, options.schedule)
    this.audience = new Audience(options.observers ?? [], clock, logger)
    this.rounds = new Rounds(
      options.scheduler === 'manual',
      options.schedule !== undefined,
      clock,
      {
        drainNow: () => this.committer?.drainNow(),
        isRunning: () => this.phase === 'running',
      },
    )
    this.rest = new RestWatch(clock)
    this.outside = new Outside(clock, random.id())
    this.timers = new Timers(clock, (address, id) => this.notices.timerDue(address, id))
    this.effects = new Effects(
      clock,
      (address, invocation, end) => this.notices.effectEnded(address, invocation, end),
      (address, error) =>
        this.logger(address).warn({ err: toErrorRecord(error) }, 'rejected after its effect ended'),
      options.effects,
    )
    this.tree = new Tree(options, this, (cell, fault) => void this.boot.bringUp(cell, fault))
    this.delivery = new Delivery(this.tree, this.outside, {
      clock,
      logger,
      schedule: (cell) => this.schedule(cell),
      scheduleAhead: (cell) => this.queue.addAhead(cell),
      dispose: (message, reason) => this.committer?.dispose(message, reason),
      deadLetter: (letter) => this.audience.deadLetter(letter),
    })
    this.notices = new Notices(this.tree, logger, {
      epoch: () => this.committer?.session.epoch ?? 0,
      route: (message, lane) => this.route(message, lane),
      takeAtOnce: () => this.rounds.takeAtOnce(),
    })
    const isOpen = () => this.phase !== 'new' && this.phase !== 'stopped'
    const ports = { clock, random, isOpen, home: this }
    this.door = new Door(this.tree, this.delivery, this.outside, ports)
    this.recovery = this.createRecovery()
    this.supervision = new Supervision(this.tree, { clock, random, logger }, (cell, delayMs) =>
      this.recovery.restartLater(cell, delayMs),
    )
    this.boot = this.createBoot()
  }

  get alarms(): readonly Alarm[] {
    return this.supervision.alarms
  }

  get deadLetters(): DeadLetters {
    return this.delivery.deadLetters
  }

  get systemId(): string {
    return this.session.systemId
  }

  get session(): JournalSession {
    if (this.committer !== undefined) return this.committer.session
    throw new AmbitError('AMBIT_STOPPED', 'The system is not running. Call start() first.')
  }

  /**
   * Opens the journal, brings every child up, and goes on where the last owner ended. With a manual scheduler and a
   * journal in this process all that has happened when the call returns.
   */
  start(): Promise<void> {
    if (this.phase !== 'new') {
      const message = 'A system is started once. Create another one.'
      return Promise.reject(new AmbitError('AMBIT_STOPPED', message))
    }
    this.phase = 'booting'
    try {
      return Promise.resolve(runMaybe(this.startSteps()))
    } catch (error) {
      const failure = error as Error
      return Promise.reject(failure)
    }
  }

  /** Whether rounds are made by `drain()` alone. */
  get isByHand(): boolean {
    return this.rounds.isManual
  }

  get away(): Set<object> {
    return this.effects.away
  }

  /** Runs everything that is due, at once. For a manual scheduler. */
  drain(): void {
    this.rounds.drain()
  }

  /** Lets running effects end within the grace time, commits what they bring, and closes the journal. */
  async stop(options: StopOptions = {}): Promise<void> {
    if (this.phase === 'stopped' || this.phase === 'stopping') return
    this.phase = 'stopping'
    const deadline = this.clock.now() + (options.graceMs ?? STOP_GRACE_MS)
    while (this.effects.size > 0 && this.clock.now() < deadline) await this.rest.next(deadline)
    this.effects.abortAll()
    this.timers.stop()
    await this.committer?.finish()
    this.outside.refuseAll()
    this.phase = 'stopped'
    for (const end of this.unwatch) end()
    for (const cell of this.tree.all()) cell.spec.engine.quiet?.(cell)
    await this.committer?.session.close()
    this.committer = undefined
  }

  ref(address: string): ActorRef {
    return this.door.ref(address)
  }

  /** Asks in Ambit's own protocol, which `ref` refuses: for the facade's own calls. */
  askPrivileged(address: Address, event: Event, options: AskOptions = {}): Promise<Event> {
    return this.door.ask(address, this.door.present(address), event, options, { privileged: true })
  }

  /** Ends an actor for good: its effects are aborted, what it asked for is withdrawn. */
  stopActor(address: Address): void {
    this.notices.stop(address)
  }

  /** Starts an actor again from its input, without its past; what it asked for is withdrawn. */
  startFresh(address: Address): void {
    this.notices.startFresh(address)
  }

  /** Resolves when nothing runs, nothing waits for a commit and no timer is due within the given time. */
  async atRest({ timersWithinMs = 0 }: RestOptions = {}): Promise<void> {
    const isDueSoon = () => this.timers.nextDueAt() <= this.clock.now() + timersWithinMs
    while (!this.isAtRest() || isDueSoon()) await this.rest.next()
  }

  /** The keyed rows of an actor that is in memory. */
  rows(address: Address): ReadonlyMap<string, Json> {
    return this.tree.peek(address)?.rows ?? new Map<string, Json>()
  }

  /** How many actors are in memory. */
  liveActors(): number {
    return this.tree.size
  }

  // What the cells call back, as their host.

  get isWatched(): boolean {
    return this.audience.hearsAllTurns
  }

  logger(address: Address): Logger {
    return this.log.child({ actor: address })
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
    const mayGo = this.phase === 'running' && this.committer?.mayRunAhead === true
    return mayGo && this.delivery.offerAhead(message, lane)
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
    if (logic.kind === 'effect') this.effects.start(cell, invocation, logic)
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

  failed(cell: Cell, error: unknown): void {
    this.audience.exit(cell, { kind: 'error', error: toErrorRecord(error) })
    if (!this.boot.failedBy(cell, error)) this.supervision.childFailed(cell, error)
  }

  ended(cell: Cell, reason: ExitReason): void {
    if (this.phase === 'running' && this.supervision.childEnded(cell, reason)) {
      this.audience.exit(cell, reason)
      return
    }
    this.delivery.abandon(cell)
    this.supervision.forget(cell)
    this.tree.remove(cell)
    this.audience.exit(cell, reason)
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

  private createRecovery(): Recovery {
    return new Recovery(this.effects, {
      clock: this.clock,
      soon: (run) => this.rounds.soon(run),
      session: () => this.session,
      schedule: (cell) => {
        this.schedule(cell)
        this.rounds.takeAtOnce()
      },
      committed: (cell) => this.committer?.committed(cell),
      isStopped: () => this.phase === 'stopped',
      ended: (cell) => this.ended(cell, { kind: 'normal' }),
      effectEnded: (address, invocation, end) => this.notices.effectEnded(address, invocation, end),
      restarted: (cell, delayMs) => this.audience.restart(cell, delayMs),
      failed: (cell, error) => this.supervision.recoveryFailed(cell, error),
    })
  }

  private createBoot(): Boot {
    const { clock, log, tree, timers, recovery, supervision, rounds, rest } = this
    return new Boot(
      { clock, log, tree, timers, recovery, supervision, rounds, rest },
      {
        phase: () => this.phase,
        route: (message, lane) => this.route(message, lane),
        wake: () => this.committer?.wake(),
        isCommitted: () => this.isCommitted(),
      },
    )
  }

  private *startSteps(): Generator<Promise<unknown>, void> {
    const { clock, log, supervision, audience } = this
    const session = yield* wait(this.options.journal.open())
    this.committer = this.createCommitter(session)
    const ears = { session, clock, log, supervision, audience }
    this.unwatch = [watchStrays(), watchLoop(this.options.watchdog, ears)]
    try {
      yield* wait(this.options.opened?.(session))
      yield* this.boot.steps(session)
    } catch (error) {
      yield* wait(this.stop({ graceMs: 0 }))
      throw error
    }
    this.phase = 'running'
  }

  private createCommitter(session: JournalSession): Committer {
    const calls = {
      drain: (isCareful: boolean) => {
        if (this.boot.hasResumed) this.queue.drain(isCareful)
      },
      hasWork: () => this.boot.hasResumed && this.queue.length > 0,
      reload: this.recovery.reload.bind(this.recovery),
      retract: this.delivery.retract.bind(this.delivery),
      wasNeverBorn: this.delivery.wasNeverBorn.bind(this.delivery),
      rested: () => this.rest.rested(),
    }
    return new Committer(session, this.clock, this.log, calls, this.rounds.isManual)
  }

  private isAtRest(): boolean {
    return this.recovery.isAtRest && this.effects.size === 0 && this.isCommitted()
  }

  private isCommitted(): boolean {
    return this.committer?.isAtRest() ?? true
  }
}
