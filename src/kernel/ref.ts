import type { Address } from './address.ts'
import type { Event, SendResult } from './message.ts'

export interface SendOptions {
  /** Milliseconds since the epoch after which the message is no longer wanted. */
  readonly deadline?: number
}

export interface AskOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number
}

export const ASK_TIMEOUT_MS = 5000

/** What others hold of an actor: an address that stays valid over restarts. */
export interface ActorRef {
  readonly address: Address
  /** Hands an event over; the answer says at once whether the mailbox took it. */
  send(event: Event, options?: SendOptions): SendResult
  /**
   * Sends an event and waits for the actor's `reply`. Rejects with `AMBIT_ASK_TIMEOUT`, or at once with
   * `AMBIT_ASK_IGNORED` when the machine's state takes no notice of the event.
   */
  ask(event: Event, options?: AskOptions): Promise<Event>
  /**
   * Hands an event over and waits until its turn is committed. The same `id` again is a `duplicate` and changes
   * nothing: safe to repeat after a lost answer.
   */
  deliver(event: Event, options: { readonly id: string }): Promise<'committed' | 'duplicate'>
  /** The actor as its engine shows it: an XState ref. Throws `AMBIT_STOPPED` where nobody lives. */
  view(): unknown
  /** Whose actor it is: the same for all refs of one system. */
  readonly home: unknown
}
