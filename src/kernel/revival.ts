import type { Cell } from './cell.ts'
import { AmbitError } from './errors.ts'
import {
  restoredInvocation,
  type Invocation,
  type StoredInvocation,
  type StoredSnapshot,
} from './invocation.ts'
import type { Json } from './json.ts'

/** What stood when an actor was stored, with the logic that its machine has for it today. */
export function revived(cell: Cell, saved: StoredInvocation): Invocation {
  const logic = cell.spec.engine.invocable(cell.state, saved.path, cell)
  if (logic !== undefined) return restoredInvocation(saved, logic)
  throw new AmbitError(
    'AMBIT_MACHINE_CHANGED',
    `"${cell.address}" waits for "${saved.src}", which its machine no longer has. ` +
      'Bring the invocation back, or start with another journal.',
  )
}

/** The stored state as the machine of today has it: another structure needs a migration, or is refused. */
export function migrated(
  { address, spec }: Cell,
  { machine: stored, state }: StoredSnapshot,
): Json {
  const { engine } = spec
  if (stored.id === engine.id && stored.hash === engine.hash) return state
  const found = engine.migrate?.({ machine: stored, state })
  if (found !== undefined) return found.state
  throw new AmbitError(
    'AMBIT_MACHINE_CHANGED',
    `"${address}" was stored by machine "${stored.id}" version "${stored.version}" with structure ` +
      `${stored.hash.slice(0, 12)}, but its spec has "${engine.id}" version "${engine.version}" with structure ` +
      `${engine.hash.slice(0, 12)}. Give the machine a new version and a migration from the stored one ` +
      '(actor(..., { migrations })), run the machine that stored it, or start with another journal.',
  )
}

/** A migration moves the state, not what it waits for: a wait that would never end is refused by name. */
export function refuseUnheard(cell: Cell): void {
  const atRoot = [...cell.timers.values()].filter(({ target }) => target === '')
  const delayed = atRoot.map(({ event }) => event)
  const unheard = cell.spec.engine.findUnheard?.(cell.state, delayed)
  if (unheard === undefined) return
  throw new AmbitError(
    'AMBIT_MACHINE_CHANGED',
    `"${cell.address}" was migrated, but it waits for "${unheard}", of which its new state does not hear. ` +
      'Keep the name of a state while stored actors wait in it, or give the invoke an id of its own.',
  )
}
