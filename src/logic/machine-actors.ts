import type { AnyStateMachine } from 'xstate'
import { EFFECT_TIMEOUT_MS } from '../kernel/effects.ts'
import type { EffectLogic } from '../kernel/ports/engine.ts'

/** Microsteps of one machine in one step. XState's own default is no limit: an `always` loop would hang the process. */
export const MICROSTEPS_MAX = 1000

/** The logic behind a `src`: named in `setup({ actors })`, or written inline in an invoke. */
export function logicOf(machine: AnyStateMachine, src: unknown): unknown {
  if (typeof src !== 'string') return src
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(src)
  if (inline === null) return (machine.implementations.actors as Record<string, unknown>)[src]
  const invoke = machine.getStateNodeById(inline[2] ?? '').config.invoke as unknown
  const list = Array.isArray(invoke) ? (invoke as unknown[]) : [invoke]
  return (list[Number(inline[1])] as { src?: unknown } | undefined)?.src
}

/** The machine behind a child's logic, with its step limit; undefined when the logic is no machine. */
export function childMachine(logic: unknown): AnyStateMachine | undefined {
  return isMachine(logic) ? withStepLimit(logic) : undefined
}

export function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && '__xstatenode' in logic
}

const limited = new WeakMap<AnyStateMachine, AnyStateMachine>()

/** The same machine with a limit on microsteps where its author set none. */
export function withStepLimit(machine: AnyStateMachine): AnyStateMachine {
  const known = limited.get(machine)
  if (known !== undefined) return known
  const copy = machine.provide({}) as AnyStateMachine
  const options = copy.options
  if (!Number.isFinite(options.maxIterations)) options.maxIterations = MICROSTEPS_MAX
  limited.set(machine, copy)
  return copy
}

const probed = new WeakMap<object, EffectLogic | null>()

/**
 * Runs XState's own `fromPromise` as an effect that may not be repeated. XState does not say what kind a logic is,
 * so it is asked: only promise logic answers `xstate.promise.resolve` by being done with the data.
 */
export function plainPromise(logic: unknown): EffectLogic | undefined {
  if (typeof logic !== 'object' || logic === null) return undefined
  const known = probed.get(logic)
  if (known !== undefined) return known ?? undefined
  const found = isPromiseLogic(logic) ? promiseEffect(logic.config) : null
  probed.set(logic, found)
  return found ?? undefined
}

interface PromiseLogic {
  readonly config: (args: {
    input: unknown
    signal: AbortSignal
    system: unknown
    self: unknown
    emit: unknown
  }) => unknown
  transition(
    snapshot: unknown,
    event: unknown,
    scope: unknown,
  ): { status?: string; output?: unknown }
}

function isPromiseLogic(logic: object): logic is PromiseLogic {
  const candidate = logic as Partial<PromiseLogic>
  if (typeof candidate.config !== 'function' || typeof candidate.transition !== 'function')
    return false
  const probe = {}
  try {
    const event = { type: 'xstate.promise.resolve', data: probe }
    const after = candidate.transition({ status: 'active' }, event, {})
    return after.status === 'done' && after.output === probe
  } catch {
    return false
  }
}

function promiseEffect(creator: PromiseLogic['config']): EffectLogic {
  return {
    kind: 'effect',
    run: (input: never, { signal }) =>
      creator({ input, signal, system: undefined, self: undefined, emit: () => undefined }),
    idempotent: false,
    readOnly: false,
    timeoutMs: EFFECT_TIMEOUT_MS,
  }
}
