import type { AnyActorRef } from 'xstate'
import type { Address } from '../kernel/address.ts'
import type { Event, SendResult } from '../kernel/message.ts'
import type { ActorRef as KernelRef, AskOptions, SendOptions } from '../kernel/ref.ts'

/**
 * What others hold of an actor: an address that stays valid over restarts, and XState's own view of it. XState's
 * `waitFor`, `toPromise` and whatever else takes an actor ref take this one.
 *
 * `getSnapshot()` is XState's snapshot object after the last turn; an actor that went down shows `status: 'error'` and
 * what it threw. `subscribe` and `on` tell of what happens after the call; a late subscriber to an actor that is
 * done or has failed hears `complete` or `error` at once.
 */
export interface ActorRef extends Omit<AnyActorRef, 'send' | 'stop'> {
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
  /** Ends the actor for good, as `system.stopActor(address)` does. */
  stop(): void
}

/** Joins the kernel's ref and the engine's view of the same actor. */
export function actorRef(inner: KernelRef, stop: (address: Address) => void): ActorRef {
  const ref = new SystemRef(inner, stop)
  return ref as unknown as ActorRef
}

class SystemRef {
  readonly address: Address
  readonly id: string
  readonly sessionId: string
  private readonly inner: KernelRef
  private readonly stopActor: (address: Address) => void

  constructor(inner: KernelRef, stop: (address: Address) => void) {
    this.inner = inner
    this.stopActor = stop
    this.address = inner.address
    this.sessionId = inner.address
    this.id = inner.address.slice(inner.address.lastIndexOf('/') + 1)
  }

  send(event: Event, options?: SendOptions): SendResult {
    return this.inner.send(event, options)
  }

  /** XState delivers with this one. */
  _send(event: Event): void {
    this.inner.send(event)
  }

  ask(event: Event, options?: AskOptions): Promise<Event> {
    return this.inner.ask(event, options)
  }

  deliver(event: Event, options: { readonly id: string }): Promise<'committed' | 'duplicate'> {
    return this.inner.deliver(event, options)
  }

  stop(): void {
    this.stopActor(this.address)
  }

  start(): this {
    return this
  }

  /** Whose actor it is, so that a machine of another system does not take it for its own. */
  get home(): unknown {
    return this.inner.home
  }

  get system(): unknown {
    return this.view.system
  }

  get src(): unknown {
    return this.view.src
  }

  getSnapshot(): unknown {
    return this.view.getSnapshot()
  }

  getPersistedSnapshot(): unknown {
    return this.view.getPersistedSnapshot()
  }

  subscribe(...observer: Parameters<AnyActorRef['subscribe']>) {
    return this.view.subscribe(...observer)
  }

  on(type: string, handler: (event: Event) => void) {
    return this.view.on(type, handler)
  }

  select(selector: (snapshot: never) => unknown, isEqual?: (a: unknown, b: unknown) => boolean) {
    return this.view.select(selector as never, isEqual)
  }

  toJSON() {
    return { xstate$$type: 1, id: this.id }
  }

  ['@@observable'](): this {
    return this
  }

  private get view(): AnyActorRef {
    return this.inner.view() as AnyActorRef
  }
}

// Libraries of observables ask for this symbol where a polyfill has made it, and for its name elsewhere.
const { observable } = Symbol as { observable?: symbol }
if (observable !== undefined) {
  Object.defineProperty(SystemRef.prototype, observable, {
    value(this: SystemRef) {
      return this
    },
  })
}
