import type { StoredActor, StoredTurn } from '../kernel/ports/journal.ts'
import type { Message } from '../kernel/message.ts'
import type { ReadyActor } from '../kernel/ports/schedule.ts'
import type { Dossiers } from './dossiers.ts'
import type { TraceEntry } from './trace.ts'

/** What an invariant may look at beside what happens. */
export interface RunView {
  readonly systemId: string
  /** The simulation that this is a run of: the same object in all its runs. */
  readonly simulation: object
  /** What is known of each action so far. */
  readonly dossiers: Dossiers
  /** Every actor that ever had something to do, as it is in the last process that had it. */
  readonly actors: ReadonlyMap<string, ReadyActor>
  /** The log as it is stored. */
  readonly history: () => Promise<readonly StoredTurn[]>
  /** XState's snapshot of an actor in the running process: `value`, `context`, `status`; undefined when none runs. */
  readonly snapshotOf: (address: string) => unknown
  /** What lies in the outboxes for actors that run: at rest nothing does. */
  readonly waiting: () => Promise<readonly Message[]>
  /** An actor as it is stored. */
  readonly load: (address: string) => Promise<StoredActor | undefined>
}

/**
 * Something that must hold of every run. A fresh watch follows each run; it says in one sentence what is broken, or
 * nothing.
 */
export interface Invariant {
  readonly name: string
  watch(view: RunView): Watch
}

export interface Watch {
  /** Looks at what has just happened. */
  see?(entry: TraceEntry): string | undefined
  /** Looks at the whole, once the faults have stopped and nothing moves any more. */
  atEnd?(): string | undefined | Promise<string | undefined>
}

/** An invariant of one's own: `watch` is called for each run. */
export function invariant(name: string, watch: (view: RunView) => Watch): Invariant {
  return { name, watch }
}

/** What was broken, and where. */
export interface Breach {
  readonly invariant: string
  readonly sentence: string
  /** The step of the run. */
  readonly step: number
}
