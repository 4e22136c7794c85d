import { assertJson } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { Command, End, Incoming, Step } from '../kernel/ports/engine.ts'
import { adoptChildren, Births, type BirthRun, type First, type SpawnParams } from './births.ts'
import { Cascade, type Runner, type Stepper } from './cascade.ts'
import { asMachine, parentOf, type CellState } from './cell-state.ts'
import { Departures, STOP, type DepartureRun } from './departures.ts'
import { Draft } from './draft.ts'
import { startLive, stopLive } from './live.ts'
import { isMachine, kindOf, type Logic, type MemberSnapshot } from './logic-kinds.ts'
import { explained } from './machine-definition.ts'
import { MemberRef, type ActiveStep, type Habitat } from './refs.ts'
import {
  beginAgain,
  carryAction,
  invokeLogic,
  isOwn,
  isSpawn,
  ownAction,
  type ActionRun,
} from './step-actions.ts'
import { StepScope, type ActionHearer, type CollectedAction } from './step-scope.ts'
import { SystemIds } from './system-ids.ts'

export { INTERNAL_EVENTS_MAX } from './cascade.ts'

const NO_COMMANDS: readonly Command[] = []
const NO_REFS: readonly [MemberRef, MemberSnapshot][] = []

export interface RunOptions {
  readonly root: Logic
  readonly rootId: string
  /** Whether only what is governed, read-only or a message may run: for agents. */
  readonly governed: boolean
  /** Whether its context is known to be JSON. */
  readonly isOwn: boolean
}

/** One turn over the root of an actor and its members: who is stepped, and what becomes of them. */
export class StepRun
  implements ActiveStep, ActionHearer, ActionRun, BirthRun, DepartureRun, Stepper
{
  readonly options: RunOptions
  readonly habitat: Habitat
  readonly isDirect: boolean
  readonly draft: Draft
  readonly cascade: Cascade
  private born: Births | undefined
  private departed: Departures | undefined
  private ids: SystemIds | undefined
  private commands: Command[] | undefined
  private isHalting = false
  /** Whether a member is in the middle of its own step, and not of one that begins it. */
  private isStepping = false
  /** The member that is being started. */
  private entering: string | undefined

  constructor(options: RunOptions, habitat: Habitat, state: CellState | undefined) {
    this.options = options
    this.habitat = habitat
    this.isDirect = habitat.place.isDirect
    this.draft = new Draft(options.root, habitat.root, state)
    this.cascade = new Cascade(this.draft, this)
  }

  begin(input: unknown): Step {
    return this.whole(() => {
      const { habitat, options } = this
      const first = this.first(habitat.root, options.root, input)
      this.draft.root = first.snapshot
      this.enter(this.cascade.runner(''), options.root, first, input)
    })
  }

  take({ target, event, end }: Incoming): Step {
    return this.whole(() => {
      if (end !== undefined) this.ended(target, end)
      else this.deliver(target, event)
    })
  }

  /** Goes on from a snapshot: what ran beside the steps begins again, as in XState. */
  goOn(): Step {
    return this.whole(() => {
      for (const path of ['', ...this.draft.members.keys()]) beginAgain(this, path)
    })
  }

  private whole(act: () => void): Step {
    this.habitat.step = this
    try {
      act()
      this.cascade.loop()
      return this.result()
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
      for (const child of Object.values(this.draft.root?.children ?? {}))
        if (child instanceof MemberRef) this.departures.stop(child.path)
      this.cascade.loop()
    } finally {
      habitat.step = undefined
    }
  }

  // What the refs ask while a direct step goes on.

  snapshotAt(path: string): MemberSnapshot | undefined {
    return this.draft.snapshotAt(path)
  }

  deliver(path: string, event: Event): void {
    // A root that is being stopped hears nothing more.
    if (this.isHalting && path === '') return
    this.cascade.deliver(path, event)
  }

  ended(path: string, end: End): void {
    const before = this.draft.snapshotAt(path)
    const logic = this.draft.logicAt(path)
    if (logic === undefined || before?.status !== 'active') return
    if (kindOf(logic) !== 'promise' || (path === this.entering && !end.ok)) {
      // In its place among what the member does: this may be heard in the middle of it.
      const runner = this.cascade.runner(path)
      if (!end.ok) runner.todo.push(() => this.departures.fail(path, before, end.error))
      this.cascade.activate(runner)
      return
    }
    this.deliver(
      path,
      end.ok
        ? { type: 'xstate.promise.resolve', data: end.output }
        : { type: 'xstate.promise.reject', data: end.error },
    )
  }

  bookId(): string {
    return `x:${this.draft.book()}`
  }

  claimSystemId(systemId: string, path: string): void {
    this.ownIds().claim(systemId, path)
  }

  pathOfSystemId(systemId: string): string | undefined {
    return this.systemIds().get(systemId)
  }

  systemIds(): ReadonlyMap<string, string> {
    return this.ownIds().all()
  }

  refAt(path: string): MemberRef | undefined {
    const member = this.draft.members.get(path)?.ref
    if (member !== undefined && this.born?.isStopping(path) !== true) return member
    return this.born?.refAt(path) ?? member
  }

  // What the actions, births and departures of the run ask of it. Most runs have none.

  get births(): Births {
    return (this.born ??= new Births(this))
  }

  get departures(): Departures {
    return (this.departed ??= new Departures(this))
  }

  releaseSystemIds(path: string): void {
    if (this.ids === undefined && this.draft.members.size === 0) return
    this.ownIds().release(path)
  }

  /**
   * An action of the author's is run at its place where nothing is kept, as XState runs it; elsewhere it waits for the
   * commit. A stop is heard at once, so that another may take the system id in the same step.
   */
  heard(self: MemberRef, action: CollectedAction): boolean {
    const { type, params } = action
    if (type === 'xstate.stopChild' && params !== undefined) this.births.stop(params)
    if (type === 'xstate.spawnChild' && this.isDirect)
      this.births.announce(self.path, params as SpawnParams)
    if (!this.isDirect || !this.isStepping || !isOwn(action)) return false
    const base = this.cascade.depth
    ownAction(this, action)()
    // Whoever it has sent something to takes it before the next action.
    this.isStepping = false
    this.cascade.loop(base)
    this.isStepping = true
    return true
  }

  first(ref: MemberRef, logic: Logic, input: unknown): First {
    const scope = this.scopeOf(ref)
    const outer = this.isStepping
    this.isStepping = false
    const snapshot = logic.getInitialSnapshot(scope, input)
    this.isStepping = outer
    return { snapshot, collected: scope.collected }
  }

  /** A member's first snapshot: its children are started, its actions done, then it takes what waits for it. */
  enter(runner: Runner, logic: Logic, first: First, input: unknown): void {
    const { path } = runner
    const { snapshot, collected } = first
    runner.isStarted = true
    // The records still name what XState constructed: the order in which they are listed is read first.
    const listed = Object.values(snapshot.children ?? {})
    adoptChildren(this, path, snapshot)
    if (snapshot.status === 'error') {
      const machine = asMachine(logic)
      const { error } = snapshot
      this.departures.fail(
        path,
        snapshot,
        machine ? explained(error, machine, snapshot.value) : error,
      )
      return
    }
    const none: MemberSnapshot = { status: 'active' }
    const kind = kindOf(logic)
    if (kind === 'machine' && snapshot.status === 'active' && collected.some(isSpawn))
      this.births.startFirst(runner, first, listed)
    const begun = runner.todo.length
    this.entering = path
    if (snapshot.status === 'active' && kind === 'promise') invokeLogic(this, path, logic, input)
    if (snapshot.status === 'active' && (kind === 'callback' || kind === 'live')) {
      const { habitat } = this
      this.observe('start', () => startLive(habitat, path, logic))
    }
    this.entering = undefined
    // Something that fails as it starts has failed already.
    if (runner.todo.length > begun) return
    this.settle(path, none, snapshot, collected, { type: 'xstate.init', input }, snapshot)
    this.cascade.activate(runner)
  }

  transition(path: string, event: Event): void {
    const before = this.draft.snapshotAt(path)
    const logic = this.draft.logicAt(path)
    if (logic === undefined || before?.status !== 'active') return
    const kind = kindOf(logic)
    if (kind === 'callback' || (kind === 'live' && event.type === STOP.type)) {
      this.besides(path, before, event)
      return
    }
    const scope = this.scopeOf(this.draft.refOf(path))
    const outer = this.isStepping
    let after: MemberSnapshot
    try {
      this.isStepping = true
      after = logic.transition(before, event, scope)
      this.isStepping = outer
    } catch (error) {
      this.isStepping = outer
      const machine = asMachine(logic)
      this.departures.fail(path, before, machine ? explained(error, machine, before.value) : error)
      return
    }
    if (kind === 'promise' && event.type === STOP.type) this.want({ kind: 'release', path })
    this.settle(path, before, after, scope.collected, event)
  }

  observe(name: string, act: () => unknown): void {
    this.want({ kind: 'observe', name, run: act })
  }

  want(command: Command): void {
    if (this.isHalting) {
      if (command.kind === 'observe') this.habitat.attempt(command.run)
      else if (command.kind === 'release') this.habitat.place.perform(command)
    } else if (this.isDirect) this.habitat.place.perform(command)
    else {
      this.commands ??= []
      this.commands.push(command)
    }
  }

  private result(): Step {
    const { root } = this.draft
    if (root === undefined) throw new Error('an actor without a root')
    const { commands = NO_COMMANDS } = this
    const state = this.draft.toState(root)
    if (root.status === 'done') return { state, status: 'done', output: root.output, commands }
    return { state, status: 'active', commands }
  }

  /** Nothing has happened. */
  private undone(error: unknown): unknown {
    this.departed?.undo()
    this.habitat.endedInFailure = this.departed?.ended ?? NO_REFS
    return error
  }

  readonly dropped = (path: string): void => this.departures.drop(path)

  /** What runs beside the steps hears of the event after them. */
  private besides(path: string, before: MemberSnapshot, event: Event): void {
    const { habitat } = this
    if (event.type !== STOP.type) {
      this.observe('callback', () => habitat.live?.get(path)?.feed(event))
      // A receiver that threw has failed its callback: that is in its queue, and there is nothing else to tell.
      const { todo, at } = this.cascade.runner(path)
      if (at >= todo.length) this.finish(path, before, event)
      return
    }
    this.observe('stop', () => stopLive(habitat, path))
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
    if (path === '' && after.status === 'error')
      return this.departures.fail(path, after, after.error)
    const isChanged = after.context !== before.context && !this.options.isOwn
    if (isChanged && isMachine((after as { machine?: unknown }).machine))
      assertJson(after.context, 'context', this.isDirect)
    if (after.children !== before.children) adoptChildren(this, path, after)
    const waiting = this.cascade.known(path)
    if (collected.length === 0 && (waiting === undefined || waiting.todo.length === waiting.at)) {
      this.draft.setSnapshot(path, after)
      this.finish(path, after, event)
      return
    }
    const runner = waiting ?? this.cascade.runner(path)
    const { todo } = runner
    for (const action of collected)
      if (isOwn(action)) todo.push(this.guarded(path, failsTo, ownAction(this, action)))
    todo.push(() => this.draft.setSnapshot(path, after))
    for (const action of collected)
      if (!isOwn(action)) todo.push(() => carryAction(this, path, action))
    todo.push(() => this.finish(path, after, event))
    this.cascade.activate(runner)
  }

  /** As a member begins, its actions are done one after the other: one that throws ends it there. */
  private guarded(path: string, failsTo: MemberSnapshot, act: () => void): () => void {
    return () => {
      try {
        act()
      } catch (error) {
        const runner = this.cascade.runner(path)
        runner.at = runner.todo.length
        this.departures.fail(path, failsTo, error)
      }
    }
  }

  private finish(path: string, after: MemberSnapshot, event: Event): void {
    const { habitat } = this
    const id = path === '' ? '' : this.cascade.runner(path).id
    if (after.status === 'error') return this.departures.fail(path, after, after.error)
    if (after.status !== 'stopped') {
      const member = this.draft.members.get(path)
      if (member?.isSynced === true && after.status === 'active') {
        const type = `xstate.snapshot.${member.id}`
        this.deliver(parentOf(path), { type, snapshot: after })
      }
      if (habitat.isWatched(path)) this.observe('observer', () => habitat.next(path, after))
    }
    if (after.status === 'active' && event.type !== STOP.type) return
    if (path === '') {
      if (after.status === 'done') this.observe('end', () => void habitat.live?.delete(path))
      // Where nothing is kept the actor is over here, before whoever sent it here goes on.
      if (this.isDirect && habitat.isWatched(path))
        this.observe('over', () => habitat.complete(path))
      return
    }
    this.departures.leave(path, after)
    if (habitat.isWatched(path)) this.observe('observer', () => habitat.complete(path))
    if (after.status !== 'done') return this.departures.drop(path)
    const type = `xstate.done.actor.${id}`
    this.deliver(parentOf(path), { type, output: after.output, actorId: id })
  }

  private ownIds(): SystemIds {
    return (this.ids ??= new SystemIds(this.draft.members))
  }

  private scopeOf(ref: MemberRef): StepScope {
    return new StepScope(ref, this.habitat.system, this)
  }
}
