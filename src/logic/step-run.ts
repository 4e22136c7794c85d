import { AmbitError } from '../kernel/errors.ts'
import { assertJson } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { Command, End, Incoming, Step } from '../kernel/ports/engine.ts'
import { commandsOf } from './actions.ts'
import { asMachine, logicAt, logicBehind, NO_MEMBERS, parentOf, pathOf } from './cell-state.ts'
import type { CellState, Member } from './cell-state.ts'
import { invocableOf } from './invocable.ts'
import { startLive, stopLive } from './live.ts'
import { isMachine, kindOf, promiseEffect, type Logic, type MemberSnapshot } from './logic-kinds.ts'
import { explained } from './machine-definition.ts'
import { MemberRef, type ActiveStep, type Habitat } from './refs.ts'
import { StepScope, type CollectedAction } from './step-scope.ts'

/** Events between the members of one actor in one turn, before the actor is called a runaway. */
export const INTERNAL_EVENTS_MAX = 100_000

const STOP: Event = { type: 'xstate.stop' }

export interface RunOptions {
  readonly root: Logic
  readonly rootId: string
  /** Whether only what is governed, read-only or a message may run: for agents. */
  readonly governed: boolean
}

/** A member while events wait for it: XState's mailbox, and what is left of the step it is in. */
interface Runner {
  readonly path: string
  /** The id of the member, for its parent to hear of its end. */
  id: string
  readonly mailbox: Event[]
  todo: (() => void)[]
  at: number
  isStarted: boolean
  isActive: boolean
}

/** How a member begins: its first snapshot, and what it wants done. */
interface First {
  readonly snapshot: MemberSnapshot
  readonly collected: readonly CollectedAction[]
}

/** The actor that XState constructs for a child, which never runs. */
interface Constructed {
  readonly id: string
  readonly _parent?: MemberRef
  readonly _syncSnapshot?: boolean
}

interface SpawnParams {
  readonly id?: unknown
  readonly src: unknown
  readonly input: unknown
  readonly systemId?: string
  readonly actorRef?: Constructed
}

/**
 * One turn over the root of an actor and its members, in XState's own order: a member that is not at work takes an event
 * at once, before the sender goes on; one that is at work takes it afterwards. Members that wait for others are on a
 * stack of ours, so that a long chain needs no deep one. The state it began with is never touched.
 */
export class StepRun implements ActiveStep {
  private readonly options: RunOptions
  private readonly habitat: Habitat
  private readonly isDirect: boolean
  private root: MemberSnapshot | undefined
  private members: ReadonlyMap<string, Member>
  private hasOwnMembers = false
  private booked: number
  private commands: Command[] | undefined
  private readonly stack: Runner[] = []
  private roused: Runner[] | undefined
  private runners: Map<string, Runner> | undefined
  private rootRunner: Runner | undefined
  private claimed: Map<string, string> | undefined
  /** Children that XState constructed in this turn: the refs that stand for them, and those stopped before they began. */
  private adopted: Map<unknown, MemberRef> | undefined
  private cancelled: Set<unknown> | undefined
  private firsts: Map<MemberRef, First> | undefined
  private begun: Set<MemberRef> | undefined
  private stopping: Set<string> | undefined
  private endedRefs: [MemberRef, MemberSnapshot][] | undefined
  private isHalting = false
  /** Whether a member is in the middle of its own step, and not of one that begins it. */
  private isStepping = false
  /** The member that is being started. */
  private entering: string | undefined
  private events = 0

  constructor(options: RunOptions, habitat: Habitat, state: CellState | undefined) {
    this.options = options
    this.habitat = habitat
    this.isDirect = habitat.place.isDirect
    this.root = state?.root
    this.members = state?.members ?? NO_MEMBERS
    this.booked = state?.booked ?? 1
  }

  begin(input: unknown): Step {
    this.habitat.step = this
    try {
      const scope = this.scopeOf(this.habitat.root)
      const snapshot = this.options.root.getInitialSnapshot(scope, input)
      this.root = snapshot
      this.enter(this.runner(''), this.options.root, snapshot, scope.collected, input)
      this.loop()
      return this.result(this.root)
    } catch (error) {
      throw this.undone(error)
    } finally {
      this.habitat.step = undefined
    }
  }

  take(incoming: Incoming): Step {
    this.habitat.step = this
    try {
      const { target, event, end } = incoming
      if (end !== undefined) this.ended(target, end)
      else this.deliver(target, event)
      this.loop()
      return this.result(this.root)
    } catch (error) {
      throw this.undone(error)
    } finally {
      this.habitat.step = undefined
    }
  }

  /** The actor is over: its members are stopped, in the order in which XState stops them. Nothing else may happen. */
  halt(): void {
    this.isHalting = true
    const { habitat } = this
    habitat.step = this
    try {
      for (const child of Object.values(this.root?.children ?? {}))
        if (child instanceof MemberRef) this.stop(child.path)
      this.loop()
    } finally {
      habitat.step = undefined
    }
  }

  // What the refs ask while a direct step goes on.

  snapshotAt(path: string): MemberSnapshot | undefined {
    return path === '' ? this.root : this.members.get(path)?.snapshot
  }

  deliver(path: string, event: Event): void {
    // A root that is being stopped hears nothing more.
    if (this.isHalting && path === '') return
    const runner = this.runner(path)
    runner.mailbox.push(event)
    if (runner.isStarted) this.activate(runner)
  }

  bookId(): string {
    return `x:${this.booked++}`
  }

  claimSystemId(systemId: string, path: string): void {
    const ids = this.ownSystemIds()
    const holder = ids.get(systemId)
    if (holder !== undefined) throw new Error(`Actor with system ID '${systemId}' already exists.`)
    ids.set(systemId, path)
  }

  pathOfSystemId(systemId: string): string | undefined {
    return this.systemIds().get(systemId)
  }

  systemIds(): ReadonlyMap<string, string> {
    return this.ownSystemIds()
  }

  refAt(path: string): MemberRef | undefined {
    const member = this.members.get(path)?.ref
    if (member !== undefined && this.stopping?.has(path) !== true) return member
    for (const ref of this.adopted?.values() ?? []) if (ref.path === path) return ref
    return member
  }

  private result(root: MemberSnapshot | undefined): Step {
    if (root === undefined) throw new Error('an actor without a root')
    const { commands = NO_COMMANDS } = this
    const state: CellState = { root, members: this.members, booked: this.booked }
    if (root.status === 'done') return { state, status: 'done', output: root.output, commands }
    return { state, status: 'active', commands }
  }

  /** Nothing has happened: refs whose lives seemed over go on. */
  private undone(error: unknown): unknown {
    for (const [ref] of this.endedRefs ?? []) ref.revive()
    this.habitat.endedInFailure = this.endedRefs ?? NO_REFS
    return error
  }

  /** Goes on until those above `base` on the stack have nothing left to do. */
  private loop(base = 0): void {
    for (let top = this.next(base); top !== undefined; top = this.next(base)) {
      if (top.at < top.todo.length) {
        top.todo[top.at++]?.()
        continue
      }
      if (top.at > 0) {
        top.todo = []
        top.at = 0
      }
      const event = top.mailbox.shift()
      if (event === undefined) {
        top.isActive = false
        this.stack.pop()
        continue
      }
      this.transition(top.path, event)
    }
  }

  /** What was roused last in one go comes last, and all of it before whatever roused it. */
  private next(base: number): Runner | undefined {
    const { stack, roused } = this
    if (roused !== undefined)
      for (let runner = roused.pop(); runner !== undefined; runner = roused.pop())
        stack.push(runner)
    return stack.length > base ? stack.at(-1) : undefined
  }

  private transition(path: string, event: Event): void {
    if (this.events++ >= INTERNAL_EVENTS_MAX) throw this.runaway(event)
    const before = this.snapshotAt(path)
    const logic = this.logicAt(path)
    if (logic === undefined || before?.status !== 'active') return
    const kind = kindOf(logic)
    if (kind === 'callback' || (kind === 'live' && event.type === STOP.type)) {
      this.besides(path, before, event)
      return
    }
    const scope = this.scopeOf(this.refOf(path))
    const outer = this.isStepping
    let after: MemberSnapshot
    try {
      this.isStepping = true
      after = logic.transition(before, event, scope)
      this.isStepping = outer
    } catch (error) {
      this.isStepping = outer
      const machine = asMachine(logic)
      this.fail(path, before, machine ? explained(error, machine, before.value) : error)
      return
    }
    if (kind === 'promise' && event.type === STOP.type) this.want({ kind: 'release', path })
    this.settle(path, before, after, scope.collected, event)
  }

  /** What runs beside the steps hears of the event after them. */
  private besides(path: string, before: MemberSnapshot, event: Event): void {
    const { habitat } = this
    if (event.type !== STOP.type) {
      this.run('callback', () => habitat.live?.get(path)?.feed(event))
      if (this.snapshotAt(path)?.status === 'active') this.finish(path, before, event)
      return
    }
    this.run('stop', () => stopLive(habitat, path))
    this.settle(path, before, { ...before, status: 'stopped', error: undefined }, [], event)
  }

  /** Takes over what a step of one member brought: its own actions first, then what XState defers, in order. */
  private settle(
    path: string,
    before: MemberSnapshot,
    after: MemberSnapshot,
    collected: readonly CollectedAction[],
    event: Event,
    failsTo = before,
  ): void {
    if (path === '' && after.status === 'error') return this.fail(path, after, after.error)
    if (after.context !== before.context && isMachine((after as { machine?: unknown }).machine))
      assertJson(after.context, 'context', this.isDirect)
    if (after.children !== before.children) this.replaceChildren(path, after)
    const waiting = path === '' ? this.rootRunner : this.runners?.get(path)
    if (collected.length === 0 && (waiting === undefined || waiting.todo.length === waiting.at)) {
      this.set(path, after)
      this.finish(path, after, event)
      return
    }
    const runner = waiting ?? this.runner(path)
    const { todo } = runner
    for (const action of collected)
      if (isOwn(action)) todo.push(this.guarded(path, failsTo, this.own(action)))
    todo.push(() => this.set(path, after))
    for (const action of collected) if (!isOwn(action)) todo.push(() => this.carry(path, action))
    todo.push(() => this.finish(path, after, event))
    this.activate(runner)
  }

  /** A member's first snapshot: its children are started, its actions done, then it takes what waits for it. */
  private enter(
    runner: Runner,
    logic: Logic,
    snapshot: MemberSnapshot,
    collected: readonly CollectedAction[],
    input: unknown,
  ): void {
    const { path } = runner
    runner.isStarted = true
    // The records still name what XState constructed: the order in which they are listed is read first.
    const listed = Object.values(snapshot.children ?? {})
    this.replaceChildren(path, snapshot)
    if (snapshot.status === 'error') {
      const machine = asMachine(logic)
      const { error } = snapshot
      this.fail(path, snapshot, machine ? explained(error, machine, snapshot.value) : error)
      return
    }
    const none: MemberSnapshot = { status: 'active' }
    const kind = kindOf(logic)
    if (kind === 'machine') this.startFirst(runner, snapshot, collected, listed)
    const begun = runner.todo.length
    this.entering = path
    if (snapshot.status === 'active' && kind === 'promise') this.invoke(path, logic, input)
    if (snapshot.status === 'active' && (kind === 'callback' || kind === 'live')) {
      const { habitat } = this
      this.run('start', () => startLive(habitat, path, logic))
    }
    this.entering = undefined
    // Something that fails as it starts has failed already.
    if (runner.todo.length > begun) return
    this.settle(path, none, snapshot, collected, { type: 'xstate.init', input }, snapshot)
    this.activate(runner)
  }

  /** What a machine invokes as it begins is started before its entry actions, in the order in which it is listed. */
  private startFirst(
    runner: Runner,
    snapshot: MemberSnapshot,
    collected: readonly CollectedAction[],
    listed: readonly unknown[],
  ): void {
    const { path, todo } = runner
    const spawned = collected.filter(({ type }) => type === 'xstate.spawnChild')
    if (spawned.length === 0 || snapshot.status !== 'active') return
    todo.push(() => this.set(path, snapshot))
    for (const child of listed) {
      const record = spawned.find(({ params }) => (params as SpawnParams).actorRef === child)
      if (record !== undefined)
        todo.push(() => this.spawn(path, record.params as SpawnParams, true))
    }
  }

  private finish(path: string, after: MemberSnapshot, event: Event): void {
    const { habitat } = this
    const runner = path === '' ? undefined : this.runner(path)
    if (after.status === 'error') return this.fail(path, after, after.error)
    if (after.status !== 'stopped') {
      const member = this.members.get(path)
      if (member?.isSynced === true && after.status === 'active') {
        const type = `xstate.snapshot.${member.id}`
        this.deliver(parentOf(path), { type, snapshot: after })
      }
      if (habitat.isWatched(path)) this.run('observer', () => habitat.next(path, after))
    }
    if (after.status === 'active' && event.type !== STOP.type) return
    if (path === '') {
      if (after.status === 'done') this.run('end', () => void habitat.live?.delete(path))
      // Where nothing is kept the actor is over here, before whoever sent it here goes on.
      if (this.isDirect && habitat.isWatched(path)) this.run('over', () => habitat.complete(path))
      return
    }
    this.leave(path, after)
    if (habitat.isWatched(path)) this.run('observer', () => habitat.complete(path))
    if (after.status !== 'done') return this.drop(path)
    const { id } = runner ?? this.runner(path)
    const type = `xstate.done.actor.${id}`
    this.deliver(parentOf(path), { type, output: after.output, actorId: id })
  }

  private fail(path: string, before: MemberSnapshot, error: unknown): void {
    const { habitat } = this
    const failed = { ...before, status: 'error', error } as const
    const { id } = this.runner(path)
    // An observable that errs has ended by itself: there is nothing to unsubscribe from.
    if (path === '' && before.status === 'error') habitat.live?.delete(path)
    if (path === '') throw this.failedAs(failed)
    this.set(path, failed)
    this.leave(path, failed)
    // What a failed machine had started ends with it: nobody could reach it any more.
    for (const child of this.childrenOf(path)) this.stop(child)
    if (habitat.isWatched(path)) this.run('observer', () => habitat.fail(path, error))
    this.deliver(parentOf(path), { type: `xstate.error.actor.${id}`, error, actorId: id })
  }

  /** The root failed: nothing has happened, but whoever looks is shown how it stood. */
  private failedAs(failed: MemberSnapshot & { readonly status: 'error' }): unknown {
    this.habitat.failed = failed
    return failed.error
  }

  ended(path: string, end: End): void {
    const before = this.snapshotAt(path)
    const logic = this.logicAt(path)
    if (logic === undefined || before?.status !== 'active') return
    if (kindOf(logic) !== 'promise' || (path === this.entering && !end.ok)) {
      // In its place among what the member does: this may be heard in the middle of it.
      const runner = this.runner(path)
      if (!end.ok) runner.todo.push(() => this.fail(path, before, end.error))
      this.activate(runner)
      return
    }
    this.deliver(
      path,
      end.ok
        ? { type: 'xstate.promise.resolve', data: end.output }
        : { type: 'xstate.promise.reject', data: end.error },
    )
  }

  /** An action of the author's, or one of ours. */
  private own(action: CollectedAction): () => void {
    if (action.type === 'xstate.log') {
      const { label, value } = action.params as { label?: string; value: unknown }
      return () => this.want({ kind: 'log', value, ...(label !== undefined && { label }) })
    }
    const commands = commandsOf(action.exec, action.info, action.params)
    if (commands !== undefined) {
      return () => {
        for (const command of commands) this.want(command)
      }
    }
    if (typeof action.exec !== 'function') return () => undefined
    const exec = action.exec as (info: unknown, params: unknown) => unknown
    const run = () => exec(action.info, action.params)
    return this.isDirect ? run : () => this.run(action.type, run)
  }

  /** As a member begins, its actions are done one after the other: one that throws ends it there. */
  private guarded(path: string, failsTo: MemberSnapshot, act: () => void): () => void {
    return () => {
      try {
        act()
      } catch (error) {
        const runner = this.runner(path)
        runner.at = runner.todo.length
        this.fail(path, failsTo, error)
      }
    }
  }

  private carry(path: string, action: CollectedAction): void {
    switch (action.type) {
      case 'xstate.raise': {
        const { event, id, delay } = action.params as { event: Event; id?: string; delay?: number }
        if (delay !== undefined) this.schedule(path, path, event, delay, id)
        return
      }
      case 'xstate.cancel': {
        const { sendId } = action.params as { sendId: string }
        return this.want({ kind: 'cancel', owner: path, id: sendId })
      }
      case 'xstate.spawnChild':
        return this.spawn(path, action.params as SpawnParams)
      case 'xstate.stopChild':
        return this.stopRef(path, action.params)
      case 'xstate.sendTo':
        return this.sendTo(path, action.params as SendParams)
      case 'xstate.emit': {
        const { event } = action.params as { event: Event }
        const { habitat } = this
        if (habitat.isWatched(path)) this.run('emit', () => habitat.emit(path, event))
      }
    }
  }

  private schedule(
    owner: string,
    target: string,
    event: Event,
    delayMs: number,
    id?: string,
  ): void {
    const named = id ?? `~${this.booked++}`
    this.want({ kind: 'schedule', id: named, owner, target, event, delayMs })
  }

  /** `isFirst`: one that has ended as it began is left for its place among the actions. */
  private spawn(parent: string, params: SpawnParams, isFirst = false): void {
    const { actorRef, src, input } = params
    if (actorRef === undefined || this.cancelled?.has(actorRef) === true) return
    const above = this.logicAt(parent)
    const logic = above === undefined ? undefined : logicBehind(above, src)
    if (logic === undefined) return
    const ref = this.adopt(parent, actorRef)
    const { id, path } = ref
    if (this.begun?.has(ref) === true) return
    const first = this.firsts?.get(ref) ?? this.first(ref, logic, input)
    const { snapshot, collected } = first
    if (isFirst && snapshot.status !== 'active') {
      this.firsts ??= new Map()
      this.firsts.set(ref, first)
      return
    }
    this.begun ??= new Set()
    this.begun.add(ref)
    ref.src = src
    ref.systemId = params.systemId
    ref._syncSnapshot = actorRef._syncSnapshot === true
    const key = this.snapshotAt(parent)?.children?.[id] === ref ? id : String(params.id)
    this.ownMembers().set(path, {
      id,
      ref,
      key,
      src,
      snapshot,
      isSynced: actorRef._syncSnapshot === true,
      ...(params.systemId !== undefined && { systemId: params.systemId }),
    })
    const runner = this.runner(path)
    runner.id = id
    this.enter(runner, logic, snapshot, collected, input)
  }

  private first(ref: MemberRef, logic: Logic, input: unknown): First {
    const scope = this.scopeOf(ref)
    const outer = this.isStepping
    this.isStepping = false
    const snapshot = logic.getInitialSnapshot(scope, input)
    this.isStepping = outer
    return { snapshot, collected: scope.collected }
  }

  private invoke(path: string, logic: Logic, input: unknown): void {
    const src = this.members.get(path)?.src ?? this.options.rootId
    const name = typeof src === 'string' ? src : (this.members.get(path)?.id ?? '')
    const { habitat } = this
    const invocable =
      invocableOf(logic) ??
      promiseEffect(logic, {
        system: habitat.system,
        self: this.refOf(path),
        emit: (event) => habitat.emit(path, event as Event),
      })
    const isGoverned = invocable.kind === 'ask' || invocable.readOnly
    if (this.options.governed && !isGoverned) throw ungoverned(this.options.rootId, name)
    this.want({ kind: 'invoke', path, src: name, input, logic: invocable })
  }

  /**
   * An action of the author's is run at its place where nothing is kept, as XState runs it; elsewhere it waits for the
   * commit. A stop is heard at once, so that another may take the system id in the same step.
   */
  heard(self: MemberRef, action: CollectedAction): boolean {
    if (action.type === 'xstate.stopChild') this.stopHeard(action)
    if (action.type === 'xstate.spawnChild') this.spawnHeard(self.path, action)
    if (!this.isDirect || !this.isStepping || !isOwn(action)) return false
    const base = this.stack.length
    this.own(action)()
    // Whoever it has sent something to takes it before the next action.
    this.isStepping = false
    this.loop(base)
    this.isStepping = true
    return true
  }

  private spawnHeard(path: string, { params }: CollectedAction): void {
    const { actorRef } = params as SpawnParams
    if (actorRef !== undefined && this.isDirect) this.adopt(path, actorRef)
  }

  private stopHeard({ params }: CollectedAction): void {
    const ref = params as { readonly id?: string } | undefined
    if (ref === undefined) return
    if (ref instanceof MemberRef) {
      this.stopping ??= new Set()
      this.stopping.add(ref.path)
      this.releaseSystemIds(ref.path)
      return
    }
    this.cancelled ??= new Set()
    this.cancelled.add(ref)
    const path = this.adopted?.get(ref)?.path
    if (path !== undefined) this.releaseSystemIds(path)
  }

  private stopRef(path: string, ref: unknown): void {
    if (ref instanceof MemberRef && parentOf(ref.path) === path) this.stop(ref.path)
  }

  private stop(path: string): void {
    const snapshot = this.snapshotAt(path)
    if (snapshot === undefined) return
    if (snapshot.status !== 'active') return this.drop(path)
    const runner = this.runner(path)
    runner.mailbox.length = 0
    this.deliver(path, STOP)
  }

  private sendTo(path: string, params: SendParams): void {
    const { to, delay, id } = params
    const event = escalated(params.event, () => this.refOf(path).id)
    const target = this.targetOf(path, to)
    if (typeof delay === 'number') {
      if (target === undefined) throw unsupportedDelay(this.options.rootId, event.type)
      return this.schedule(path, target, event, delay, id)
    }
    if (target !== undefined) return this.deliver(target, event)
    const { address, home } = (to ?? {}) as { address?: unknown; home?: unknown }
    if (typeof address === 'string' && home === this.habitat.place.home)
      return this.want({ kind: 'tell', to: address, event, lane: 'user' })
    const foreign = to as { send?: (event: Event) => unknown } | undefined
    if (this.options.governed) throw ungoverned(this.options.rootId, `sendTo ${event.type}`)
    this.run('sendTo', () => foreign?.send?.(event))
  }

  /** The path of a ref of this actor, also of one that XState has only just constructed. */
  private targetOf(path: string, to: unknown): string | undefined {
    if (to instanceof MemberRef) {
      if (to.system !== this.habitat.system) return undefined
      return to.isStopped ? NOWHERE : to.path
    }
    if (this.cancelled?.has(to) === true) return NOWHERE
    const fresh = to as { id?: string; _parent?: unknown } | undefined
    const parent = fresh?._parent
    if (parent instanceof MemberRef && parent.system === this.habitat.system)
      return this.adopt(parent.path, to as Constructed).path
    return to === undefined ? path : undefined
  }

  /** The end of one life: its delayed events go, and its ref shows the last snapshot for good. */
  private leave(path: string, last: MemberSnapshot): void {
    const logic = this.logicAt(path)
    this.want({ kind: 'cancelUnder', owner: path })
    this.releaseSystemIds(path)
    const runner = this.runners?.get(path)
    if (runner !== undefined) runner.mailbox.length = 0
    const { habitat } = this
    const ref = this.members.get(path)?.ref
    if (ref !== undefined) {
      ref.end(last)
      this.endedRefs ??= []
      this.endedRefs.push([ref, last])
    }
    const kind = logic === undefined ? 'plain' : kindOf(logic)
    if (kind === 'live' && last.status !== 'stopped')
      this.run('end', () => void habitat.live?.delete(path))
    if (kind === 'callback' && last.status === 'error')
      this.run('end', () => stopLive(habitat, path))
  }

  /** Forgets a member that is over, and whatever is left below it. */
  private drop(path: string): void {
    const { habitat } = this
    for (const below of this.childrenOf(path)) {
      this.run('stop', () => stopLive(habitat, below))
      this.want({ kind: 'release', path: below })
      this.drop(below)
    }
    this.runners?.delete(path)
    this.stopping?.delete(path)
    this.ownMembers().delete(path)
  }

  private run(name: string, run: () => unknown): void {
    this.want({ kind: 'observe', name, run })
  }

  private want(command: Command): void {
    if (this.isHalting) {
      if (command.kind === 'observe') this.habitat.attempt(command.run)
      else if (command.kind === 'release') this.habitat.place.perform(command)
    } else if (this.isDirect) this.habitat.place.perform(command)
    else {
      this.commands ??= []
      this.commands.push(command)
    }
  }

  private set(path: string, snapshot: MemberSnapshot): void {
    if (path === '') this.root = snapshot
    else {
      const member = this.members.get(path)
      if (member !== undefined) this.ownMembers().set(path, { ...member, snapshot })
    }
  }

  private activate(runner: Runner): void {
    if (runner.isActive) return
    runner.isActive = true
    this.roused ??= []
    this.roused.push(runner)
  }

  private runner(path: string): Runner {
    if (path === '') return (this.rootRunner ??= newRunner('', this.root !== undefined))
    this.runners ??= new Map()
    const known = this.runners.get(path)
    if (known !== undefined) return known
    const runner = newRunner(path, this.members.has(path))
    runner.id = this.members.get(path)?.id ?? ''
    this.runners.set(path, runner)
    return runner
  }

  private scopeOf(ref: MemberRef): StepScope {
    return new StepScope(ref, this.habitat.system, this)
  }

  private refOf(path: string): MemberRef {
    return this.members.get(path)?.ref ?? this.habitat.root
  }

  private logicAt(path: string): Logic | undefined {
    return path === '' ? this.options.root : logicAt(this.options.root, this.members, path)
  }

  private childrenOf(path: string): string[] {
    return [...this.members.keys()].filter((each) => parentOf(each) === path)
  }

  private ownMembers(): Map<string, Member> {
    if (!this.hasOwnMembers) this.members = new Map(this.members)
    this.hasOwnMembers = true
    return this.members as Map<string, Member>
  }

  private ownSystemIds(): Map<string, string> {
    if (this.claimed !== undefined) return this.claimed
    this.claimed = new Map()
    for (const [path, { systemId, snapshot }] of this.members)
      if (systemId !== undefined && snapshot.status === 'active') this.claimed.set(systemId, path)
    return this.claimed
  }

  private releaseSystemIds(path: string): void {
    if (this.claimed === undefined && this.members.size === 0) return
    const ids = this.ownSystemIds()
    for (const [systemId, holder] of [...ids])
      if (holder === path || holder.startsWith(`${path}/`)) ids.delete(systemId)
  }

  /** XState constructs an actor for each child; a ref of ours takes its place in the snapshot. */
  private replaceChildren(path: string, { children = {} }: MemberSnapshot): void {
    for (const [key, child] of Object.entries(children)) {
      if (child === undefined || child instanceof MemberRef) continue
      children[key] = this.adopt(path, child as Constructed)
    }
  }

  /** The ref for a child that XState has constructed: at its id's path, unless one that goes on is there. */
  private adopt(parent: string, child: Constructed): MemberRef {
    const known = this.adopted?.get(child)
    if (known !== undefined) return known
    const wanted = pathOf(parent, child.id)
    let path = wanted
    for (let n = 2; this.isTaken(path); n++) path = `${wanted}%${n}`
    const ref = new MemberRef(this.habitat, child.id, path, child._parent ?? this.refOf(parent))
    this.adopted ??= new Map()
    this.adopted.set(child, ref)
    return ref
  }

  private isTaken(path: string): boolean {
    // One that is at work hears of its end afterwards, when the other has begun.
    if (this.runners?.get(path)?.isActive === true) return true
    for (const [child, ref] of this.adopted ?? NO_ADOPTED)
      if (ref.path === path && !ref.isStopped && this.cancelled?.has(child) !== true) return true
    return this.members.get(path)?.snapshot.status === 'active' && this.stopping?.has(path) !== true
  }

  private runaway(event: Event): AmbitError {
    return new AmbitError(
      'AMBIT_LOOP_LIMIT',
      `"${this.options.rootId}" in state ${JSON.stringify(this.root?.value ?? null)} passed ${INTERNAL_EVENTS_MAX} ` +
        `events between its own members in one turn, the last one "${event.type}". Break the cycle.`,
    )
  }
}

interface SendParams {
  readonly to: unknown
  readonly event: Event
  readonly delay?: number
  readonly id?: string
}

const NO_ADOPTED: ReadonlyMap<unknown, MemberRef> = new Map()
const NO_COMMANDS: readonly Command[] = []
const NO_REFS: readonly [MemberRef, MemberSnapshot][] = []

/** Where nobody is: what is sent to a ref whose life is over goes there. */
const NOWHERE = '%gone'

function newRunner(path: string, isStarted: boolean): Runner {
  return { path, id: '', mailbox: [], todo: [], at: 0, isStarted, isActive: false }
}

/** XState's own way to tell another actor of an error. */
function escalated(event: Event, id: () => string): Event {
  if (event.type !== 'xstate.error') return event
  return { type: `xstate.error.actor.${id()}`, error: event.data, actorId: id() }
}

function isOwn({ type }: CollectedAction): boolean {
  return !type.startsWith('xstate.') || type === 'xstate.log'
}

/** The boot check finds what a chart shows; this finds what a function enqueues while it runs. */
function ungoverned(machine: string, what: string): AmbitError {
  return new AmbitError(
    'AMBIT_UNGOVERNED_EFFECT',
    `Agent machine "${machine}" tried to run "${what}", which is neither governed nor read-only. Nothing was run.`,
  )
}

function unsupportedDelay(machine: string, type: string): AmbitError {
  return new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `Machine "${machine}" sends "${type}" with a delay to an actor outside itself. ` +
      'Raise a delayed event and send from its transition.',
  )
}
