import type { Address } from './address.ts'
import { releaseEverything } from './carry-out.ts'
import type { Cell } from './cell.ts'
import type { Shutdown } from './child-spec.ts'
import type { ExitReason, StopOutcome } from './exit.ts'
import { kernelTypes } from './message.ts'
import type { Clock } from './ports/clock.ts'
import type { StopPurpose } from './ports/supervising.ts'
import type { Branch, Tree } from './tree.ts'

export interface StopCalls {
  readonly clock: Clock
  /** Tells an actor to stop: at once, or when it has done what it does before. */
  tellToStop(cell: Cell, isAtOnce: boolean, graceMs: number): void
  tellToShutDown(branch: Branch, purpose: StopPurpose): void
  /** Brings one that sleeps back into memory, and calls back. */
  wake(cell: Cell, up: () => void): void
  /** A life is over that another will follow. */
  suspended(cell: Cell, reason: ExitReason): void
  /** Calls back once no effect of an actor goes on although its signal said stop; at once when none does. */
  whenSettled(address: Address, run: () => void): void
  /** A supervisor's own life is cut off, and whatever it waited for with it. */
  cutOff(branch: Branch): void
  /** A restart of an actor that was ordered is not wanted any more. */
  callOff(cell: Cell): void
}

interface Stop {
  readonly purpose: StopPurpose
  isKilled: boolean
  hasEnded: boolean
  cancelTimer: () => void
  readonly told: (outcome: StopOutcome) => void
}

/** An actor that does not even take its last stop is given up so long after. */
export const KILL_MS = 1000

/**
 * The stop protocol: an actor that has something to do before is told and given its grace; then it ends, its effects
 * hear their signals; and the answer says what happened (`stopped`, `killed`, `unsettled`).
 */
export class Stops {
  private stops = new Map<Address, Stop>()
  /** The last stop of all members of each pool. */
  private membersStops = new Map<Branch, object>()
  /** Who is over, but for a last turn that is not stored yet. */
  private unstored = new Map<Cell, () => void>()
  private readonly tree: Tree
  private readonly calls: StopCalls

  constructor(tree: Tree, calls: StopCalls) {
    this.tree = tree
    this.calls = calls
  }

  get isAtRest(): boolean {
    return this.stops.size === 0
  }

  isStopping(address: Address): boolean {
    return this.stops.has(address)
  }

  /** One that fails while it stops gets no other chance to do so: it ends at once. Answers whether it was stopping. */
  failed(cell: Cell): boolean {
    const isStopping = this.isStopping(cell.address)
    if (isStopping) this.graceIsOver(cell)
    return isStopping
  }

  /** Whether an actor is being stopped so that another life of it can begin. */
  isForAnother(address: Address): boolean {
    const purpose = this.stops.get(address)?.purpose
    return purpose !== undefined && purpose !== 'end'
  }

  actor(
    cell: Cell,
    purpose: StopPurpose,
    shutdown: Shutdown,
    told: (outcome: StopOutcome) => void,
  ): void {
    // Only its state says what it does before it stops.
    if (cell.life === 'asleep' && purpose === 'end')
      return this.calls.wake(cell, () => this.actor(cell, purpose, shutdown, told))
    const isOver = cell.life === 'ended' || cell.life === 'quarantined'
    const isLeft = purpose !== 'end' && (cell.life !== 'running' || !hearsStop(cell))
    if (isLeft && !isOver) this.suspend(cell)
    const isKill = shutdown === 'kill' || shutdown === 0
    if (isOver || isLeft) {
      if (isStored(cell)) return told('stopped')
      return isKill ? told('killed') : this.whenStored(cell, purpose, shutdown, told)
    }
    const stop = this.begin(cell.address, purpose, isKill, told)
    if (!isKill) this.limit(stop, shutdown, () => this.graceIsOver(cell))
    this.calls.tellToStop(cell, isKill || !hearsStop(cell), msOf(shutdown))
  }

  supervisor(
    branch: Branch,
    purpose: StopPurpose,
    shutdown: Shutdown,
    told: (outcome: StopOutcome) => void,
  ): void {
    if (branch.cell.life !== 'running') return told('stopped')
    const isKill = shutdown === 'kill' || shutdown === 0
    const stop = this.begin(branch.address, purpose, isKill, told)
    const cutOff = () => {
      stop.isKilled = true
      this.killBelow(branch)
      this.ended(branch.address)
    }
    if (isKill) return cutOff()
    this.limit(stop, shutdown, cutOff)
    this.calls.tellToShutDown(branch, purpose)
  }

  /** Stops all members of a pool at the same time, under one timer. */
  members(branch: Branch, purpose: StopPurpose, done: () => void): void {
    const cells = this.tree.membersOf(branch)
    const shutdown = cells[0]?.spec.shutdown ?? 0
    let left = cells.length
    // One that was told again answers once: when the last of them is over.
    const own = {}
    this.membersStops.set(branch, own)
    if (left === 0) return done()
    const isKill = shutdown === 'kill' || shutdown === 0
    const timer =
      typeof shutdown === 'number' && !isKill
        ? this.after(shutdown, () => {
            for (const cell of cells) if (this.stops.has(cell.address)) this.graceIsOver(cell)
          })
        : () => undefined
    const one = () => {
      if (--left > 0) return
      timer()
      if (this.membersStops.get(branch) === own) done()
    }
    for (const cell of cells) this.actor(cell, purpose, isKill ? 'kill' : 'infinity', one)
  }

  /** An actor or supervisor has ended. Answers whether a stop of it was under way. */
  ended(address: Address): boolean {
    const stop = this.stops.get(address)
    if (stop === undefined) return false
    stop.hasEnded = true
    if (stop.isKilled) this.finish(address, 'killed')
    else this.calls.whenSettled(address, () => this.finish(address, 'stopped'))
    return true
  }

  /** Everybody below a supervisor is cut off: what was stored of them stays. */
  killBelow(branch: Branch): void {
    const below = this.tree.under(branch).reverse()
    for (const cell of below) {
      const own = this.tree.branchAt(cell.address)
      if (own !== undefined) this.calls.cutOff(own)
      else this.kill(cell)
    }
    this.calls.cutOff(branch)
    // Told when nobody of them decides any more: by hand a supervisor takes at once what it hears.
    for (const { address } of below) this.finish(address, 'killed')
  }

  /** Cuts one life off. */
  kill(cell: Cell, reason: ExitReason = { kind: 'killed' }): void {
    const isOver = (cell.life === 'ended' && isStored(cell)) || cell.life === 'quarantined'
    if (!isOver) this.suspend(cell, reason)
  }

  /** A round is over: what an actor did last may be stored by now, or thrown away. */
  roundIsOver(): void {
    for (const [cell, told] of this.unstored) {
      if (!isStored(cell)) continue
      this.unstored.delete(cell)
      told()
    }
  }

  /**
   * Whether an actor that reaches its end while it stops only stops for another life: then the turn that would end it
   * is not made, and what is stored of it goes on.
   */
  goesOn(cell: Cell): boolean {
    if (!cell.isDurable || !this.isForAnother(cell.address)) return false
    const stop = this.stops.get(cell.address)
    if (stop === undefined) return false
    this.suspend(cell)
    stop.cancelTimer()
    this.stops.delete(cell.address)
    this.actor(cell, stop.purpose, 'infinity', stop.told)
    return true
  }

  stopWaiting(): void {
    this.unstored.clear()
    for (const { cancelTimer } of this.stops.values()) cancelTimer()
    this.stops.clear()
  }

  private begin(
    address: Address,
    purpose: StopPurpose,
    isKilled: boolean,
    told: (outcome: StopOutcome) => void,
  ): Stop {
    this.finish(address, 'killed')
    const stop = { purpose, isKilled, hasEnded: false, cancelTimer: () => undefined, told }
    this.stops.set(address, stop)
    return stop
  }

  private limit(stop: Stop, shutdown: Shutdown, over: () => void): void {
    if (typeof shutdown === 'number') stop.cancelTimer = this.after(shutdown, over)
  }

  /** The stop is over when the last turn is stored. One that was thrown away has not happened: it is stopped again. */
  private whenStored(
    cell: Cell,
    purpose: StopPurpose,
    shutdown: Shutdown,
    told: (outcome: StopOutcome) => void,
  ): void {
    const { clock } = this.calls
    const by = typeof shutdown === 'number' ? clock.now() + shutdown : undefined
    const stop = this.begin(cell.address, purpose, false, told)
    this.limit(stop, shutdown, () => this.finish(cell.address, 'killed'))
    this.unstored.set(cell, () => {
      if (this.stops.get(cell.address) !== stop) return
      stop.cancelTimer()
      this.stops.delete(cell.address)
      this.actor(cell, purpose, by === undefined ? shutdown : Math.max(0, by - clock.now()), told)
    })
  }

  private graceIsOver(cell: Cell): void {
    const stop = this.stops.get(cell.address)
    if (stop === undefined) return
    // The actor did end; what it began goes on and has not heard the signal, or does not heed it.
    if (stop.hasEnded) return this.finish(cell.address, 'unsettled')
    const cutOff = () => {
      this.kill(cell)
      this.finish(cell.address, 'killed')
    }
    // Another life goes on with what is stored, so nothing is stored of this one's end.
    if (stop.purpose !== 'end') return cutOff()
    stop.isKilled = true
    stop.cancelTimer()
    stop.cancelTimer = this.after(KILL_MS, cutOff)
    this.calls.tellToStop(cell, true, 0)
  }

  private suspend(cell: Cell, reason: ExitReason = { kind: 'shutdown' }): void {
    this.calls.callOff(cell)
    if (cell.life === 'suspended') return
    cell.life = 'suspended'
    if (cell.isDirect) releaseEverything(cell, undefined)
    this.calls.suspended(cell, reason)
  }

  private finish(address: Address, outcome: StopOutcome): void {
    const stop = this.stops.get(address)
    if (stop === undefined) return
    stop.cancelTimer()
    this.stops.delete(address)
    stop.told(outcome)
  }

  private after(ms: number, run: () => void): () => void {
    return this.calls.clock.wakeAt(this.calls.clock.now() + ms, run)
  }
}

/** Whether an actor does something before it stops. One that resumes has no need to. */
function hearsStop(cell: Cell): boolean {
  return cell.started && cell.spec.engine.hears?.(cell.state, kernelTypes.stopping) === true
}

/** Whether nothing that the actor did is still on its way to the journal. */
function isStored({ spec, pending, isCommitting }: Cell): boolean {
  return spec.durability !== 'sync' || (pending === undefined && !isCommitting)
}

function msOf(shutdown: Shutdown): number {
  if (shutdown === 'infinity') return Infinity
  return shutdown === 'kill' ? 0 : shutdown
}
