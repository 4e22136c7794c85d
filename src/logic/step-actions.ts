import { AmbitError } from '../kernel/errors.ts'
import type { Event } from '../kernel/message.ts'
import type { Command } from '../kernel/ports/engine.ts'
import { commandsOf } from './actions.ts'
import type { Births, Constructed, SpawnParams } from './births.ts'
import { parentOf } from './cell-state.ts'
import type { Departures } from './departures.ts'
import type { Draft } from './draft.ts'
import { invocableOf } from './invocable.ts'
import { kindOf, promiseEffect, type Logic } from './logic-kinds.ts'
import { startLive } from './live.ts'
import { MemberRef, type Habitat } from './refs.ts'
import type { CollectedAction } from './step-scope.ts'

/** The run whose members act. */
export interface ActionRun {
  readonly options: { readonly rootId: string; readonly governed: boolean }
  readonly habitat: Habitat
  readonly isDirect: boolean
  readonly draft: Draft
  readonly births: Births
  readonly departures: Departures
  want(command: Command): void
  /** Has something done beside the steps, in its place among the commands. */
  observe(name: string, act: () => unknown): void
  deliver(path: string, event: Event): void
}

interface SendParams {
  readonly to: unknown
  readonly event: Event
  readonly delay?: number
  readonly id?: string
}

/** Where nobody is: what is sent to a ref whose life is over goes there. */
const NOWHERE = '%gone'

export function isSpawn({ type }: CollectedAction): boolean {
  return type === 'xstate.spawnChild'
}

/** Whether an action is the author's or one of ours, which XState does not defer. */
export function isOwn({ type }: CollectedAction): boolean {
  return !type.startsWith('xstate.') || type === 'xstate.log'
}

/** How an action of the author's, or one of ours, is done. */
export function ownAction(run: ActionRun, action: CollectedAction): () => void {
  if (action.type === 'xstate.log') {
    const { label, value } = action.params as { label?: string; value: unknown }
    return () => run.want({ kind: 'log', value, ...(label !== undefined && { label }) })
  }
  const commands = commandsOf(action.exec, action.info, action.params)
  if (commands !== undefined) {
    return () => {
      for (const command of commands) run.want(command)
    }
  }
  if (typeof action.exec !== 'function') return () => undefined
  const exec = action.exec as (info: unknown, params: unknown) => unknown
  const act = () => exec(action.info, action.params)
  return run.isDirect ? act : () => run.observe(action.type, act)
}

/** Does one of the actions that XState defers. */
export function carryAction(run: ActionRun, path: string, action: CollectedAction): void {
  switch (action.type) {
    case 'xstate.raise': {
      const { event, id, delay } = action.params as { event: Event; id?: string; delay?: number }
      if (delay !== undefined) schedule(run, path, path, event, delay, id)
      return
    }
    case 'xstate.cancel': {
      const { sendId } = action.params as { sendId: string }
      return run.want({ kind: 'cancel', owner: path, id: sendId })
    }
    case 'xstate.spawnChild':
      return run.births.spawn(path, action.params as SpawnParams)
    case 'xstate.stopChild': {
      const ref = action.params
      if (ref instanceof MemberRef && parentOf(ref.path) === path) run.departures.stop(ref.path)
      return
    }
    case 'xstate.sendTo':
      return sendTo(run, path, action.params as SendParams)
    case 'xstate.emit': {
      const { event } = action.params as { event: Event }
      const { habitat } = run
      if (habitat.isWatched(path)) run.observe('emit', () => habitat.emit(path, event))
    }
  }
}

/** Asks for what a promise member, or a root that is one, runs beside the steps. */
export function invokeLogic(run: ActionRun, path: string, logic: Logic, input: unknown): void {
  const { draft, habitat, options } = run
  const member = draft.members.get(path)
  const src = member?.src ?? options.rootId
  const name = typeof src === 'string' ? src : (member?.id ?? '')
  const invocable =
    invocableOf(logic) ??
    promiseEffect(logic, {
      system: habitat.system,
      self: draft.refOf(path),
      emit: (event) => habitat.emit(path, event as Event),
    })
  const isGoverned = invocable.kind === 'ask' || invocable.readOnly
  if (options.governed && !isGoverned) throw ungoverned(options.rootId, name)
  run.want({ kind: 'invoke', path, src: name, input, logic: invocable })
}

/** Starts what an active member of a snapshot had running. */
export function beginAgain(run: ActionRun, path: string): void {
  const { draft, habitat } = run
  const logic = draft.logicAt(path)
  const snapshot = draft.snapshotAt(path)
  if (logic === undefined || snapshot?.status !== 'active') return
  const kind = kindOf(logic)
  if (kind === 'promise') invokeLogic(run, path, logic, snapshot.input)
  else if (kind === 'callback' || kind === 'live')
    run.observe('start', () => startLive(habitat, path, logic))
}

function schedule(
  run: ActionRun,
  owner: string,
  target: string,
  event: Event,
  delayMs: number,
  id?: string,
): void {
  const named = id ?? `~${run.draft.book()}`
  run.want({ kind: 'schedule', id: named, owner, target, event, delayMs })
}

function sendTo(run: ActionRun, path: string, params: SendParams): void {
  const { to, delay, id } = params
  const { habitat, options } = run
  const event = escalated(params.event, () => run.draft.refOf(path).id)
  const target = targetOf(run, path, to)
  if (typeof delay === 'number') {
    if (target === undefined) throw unsupportedDelay(options.rootId, event.type)
    return schedule(run, path, target, event, delay, id)
  }
  if (target !== undefined) return run.deliver(target, event)
  const { address, home } = (to ?? {}) as { address?: unknown; home?: unknown }
  if (typeof address === 'string' && home === habitat.place.home)
    return run.want({ kind: 'tell', to: address, event, lane: 'user' })
  const foreign = to as { send?: (event: Event) => unknown } | undefined
  if (options.governed) throw ungoverned(options.rootId, `sendTo ${event.type}`)
  run.observe('sendTo', () => foreign?.send?.(event))
}

/** The path of a ref of this actor, also of one that XState has only just constructed. */
function targetOf(run: ActionRun, path: string, to: unknown): string | undefined {
  const { system } = run.habitat
  if (to instanceof MemberRef) {
    if (to.system !== system) return undefined
    return to.isStopped ? NOWHERE : to.path
  }
  if (run.births.isCancelled(to)) return NOWHERE
  const fresh = to as { id?: string; _parent?: unknown } | undefined
  const parent = fresh?._parent
  if (parent instanceof MemberRef && parent.system === system)
    return run.births.adopt(parent.path, to as Constructed).path
  return to === undefined ? path : undefined
}

/** XState's own way to tell another actor of an error. */
function escalated(event: Event, id: () => string): Event {
  if (event.type !== 'xstate.error') return event
  return { type: `xstate.error.actor.${id()}`, error: event.data, actorId: id() }
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
