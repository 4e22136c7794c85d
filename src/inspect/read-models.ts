import { createAtom, type Atom } from '@xstate/store'
import type { Json } from '../kernel/json.ts'
import type { Observer } from '../kernel/ports/observer.ts'

/** How one live actor stands. */
export interface ActorRow {
  readonly address: string
  readonly state: Json
  readonly seq: number
  readonly at: number
  readonly restarts: number
}

export interface Counters {
  readonly turns: number
  readonly exits: number
  readonly restarts: number
  readonly deadLetters: number
  /** Times the event loop stood still. */
  readonly stalls: number
}

/**
 * What to look at while a system runs: one atom per live journaled actor and per keyed row of one, fed after each
 * commit. One atom a row, because one store with many rows costs as much per change as it has rows.
 */
export interface ReadModels {
  readonly actors: ReadonlyMap<string, Atom<ActorRow>>
  readonly cases: ReadonlyMap<string, Atom<Json>>
  readonly counters: Atom<Counters>
  /** Calls back with each row an actor commits; answers how to stop. */
  onRow(address: string, heard: (key: string, value: Json) => void): () => void
}

export const ACTORS_SHOWN_MAX = 100_000

export function createReadModels(): ReadModels & { observer: Observer } {
  const actors = new Map<string, Atom<ActorRow>>()
  const cases = new Map<string, Atom<Json>>()
  const counters = createAtom<Counters>({
    turns: 0,
    exits: 0,
    restarts: 0,
    deadLetters: 0,
    stalls: 0,
  })
  const listeners = new Map<string, Set<(key: string, value: Json) => void>>()
  const count = (what: keyof Counters) => counters.set((now) => ({ ...now, [what]: now[what] + 1 }))
  const put = <T>(atoms: Map<string, Atom<T>>, key: string, value: T) => {
    const atom = atoms.get(key)
    if (atom !== undefined) atom.set(value)
    else if (atoms.size < ACTORS_SHOWN_MAX) atoms.set(key, createAtom(value))
  }
  const observer: Observer = {
    journaledOnly: true,
    onTurn({ address, state, seq, at, rows, status }) {
      count('turns')
      if (status === 'active')
        put(actors, address, {
          address,
          state,
          seq,
          at,
          restarts: actors.get(address)?.get().restarts ?? 0,
        })
      else actors.delete(address)
      for (const [key, value] of rows) {
        if (address === '/system/approvals' && key.startsWith('case:'))
          put(cases, key.slice(5), value)
        for (const heard of listeners.get(address) ?? []) heard(key, value)
      }
    },
    onExit: () => count('exits'),
    onRestart({ address }) {
      count('restarts')
      const row = actors.get(address)?.get()
      if (row !== undefined) put(actors, address, { ...row, restarts: row.restarts + 1 })
    },
    onDeadLetter: () => count('deadLetters'),
    onStall: () => count('stalls'),
  }
  return {
    actors,
    cases,
    counters,
    observer,
    onRow(address, heard) {
      const heards = listeners.get(address) ?? new Set()
      listeners.set(address, heards.add(heard))
      return () => void heards.delete(heard)
    },
  }
}
