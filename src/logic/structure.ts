import type { AnyStateMachine } from 'xstate'
import { sha256 } from '../kernel/json.ts'
import { isMachine } from './logic-kinds.ts'

const hashes = new WeakMap<AnyStateMachine, string>()

/**
 * A hash of what decides whether a stored state still fits: states, events, targets, invokes, delays, and the machines
 * it invokes. Functions count by their presence only, so that mending a guard does not orphan stored agents.
 */
export function structureHash(machine: AnyStateMachine): string {
  const known = hashes.get(machine)
  if (known !== undefined) return known
  // A machine that invokes itself meets this instead of going round for ever.
  hashes.set(machine, machine.id)
  const { context: _, ...config } = machine.config as Record<string, unknown>
  const actors = Object.entries(machine.implementations.actors as Record<string, unknown>)
  const invoked = actors.flatMap(([name, logic]) => {
    return isMachine(logic) ? [[name, structureHash(logic)]] : []
  })
  const hash = sha256(JSON.stringify([structureOf(config, true), invoked]))
  hashes.set(machine, hash)
  return hash
}

/** The structure of a state node's config, or of anything inside it. */
function structureOf(value: unknown, isNode: boolean): unknown {
  if (typeof value === 'function') return 'fn'
  if (isMachine(value)) return structureHash(value)
  if (Array.isArray(value)) return value.map((item) => structureOf(item, false))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    // Of a node these say nothing about its structure; a state may well be called so.
    if (isNode && (key === 'meta' || key === 'description')) return []
    if (isNode && key === 'states') return [[key, statesOf(inner)]]
    if (key === 'src' && typeof inner === 'object' && !isMachine(inner)) return [[key, 'inline']]
    return [[key, structureOf(inner, false)]]
  })
  return Object.fromEntries(entries)
}

function statesOf(states: unknown): unknown {
  const nodes = Object.entries(states as Record<string, unknown>)
  return Object.fromEntries(nodes.map(([name, node]) => [name, structureOf(node, true)]))
}
