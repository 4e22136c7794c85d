import type { AnyStateMachine } from 'xstate'
import { sha256 } from '../kernel/json.ts'

const hashes = new WeakMap<AnyStateMachine, string>()

/**
 * A hash of what decides whether a stored state still fits: states, events, targets, invokes and delays. Functions
 * count by their presence only, so that mending a guard does not orphan stored agents.
 */
export function structureHash(machine: AnyStateMachine): string {
  const known = hashes.get(machine)
  if (known !== undefined) return known
  const config = { ...machine.config, context: undefined, description: undefined }
  const hash = sha256(JSON.stringify(config, elideFunctions))
  hashes.set(machine, hash)
  return hash
}

function elideFunctions(key: string, value: unknown): unknown {
  if (typeof value === 'function') return 'fn'
  if (key === 'src' && typeof value === 'object') return 'inline'
  if (key === 'meta' || key === 'description') return undefined
  return value
}
