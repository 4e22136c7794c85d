import { Cell } from '../kernel/cell.ts'
import type { ReadyActor } from '../kernel/ports/schedule.ts'

/** The actors of a run that ever had something to do, and how much waited for each at most. */
export class Mailboxes {
  readonly actors = new Map<string, ReadyActor>()
  private readonly longest = new Map<string, number>()
  /** How many messages an actor has taken in turns that are not stored. */
  private readonly taken = new Map<string, number>()

  /** What each actor was made from: of the members of a pool its template. */
  get templates(): ReadonlyMap<string, string> {
    return new Map(
      [...this.actors].map(([address, actor]) => [
        address,
        actor instanceof Cell ? actor.spec.id : address,
      ]),
    )
  }

  /** How many messages wait for an actor, when that is more than ever before. */
  look(actor: ReadyActor): number | undefined {
    const { address, mailbox } = actor
    this.actors.set(address, actor)
    // What was taken and cannot be stored comes back, beyond what a mailbox has room for.
    const mayBeBack = this.taken.get(address) ?? 0
    const length = mailbox.size('user') + mailbox.size('control') - mayBeBack
    if (length <= (this.longest.get(address) ?? 0)) return undefined
    this.longest.set(address, length)
    return length
  }

  took(address: string): void {
    this.taken.set(address, (this.taken.get(address) ?? 0) + 1)
  }

  stored(address: string): void {
    this.taken.set(address, Math.max(0, (this.taken.get(address) ?? 0) - 1))
  }

  /** A process that is gone took along what it had taken. */
  restarted(): void {
    this.taken.clear()
  }
}
