import { childAddress, childId, type Address } from './address.ts'
import { takeDown } from './carry-out.ts'
import type { Cell } from './cell.ts'
import { toErrorRecord, type ErrorRecord } from './errors.ts'
import { errorOf, isFailure, reasonOf, type ExitReason, type StopOutcome } from './exit.ts'
import type { Event } from './message.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import type {
  ChildNews,
  FatalMessage,
  Order,
  SupervisionNews,
  SupervisorEnd,
} from './ports/supervising.ts'
import { childrenOf, countsOf } from './pool-list.ts'
import { RestartWaits } from './restart-waits.ts'
import { noPlace, startTimeout } from './start-failure.ts'
import type { Stops } from './stops.ts'
import type { ChildSpec } from './supervisor-spec.ts'
import type { Branch, Tree } from './tree.ts'

/** Something a human must look at: the actor stays down, the rest goes on. */
export interface Alarm {
  readonly at: number
  readonly address: Address
  readonly error: ErrorRecord
}

export const ALARMS_KEPT_MAX = 1000
/** Children that callers brought along and nobody has taken yet. */
export const OFFERED_MAX = 1000

export interface SupervisionCalls {
  readonly clock: Clock
  readonly logger: Logger
  /** Tells a supervisor something, on its system lane. */
  tell(branch: Branch, event: Event): void
  /** Brings an actor's life up, for the first time or again. One that is added begins anew where another has ended. */
  bringUp(cell: Cell, isAdded?: boolean): void
  /** Starts a supervisor's own life. */
  startSupervisor(branch: Branch): void
  /** Children are none any more. */
  forgotten(cells: readonly Cell[]): void
  /** Nobody below begins an effect before a human has looked. */
  suspend(branch: Branch, error: ErrorRecord): void
  /** An actor is down for good. */
  down(cell: Cell, reason: ExitReason): void
  reported(branch: Branch, news: SupervisionNews): void
  /** A top has ended: the boot fails, or the system is stopping. */
  topEnded(branch: Branch, end: SupervisorEnd): void
  /** A top has all its children up. */
  topIsUp(branch: Branch): void
}

/** A start that a supervisor waits for. */
interface Starting {
  readonly cancelTimeout: () => void
  /** It said that it will not run: its start is over when it has stopped. */
  isIgnored: boolean
}

/** Carries out what supervisors decide, and tells them what becomes of their children. It decides nothing itself. */
export class Supervision {
  readonly alarms: Alarm[] = []
  /** Children whose supervisor waits for their start. */
  private starting = new Map<Address, Starting>()
  private readonly waits: RestartWaits
  /** Children that callers brought along, until their supervisor takes them. */
  private offered = new Map<Address, ChildSpec>()
  /** How long the last start of a child was waited for. */
  private delays = new Map<Address, number>()
  /** Members of pools that came into memory before their pool was up. */
  private early = new Map<Branch, Cell[]>()
  private readonly tree: Tree
  private readonly stops: Stops
  private readonly calls: SupervisionCalls

  constructor(tree: Tree, stops: Stops, calls: SupervisionCalls) {
    this.tree = tree
    this.stops = stops
    this.calls = calls
    this.waits = new RestartWaits(calls.clock)
  }

  get isAtRest(): boolean {
    return this.starting.size === 0 && this.waits.size === 0 && this.stops.isAtRest
  }

  /** A child that a supervisor may be asked to add. */
  offer(supervisor: Address, spec: ChildSpec): void {
    const address = childAddress(supervisor, spec.id)
    if (!this.offered.has(address)) this.offered.set(address, spec)
    if (this.offered.size > OFFERED_MAX) this.offered.delete([...this.offered.keys()][0] ?? '')
  }

  /** What a supervisor's machine wants done. */
  carryOut(supervisor: Cell, order: Order): void {
    const branch = this.tree.branchAt(supervisor.address)
    if (branch === undefined) return
    switch (order.do) {
      case 'start':
        return this.start(branch, order.id)
      case 'wait':
        return this.wait(branch, order.id, order.delayMs)
      case 'stop':
        return this.stop(branch, order)
      case 'stopMembers':
        this.cutOff(branch)
        return this.stops.members(branch, order.purpose, () =>
          this.calls.tell(branch, { type: 'ambit.members.stopped' }),
        )
      case 'forget':
        return this.calls.forgotten(this.tree.forget(branch, order.id))
      case 'leave':
        return this.leave(branch, order.id, order.reason)
      case 'list':
        return this.list(branch, order)
      case 'up':
        return this.isUp(branch)
      case 'report':
        return this.report(branch, order.report)
      case 'terminated':
    }
  }

  /** A member of a pool was born by a message to it. */
  memberBorn(cell: Cell): void {
    const branch = this.tree.branchOf(cell.address)
    if (branch === undefined || branch.isUp) return this.calls.bringUp(cell)
    const early = this.early.get(branch)
    if (early === undefined) this.early.set(branch, [cell])
    else early.push(cell)
  }

  /**
   * An actor's start is over: its first turn is made, or its past is there. Also told of an incarnation that nobody
   * ordered, after a commit that failed: what the actor says of itself from now on is about that one.
   */
  started(cell: Cell): void {
    if (this.starting.get(cell.address)?.isIgnored === true) return
    this.startIsOver(cell.address)
    this.tellOf(cell.address, (id) => ({
      type: 'ambit.child.started',
      id,
      incarnation: cell.incarnation,
    }))
  }

  /** It says in its start that it will not run: then it is stopped. */
  ignores(cell: Cell): void {
    const start = this.starting.get(cell.address)
    if (start !== undefined) start.isIgnored = true
  }

  /** It will not run, and that is no failure of its start. */
  ignored(cell: Cell, ended?: ExitReason): void {
    if (!this.startIsOver(cell.address)) return
    this.tellOf(cell.address, (id) => ({
      type: 'ambit.child.ignored',
      id,
      ...(ended !== undefined && { ended }),
    }))
  }

  /** An actor failed. Its supervisor decides; without one that still waits for its start it is an exit. */
  failed(cell: Cell, reason: ExitReason, message?: FatalMessage): void {
    if (this.startIsOver(cell.address)) {
      this.notStarted(cell.address, errorOf(reason) ?? { name: 'Exit', message: reason.kind })
      return
    }
    this.exited(cell, reason, message)
  }

  /** An actor has ended by itself. */
  exited(cell: Cell, reason: ExitReason, message?: FatalMessage): void {
    if (this.starting.has(cell.address)) return this.ignored(cell, reason)
    const { incarnation } = cell
    this.tellOf(cell.address, (id) => ({
      type: 'ambit.child.exit',
      id,
      incarnation,
      reason,
      ...(message !== undefined && { message }),
    }))
  }

  /** An actor was stopped: by order, or by somebody who is not its supervisor. */
  wasStopped(cell: Cell): void {
    if (this.starting.has(cell.address)) this.ignored(cell)
    else if (!this.stops.ended(cell.address)) this.toldStopped(cell.address, 'stopped')
  }

  /** A supervisor has ended, with all its children down. */
  supervisorEnded(cell: Cell, end: SupervisorEnd): void {
    const branch = this.tree.branchAt(cell.address)
    if (branch === undefined) return
    branch.isUp = false
    // Who fails so often is not understood: nothing is done in their name before a human has looked.
    if (end.reason.kind === 'restartIntensity') this.calls.suspend(branch, end.reason.error)
    const isStopped = this.stops.ended(branch.address)
    if (branch.parent === undefined) {
      this.calls.topEnded(branch, end)
      if (isFailure(end.reason)) this.quarantineTop(branch, end)
    }
    if (isStopped || branch.parent === undefined) return
    if (this.startIsOver(branch.address))
      this.notStarted(branch.address, errorOf(end.reason) ?? SHUT_DOWN)
    else this.exited(cell, end.reason)
  }

  /** An actor that cannot be recovered stays down: a failed recovery is never a fresh start and never a loop. */
  recoveryFailed(cell: Cell, error: unknown): void {
    this.quarantine(cell, error)
    this.ignored(cell)
  }

  /** How long a child that starts now has waited for it, in milliseconds. */
  waited(address: Address): number {
    const delayMs = this.delays.get(address)
    this.delays.delete(address)
    return delayMs ?? 0
  }

  /** How long a child that failed still waits for its next start, in milliseconds; undefined for any other. */
  waitOf(child: Address): number | undefined {
    return this.waits.left(child)
  }

  /** Nothing waits any more. */
  stopWaiting(): void {
    this.waits.endWhere(() => true)
    for (const { cancelTimeout } of this.starting.values()) cancelTimeout()
    this.starting.clear()
  }

  /** Nothing is waited for in a supervisor's name any more: neither a start nor a retry. */
  cutOff(branch: Branch): void {
    const isBelow = (address: Address) => this.tree.branchOf(address) === branch
    this.waits.endWhere(isBelow)
    for (const address of [...this.starting.keys()]) if (isBelow(address)) this.startIsOver(address)
  }

  private start(branch: Branch, id: string): void {
    const address = childAddress(branch.address, id)
    const isAdded = this.offered.has(address)
    if (!this.plant(branch, address, id)) return
    const own = this.tree.branchAt(address)
    const cell = own?.cell ?? this.tree.cellAt(address)
    if (cell === undefined) return this.refuse(branch, id, noPlace(branch, id))
    const cancelTimeout = this.limitStart(cell)
    this.starting.set(address, { cancelTimeout, isIgnored: false })
    if (own !== undefined) this.calls.startSupervisor(own)
    else if (cell.life === 'running' && cell.started) this.started(cell)
    else this.calls.bringUp(cell, isAdded)
  }

  /** Whoever says itself that it has started may take its time for that; any other start is one turn of ours. */
  private limitStart(cell: Cell): () => void {
    const { ready, startTimeoutMs } = cell.spec
    if (ready === 'started' || startTimeoutMs === Infinity) return () => undefined
    const { clock } = this.calls
    return clock.wakeAt(clock.now() + startTimeoutMs, () => this.startTimedOut(cell))
  }

  /** A child that was added at run time gets its place. */
  private plant(branch: Branch, address: Address, id: string): boolean {
    const spec = this.offered.get(address)
    this.offered.delete(address)
    if (spec === undefined || branch.children.has(id)) return true
    try {
      this.tree.add(branch, spec)
      return true
    } catch (error) {
      this.refuse(branch, id, error)
      return false
    }
  }

  private refuse(branch: Branch, id: string, error: unknown): void {
    this.calls.tell(branch, { type: 'ambit.child.notStarted', id, error: toErrorRecord(error) })
  }

  private startTimedOut(cell: Cell): void {
    const { address } = cell
    if (!this.startIsOver(address)) return
    const own = this.tree.branchAt(address)
    const error = toErrorRecord(startTimeout(cell))
    if (own === undefined) this.stops.kill(cell, { kind: 'timeout', error })
    else this.stops.killBelow(own)
    this.notStarted(address, error, true)
  }

  private notStarted(address: Address, error: ErrorRecord, isLate = false): void {
    this.tellOf(address, (id) => ({ type: 'ambit.child.notStarted', id, error, isLate }))
  }

  private wait(branch: Branch, id: string, delayMs: number): void {
    const address = childAddress(branch.address, id)
    this.waits.end(address)
    const over = () => this.calls.tell(branch, { type: 'ambit.child.retry', id })
    if (delayMs === 0) return over()
    this.delays.set(address, delayMs)
    this.waits.begin(address, delayMs, over)
  }

  private stop(branch: Branch, order: Extract<Order, { do: 'stop' }>): void {
    const address = childAddress(branch.address, order.id)
    const own = this.tree.branchAt(address)
    const told = (outcome: StopOutcome) => this.toldStopped(address, outcome)
    // A start that is under way is not waited for any more.
    this.startIsOver(address)
    const cell = this.tree.peek(address)
    const shutdown = order.shutdown ?? cell?.spec.shutdown ?? 'kill'
    if (own !== undefined) this.stops.supervisor(own, order.purpose, shutdown, told)
    else if (cell === undefined) told('stopped')
    else this.stops.actor(cell, order.purpose, shutdown, told)
  }

  private toldStopped(address: Address, outcome: StopOutcome): void {
    this.tellOf(address, (id) => ({ type: 'ambit.child.stopped', id, outcome }))
  }

  private list(branch: Branch, { to, isCount }: Extract<Order, { do: 'list' }>): void {
    const members = this.tree.membersOf(branch)
    const fields = isCount
      ? { counts: countsOf(members) }
      : { children: childrenOf(branch, members) }
    this.calls.tell(branch, { type: 'ambit.members.listed', to, fields })
  }

  private isUp(branch: Branch): void {
    branch.isUp = true
    for (const cell of this.early.get(branch) ?? []) if (!cell.hasLeft) this.calls.bringUp(cell)
    this.early.delete(branch)
    // What was stopped with the pool, and has not ended, goes on with it.
    if (branch.spec.kind === 'pool')
      for (const cell of this.tree.membersOf(branch))
        if (cell.life === 'suspended') this.calls.bringUp(cell)
    if (branch.parent === undefined) this.calls.topIsUp(branch)
    else this.started(branch.cell)
  }

  private leave(branch: Branch, id: string, reason: ExitReason): void {
    const address = childAddress(branch.address, id)
    const [own, cell] = [this.tree.branchAt(address), this.tree.peek(address)]
    const error = errorOf(reason) ?? { name: 'Exit', message: reason.kind }
    if (own !== undefined) for (const below of this.tree.under(own)) takeDown(below, error)
    if (cell !== undefined) this.quarantine(cell, cell.failure?.error ?? error)
  }

  private quarantineTop(branch: Branch, { reason }: SupervisorEnd): void {
    const error = errorOf(reason) ?? { name: 'Exit', message: reason.kind }
    for (const cell of this.tree.under(branch)) {
      if (cell.life === 'ended') continue
      takeDown(cell, cell.failure?.error ?? error)
      this.calls.down(cell, reason)
    }
    this.alarm(branch.address, error)
  }

  private quarantine(cell: Cell, thrown: unknown): void {
    takeDown(cell, thrown)
    this.calls.down(cell, reasonOf(thrown))
    this.alarm(cell.address, toErrorRecord(thrown))
  }

  alarm(address: Address, error: ErrorRecord): void {
    const { clock, logger } = this.calls
    this.alarms.push({ at: clock.now(), address, error })
    if (this.alarms.length > ALARMS_KEPT_MAX) this.alarms.shift()
    logger.error({ actor: address, err: error }, 'quarantined: stays down until a human looks')
  }

  private report(branch: Branch, news: SupervisionNews): void {
    const { kind: plan, child, reason, ...about } = news
    const actor = childAddress(branch.address, child)
    const { logger } = this.calls
    const fields = { actor, supervisor: branch.address, plan, ...about }
    if (isFailure(reason)) logger.error({ ...fields, err: errorOf(reason) }, 'actor failed')
    else logger.info({ ...fields, reason: reason.kind }, 'actor ended')
    this.calls.reported(branch, news)
  }

  /** Whether a supervisor waited for the start of this child until now. */
  private startIsOver(address: Address): boolean {
    this.starting.get(address)?.cancelTimeout()
    return this.starting.delete(address)
  }

  private tellOf(address: Address, news: (id: string) => ChildNews): void {
    const branch = this.tree.branchOf(address)
    if (branch === undefined) return
    this.calls.tell(branch, { ...news(childId(address)) })
  }
}

const SHUT_DOWN: ErrorRecord = { name: 'Exit', message: 'It shut itself down while it started.' }
