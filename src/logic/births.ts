import { logicBehind, pathOf } from './cell-state.ts'
import type { Cascade, Runner } from './cascade.ts'
import type { Draft } from './draft.ts'
import type { Logic, MemberSnapshot } from './logic-kinds.ts'
import { MemberRef, type Habitat } from './refs.ts'
import type { CollectedAction } from './step-scope.ts'

/** How a member begins: its first snapshot, and what it wants done. */
export interface First {
  readonly snapshot: MemberSnapshot
  readonly collected: readonly CollectedAction[]
}

/** The actor that XState constructs for a child, which never runs. */
export interface Constructed {
  readonly id: string
  readonly _parent?: MemberRef
  readonly _syncSnapshot?: boolean
}

export interface SpawnParams {
  readonly id?: unknown
  readonly src: unknown
  readonly input: unknown
  readonly systemId?: string
  readonly actorRef?: Constructed
}

/** The run in which children are born. */
export interface BirthRun {
  readonly habitat: Habitat
  readonly draft: Draft
  readonly cascade: Cascade
  readonly births: Births
  /** Begins a member, whose actions are still to be done. */
  first(ref: MemberRef, logic: Logic, input: unknown): First
  enter(runner: Runner, logic: Logic, first: First, input: unknown): void
  releaseSystemIds(path: string): void
}

/**
 * The children that begin in one turn: the refs that stand for what XState constructed, how they began, and which of
 * them, or of those before them, are to stop.
 */
export class Births {
  private readonly run: BirthRun
  private readonly adopted = new Map<unknown, MemberRef>()
  /** Those stopped before they began. */
  private cancelled: Set<unknown> | undefined
  private firsts: Map<MemberRef, First> | undefined
  private begun: Set<MemberRef> | undefined
  private stopping: Set<string> | undefined

  constructor(run: BirthRun) {
    this.run = run
  }

  /** The ref for a child that XState has constructed: at its id's path, unless one that goes on is there. */
  adopt(parent: string, child: Constructed): MemberRef {
    const known = this.adopted.get(child)
    if (known !== undefined) return known
    const { habitat, draft } = this.run
    const wanted = pathOf(parent, child.id)
    let path = wanted
    for (let n = 2; this.isTaken(path); n++) path = `${wanted}%${n}`
    const ref = new MemberRef(habitat, child.id, path, child._parent ?? draft.refOf(parent))
    this.adopted.set(child, ref)
    return ref
  }

  refAt(path: string): MemberRef | undefined {
    for (const ref of this.adopted.values()) if (ref.path === path) return ref
    return undefined
  }

  isCancelled(child: unknown): boolean {
    return this.cancelled?.has(child) === true
  }

  isStopping(path: string): boolean {
    return this.stopping?.has(path) === true
  }

  /** In a direct step others may be sent to a child from the moment its action is announced. */
  announce(parent: string, { actorRef }: SpawnParams): void {
    if (actorRef !== undefined) this.adopt(parent, actorRef)
  }

  /** A child is to stop, perhaps before it has begun: others may have what it holds. */
  stop(child: unknown): void {
    if (child instanceof MemberRef) {
      this.stopping ??= new Set()
      this.stopping.add(child.path)
      this.run.releaseSystemIds(child.path)
      return
    }
    this.cancelled ??= new Set()
    this.cancelled.add(child)
    const path = this.adopted.get(child)?.path
    if (path !== undefined) this.run.releaseSystemIds(path)
  }

  hasStopped(path: string): void {
    this.stopping?.delete(path)
  }

  /** What a machine invokes as it begins is started before its entry actions, in the order in which it is listed. */
  startFirst(runner: Runner, { snapshot, collected }: First, listed: readonly unknown[]): void {
    const { path, todo } = runner
    const spawned = collected.filter(({ type }) => type === 'xstate.spawnChild')
    todo.push(() => this.run.draft.setSnapshot(path, snapshot))
    for (const child of listed) {
      const record = spawned.find(({ params }) => (params as SpawnParams).actorRef === child)
      if (record !== undefined)
        todo.push(() => this.spawn(path, record.params as SpawnParams, true))
    }
  }

  /** `isFirst`: one that has ended as it began is left for its place among the actions. */
  spawn(parent: string, params: SpawnParams, isFirst = false): void {
    const { actorRef, src, input } = params
    if (actorRef === undefined || this.isCancelled(actorRef)) return
    const above = this.run.draft.logicAt(parent)
    const logic = above === undefined ? undefined : logicBehind(above, src)
    if (logic === undefined) return
    const ref = this.adopt(parent, actorRef)
    if (this.begun?.has(ref) === true) return
    const first = this.firsts?.get(ref) ?? this.run.first(ref, logic, input)
    if (isFirst && first.snapshot.status !== 'active') {
      this.firsts ??= new Map()
      this.firsts.set(ref, first)
      return
    }
    this.begun ??= new Set()
    this.begun.add(ref)
    this.place(parent, ref, params, actorRef, first.snapshot)
    const runner = this.run.cascade.runner(ref.path)
    runner.id = ref.id
    this.run.enter(runner, logic, first, input)
  }

  /** Puts a member that begins among the others. */
  private place(
    parent: string,
    ref: MemberRef,
    { id: named, src, systemId }: SpawnParams,
    { _syncSnapshot }: Constructed,
    snapshot: MemberSnapshot,
  ): void {
    const { draft } = this.run
    const { id, path } = ref
    const isSynced = _syncSnapshot === true
    ref.src = src
    ref.systemId = systemId
    ref._syncSnapshot = isSynced
    const key = draft.snapshotAt(parent)?.children?.[id] === ref ? id : String(named)
    draft.put(path, {
      id,
      ref,
      key,
      src,
      snapshot,
      isSynced,
      ...(systemId !== undefined && { systemId }),
    })
  }

  private isTaken(path: string): boolean {
    const { cascade, draft } = this.run
    // One that is at work hears of its end afterwards, when the other has begun.
    if (cascade.known(path)?.isActive === true) return true
    for (const [child, ref] of this.adopted)
      if (ref.path === path && !ref.isStopped && !this.isCancelled(child)) return true
    return draft.members.get(path)?.snapshot.status === 'active' && !this.isStopping(path)
  }
}

/** XState constructs an actor for each child; a ref of ours takes its place in the snapshot. */
export function adoptChildren(
  run: BirthRun,
  path: string,
  { children = {} }: MemberSnapshot,
): void {
  for (const [key, child] of Object.entries(children)) {
    if (child === undefined || child instanceof MemberRef) continue
    children[key] = run.births.adopt(path, child as Constructed)
  }
}
