import Denque from 'denque'
import type { Cell } from './cell.ts'
import type { Clock } from './ports/clock.ts'
import type { Schedule } from './ports/schedule.ts'
import { NOTHING_TAKEN, takeOne, TAKEN_QUICKLY } from './take.ts'

export const MESSAGES_PER_SLICE_MAX = 32
export const SLICE_MS_MAX = 5
export const DRAIN_MS_MAX = 10
/** Under virtual time no time passes in a drain: this ends it. */
export const SLICES_PER_DRAIN_MAX = 10_000
const LOOK_EACH = 8
/** So many slices of what a chain of messages goes on with are run before anybody else comes. */
export const AHEAD_SLICES_MAX = 16

/**
 * The one queue of actors that have something to do. Fair: an actor with more goes to the end. Only what a chain of
 * messages goes on with comes first, for a while, so that chains are stored whole rather than all of them half.
 */
export class RunQueue {
  private cells = new Denque<Cell>()
  private ahead = new Denque<Cell>()
  private aheadSlices = 0
  private readonly clock: Clock
  private readonly schedule: Schedule | undefined
  /** What `elapsed` said last, and what the clock said then. */
  private reading = 0
  private lastNow = NOTHING_TAKEN
  private unlooked = 0
  private messagesMax = MESSAGES_PER_SLICE_MAX

  constructor(clock: Clock, schedule?: Schedule) {
    this.clock = clock
    this.schedule = schedule
  }

  get length(): number {
    return this.cells.length + this.ahead.length
  }

  add(cell: Cell): void {
    if (cell.queued || !isReady(cell)) return
    cell.queued = true
    this.cells.push(cell)
  }

  /** For an actor that goes on with what another did in this drain. */
  addAhead(cell: Cell): void {
    if (cell.isAhead || !isReady(cell)) return
    cell.isAhead = true
    // One that stands in the queue already is found there with nothing to do.
    this.ahead.push(cell)
  }

  /**
   * Runs until nothing is due or the time is up; then the event loop gets air. `isCareful`: only until everybody who
   * has something to do has taken one message.
   */
  drain(isCareful = false): void {
    const began = (this.reading = this.clock.elapsed())
    const slicesMax = isCareful ? this.length : SLICES_PER_DRAIN_MAX
    this.messagesMax = isCareful || this.schedule !== undefined ? 1 : MESSAGES_PER_SLICE_MAX
    for (let slice = 0; slice < slicesMax; slice++) {
      const cell = this.schedule === undefined ? this.next() : this.nextBy(this.schedule)
      if (cell === undefined) return
      this.runSlice(cell)
      if (this.reading - began >= DRAIN_MS_MAX) return
    }
  }

  private next(): Cell | undefined {
    if (this.ahead.length > 0 && (this.cells.length === 0 || this.aheadSlices < AHEAD_SLICES_MAX)) {
      this.aheadSlices++
      const cell = this.ahead.shift()
      if (cell !== undefined) cell.isAhead = false
      return cell
    }
    this.aheadSlices = 0
    const cell = this.cells.shift()
    if (cell !== undefined) cell.queued = false
    return cell
  }

  private nextBy(schedule: Schedule): Cell | undefined {
    const { ahead, cells } = this
    const look = (at: number) => ahead.peekAt(at) ?? cells.peekAt(at - ahead.length)
    const at = this.length === 0 ? undefined : schedule.next(this.length, look)
    if (at === undefined) return undefined
    const isAhead = at < ahead.length
    const cell = isAhead ? ahead.removeOne(at) : cells.removeOne(at - ahead.length)
    if (cell === undefined) return undefined
    if (isAhead) cell.isAhead = false
    else cell.queued = false
    return cell
  }

  private runSlice(cell: Cell): void {
    const began = this.reading
    for (let taken = 0; taken < this.messagesMax; taken++) {
      const now = takeOne(cell)
      if (now === NOTHING_TAKEN) return
      this.look(cell, now)
      if (cell.mailbox.length === 0) return
      if (this.reading - began >= SLICE_MS_MAX) break
    }
    this.add(cell)
  }

  /** Within one millisecond of the clock the budget is looked at now and then only: a look costs as much as a turn. */
  private look(cell: Cell, now: number): void {
    const isSame = now === TAKEN_QUICKLY || (cell.isDirect && now === this.lastNow)
    if (isSame && ++this.unlooked < LOOK_EACH) return
    this.lastNow = now
    this.unlooked = 0
    this.reading = this.clock.elapsed()
  }
}

function isReady(cell: Cell): boolean {
  return cell.life === 'running' && cell.mailbox.length > 0
}
