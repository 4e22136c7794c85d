import Denque from 'denque'
import type { Clock } from './ports/clock.ts'

interface Deadline<T> {
  readonly dueAt: number
  readonly waiting: T
}

/** Settled entries are thrown out once they are so many and more than the rest. */
const SETTLED_SLACK = 1024

/**
 * Deadlines of many waits with few different lengths: one queue and one wake-up per length, because those that begin
 * later end later. A wait that has settled costs nothing more.
 */
export class Deadlines<T> {
  private readonly queues = new Map<number, Denque<Deadline<T>>>()
  private readonly armed = new Map<number, () => void>()
  private readonly clock: Clock
  private readonly isWaiting: (waiting: T) => boolean
  private readonly passed: (waiting: T) => void

  constructor(clock: Clock, isWaiting: (waiting: T) => boolean, passed: (waiting: T) => void) {
    this.clock = clock
    this.isWaiting = isWaiting
    this.passed = passed
  }

  add(waiting: T, timeoutMs: number, live: number): void {
    const queue = this.queues.get(timeoutMs) ?? new Denque<Deadline<T>>()
    this.queues.set(timeoutMs, queue)
    if (queue.length > 2 * live + SETTLED_SLACK) this.compact(queue)
    queue.push({ dueAt: this.clock.now() + timeoutMs, waiting })
    if (!this.armed.has(timeoutMs)) this.arm(timeoutMs, queue)
  }

  stop(): void {
    for (const cancel of this.armed.values()) cancel()
    this.armed.clear()
    this.queues.clear()
  }

  private arm(timeoutMs: number, queue: Denque<Deadline<T>>): void {
    const first = queue.peekFront()
    if (first === undefined) return
    const cancel = this.clock.wakeAt(first.dueAt, () => this.wake(timeoutMs, queue))
    this.armed.set(timeoutMs, cancel)
  }

  private wake(timeoutMs: number, queue: Denque<Deadline<T>>): void {
    this.armed.delete(timeoutMs)
    const now = this.clock.now()
    for (let first = queue.peekFront(); first !== undefined; first = queue.peekFront()) {
      const isWaiting = this.isWaiting(first.waiting)
      if (isWaiting && first.dueAt > now) break
      queue.shift()
      if (isWaiting) this.passed(first.waiting)
    }
    this.arm(timeoutMs, queue)
    if (queue.length === 0) this.queues.delete(timeoutMs)
  }

  private compact(queue: Denque<Deadline<T>>): void {
    for (let left = queue.length; left > 0; left--) {
      const first = queue.shift()
      if (first !== undefined && this.isWaiting(first.waiting)) queue.push(first)
    }
  }
}
