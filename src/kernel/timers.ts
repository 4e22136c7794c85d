import type { Address } from './address.ts'
import type { Clock } from './ports/clock.ts'

interface Entry {
  readonly key: string
  readonly address: Address
  readonly id: string
  readonly dueAt: number
  readonly order: number
}

const HEAP_SLACK = 1024

/**
 * Wakes actors when their timers are due. The committed due time is the truth and a wake-up only a hint: the actor
 * checks its own timers. Two timers due at the same time wake in the order in which they were set.
 */
export class Timers {
  private heap: Entry[] = []
  private live = new Map<string, Entry>()
  private order = 0
  private cancelWake: (() => void) | undefined
  private wakesAt = Infinity
  private isHeld = false
  private readonly clock: Clock
  private readonly due: (address: Address, id: string) => void

  constructor(clock: Clock, due: (address: Address, id: string) => void) {
    this.clock = clock
    this.due = due
  }

  get size(): number {
    return this.live.size
  }

  /** When the next live timer is due; Infinity when none is set. */
  nextDueAt(): number {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      if (this.live.get(first.key) === first) return first.dueAt
      this.pop()
    }
    return Infinity
  }

  set(address: Address, id: string, dueAt: number): void {
    const entry = { key: keyOf(address, id), address, id, dueAt, order: this.order++ }
    this.live.set(entry.key, entry)
    this.push(entry)
    this.arm()
  }

  clear(address: Address, id: string): void {
    this.live.delete(keyOf(address, id))
    if (this.heap.length > HEAP_SLACK && this.heap.length > 2 * this.live.size) this.compact()
  }

  /** Timers can be set, but none wakes anybody before `wake` is called. */
  hold(): void {
    this.isHeld = true
  }

  wake(): void {
    this.isHeld = false
    this.arm()
  }

  stop(): void {
    this.cancelWake?.()
    this.live.clear()
    this.heap = []
    this.wakesAt = Infinity
  }

  /** Cancelled timers leave the heap once they are more than half of it. */
  private compact(): void {
    const entries = [...this.live.values()]
    this.heap = []
    for (const entry of entries) this.push(entry)
  }

  private fire(): void {
    this.wakesAt = Infinity
    const now = this.clock.now()
    for (
      let first = this.heap[0];
      first !== undefined && first.dueAt <= now;
      first = this.heap[0]
    ) {
      this.pop()
      if (this.live.get(first.key) !== first) continue
      this.live.delete(first.key)
      this.due(first.address, first.id)
    }
    this.arm()
  }

  private arm(): void {
    const first = this.heap[0]
    if (first === undefined || this.isHeld) return
    // Where the clock was set forward, the wait under way is longer than it should be: what is overdue has its own.
    const wakesAt = first.dueAt <= this.clock.now() ? -Infinity : first.dueAt
    if (wakesAt >= this.wakesAt) return
    this.cancelWake?.()
    this.wakesAt = wakesAt
    this.cancelWake = this.clock.wakeAt(first.dueAt, () => this.fire())
  }

  private push(entry: Entry): void {
    const heap = this.heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(entry, heap[above] as Entry)) break
      heap[at] = heap[above] as Entry
      at = above
    }
    heap[at] = entry
  }

  private pop(): void {
    const heap = this.heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry))
        below++
      if (!isBefore(heap[below] as Entry, last)) break
      heap[at] = heap[below] as Entry
      at = below
    }
    heap[at] = last
  }
}

function keyOf(address: Address, id: string): string {
  return `${address} ${id}`
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)
}
