import type { z } from 'zod'
import { AmbitError } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { EffectContext } from '../kernel/ports/engine.ts'
import { canonical } from './envelope.ts'
import type { Money } from './money.ts'

/** What an agent promises with an action, for the one who reads the case. */
export interface Contract {
  /** What will be true afterwards. */
  readonly commitment: string
  /** Who answers for it. */
  readonly answers: string
}

export interface ActionInput<Input extends z.ZodType, Output extends z.ZodType> {
  readonly name: string
  readonly input: Input
  readonly output?: Output
  /** Names the one thing this action may do once: the idempotency key of the world is made from it. */
  readonly key: (input: z.output<Input>) => string
  /** What it moves; undefined means unknown, and unknown goes to a human. Required if an envelope limits amounts. */
  readonly amount?: (input: z.output<Input>) => Money | undefined
  /** The names of needed facts that nobody knows. */
  readonly missing?: (input: z.output<Input>) => readonly string[]
  readonly counterparty?: (input: z.output<Input>) => string | undefined
  /** Whether the target does the work once per key however often it is asked. */
  readonly idempotent: boolean
  readonly execute: (work: ExecuteWork<z.output<Input>>) => Promise<unknown>
  /** Checks at the target that the commitment holds; a false answer compensates. */
  readonly verify?: (
    work: ExecuteWork<z.output<Input>> & { readonly output: Json },
  ) => Promise<boolean>
  readonly compensate?: (
    work: ExecuteWork<z.output<Input>> & { readonly output: Json },
  ) => Promise<unknown>
  readonly contract?: Contract
  /** Attempts at an idempotent action before it is in doubt. Default 5. */
  readonly attemptsMax?: number
  /** Default 30,000. */
  readonly timeoutMs?: number
}

export interface ExecuteWork<Input> extends EffectContext {
  readonly input: Input
}

/** An effect on the world, with its contract and its undo. The only thing that can touch the world. */
export interface Action<Input = unknown, Output = unknown> {
  readonly name: string
  readonly definition: ActionInput<z.ZodType, z.ZodType>
  readonly attemptsMax: number
  readonly timeoutMs: number
  /** For types only: what it takes and gives. */
  readonly types?: { readonly input: Input; readonly output: Output }
}

export const ACTION_ATTEMPTS_MAX = 5
export const ACTION_TIMEOUT_MS = 30_000

/**
 * Defines an action: what it takes, what makes it the same action again (`key`), how it is done and undone.
 *
 * An agent proposes it with `governed(action)`; the runtime calls `execute` once its envelope or a human allows it.
 * `execute` throws `effectRefused(...)` when the target proved that nothing happened; anything else it throws leaves
 * the outcome unknown, and an action that is not `idempotent` is then never repeated. Throws `AMBIT_ACTION_INVALID`.
 */
export function defineAction<Input extends z.ZodType, Output extends z.ZodType = z.ZodType<Json>>(
  definition: ActionInput<Input, Output>,
): Action<z.input<Input>, z.output<Output>> {
  const { name, key, execute, idempotent } = definition as Partial<ActionInput<Input, Output>>
  const lacking = [
    ...(typeof name === 'string' && /^[A-Za-z0-9._-]{1,100}$/.test(name) ? [] : ['name']),
    ...(typeof key === 'function' ? [] : ['key']),
    ...(typeof execute === 'function' ? [] : ['execute']),
    ...(typeof idempotent === 'boolean' ? [] : ['idempotent']),
  ]
  if (lacking.length > 0) {
    throw new AmbitError(
      'AMBIT_ACTION_INVALID',
      `Action "${String(name)}" lacks a valid ${lacking.join(', ')}. ` +
        'Every action needs a name, a key, execute, and idempotent: true or false.',
    )
  }
  return {
    name: definition.name,
    definition: definition,
    attemptsMax: definition.attemptsMax ?? ACTION_ATTEMPTS_MAX,
    timeoutMs: definition.timeoutMs ?? ACTION_TIMEOUT_MS,
  }
}

/** Thrown by `execute` when the target proved that nothing happened: what was reserved is given back. */
export function effectRefused(message: string, options?: { cause?: unknown }): AmbitError {
  return new AmbitError('AMBIT_EFFECT_REFUSED', message, options)
}

/** The key of an action in the world and in the journal: the same for the same thing, in one system. */
export function actionKey(systemId: string, action: string, key: string): string {
  return sha256(canonical([systemId, action, key])).slice(0, 32)
}
