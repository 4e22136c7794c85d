import Denque from 'denque'
import type { Cell } from './cell.ts'
import type { Clock } from './ports/clock.ts'
import { NOTHING_TAKEN, takeOne } from './take.ts'

export const MESSAGES_PER_SLICE_MAX = 32
export const SLICE_MS_MAX = 5
export const DRAIN_MS_MAX = 10
/** Under virtual time no time passes in a drain: this ends it. */
export const SLICES_PER_DRAIN_MAX = 10_000
const LOOK_EACH = 8

/** The one queue of actors that have something to do. Fair: an actor with more goes to the end. */
export class RunQueue {
  private cells = new Denque<Cell>()
  private readonly clock: Clock
  /** What `elapsed` said last, and what the clock said then. */
  private reading = 0
  private lastNow = NOTHING_TAKEN
  private unlooked = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  get length(): number {
    return this.cells.length
  }

  add(cell: Cell): void {
    if (cell.queued || cell.life !== 'running' || cell.mailbox.length === 0) return
    cell.queued = true
    this.cells.push(cell)
  }

  /** Runs until nothing is due or the time is up; then the event loop gets air. */
  drain(): void {
    const began = (this.reading = this.clock.elapsed())
    for (let slice = 0; slice < SLICES_PER_DRAIN_MAX; slice++) {
      const cell = this.cells.shift()
      if (cell === undefined) return
      cell.queued = false
      this.runSlice(cell)
      if (this.reading - began >= DRAIN_MS_MAX) return
    }
  }

  private runSlice(cell: Cell): void {
    const began = this.reading
    for (let taken = 0; taken < MESSAGES_PER_SLICE_MAX; taken++) {
      const now = takeOne(cell)
      if (now === NOTHING_TAKEN) return
      this.look(cell, now)
      if (this.reading - began >= SLICE_MS_MAX) break
    }
    this.add(cell)
  }

  /** Within one millisecond of the clock the budget is looked at now and then only: a look costs as much as a turn. */
  private look(cell: Cell, now: number): void {
    if (cell.isDirect && now === this.lastNow && ++this.unlooked < LOOK_EACH) return
    this.lastNow = now
    this.unlooked = 0
    this.reading = this.clock.elapsed()
  }
}
