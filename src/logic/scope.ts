import { AmbitError } from '../kernel/errors.ts'
import {
  createActor,
  fromTransition,
  type ActorScope,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type EventObject,
} from 'xstate'

/** What XState hands to the executor: the action's type, its arguments and its resolved parameters. */
export interface CollectedAction {
  readonly type: string
  readonly info: never
  readonly params: unknown
  readonly exec: unknown
}

// One inert actor lends its system to every cell: XState needs one to construct child actors, which we never start.
let shared: AnyActorRef['system'] | undefined

function sharedSystem(): AnyActorRef['system'] {
  return (shared ??= createActor(fromTransition(() => undefined, undefined)).system)
}

/** The light stand-in for an XState actor: enough for a step, holding nothing alive. */
export interface LightRef {
  readonly id: string
  readonly sessionId: string
  readonly path: string
  readonly system: AnyActorRef['system']
  readonly _parent?: LightRef
}

export function lightRef(id: string, path: string, parent: LightRef | undefined): LightRef {
  const ref = {
    id,
    sessionId: path === '' ? '~root' : path,
    path,
    system: sharedSystem(),
    _parent: parent,
    send: refuse,
    _send: refuse,
    getSnapshot: () => ({ status: 'active' }),
    toJSON: () => ({ xstate$$type: 1, id }),
  }
  return ref
}

/** The scope that XState's step functions take. */
export type StepScope = ActorScope<AnyMachineSnapshot, EventObject>

/** A scope of ours for XState's own `machine.transition`: it only collects. */
export function collectingScope(self: LightRef, collected: CollectedAction[]): StepScope {
  const scope = {
    self: self as unknown as AnyActorRef,
    id: self.id,
    sessionId: self.sessionId,
    logger: () => undefined,
    // Only `spawn` inside an assign or a context defers while a step is taken.
    defer: refuseSpawn,
    emit: () => undefined,
    system: self.system,
    stopChild: () => undefined,
    actionExecutor: (action: unknown) => void collected.push(action as CollectedAction),
  }
  return scope
}

function refuseSpawn(): never {
  throw new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    'A machine spawns inside an assign or its context, which leaves no trace to store. ' +
      'Use spawnChild(...) or invoke with a named actor.',
  )
}

function refuse(): never {
  throw new Error(
    'A machine inside Ambit does not call send() on a ref: use sendTo, sendParent, tell or reply.',
  )
}
