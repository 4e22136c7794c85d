import { childAddress, type Address } from './address.ts'
import type { Audience } from './audience.ts'
import type { Boot } from './boot.ts'
import type { Cell } from './cell.ts'
import type { Effects } from './effects.ts'
import { reasonOf, type ExitReason } from './exit.ts'
import { KeptChildren } from './kept-children.ts'
import type { Event, Message } from './message.ts'
import type { Monitors } from './monitors.ts'
import type { Notices } from './notices.ts'
import type { OwnRows } from './own-rows.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type { FatalMessage, Order, SupervisorEnd } from './ports/supervising.ts'
import type { Recovery } from './recovery.ts'
import type { Registry } from './registry.ts'
import type { RestWatch } from './rest-watch.ts'
import type { Rounds } from './rounds.ts'
import type { Starts } from './start-limit.ts'
import { Sleep } from './sleep.ts'
import { Stops } from './stops.ts'
import { Supervision } from './supervision.ts'
import type { Suspensions } from './suspensions.ts'
import type { Branch, Tree } from './tree.ts'

/** The parts of a kernel that lives begin and end with. */
export interface LifeParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly tree: Tree
  readonly registry: Registry
  readonly effects: Effects
  readonly monitors: Monitors
  readonly suspensions: Suspensions
  readonly ownRows: OwnRows
  readonly starts: Starts
  readonly audience: Audience
  readonly notices: Notices
  readonly boot: () => Boot
  readonly recovery: () => Recovery
}

export interface LifeCalls {
  /** Offers a message of the kernel's own to an actor in memory. */
  offer(cell: Cell, message: Message): void
  /** What an ended actor still had before it goes back. */
  abandon(cell: Cell): void
}

function fatal({ id, type, headers }: Message): FatalMessage {
  return { id, type, attempt: headers.attempt ?? 1 }
}

/** Lives begin and end here: actors tell, supervisors decide, and what they decide is done. */
export class Lives {
  readonly supervision: Supervision
  readonly stops: Stops
  readonly sleep: Sleep
  readonly kept: KeptChildren
  private readonly parts: LifeParts
  private readonly calls: LifeCalls

  constructor(parts: LifeParts, calls: LifeCalls) {
    this.parts = parts
    this.calls = calls
    const { clock, logger, tree, audience, effects } = parts
    this.stops = new Stops(tree, {
      clock,
      tellToStop: (cell, isAtOnce, graceMs) => this.tellToStop(cell, isAtOnce, graceMs),
      tellToShutDown: (branch, purpose) => this.shutDown(branch, purpose),
      suspended: (cell, reason) => audience.exit(cell, reason),
      wake: (cell, up) => this.sleep.wake(cell, up),
      whenSettled: (address, run) => effects.whenSettled(address, run),
      cutOff: (branch) => this.cutOff(branch),
      callOff: (cell) => parts.recovery().callOff(cell),
    })
    this.kept = new KeptChildren(parts.ownRows, tree)
    this.sleep = new Sleep(tree, this.stops, {
      clock,
      tell: (branch, event) => this.tell(branch, event),
      load: (cell) => parts.boot().bringUp(cell),
    })
    this.supervision = new Supervision(tree, this.stops, {
      clock,
      logger,
      tell: (branch, event) => this.tell(branch, event),
      suspend: ({ address }, error) => parts.suspensions.suspend(address, error),
      down: (cell, reason) => parts.monitors.down(cell.address, reason),
      bringUp: (cell, isAdded) => this.bringUp(cell, isAdded),
      startSupervisor: (branch) => this.startSupervisor(branch),
      forgotten: (cells) => this.forgotten(cells),
      reported: (branch, news) => audience.supervision(branch.address, news),
      topEnded: (branch, end) => parts.boot().topEnded(branch, end),
      topIsUp: (branch) => parts.boot().topIsUp(branch),
    })
  }

  get isAtRest(): boolean {
    return this.supervision.isAtRest && this.parts.starts.isAtRest
  }

  /** The tops stop their children, the last that started first; whoever takes longer is cut off. */
  async pause(deadline: number, rest: RestWatch, rounds: Rounds): Promise<void> {
    const { tree, clock } = this.parts
    const { stops } = this
    for (const top of [...tree.tops].reverse()) {
      stops.supervisor(top, 'pause', 'infinity', () => undefined)
      if (rounds.isManual) rounds.drain()
      while (stops.isStopping(top.address) && clock.now() < deadline) {
        await rest.next(deadline)
        // By hand nobody else goes on once a journal that takes its time has answered.
        if (rounds.isManual) rounds.drain()
      }
      if (stops.isStopping(top.address)) stops.killBelow(top)
    }
  }

  /** Nothing that was ordered is waited for any more. */
  stopWaiting(): void {
    this.supervision.stopWaiting()
    this.stops.stopWaiting()
    this.sleep.stop()
  }

  failed(cell: Cell, error: unknown, message?: Message): void {
    const reason = reasonOf(error)
    this.parts.audience.exit(cell, reason)
    this.parts.boot().failedBy(cell, error)
    // One that resumes is the same actor as before; any other is another one when it begins again.
    if (cell.isDirect || cell.spec.recover === 'fresh')
      this.parts.monitors.down(cell.address, reason)
    cell.failure = { error }
    const branch = this.parts.tree.branchAt(cell.address)
    if (branch !== undefined) return this.supervisorFailed(branch, reason)
    if (this.stops.failed(cell)) return
    this.supervision.failed(cell, reason, message === undefined ? undefined : fatal(message))
    // Its authority ended, or a human said no: it does not run again, and what it was sent goes back.
    if (reason.kind === 'envelope') this.tellToStop(cell, true, 0)
  }

  ended(cell: Cell, reason: ExitReason): void {
    const { audience, tree, registry } = this.parts
    if (this.supervisorEnded(cell)) return
    audience.exit(cell, reason)
    const failure = cell.failure === undefined ? undefined : reasonOf(cell.failure.error)
    this.parts.monitors.down(cell.address, failure?.kind === 'envelope' ? failure : reason)
    if (reason.kind === 'shutdown' && this.stops.isForAnother(cell.address)) {
      cell.life = 'suspended'
      this.supervision.wasStopped(cell)
      return
    }
    const goesOn = reason.kind === 'normal' && cell.spec.restart === 'permanent'
    // What it was sent waits for its next life.
    if (goesOn) cell.life = 'suspended'
    else {
      cell.life = 'ended'
      this.calls.abandon(cell)
      registry.release(cell.address)
      tree.remove(cell)
    }
    // One that was told to stop may end by itself.
    const isStopped = reason.kind === 'shutdown' || this.stops.isStopping(cell.address)
    if (isStopped) this.supervision.wasStopped(cell)
    else this.supervision.exited(cell, reason)
  }

  /** An actor was found to have ended in an earlier life. */
  hadEnded(cell: Cell): void {
    this.calls.abandon(cell)
    this.parts.registry.release(cell.address)
    this.parts.tree.remove(cell)
    this.supervision.ignored(cell, { kind: 'normal' })
  }

  /** A generation is over because another begins. */
  renewed(cell: Cell): void {
    this.parts.monitors.down(cell.address, { kind: 'shutdown' })
  }

  /** An actor says in its start that it will not run: it is stopped, and not restarted. */
  ignores(cell: Cell): void {
    this.supervision.ignores(cell)
    this.tellToStop(cell, true, 0)
  }

  /** Ends an actor or a supervisor for good. */
  stop(address: Address): void {
    const branch = this.parts.tree.branchAt(address)
    if (branch === undefined) this.parts.notices.stop(address)
    else this.shutDown(branch, 'end')
  }

  shutDown(branch: Branch, purpose: 'end' | 'restart' | 'pause'): void {
    this.tell(branch, { type: 'ambit.supervisor.shutdown', purpose })
  }

  private tell(branch: Branch, event: Event): void {
    const { cell } = branch
    if (cell.life !== 'running') return
    this.calls.offer(cell, this.parts.notices.message(cell.address, event))
  }

  private tellToStop(cell: Cell, isAtOnce: boolean, graceMs: number): void {
    this.parts.notices.stop(cell.address, isAtOnce, graceMs)
    if (cell.life === 'suspended') this.bringUp(cell)
  }

  private supervisorEnded(cell: Cell): boolean {
    const branch = this.parts.tree.branchAt(cell.address)
    if (branch === undefined) return false
    const end = (cell.output ?? { reason: { kind: 'shutdown' } }) as unknown as SupervisorEnd
    this.parts.audience.exit(cell, end.reason)
    this.parts.monitors.down(cell.address, end.reason)
    this.calls.abandon(cell)
    this.supervision.supervisorEnded(cell, end)
    return true
  }

  /** The supervisor itself has failed: its children are nobody's, so they are down, and its own supervisor decides. */
  private supervisorFailed(branch: Branch, reason: ExitReason): void {
    this.stops.killBelow(branch)
    this.supervision.supervisorEnded(branch.cell, { reason })
  }

  private bringUp(cell: Cell, isAdded = false): void {
    const recovery = this.parts.recovery()
    this.parts.registry.enter(cell.spec, cell.address)
    switch (cell.life) {
      case 'loading':
        return void this.parts
          .boot()
          .bringUp(cell, { isAnew: isAdded || this.kept.isDown(cell.address) })
      case 'asleep':
        return this.sleep.wake(cell)
      case 'suspended':
        if (cell.isDirect) return recovery.restartLater(cell)
        return recovery.restartLater(cell, (begin) => this.parts.starts.run(begin))
      case 'ended':
      case 'quarantined':
        return recovery.startAnew(cell)
      case 'running':
    }
  }

  /** What a supervisor's machine wants done. */
  carryOut(supervisor: Cell, order: Order): void {
    this.supervision.carryOut(supervisor, order)
    const branch = this.parts.tree.branchAt(supervisor.address)
    if (branch !== undefined && 'id' in order) this.kept.decided(branch, order)
  }

  /** A supervisor's life begins with the children of its spec and those it keeps; any others were its last life's. */
  startSupervisor(branch: Branch): void {
    const { kept } = this
    const gone = this.parts.tree.reset(branch, (id) => kept.isKept(branch, id))
    for (const [id, cells] of gone) {
      this.forgotten(cells)
      kept.forget(childAddress(branch.address, id))
    }
    if (branch.spec.kind === 'supervisor') branch.cell.input = kept.inputFor(branch)
    this.parts.recovery().beginAnew(branch.cell)
  }

  /** What children had before them that are none any more goes back. */
  private forgotten(cells: readonly Cell[]): void {
    for (const cell of cells) this.calls.abandon(cell)
  }

  private cutOff(branch: Branch): void {
    const { cell } = branch
    branch.isUp = false
    if (cell.life === 'running') {
      this.parts.audience.exit(cell, { kind: 'killed' })
      this.parts.monitors.down(cell.address, { kind: 'killed' })
    }
    cell.life = 'ended'
    // Who called it hears that nobody is there; what the kernel told it is no one's loss.
    for (const { message, lane } of cell.mailbox.drain())
      if (message.headers.replyTo !== undefined) cell.mailbox.offer(message, lane)
    this.calls.abandon(cell)
    this.supervision.cutOff(branch)
  }
}
