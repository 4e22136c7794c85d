import type { AnyActorLogic, AnyStateMachine } from 'xstate'
import type { EffectLogic } from '../kernel/ports/engine.ts'

/**
 * How a member of an actor is run. `machine` and `plain` are stepped; `promise` is an effect or a question; `callback`
 * is fed events beside the steps; `live` is stepped and has something running beside, such as an observable.
 */
export type LogicKind = 'machine' | 'plain' | 'promise' | 'callback' | 'live'

/** Any XState actor logic, as the engine drives it. */
export interface Logic {
  getInitialSnapshot(scope: unknown, input: unknown): MemberSnapshot
  transition(snapshot: MemberSnapshot, event: unknown, scope: unknown): MemberSnapshot
  start?(snapshot: MemberSnapshot, scope: unknown): void
  getPersistedSnapshot(snapshot: MemberSnapshot, options?: unknown): unknown
  restoreSnapshot?(stored: unknown, scope: unknown): MemberSnapshot
}

/** What every XState snapshot has, whatever its logic. */
export interface MemberSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped'
  readonly output?: unknown
  readonly error?: unknown
  readonly context?: unknown
  readonly children?: Record<string, unknown>
  readonly value?: unknown
  readonly input?: unknown
}

const kinds = new WeakMap<object, LogicKind>()

/** XState does not say what kind a logic is, so it is asked, once. */
export function kindOf(logic: object): LogicKind {
  const known = kinds.get(logic)
  if (known !== undefined) return known
  const kind = findKind(logic)
  kinds.set(logic, kind)
  return kind
}

export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && '__xstatenode' in logic
}

/** Whether it is what XState's `fromTransition` makes: its snapshots are active for ever. */
export function isFromTransition(logic: object): boolean {
  return kindOf(logic) === 'plain' && hasConfig(logic)
}

export function isLogic(candidate: unknown): candidate is AnyActorLogic {
  const logic = candidate as Partial<Logic> | null | undefined
  return typeof logic?.transition === 'function' && typeof logic.getInitialSnapshot === 'function'
}

/** What XState's `fromPromise` was given. */
export type PromiseCreator = (args: {
  readonly input: unknown
  readonly signal: AbortSignal
  readonly system: unknown
  readonly self: unknown
  readonly emit: (event: unknown) => void
}) => unknown

/** XState's own promise logic is an effect that may not be repeated. It may take a day: XState sets no limit. */
export const PLAIN_PROMISE_TIMEOUT_MS = 86_400_000

export function promiseEffect(
  logic: object,
  around: {
    readonly system: unknown
    readonly self: unknown
    readonly emit: (event: unknown) => void
  },
): EffectLogic {
  const creator = (logic as { config: PromiseCreator }).config
  const { system, self, emit } = around
  return {
    kind: 'effect',
    run: (input: never, { signal }) => creator({ input, signal, system, self, emit }),
    idempotent: false,
    readOnly: false,
    timeoutMs: PLAIN_PROMISE_TIMEOUT_MS,
  }
}

function findKind(logic: object): LogicKind {
  if (isMachine(logic)) return 'machine'
  const { start, transition } = logic as Partial<Logic>
  if (typeof start !== 'function' || typeof transition !== 'function') return 'plain'
  if (isPromiseLogic(logic as Logic)) return 'promise'
  return isCallbackLogic(logic as Logic) ? 'callback' : 'live'
}

/** Only promise logic answers `xstate.promise.resolve` by being done with the data. */
function isPromiseLogic(logic: Logic): boolean {
  if (!hasConfig(logic)) return false
  const probe = {}
  try {
    const event = { type: 'xstate.promise.resolve', data: probe }
    const after = logic.transition({ status: 'active' }, event, { self: {} })
    return after.status === 'done' && after.output === probe
  } catch {
    return false
  }
}

/** Only callback logic cannot take an event before it was started: its receivers are not there. */
function isCallbackLogic(logic: Logic): boolean {
  if (!hasConfig(logic)) return false
  try {
    logic.transition({ status: 'active' }, { type: 'ambit.probe' }, { self: {} })
    return false
  } catch (error) {
    return error instanceof TypeError
  }
}

/** XState's makers keep what they were given under `config`; an author's own logic object need not. */
function hasConfig(logic: object): boolean {
  return typeof (logic as { config?: unknown }).config === 'function'
}
