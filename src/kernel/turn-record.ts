import type { Cell } from './cell.ts'
import type { Json } from './json.ts'
import type { Message } from './message.ts'

/** What a record says beside the message and the state: thoughts, what was begun and seen, how the message ended. */
export type Notes = Readonly<Record<string, Json | undefined>>

export const NO_NOTES: Notes = {}

/** The record of a turn, as it is stored and hashed. */
export function recordOf(cell: Cell, message: Message, now: number, notes: Notes): string {
  const { id, version } = cell.spec.engine
  return JSON.stringify({
    v: 1,
    actor: cell.address,
    generation: cell.generation,
    incarnation: cell.incarnation,
    seq: cell.seq,
    at: now,
    machine: `${id}@${version}`,
    disposition: 'processed',
    message: {
      id: message.id,
      type: message.type,
      body: message.body,
      headers: message.headers,
    },
    state: stateOf(cell),
    status: cell.status,
    ...notes,
  })
}

export function stateOf(cell: Cell): Json {
  return cell.status === 'active' && cell.started ? cell.spec.engine.describe(cell.state) : null
}
