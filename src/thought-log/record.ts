import type { Json } from '../kernel/json.ts'
import type { Thought } from '../kernel/ports/engine.ts'
import type { StoredTurn } from '../kernel/ports/journal.ts'

/** The record of one turn as it can be read back. */
export interface TurnRecord {
  readonly position: number
  readonly actor: string
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly disposition: string
  readonly message: { readonly id: string; readonly type: string; readonly body?: Json }
  readonly state: Json
  readonly thoughts: readonly Thought[]
}

/** Reads a stored turn; undefined when its text is no record at all. */
export function readRecord({ position, address, seq, record }: StoredTurn): TurnRecord | undefined {
  try {
    const parsed = JSON.parse(record) as Partial<TurnRecord>
    return {
      position,
      actor: address,
      seq,
      at: parsed.at ?? 0,
      disposition: parsed.disposition ?? 'processed',
      message: parsed.message ?? { id: '', type: '' },
      state: parsed.state ?? null,
      thoughts: parsed.thoughts ?? [],
    }
  } catch {
    return undefined
  }
}
