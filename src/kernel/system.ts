import type { Address } from './address.ts'
import type { Cell, CellHost } from './cell.ts'
import { createRealRandom } from './random.ts'
import type { ChildSpec, SupervisorSpec } from './child-spec.ts'
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
import { isPromise, runMaybe, wait, type MaybePromise } from './maybe.ts'
import { Outside } from './outside.ts'
import type { Random } from './ports/random.ts'
import type { Clock } from './ports/clock.ts'
import type { End } from './ports/engine.ts'
import type { Journal, JournalSession } from './ports/journal.ts'
import { safe, silentLogger, type Logger } from './ports/logger.ts'
import type { Observer, TurnReport } from './ports/observer.ts'
import { Recovery } from './recovery.ts'
import type { ActorRef, AskOptions } from './ref.ts'
import { Registry } from './registry.ts'
import { RestWatch } from './rest-watch.ts'
import { RunQueue } from './run-queue.ts'
import { startFailure } from './start-failure.ts'
import { unowned, watchStrays } from './stray-errors.ts'
import { Supervision, takeDown, type Alarm } from './supervision.ts'
import { Timers } from './timers.ts'
import { Tree } from './tree.ts'

export interface KernelOptions {
  readonly root: ChildSpec
  /** Kept alive beside the root, under a supervisor of their own. */
  readonly services?: SupervisorSpec
  readonly journal: Journal
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly observers?: readonly Observer[]
  /** Called with the open journal before any actor runs. */
  readonly opened?: (session: JournalSession) => MaybePromise<void>
  /**
   * Who makes rounds: `auto` (default) the event loop, `manual` the caller with `drain()`, in which case everything that
   * does not wait for a promise happens in the call.
   */
  readonly scheduler?: 'auto' | 'manual'
}

export interface StopOptions {
  /** How long running effects may still end by themselves. Default 5,000. */
  readonly graceMs?: number
}

export interface RestOptions {
  /** Timers due within this time are waited for, such as those of a retry. Default 0. */
  readonly timersWithinMs?: number
}

export const STOP_GRACE_MS = 5000
/** Timers wait at most this long for what was sent before the last process ended. */
const TIMERS_HELD_MS_MAX = 2000
const TIMERS_HELD_ROUNDS_MAX = 10_000

/** One tree of actors, its run queue and its journal: the shell that joins the kernel's parts. */
export class Kernel implements CellHost {
  readonly clock: Clock
  readonly registry = new Registry()
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
  private committer: Committer | undefined
  private phase: 'new' | 'booting' | 'running' | 'stopping' | 'stopped' = 'new'
  private bootFailure: { address: Address; error: unknown } | undefined
  private kernelIds = 0
  private readonly turnObservers: readonly Observer[]
  private readonly isManual: boolean
  /** In a manual kernel: what was put off to the next round. */
  private later: (() => void)[] = []
  private isDraining = false
  private unwatchStrays: (() => void) | undefined
  private readonly rest: RestWatch

  constructor(options: KernelOptions) {
    const { random = createRealRandom() } = options
    const clock = unowned(options.clock ?? createRealClock())
    const logger = safe(options.logger ?? silentLogger)
    this.options = options
    this.isManual = options.scheduler === 'manual'
    this.turnObservers = (options.observers ?? []).filter(
      ({ onTurn, journaledOnly }) => onTurn !== undefined && journaledOnly !== true,
    )
    this.clock = clock
    this.log = logger
    this.queue = new RunQueue(clock)
    this.rest = new RestWatch(clock)
    this.outside = new Outside(clock, random.id())
    this.timers = new Timers(clock, (address, id) => this.timerDue(address, id))
    this.effects = new Effects(
      clock,
      (address, invocation, end) => this.effectEnded(address, invocation, end),
      (address, error) =>
        this.logger(address).warn({ err: toErrorRecord(error) }, 'rejected after its effect ended'),
    )
    this.tree = new Tree(options, this, (cell, fault) => void this.bringUp(cell, fault))
    this.delivery = new Delivery(this.tree, this.outside, {
      clock,
      logger,
      schedule: (cell) => this.schedule(cell),
      dispose: (message, reason) => this.committer?.dispose(message, reason),
      deadLetter: (letter) => this.tell((observer) => observer.onDeadLetter?.(letter)),
    })
    const isOpen = () => this.phase !== 'new' && this.phase !== 'stopped'
    const ports = { clock, random, isOpen, home: this }
    this.door = new Door(this.tree, this.delivery, this.outside, ports)
    this.recovery = this.createRecovery()
    this.supervision = new Supervision(this.tree, { clock, random, logger }, (cell, delayMs) =>
      this.recovery.restartLater(cell, delayMs),
    )
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
      return Promise.reject(error as Error)
    }
  }

  /** Runs everything that is due, at once. For a manual scheduler. */
  drain(): void {
    if (this.isDraining) return
    this.isDraining = true
    try {
      do {
        for (const run of this.later.splice(0)) run()
        this.committer?.drainNow()
      } while (this.later.length > 0)
    } finally {
      this.isDraining = false
    }
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
    this.unwatchStrays?.()
    for (const cell of this.tree.all()) cell.spec.engine.quiet?.(cell)
    await this.committer?.session.close()
    this.committer = undefined
  }

  ref(address: string): ActorRef {
    return this.door.ref(address)
  }

  /** Asks in Ambit's own protocol, which `ref` refuses: for the facade's own calls. */
  askPrivileged(address: Address, event: Event, options: AskOptions = {}): Promise<Event> {
    return this.door.ask(address, event, options, { privileged: true })
  }

  /** Ends an actor for good: its effects are aborted, what it asked for is withdrawn. */
  stopActor(address: Address): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.stop }), 'system')
  }

  /** Starts an actor again from its input, without its past; what it asked for is withdrawn. */
  startFresh(address: Address): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.start, fresh: true }), 'system')
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
    return this.turnObservers.length > 0
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
    this.delivery.offer(cell, this.kernelMessage(cell.address, body), lane)
    this.takeAtOnce()
  }

  postForeign(cell: Cell, target: string, event: Event): void {
    if (cell.life === 'ended' || cell.hasLeft) return
    this.door.post(cell, target, event)
    this.takeAtOnce()
  }

  freed(cell: Cell): void {
    this.delivery.freed(cell)
  }

  startEffect(cell: Cell, invocation: Invocation): void {
    // Between the turn and its release the machine may have left: then there is nothing to start.
    if (cell.invocations.get(invocation.path)?.ref !== invocation.ref) return
    const { logic } = invocation
    if (logic.kind === 'effect') this.effects.start(cell.address, invocation, logic, cell.isDurable)
  }

  abortEffect(cell: Cell, ref: string): void {
    this.effects.abort(cell.address, ref)
  }

  refuseInvocation(cell: Cell, invocation: Invocation, error: ErrorRecord): void {
    this.effectEnded(cell.address, invocation, { ok: false, error })
  }

  setTimer(address: Address, id: string, dueAt: number): void {
    this.timers.set(address, id, dueAt)
  }

  clearTimer(address: Address, id: string): void {
    this.timers.clear(address, id)
  }

  failed(cell: Cell, error: unknown): void {
    this.exited(cell, { kind: 'error', error: toErrorRecord(error) })
    if (this.isBooting(cell) && !cell.started) {
      this.bootFailure ??= { address: cell.address, error }
      takeDown(cell, error)
      return
    }
    this.supervision.childFailed(cell, error)
  }

  ended(cell: Cell, reason: ExitReason): void {
    if (this.phase === 'running' && this.supervision.childEnded(cell, reason)) {
      this.exited(cell, reason)
      return
    }
    this.delivery.abandon(cell)
    this.supervision.forget(cell)
    this.tree.remove(cell)
    this.exited(cell, reason)
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
    const observers = report.isJournaled ? this.options.observers : this.turnObservers
    this.tell((observer) => observer.onTurn?.(report), observers)
  }

  private createRecovery(): Recovery {
    return new Recovery(this.effects, {
      clock: this.clock,
      soon: (run) => {
        if (this.isManual) this.later.push(run)
        else this.clock.soon(run)
      },
      session: () => this.session,
      schedule: (cell) => {
        this.schedule(cell)
        this.takeAtOnce()
      },
      committed: (cell) => this.committer?.committed(cell),
      isStopped: () => this.phase === 'stopped',
      ended: (cell) => this.ended(cell, { kind: 'normal' }),
      effectEnded: (address, invocation, end) => this.effectEnded(address, invocation, end),
      restarted: ({ address, incarnation }, delayMs) =>
        this.tell((observer) => observer.onRestart?.({ address, incarnation, delayMs })),
      failed: (cell, error) => this.supervision.recoveryFailed(cell, error),
    })
  }

  private *startSteps(): Generator<Promise<unknown>, void> {
    const session = yield* wait(this.options.journal.open())
    this.committer = this.createCommitter(session)
    this.unwatchStrays = watchStrays()
    try {
      yield* wait(this.options.opened?.(session))
      for (const cell of this.tree.fixed) yield* wait(this.bringUp(cell))
      yield* this.boot(session)
    } catch (error) {
      yield* wait(this.stop({ graceMs: 0 }))
      throw error
    }
    this.phase = 'running'
  }

  private createCommitter(session: JournalSession): Committer {
    const calls = {
      drain: () => this.queue.drain(),
      hasWork: () => this.queue.length > 0,
      reload: this.recovery.reload.bind(this.recovery),
      rested: () => this.rest.rested(),
    }
    return new Committer(session, this.clock, this.log, calls, this.isManual)
  }

  private *boot(session: JournalSession): Generator<Promise<unknown>, void> {
    const recovery = yield* wait(session.recover())
    this.timers.hold()
    for (const { address, id, dueAt } of recovery.timers) this.timers.set(address, id, dueAt)
    for (const address of recovery.busy) {
      if (this.tree.cellAt(address) !== undefined) continue
      this.log.warn({ actor: address }, 'the journal holds a running actor that no supervisor has')
    }
    for (const message of recovery.outbox)
      this.route(message, message.headers.stream?.lane ?? 'user')
    this.committer?.wake()
    const isUp = ({ started, life }: Cell) => started || life === 'ended' || life === 'quarantined'
    const isDecided = () => this.bootFailure !== undefined || this.tree.fixed.every(isUp)
    if (this.isManual) this.drain()
    while (!isDecided()) {
      yield* wait(this.rest.next())
      if (this.isManual) this.drain()
    }
    if (this.bootFailure === undefined) {
      yield* this.wakeTimers()
      return
    }
    throw startFailure(this.bootFailure.address, this.bootFailure.error)
  }

  /**
   * What was sent before the last process ended comes before what fell due since: an answer that waits in an outbox is
   * heard before its deadline passes, and a decision that was handed in counts before its case expires.
   */
  private *wakeTimers(): Generator<Promise<unknown>, void> {
    const latest = this.clock.elapsed() + TIMERS_HELD_MS_MAX
    const isSettled = () => this.recovery.isAtRest && (this.committer?.isAtRest() ?? true)
    for (let round = 0; !isSettled() && round < TIMERS_HELD_ROUNDS_MAX; round++) {
      if (this.clock.elapsed() >= latest) break
      yield* wait(new Promise<void>((resolve) => this.clock.soon(resolve)))
    }
    this.timers.wake()
  }

  private bringUp(cell: Cell, fault?: unknown): MaybePromise<void> {
    const failed = (error: unknown) => {
      if (this.isBooting(cell))
        throw error instanceof AmbitError ? error : startFailure(cell.address, error)
      if (this.phase !== 'stopped') this.supervision.recoveryFailed(cell, error)
    }
    try {
      if (fault !== undefined) throw startFailure(cell.address, fault)
      const loaded = this.recovery.load(cell)
      if (isPromise(loaded)) return loaded.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  private isBooting(cell: Cell): boolean {
    return this.phase === 'booting' && this.tree.fixed.includes(cell)
  }

  private timerDue(address: Address, id: string): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.timer, id }), 'reply')
    this.takeAtOnce()
  }

  /**
   * By hand, what comes from beside the steps runs at its own moment: a timer before a virtual clock moves on to the
   * next, an effect's end before the next one. Only what is sent from outside waits for `drain()`.
   */
  private takeAtOnce(): void {
    if (this.isManual && this.phase === 'running') this.drain()
  }

  private effectEnded(address: Address, invocation: Invocation, end: End): void {
    const { path, ref, src, attempt } = invocation
    const cell = this.tree.peek(address)
    const isInStep = cell?.isDirect === true && cell.turn !== undefined
    if (isInStep && cell.spec.engine.endAtOnce?.(cell, path, end) === true) {
      cell.dropInvocation(path)
      return
    }
    if (!end.ok)
      this.log.warn({ actor: address, effect: src, attempt, err: end.error }, 'effect failed')
    const body = { type: kernelTypes.effectEnded, path, ref, ...end }
    this.route(this.kernelMessage(address, body), 'reply')
    this.takeAtOnce()
  }

  private kernelMessage(to: Address, body: Event): Message {
    const id = `~${this.committer?.session.epoch ?? 0}.${++this.kernelIds}`
    return { id, type: body.type, to, body, headers: { privileged: true } }
  }

  private exited({ address, incarnation }: Cell, reason: ExitReason): void {
    const at = this.clock.now()
    this.tell((observer) => observer.onExit?.({ address, reason, incarnation, at }))
  }

  private isAtRest(): boolean {
    return this.recovery.isAtRest && this.effects.size === 0 && (this.committer?.isAtRest() ?? true)
  }

  private tell(
    notify: (observer: Observer) => unknown,
    observers: readonly Observer[] = this.options.observers ?? [],
  ): void {
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
