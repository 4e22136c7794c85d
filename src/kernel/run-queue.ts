import Denque from 'denque'
import type { Cell } from './cell.ts'
import type { Clock } from './ports/clock.ts'
import { takeOne } from './take.ts'

export const MESSAGES_PER_SLICE_MAX = 32
export const SLICE_MS_MAX = 5
export const DRAIN_MS_MAX = 10

/** The one queue of actors that have something to do. Fair: an actor with more goes to the end. */
export class RunQueue {
  private cells = new Denque<Cell>()
  private readonly clock: Clock

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
    const began = this.clock.elapsed()
    for (let cell = this.cells.shift(); cell !== undefined; cell = this.cells.shift()) {
      cell.queued = false
      this.runSlice(cell)
      if (this.clock.elapsed() - began >= DRAIN_MS_MAX) return
    }
  }

  private runSlice(cell: Cell): void {
    const began = this.clock.elapsed()
    for (let taken = 0; taken < MESSAGES_PER_SLICE_MAX; taken++) {
      if (!takeOne(cell)) return
      if (this.clock.elapsed() - began >= SLICE_MS_MAX) break
    }
    this.add(cell)
  }
}
