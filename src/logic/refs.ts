import { toObserver, type AnyActorRef, type Observer, type Subscription } from 'xstate'
import type { Event } from '../kernel/message.ts'
import type { End, Place } from '../kernel/ports/engine.ts'
import { logicAt, NO_MEMBERS, pathOf, type CellState } from './cell-state.ts'
import type { Logic, MemberSnapshot } from './logic-kinds.ts'

/** What is being stepped in a place at this moment, if anything is. */
export interface ActiveStep {
  snapshotAt(path: string): MemberSnapshot | undefined
  deliver(path: string, event: Event): void
  ended(path: string, end: End): void
  bookId(): string
  claimSystemId(systemId: string, path: string): void
  pathOfSystemId(systemId: string): string | undefined
  systemIds(): ReadonlyMap<string, string>
  refAt(path: string): MemberRef | undefined
}

interface Watch {
  readonly observers: Set<Observer<MemberSnapshot>>
  readonly listeners: Map<string, Set<(event: Event) => void>>
}

/** What the engine keeps of one actor in memory beside its state: refs, observers, and what runs beside the steps. */
export class Habitat {
  readonly place: Place
  private readonly logic: Logic
  readonly root: MemberRef
  readonly system: CellSystem
  step: ActiveStep | undefined
  /** The scope of a reducer, which is the same at every step. */
  reducerScope: unknown
  /** What a reducer has sent itself in its step: that comes next. */
  readonly sentToSelf: Event[] = []
  /** What runs beside the steps, and how to stop it. */
  live: Map<string, LiveMember> | undefined
  /** The root's snapshot as it failed, for whoever looks at an actor that is down. */
  failed: (MemberSnapshot & { readonly status: 'error' }) | undefined
  /** The members that had ended in the step that failed. */
  endedInFailure: readonly (readonly [MemberRef, MemberSnapshot])[] = []
  private watches: Map<string, Watch> | undefined

  constructor(place: Place, rootId: string, logic: Logic) {
    this.place = place
    this.logic = logic
    this.system = new CellSystem(this)
    this.root = new MemberRef(this, rootId, '', undefined)
  }

  static at(place: Place, rootId: string, logic: Logic): Habitat {
    const known = place.slot as Habitat | undefined
    if (known !== undefined) return known
    const made = new Habitat(place, rootId, logic)
    place.slot = made
    return made
  }

  logicAt(path: string): Logic | undefined {
    return logicAt(this.logic, this.state()?.members ?? NO_MEMBERS, path)
  }

  state(): CellState | undefined {
    return this.place.state as CellState | undefined
  }

  snapshotAt(path: string): MemberSnapshot | undefined {
    if (this.step !== undefined) return this.step.snapshotAt(path)
    const state = this.state()
    return path === '' ? state?.root : state?.members.get(path)?.snapshot
  }

  /** The ref that stands for the member at a path; every life of a member has its own. */
  refAt(path: string): MemberRef | undefined {
    if (path === '') return this.root
    return this.step?.refAt(path) ?? this.state()?.members.get(path)?.ref
  }

  /** Brings an event to a member: at once while a direct step goes on, else through the mailbox. */
  relay(path: string, event: Event): void {
    if (this.step !== undefined) this.step.deliver(path, event)
    else if (this.isReducing(path)) this.sentToSelf.push(event)
    else this.place.post(path, event)
  }

  /** Whether the step that goes on is that of a reducer which takes the short way. */
  isReducing(path: string): boolean {
    return this.place.isInTurn && this.step === undefined && path === ''
  }

  /** Something that runs beside the steps has ended. */
  ended(path: string, end: End): void {
    if (this.step !== undefined) this.step.ended(path, end)
    else this.place.end(path, end)
  }

  /** Whether anybody waits to hear of the actor or a member of it. */
  get isObserved(): boolean {
    return this.watches !== undefined
  }

  isWatched(path: string): boolean {
    return this.watches?.has(path) ?? false
  }

  watch(path: string): Watch {
    this.watches ??= new Map()
    const known = this.watches.get(path)
    if (known !== undefined) return known
    const watch = { observers: new Set<Observer<MemberSnapshot>>(), listeners: new Map() }
    this.watches.set(path, watch)
    return watch
  }

  // Observers that come or go while others are told are heeded, as in XState.

  next(path: string, snapshot: MemberSnapshot): void {
    for (const observer of this.observersOf(path)) this.attempt(() => observer.next?.(snapshot))
  }

  complete(path: string): void {
    for (const observer of this.observersOf(path)) this.attempt(() => observer.complete?.())
    this.watches?.delete(path)
  }

  fail(path: string, error: unknown): void {
    for (const observer of this.observersOf(path)) this.attempt(() => observer.error?.(error))
    this.watches?.delete(path)
  }

  emit(path: string, event: Event): void {
    const listeners = this.watches?.get(path)?.listeners
    if (listeners === undefined) return
    const heard = [...(listeners.get(event.type) ?? []), ...(listeners.get('*') ?? [])]
    for (const hear of heard) this.attempt(() => hear(event))
  }

  /** What an observer throws must not reach those who are told after it. */
  attempt(run: () => unknown): void {
    try {
      run()
    } catch (error) {
      this.place.warn(error, 'an observer failed')
    }
  }

  private observersOf(path: string): Iterable<Observer<MemberSnapshot>> {
    return this.watches?.get(path)?.observers ?? NOBODY
  }
}

export interface LiveMember {
  readonly ref: MemberRef
  feed(event: Event): void
  stop(): void
}

/** XState's actor ref, for the root of an actor or one of its members. */
export class MemberRef {
  readonly id: string
  readonly path: string
  readonly _parent: MemberRef | undefined
  /** Set when this life of the member is over: what is sent to it goes nowhere. */
  isStopped = false
  src: unknown
  systemId: string | undefined
  _syncSnapshot = false
  private readonly habitat: Habitat
  private last: MemberSnapshot | undefined

  constructor(habitat: Habitat, id: string, path: string, parent: MemberRef | undefined) {
    this.habitat = habitat
    this.id = id
    this.path = path
    this._parent = parent
  }

  get ref(): this {
    return this
  }

  get system(): CellSystem {
    return this.habitat.system
  }

  get sessionId(): string {
    const { address } = this.habitat.place
    return this.path === '' ? address : `${address}#${this.path}`
  }

  /** XState asks this of an actor it may have to stop: 1 runs, 2 has stopped. */
  get _processingStatus(): number {
    return this.isStopped ? 2 : 1
  }

  /** For everybody: outside a step the event is checked and copied like any that comes from outside. */
  get send(): (event: Event) => void {
    return (event) => {
      const { habitat, path } = this
      if (this.isStopped) return
      const isInStep = habitat.step !== undefined || habitat.isReducing(path)
      if (!isInStep) habitat.place.post(path, event, true)
      else if (typeof (event as Event | undefined)?.type === 'string') this._send(event)
      else habitat.place.warn(new TypeError('expected an event with a "type"'), 'not taken')
    }
  }

  _send(event: Event): void {
    if (!this.isStopped) this.habitat.relay(this.path, event)
  }

  getSnapshot(): MemberSnapshot {
    if (this.last !== undefined) return this.last
    const { habitat, path } = this
    const outcome = path === '' ? habitat.place.outcome : undefined
    const { failed } = habitat
    if (failed !== undefined && outcome?.status === 'error' && failed.error === outcome.error)
      return failed
    const snapshot = habitat.snapshotAt(path) ?? NOT_STARTED
    if (outcome === undefined || outcome.status === snapshot.status) return snapshot
    // A machine that was stopped has let go of its children.
    const alone = outcome.status === 'stopped' &&
      snapshot.children !== undefined && { children: {} }
    return { ...snapshot, ...outcome, ...alone }
  }

  getPersistedSnapshot(options?: unknown): unknown {
    const snapshot = this.getSnapshot()
    return this.habitat.logicAt(this.path)?.getPersistedSnapshot(snapshot, options) ?? snapshot
  }

  subscribe(
    next: Observer<MemberSnapshot> | ((snapshot: MemberSnapshot) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription {
    const observer = toObserver<MemberSnapshot>(next, error, complete)
    const over = this.path === '' ? this.habitat.place.outcome : this.memberOutcome()
    if (over?.status === 'done') this.habitat.attempt(() => observer.complete?.())
    else if (over?.status === 'error') this.habitat.attempt(() => observer.error?.(over.error))
    if (over !== undefined) return { unsubscribe: () => undefined }
    const { observers } = this.habitat.watch(this.path)
    observers.add(observer)
    return { unsubscribe: () => void observers.delete(observer) }
  }

  on(type: string, handler: (event: Event) => void): Subscription {
    const { listeners } = this.habitat.watch(this.path)
    const heard = listeners.get(type) ?? new Set()
    const hear = (event: Event) => handler(event)
    listeners.set(type, heard.add(hear))
    return { unsubscribe: () => void heard.delete(hear) }
  }

  select<T>(selector: (snapshot: unknown) => T, isEqual: (a: T, b: T) => boolean = Object.is) {
    return {
      get: () => selector(this.getSnapshot()),
      subscribe: (next: Observer<T> | ((value: T) => void)) => {
        const observer = toObserver<T>(next)
        let previous = selector(this.getSnapshot())
        return this.subscribe((snapshot) => {
          const value = selector(snapshot)
          if (isEqual(previous, value)) return
          previous = value
          observer.next?.(value)
        })
      },
    }
  }

  /** An actor of Ambit is started by its system. */
  start(): this {
    return this
  }

  ['@@observable'](): this {
    return this
  }

  toJSON() {
    return { xstate$$type: 1, id: this.id }
  }

  /** This life ends with a last snapshot, which the ref goes on showing. */
  end(snapshot: MemberSnapshot): void {
    if (this.isStopped) return
    this.isStopped = true
    this.last = snapshot
  }

  /** The turn in which it ended has not happened. */
  revive(): void {
    this.isStopped = false
    this.last = undefined
  }

  private memberOutcome(): MemberSnapshot | undefined {
    return this.isStopped ? this.getSnapshot() : undefined
  }
}

const NOBODY: readonly never[] = []
const NOT_STARTED: MemberSnapshot = { status: 'active' }

/** The actor system that XState's own code sees: one actor of Ambit with its members. */
export class CellSystem {
  private readonly habitat: Habitat

  constructor(habitat: Habitat) {
    this.habitat = habitat
  }

  get(systemId: string): MemberRef | undefined {
    const { step } = this.habitat
    const path = step === undefined ? this.stored().get(systemId) : step.pathOfSystemId(systemId)
    return path === undefined ? undefined : this.habitat.refAt(path)
  }

  getAll(): Record<string, MemberRef | undefined> {
    const all = this.habitat.step?.systemIds() ?? this.stored()
    return Object.fromEntries(
      [...all].map(([systemId, path]) => [systemId, this.habitat.refAt(path)]),
    )
  }

  _bookId(): string {
    return this.habitat.step?.bookId() ?? 'x:0'
  }

  _set(systemId: string, actor: { readonly id: string; readonly _parent?: MemberRef }): void {
    const { _parent: parent } = actor
    if (parent !== undefined)
      this.habitat.step?.claimSystemId(systemId, pathOf(parent.path, actor.id))
  }

  _relay(_source: unknown, target: AnyActorRef | MemberRef, event: Event): void {
    ;(target as unknown as { _send(event: Event): void })._send(event)
  }

  /** XState constructs an actor for each child before it steps it; a stand-in keeps it from stepping by itself. */
  _sendInspectionEvent(event: {
    readonly type: string
    readonly actorRef: { logic: unknown }
  }): void {
    if (event.type === '@xstate.actor') event.actorRef.logic = STAND_IN
  }

  _unregister(): void {
    // Members leave with their own end.
  }

  _register(): void {
    // Members are registered by the step that starts them.
  }

  inspect(): Subscription {
    return { unsubscribe: () => undefined }
  }

  private stored(): ReadonlyMap<string, string> {
    const ids = new Map<string, string>()
    for (const [path, { systemId, snapshot }] of this.habitat.state()?.members ?? [])
      if (systemId !== undefined && snapshot.status === 'active') ids.set(systemId, path)
    return ids
  }
}

const STAND_IN = {
  getInitialSnapshot: () => NOT_STARTED,
  transition: (snapshot: unknown) => snapshot,
}
