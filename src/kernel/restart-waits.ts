import type { Address } from './address.ts'
import type { Clock } from './ports/clock.ts'

interface Wait {
  readonly dueAt: number
  readonly cancel: () => void
}

/** Children that wait for their next start. */
export class RestartWaits {
  private readonly waits = new Map<Address, Wait>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  get size(): number {
    return this.waits.size
  }

  /** Calls back once the time is over; what the child waited for before is forgotten. */
  begin(child: Address, delayMs: number, over: () => void): void {
    const dueAt = this.clock.now() + delayMs
    const due = () => {
      this.waits.delete(child)
      over()
    }
    this.waits.set(child, { dueAt, cancel: this.clock.wakeAt(dueAt, due) })
  }

  end(child: Address): void {
    this.waits.get(child)?.cancel()
    this.waits.delete(child)
  }

  endWhere(isMeant: (child: Address) => boolean): void {
    for (const child of [...this.waits.keys()]) if (isMeant(child)) this.end(child)
  }

  /** How long a child still waits, in milliseconds; undefined for one that does not. */
  left(child: Address): number | undefined {
    const wait = this.waits.get(child)
    return wait && Math.max(1, wait.dueAt - this.clock.now())
  }
}
