import type { Address } from '../address.ts'
import type { Lane, MailboxLimits } from '../mailbox.ts'

/** An actor that has something to do. */
export interface ReadyActor {
  readonly address: Address
  readonly mailbox: { readonly limits: MailboxLimits; size(lane: Lane): number }
}

/** Who goes next and how much is done before a commit. By default the queue decides; a simulation decides otherwise. */
export interface Schedule {
  /**
   * Of so many actors that have something to do, whoever waits longest first: the index of the one that takes a message
   * now. Undefined ends the round: what was done is committed. Asked at most `SLICES_PER_DRAIN_MAX` times in a round.
   */
  next(ready: number, look: (at: number) => ReadyActor | undefined): number | undefined
}
