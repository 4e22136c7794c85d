import type { AnyActorLogic, AnyStateMachine, AnyStateNode, Snapshot } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { Engine, Invocable, Place, StoredState } from '../kernel/ports/engine.ts'
import { logicAt, type CellState } from './cell-state.ts'
import { invocableOf } from './invocable.ts'
import { startLive, stopLive } from './live.ts'
import { isFromTransition, isMachine, kindOf, promiseEffect, type Logic } from './logic-kinds.ts'
import { definitionOf } from './machine-definition.ts'
import { findUnheard, migrateStored, type Migration } from './migration.ts'
import { persistCell, restoreCell, type StoredCell } from './persisted.ts'
import { Habitat } from './refs.ts'
import { INTERNAL_EVENTS_MAX, StepRun, type RunOptions } from './step-run.ts'
import { StepScope } from './step-scope.ts'
import { structureHash } from './structure.ts'
import { fromXState } from './xstate-snapshot.ts'

export interface InterpreterOptions {
  /** Says what is wrong with an event from outside, if anything is. */
  readonly refuse?: (event: Event) => string | undefined
  /** Whether the machine may run only what is governed, read-only or a message: for agents. */
  readonly governed?: boolean
  /** Whether it is a machine of Ambit's own, whose context need not be looked at: a supervisor's grows. */
  readonly isOwn?: boolean
  /** Ways from states that other versions stored. */
  readonly migrations?: readonly Migration[]
  /** XState's own persisted snapshot, from which the actor starts. */
  readonly snapshot?: Snapshot<unknown>
}

/**
 * Steps an XState logic by XState's own rules, through its `transition` with a scope of ours that only collects. What
 * it invokes or spawns is stepped in the same turn; the rest of what it asks for comes back as commands.
 */
export function createInterpreter(logic: AnyActorLogic, options: InterpreterOptions = {}): Engine {
  const { governed = false, isOwn = false, migrations = [], snapshot } = options
  const machine = isMachine(logic) ? logic : undefined
  const root = (machine === undefined ? logic : definitionOf(machine)) as unknown as Logic
  const own = identityOf(logic, machine)
  const run: RunOptions = { root, rootId: own.id, governed, isOwn }
  const isReducer = isFromTransition(root)
  const at = (place: Place) => Habitat.at(place, own.id, root)
  return {
    ...own,
    start(input, place) {
      if (snapshot === undefined) return new StepRun(run, at(place), undefined).begin(input)
      const state = restoreCell(root, fromXState(structuredClone(snapshot)), at(place))
      return new StepRun(run, at(place), state).goOn()
    },
    step: (state, incoming, place) =>
      new StepRun(run, at(place), state as CellState).take(incoming),
    ...(isReducer && {
      quick: (state: unknown, event: Event, place: Place) =>
        reduced(root, state as CellState, event, at(place)),
    }),
    persist: (state) => persistCell(root, state as CellState) as unknown as Json,
    restore: (stored, place) => restoreCell(root, stored as unknown as StoredCell, at(place)),
    findUnheard: (state, delayed) => findUnheard(state as CellState, delayed),
    migrate: (stored: StoredState) => migrateStored(stored, own, migrations),
    invocable: (state, path, place) => invocableAt(root, state as CellState, path, at(place)),
    describe: (state) => ((state as CellState).root.value ?? null) as Json,
    view: (place) => at(place).root,
    awaken: (place) => awaken(root, at(place)),
    endAtOnce(place, path, end) {
      const { step } = at(place)
      step?.ended(path, end)
      return step !== undefined
    },
    halt: (place) => halt(run, at(place)),
    quiet: (place) => quiet(run, at(place)),
    ...(machine !== undefined && {
      takes: (state: unknown, event: Event) => {
        const { root: before } = state as CellState
        return (
          (root as unknown as AnyStateMachine).getTransitionData(before as never, event).length > 0
        )
      },
    }),
    hears: (state, type) => hears((state as CellState).root, type),
    isLively: (place) => (at(place).live?.size ?? 0) > 0,
    doze(place) {
      const { live, isObserved } = at(place)
      if ((live?.size ?? 0) > 0) return false
      if (!isObserved) place.slot = undefined
      return true
    },
    ...(machine !== undefined && !governed && hasRoutes(machine.root) && { opens: ROUTE }),
    ...(options.refuse !== undefined && { refuse: options.refuse }),
  }
}

/** A state with a `route` is one that its author lets everybody send the machine to. */
const ROUTE: ReadonlySet<string> = new Set(['xstate.route'])

function hasRoutes(node: AnyStateNode): boolean {
  const { route } = node.config as { route?: unknown }
  return route !== undefined || Object.values(node.states).some(hasRoutes)
}

/** The step of a reducer that nobody looks at, which is most of them: one call. What it emits is heard by nobody. */
function reduced(
  root: Logic,
  state: CellState,
  event: Event,
  habitat: Habitat,
): CellState | undefined {
  const { members, booked } = state
  if (members.size > 0 || habitat.isWatched('')) return undefined
  const scope = (habitat.reducerScope ??= new StepScope(habitat.root, habitat.system, NO_RUN))
  const { sentToSelf } = habitat
  // Left by a step that threw.
  if (sentToSelf.length > 0) sentToSelf.length = 0
  let after = root.transition(state.root, event, scope)
  for (let sent = 0; sent < sentToSelf.length; sent++) {
    if (sent >= INTERNAL_EVENTS_MAX) throw selfish(habitat.place.address)
    after = root.transition(after, sentToSelf[sent], scope)
  }
  return { root: after, members, booked }
}

function selfish(address: string): AmbitError {
  const message = `"${address}" sent itself ${INTERNAL_EVENTS_MAX} events in one turn. Break the cycle.`
  return new AmbitError('AMBIT_LOOP_LIMIT', message)
}

const NO_RUN = { heard: () => true }

function identityOf(logic: AnyActorLogic, machine: AnyStateMachine | undefined) {
  if (machine === undefined) return { id: 'logic', version: '1', hash: `logic:${kindOf(logic)}` }
  return { id: machine.id, version: machine.version ?? '1', hash: structureHash(machine) }
}

function invocableAt(
  root: Logic,
  state: CellState,
  path: string,
  habitat: Habitat,
): Invocable | undefined {
  const logic = logicAt(root, state.members, path)
  if (logic === undefined) return undefined
  const known = invocableOf(logic)
  if (known !== undefined || kindOf(logic) !== 'promise') return known
  const { system } = habitat
  const self = habitat.refAt(path)
  return promiseEffect(logic, { system, self, emit: (event) => habitat.emit(path, event as Event) })
}

/** Whether a state the machine is in has transitions for just this type of event. */
function hears(snapshot: unknown, type: string): boolean {
  const { _nodes = [] } = snapshot as { readonly _nodes?: readonly AnyStateNode[] }
  return _nodes.some(({ ownEvents }) => (ownEvents as readonly string[]).includes(type))
}

/** What runs beside the steps runs exactly for those members that the state has. */
function awaken(root: Logic, habitat: Habitat): void {
  const state = habitat.state()
  if (state === undefined) return
  const isActive = (path: string) =>
    (path === '' ? state.root : state.members.get(path)?.snapshot)?.status === 'active'
  for (const path of [...(habitat.live?.keys() ?? [])]) if (!isActive(path)) stopLive(habitat, path)
  for (const path of ['', ...state.members.keys()]) {
    const logic = logicAt(root, state.members, path)
    const kind = logic === undefined ? 'plain' : kindOf(logic)
    if (logic !== undefined && (kind === 'callback' || kind === 'live') && isActive(path))
      startLive(habitat, path, logic)
  }
}

function halt(run: RunOptions, habitat: Habitat): void {
  const state = habitat.state()
  if (state !== undefined) new StepRun(run, habitat, state).halt()
}

function quiet(run: RunOptions, habitat: Habitat): void {
  const { outcome } = habitat.place
  if (outcome?.status === 'error') for (const [ref, last] of habitat.endedInFailure) ref.end(last)
  halt(run, habitat)
  for (const path of [...(habitat.live?.keys() ?? [])]) stopLive(habitat, path)
  if (outcome?.status === 'error') habitat.fail('', outcome.error)
  else habitat.complete('')
}

/** Refuses what an engine cannot be made for, with the reason. */
export function assertLogic(candidate: unknown): asserts candidate is AnyActorLogic {
  const { transition } = (candidate ?? {}) as { transition?: unknown }
  if (typeof transition === 'function') return
  throw new AmbitError(
    'AMBIT_SPEC_INVALID',
    `Expected a machine or another XState actor logic, got ${candidate === null ? 'null' : typeof candidate}.`,
  )
}
