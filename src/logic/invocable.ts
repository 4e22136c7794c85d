import { fromPromise, type PromiseActorLogic } from 'xstate'
import { EFFECT_TIMEOUT_MS } from '../kernel/effects.ts'
import { AmbitError } from '../kernel/errors.ts'
import type { Event } from '../kernel/message.ts'
import type { AskLogic, EffectContext, EffectLogic, Invocable } from '../kernel/ports/engine.ts'

const INVOCABLE = Symbol.for('ambit.invocable')

export interface EffectOptions<Input> {
  /** Whether it may run again when nobody knows how it ended. Default false: such an effect is in doubt. */
  readonly idempotent?: boolean | ((input: Input) => boolean)
  /** Default 60,000. */
  readonly timeoutMs?: number | ((input: Input) => number)
  /** The key that the target sees; by default one per invocation. */
  readonly key?: (input: Input) => string
  /** In whose name it acts, as an address, when that is not its actor: it waits while that one is suspended. */
  readonly onBehalfOf?: (input: Input) => string
}

/**
 * An effect that a machine invokes like any promise actor. Only plain actors may: an agent's effects are governed.
 * It starts after the turn that invoked it is committed, and its end is a turn of its own.
 */
export function effect<Input, Output>(
  run: (input: Input, context: EffectContext) => Promise<Output> | Output,
  options: EffectOptions<Input> = {},
): PromiseActorLogic<Output, Input> {
  const logic: EffectLogic = {
    kind: 'effect',
    run: run,
    idempotent: options.idempotent ?? false,
    readOnly: false,
    timeoutMs: options.timeoutMs ?? EFFECT_TIMEOUT_MS,
    ...(options.key !== undefined && { key: options.key }),
    ...(options.onBehalfOf !== undefined && { onBehalfOf: options.onBehalfOf }),
  }
  return asPromiseLogic<Output, Input>(logic, run)
}

/**
 * An effect that changes nothing in the world: an agent may invoke it ungoverned, and it simply runs again when a
 * crash cut it off.
 */
export function readOnly<Input, Output>(
  run: (input: Input, context: EffectContext) => Promise<Output> | Output,
  options: { readonly timeoutMs?: number } = {},
): PromiseActorLogic<Output, Input> {
  const logic: EffectLogic = {
    kind: 'effect',
    run: run,
    idempotent: true,
    readOnly: true,
    timeoutMs: options.timeoutMs ?? EFFECT_TIMEOUT_MS,
  }
  return asPromiseLogic<Output, Input>(logic, run)
}

export interface AskActorOptions<Input> {
  /** An address or a registered name. */
  readonly to: string | ((input: Input) => string)
  readonly event: (input: Input) => Event
  /** Sent when the asker leaves before the answer. */
  readonly withdraw?: (input: Input) => Event
  /** Default 30,000; `Infinity` waits for ever. The deadline is durable: it also passes while no process runs. */
  readonly timeoutMs?: number
}

export const ASK_ACTOR_TIMEOUT_MS = 30_000

/**
 * A question to another actor, invoked like any promise actor; its output is the answer. The question stands in the
 * asker's committed state with a durable deadline, so it survives a crash of either side.
 * Fails with `AMBIT_ASK_TIMEOUT`, and at once where nobody can answer: `AMBIT_ASK_IGNORED`, `AMBIT_ASK_CIRCLE`.
 */
export function ask<Input = undefined>(
  options: AskActorOptions<Input>,
): PromiseActorLogic<Event, Input> {
  const { timeoutMs = ASK_ACTOR_TIMEOUT_MS } = options
  return askLogic<Input, Event>({
    kind: 'ask',
    request: (input: never) => {
      const event = options.event(input)
      return {
        to: typeof options.to === 'string' ? options.to : options.to(input),
        event,
        ...(options.withdraw !== undefined && { withdraw: options.withdraw(input) }),
        ...(timeoutMs !== Infinity && { timeoutMs }),
      }
    },
    forgetsInput: true,
  })
}

/** Makes a kernel-level question invocable by a machine. For Ambit's own actors. */
export function askLogic<Input, Output>(logic: AskLogic): PromiseActorLogic<Output, Input> {
  return asPromiseLogic<Output, Input>(logic, () => {
    throw new AmbitError(
      'AMBIT_NOT_SUPPORTED',
      'A question to another actor runs in an Ambit system only. Provide a stand-in with machine.provide({ actors }).',
    )
  })
}

/** What the runtime runs for this actor logic, if it was made by one of Ambit's makers. */
export function invocableOf(logic: unknown): Invocable | undefined {
  if (typeof logic !== 'object' || logic === null || !(INVOCABLE in logic)) return undefined
  return logic[INVOCABLE] as Invocable
}

/** Under plain XState the same logic is a promise that runs the function, so that a machine can be tried by itself. */
function asPromiseLogic<Output, Input>(
  logic: Invocable,
  run: (input: Input, context: EffectContext) => Promise<Output> | Output,
): PromiseActorLogic<Output, Input> {
  const promise = fromPromise<Output, Input>(async ({ input, signal }) =>
    run(input, {
      signal,
      idempotencyKey: '',
      deadline: Infinity,
      attempt: 1,
      maybeExecuted: false,
    }),
  )
  return Object.assign(promise, { [INVOCABLE]: logic })
}
