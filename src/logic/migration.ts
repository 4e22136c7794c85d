import type { AnyStateNode } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import { assertJson, type Json } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { StoredState } from '../kernel/ports/engine.ts'
import type { CellState } from './cell-state.ts'

/** A machine's state as it is stored, in the form a migration reads and writes. */
export interface MigratedState {
  /** XState's state value. */
  readonly value: Json
  readonly context: Json
  /** History nodes and the ids of the states they remember. */
  readonly history?: Readonly<Record<string, readonly string[]>>
}

/** One step from a version of a machine to another: `migrate` gives the state as the newer version would have it. */
export interface Migration {
  /** The machine's `version` that stored the state; `'1'` where it had none. */
  readonly from: string
  readonly to: string
  migrate(state: MigratedState): MigratedState
}

export const MIGRATION_STEPS_MAX = 100

interface Identity {
  readonly id: string
  readonly version: string
  readonly hash: string
}

/** Follows migrations from the stored version to the machine's own; undefined when they do not lead there. */
export function migrateStored(
  stored: StoredState,
  own: Identity,
  migrations: readonly Migration[],
): StoredState | undefined {
  if (stored.machine.id !== own.id) return undefined
  const { root, ...rest } = stored.state as { root: MigratedState & Record<string, Json> }
  let version = stored.machine.version
  let state: MigratedState = root
  for (let steps = 0; version !== own.version; steps++) {
    const step = migrations.find(({ from }) => from === version)
    if (step === undefined || steps >= MIGRATION_STEPS_MAX) return undefined
    state = migrated(step, state)
    version = step.to
  }
  if (state === root) return undefined
  return { machine: own, state: { ...rest, root: { ...root, ...state } } as unknown as Json }
}

function migrated(step: Migration, state: MigratedState): MigratedState {
  const next: unknown = step.migrate(structuredClone(state))
  const { value, context } = (next ?? {}) as Partial<MigratedState>
  if (value === undefined || context === undefined) {
    throw new AmbitError(
      'AMBIT_MACHINE_CHANGED',
      `The migration from version "${step.from}" to "${step.to}" must return { value, context }.`,
    )
  }
  assertJson(next, 'migrated state')
  return next as MigratedState
}

/**
 * Names what a migrated machine waits for but does not hear of: an `after` of a state in which it is not, or a child
 * whose id XState made of such a state.
 */
export function findUnheard(state: CellState, delayed: readonly Event[]): string | undefined {
  const { _nodes: nodes = [] } = state.root as { _nodes?: readonly AnyStateNode[] }
  const isIn = (suffix: string) => nodes.some(({ id }) => suffix.endsWith(`.${id}`))
  const after = delayed.find(({ type }) => type.startsWith('xstate.after.') && !isIn(type))
  if (after !== undefined) return after.type
  for (const { id, src } of state.members.values())
    if (/^\d+\./.test(id) && !isIn(id)) return typeof src === 'string' ? src : id
  return undefined
}
