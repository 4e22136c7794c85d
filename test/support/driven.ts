import { createSystem, type ActorSystem, type SystemOptions } from '../../actors/system.ts'
import { supervisor } from '../../actors/supervisor.ts'
import type { ChildSpec } from '../../src/kernel/supervisor-spec.ts'
import { manualClock, type ManualClock } from '../../src/kernel/manual-clock.ts'
import type { ActorRef } from '../../src/logic/actor-ref.ts'
import type { Event, SendResult } from '../../src/kernel/message.ts'

export interface ByHand {
  readonly system: ActorSystem
  readonly clock: ManualClock
  readonly ref: (address: string) => ActorRef
  /** Sends an event and runs everything that is due. */
  readonly send: (address: string, event: Event) => SendResult
  /** Moves time on and runs everything that is due, restarts among it. */
  readonly advance: (ms: number) => void
  /** The context of an actor's machine as it stands. */
  readonly context: (address: string) => unknown
}

/** Starts a system that does nothing between two calls; the children are those of a root supervisor. */
export function byHand(
  children: readonly ChildSpec[],
  options: Partial<Omit<SystemOptions, 'root' | 'clock' | 'scheduler'>> = {},
): ByHand {
  const clock = manualClock()
  const root = supervisor({ children })
  const system = createSystem({ ...options, root, clock, scheduler: 'manual' })
  let failure: { readonly error: unknown } | undefined
  system.start().catch((error: unknown) => (failure = { error }))
  const ref = (address: string) => system.ref(address)
  return {
    system,
    clock,
    ref,
    send(address, event) {
      const sent = ref(address).send(event)
      system.drain()
      return sent
    },
    advance(ms) {
      clock.advance(ms)
      system.drain()
    },
    context(address) {
      if (failure !== undefined) throw failure.error
      return (ref(address).getSnapshot() as { context: unknown }).context
    },
  }
}
