import { childId, type Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { Event } from './message.ts'
import { isPromise, type MaybePromise } from './maybe.ts'
import type { Clock } from './ports/clock.ts'
import type { Stops } from './stops.ts'
import { Timers } from './timers.ts'
import type { Branch, Tree } from './tree.ts'

export interface SleepCalls {
  readonly clock: Clock
  /** Tells a supervisor something, on its system lane. */
  tell(branch: Branch, event: Event): void
  /** Brings an actor's past back into memory; one whose past cannot be read is taken down. */
  load(cell: Cell): MaybePromise<void>
}

/**
 * Actors that idle leave memory after a while (`idleAfterMs`): all they are stands in the journal, and whatever comes
 * for them wakes them. A member of a pool goes as it does above the pool's limit; any other keeps its place under its
 * supervisor, its name and its mailbox, and only what it knows is let go of.
 */
export class Sleep {
  private readonly tree: Tree
  private readonly stops: Stops
  private readonly calls: SleepCalls
  /** When to look next whether an incarnation idles. Its turns cost nothing: the look finds when the last one was. */
  private readonly looks: Timers

  constructor(tree: Tree, stops: Stops, calls: SleepCalls) {
    this.tree = tree
    this.stops = stops
    this.calls = calls
    this.looks = new Timers(calls.clock, (address, life) => this.look(address, life))
  }

  /** A life has begun. */
  begun(cell: Cell): void {
    this.lookIn(cell, cell.spec.idleAfterMs)
  }

  /** Loads one that sleeps; whatever it is sent meanwhile waits. Calls back when it is up, or cannot be. */
  wake(cell: Cell, up: () => void = () => undefined): void {
    cell.life = 'loading'
    const loaded = this.calls.load(cell)
    const over = () => {
      if (isDown(cell)) this.tell(cell, { type: 'ambit.child.stopped', outcome: 'killed' })
      up()
    }
    if (isPromise(loaded)) void loaded.then(over)
    else over()
  }

  /** Nobody falls asleep any more. */
  stop(): void {
    this.looks.stop()
  }

  private lookIn(cell: Cell, ms: number): void {
    if (ms === Infinity) return
    this.looks.set(cell.address, String(cell.incarnation), this.calls.clock.now() + ms)
  }

  private look(address: Address, life: string): void {
    const cell = this.tree.peek(address)
    if (cell?.life !== 'running' || String(cell.incarnation) !== life) return
    const { idleAfterMs, engine } = cell.spec
    const idleMs = this.calls.clock.now() - cell.lastNow
    if (idleMs < idleAfterMs) return this.lookIn(cell, idleAfterMs - idleMs)
    const mayLeave = cell.isAtRest && !this.stops.isStopping(address)
    if (mayLeave && engine.doze?.(cell) !== false) this.leaveMemory(cell)
    else this.lookIn(cell, idleAfterMs)
  }

  private leaveMemory(cell: Cell): void {
    if (this.tree.branchOf(cell.address)?.spec.kind === 'pool') return this.tree.remove(cell)
    cell.fallAsleep()
    this.tell(cell, { type: 'ambit.child.asleep', incarnation: cell.incarnation })
  }

  private tell({ address }: Cell, news: Event): void {
    const branch = this.tree.branchOf(address)
    if (branch !== undefined) this.calls.tell(branch, { ...news, id: childId(address) })
  }
}

function isDown({ life }: Cell): boolean {
  return life === 'quarantined'
}
