import type { Address } from './address.ts'
import { Audience } from './audience.ts'
import { Boot, type Phase } from './boot.ts'
import { Host } from './host.ts'
import { OwnRows } from './own-rows.ts'
import { Starts, startLimitDefaults } from './start-limit.ts'
import { Suspensions, type Suspension } from './suspensions.ts'
import { createRealClock } from './clock.ts'
import { Committer } from './committer.ts'
import type { DeadLetters } from './dead-letters.ts'
import { Delivery } from './delivery.ts'
import { Door } from './door.ts'
import { Effects } from './effects.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Json } from './json.ts'
import type { KeptChildren } from './kept-children.ts'
import { Lives } from './lives.ts'
import type { Event } from './message.ts'
import { runMaybe, wait } from './maybe.ts'
import { isStored, Monitors } from './monitors.ts'
import { Notices } from './notices.ts'
import type { KernelOptions, RestOptions, StopOptions } from './options.ts'
import { Outside } from './outside.ts'
import { Parking } from './parking.ts'
import { Order } from './pending-commit.ts'
import { createRealRandom } from './random.ts'
import type { Clock } from './ports/clock.ts'
import type { JournalSession } from './ports/journal.ts'
import { safe, silentLogger, type Logger } from './ports/logger.ts'
import { Recovery } from './recovery.ts'
import type { ActorRef, AskOptions } from './ref.ts'
import { Registry } from './registry.ts'
import { RestWatch } from './rest-watch.ts'
import { Rounds } from './rounds.ts'
import { RunQueue } from './run-queue.ts'
import { unowned, watchStrays } from './stray-errors.ts'
import type { Alarm } from './supervision.ts'
import { watchLoop } from './stall.ts'
import type { ChildSpec } from './supervisor-spec.ts'
import { Timers } from './timers.ts'
import { Tree } from './tree.ts'

export const STOP_GRACE_MS = 5000
/** Starting or stopping a child may take as long as its spec says. */
const SUPERVISOR_CALL_MS = 86_400_000

/** One tree of actors, its run queue and its journal: the shell that joins the kernel's parts. */
export class Kernel extends Host {
  readonly clock: Clock
  readonly registry = new Registry()
  readonly order = new Order()
  readonly parking: Parking
  protected readonly log: Logger
  private readonly options: KernelOptions
  protected readonly tree: Tree
  protected readonly queue: RunQueue
  protected readonly timers: Timers
  protected readonly effects: Effects
  protected readonly outside: Outside
  protected readonly delivery: Delivery
  protected readonly door: Door
  private readonly recovery: Recovery
  readonly monitors: Monitors
  protected readonly suspensions: Suspensions
  private readonly ownRows = new OwnRows()
  private readonly starts: Starts
  protected readonly lives: Lives
  private readonly boot: Boot
  protected readonly audience: Audience
  protected readonly rounds: Rounds
  private readonly rest: RestWatch
  protected readonly notices: Notices
  protected committer: Committer | undefined
  protected phase: Phase = 'new'
  private unwatch: readonly (() => void)[] = []

  constructor(options: KernelOptions) {
    super()
    const { random = createRealRandom(), schedule } = options
    const clock = unowned(options.clock ?? createRealClock())
    const logger = safe(options.logger ?? silentLogger)
    this.options = options
    this.clock = clock
    this.log = logger
    this.queue = new RunQueue(clock, schedule)
    this.audience = new Audience(options.observers ?? [], clock, logger)
    this.rounds = new Rounds(options.scheduler === 'manual', schedule !== undefined, clock, {
      drainNow: () => this.committer?.drainNow(),
      isRunning: () => this.phase === 'running',
    })
    this.rest = new RestWatch(clock)
    this.outside = new Outside(clock, random.id(), (to) => this.lives.supervision.waitOf(to))
    this.timers = new Timers(clock, (address, id) => this.notices.timerDue(address, id))
    this.effects = new Effects(
      clock,
      (address, invocation, end) => this.notices.effectEnded(address, invocation, end),
      (address, error) =>
        this.logger(address).warn({ err: toErrorRecord(error) }, 'rejected after its effect ended'),
      options.effects,
    )
    this.tree = new Tree(options, this, (cell, fault) => {
      if (fault === undefined) this.lives.supervision.memberBorn(cell)
      else void this.boot.bringUp(cell, { fault })
    })
    this.delivery = new Delivery(this.tree, this.outside, {
      clock,
      logger,
      schedule: (cell) => this.schedule(cell),
      scheduleAhead: (cell) => this.queue.addAhead(cell),
      wake: (cell) => this.lives.sleep.wake(cell),
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
    this.parking = new Parking(this.tree, {
      session: () => this.session,
      now: () => this.clock.now(),
      ask: (address, event) => this.askPrivileged(address, event),
    })
    this.suspensions = new Suspensions(
      this.ownRows,
      (actor, supervisor) => this.tree.isBelow(actor, supervisor),
      clock,
      logger,
    )
    this.starts = new Starts(clock, { ...startLimitDefaults, ...options.startLimit })
    this.recovery = this.createRecovery()
    this.monitors = new Monitors(this.tree, {
      tell: (watcher, down) => this.notices.down(watcher, down),
      isStored: (address) => isStored(this.session, address),
    })
    this.lives = this.createLives()
    this.boot = this.createBoot()
  }

  /** Whose authority is suspended, since when and why. */
  get suspended(): readonly Suspension[] {
    return this.suspensions.all()
  }

  /** Gives the authority of a subtree back; false when it was not suspended. */
  resumeAuthority(address: Address, by: string, why: string): Promise<boolean> {
    return this.suspensions.resume(address, by, why)
  }

  get kept(): KeptChildren {
    return this.lives.kept
  }

  get alarms(): readonly Alarm[] {
    return this.lives.supervision.alarms
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
    if (this.committer !== undefined) {
      this.queue.drain()
      await this.lives.pause(deadline, this.rest, this.rounds)
    }
    this.effects.abortAll()
    this.timers.stop()
    await this.committer?.finish()
    this.lives.stopWaiting()
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
    this.lives.stop(address)
  }

  /** Asks a supervisor; without one at the address the answer is `noproc`. */
  async callSupervisor(address: Address, call: object): Promise<Event> {
    const answer = { type: 'ambit.supervisor.answer', ok: false, error: 'noproc' }
    if (this.tree.branchAt(address)?.cell.life !== 'running') return answer
    try {
      const event = { type: 'ambit.supervisor.call', ...call }
      return await this.askPrivileged(address, event, { timeoutMs: SUPERVISOR_CALL_MS })
    } catch (error) {
      // It ended before it answered.
      if ((error as Partial<AmbitError>).code === 'AMBIT_STOPPED') return answer
      throw error
    }
  }

  /** What binds whoever lives below a supervisor. */
  authorityAt(supervisor: Address): readonly Json[] {
    return this.tree.branchAt(supervisor)?.authority ?? []
  }

  /** Asks a supervisor to add a child; the spec is used if it agrees. */
  startChild(address: Address, spec: ChildSpec, call: object): Promise<Event> {
    this.lives.supervision.offer(address, spec)
    return this.callSupervisor(address, call)
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

  private createRecovery(): Recovery {
    return new Recovery({
      startEffect: (cell, invocation) => this.startEffect(cell, invocation),
      clock: this.clock,
      soon: (run) => this.rounds.soon(run),
      session: () => this.session,
      schedule: (cell) => {
        this.schedule(cell)
        this.rounds.takeAtOnce()
      },
      committed: (cell) => this.committer?.committed(cell),
      isStopped: () => this.phase === 'stopped',
      rested: () => this.rest.rested(),
      periodOf: (cell) => this.tree.branchOf(cell.address)?.spec.periodMs ?? 0,
      ended: (cell) => this.lives.hadEnded(cell),
      begun: (cell) => this.begun(cell),
      resumed: (cell) => this.monitors.resumed(cell),
      effectEnded: (address, invocation, end) => this.notices.effectEnded(address, invocation, end),
      restarted: (cell) => this.audience.restart(cell, this.lives.supervision.waited(cell.address)),
      failed: (cell, error) => this.lives.supervision.recoveryFailed(cell, error),
      isKept: (cell) => this.tree.keeps(cell),
    })
  }

  private createLives(): Lives {
    const { clock, log, tree, registry, effects, monitors, audience, notices } = this
    const { suspensions, starts, ownRows } = this
    const ports = {
      clock,
      logger: log,
      tree,
      registry,
      effects,
      monitors,
      audience,
      notices,
      suspensions,
      ownRows,
      starts,
    }
    return new Lives(
      { ...ports, boot: () => this.boot, recovery: () => this.recovery },
      {
        offer: (cell, message) => {
          this.delivery.offer(cell, message, 'system')
          this.rounds.takeAtOnce()
        },
        abandon: (cell) => this.delivery.abandon(cell),
      },
    )
  }

  private createBoot(): Boot {
    const { clock, log, tree, timers, recovery, lives, rounds, rest } = this
    return new Boot(
      { clock, log, tree, timers, recovery, lives, rounds, rest },
      {
        phase: () => this.phase,
        route: (message, lane) => this.route(message, lane),
        wake: () => this.committer?.wake(),
        isCommitted: () => this.isCommitted(),
      },
    )
  }

  private *startSteps(): Generator<Promise<unknown>, void> {
    const { clock, log, audience } = this
    const { supervision } = this.lives
    const session = yield* wait(this.options.journal.open())
    this.committer = this.createCommitter(session)
    const ears = { session, clock, log, supervision, audience }
    this.unwatch = [watchStrays(), watchLoop(this.options.watchdog, ears)]
    try {
      yield* this.ownRows.load(session)
      yield* wait(this.options.opened?.(session))
      const { admit = () => undefined } = this.options
      yield* this.kept.plant(admit, (child, error) => supervision.alarm(child, error))
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
      rested: () => {
        this.lives.stops.roundIsOver()
        this.rest.rested()
      },
    }
    return new Committer(session, this.clock, this.log, calls, this.rounds.isManual)
  }

  private isAtRest(): boolean {
    const { recovery, lives } = this
    return recovery.isAtRest && lives.isAtRest && this.effects.size === 0 && this.isCommitted()
  }

  private isCommitted(): boolean {
    return this.committer?.isAtRest() ?? true
  }
}
