import { caseFrom } from '../../machines/approval.ts'
import { ACTIONS, APPROVALS, LEDGER } from '../../machines/action-steps.ts'
import type { Thought } from '../kernel/ports/engine.ts'
import type { Rows, TraceEntry, TurnRecord } from './trace.ts'

/** All that is known of one action, from what is stored and from what the world has seen. */
export interface Dossier {
  readonly key: string
  /** What was last thought of each kind: `proposed`, `decision`, `authorized`, `outcome`, ... */
  readonly last: ReadonlyMap<string, Thought>
  /** Decisions of humans on this action that counted. */
  readonly humanDecisions: readonly Thought[]
  /** How often the world did it, and undid it. */
  readonly executed: number
  /** How often the world was asked to do it. */
  readonly begun: number
  readonly undone: number
  /** How the ledger has it: `reserved`, `committed`, `released`, `inDoubt`; undefined when nothing was reserved. */
  readonly booked: string | undefined
  /** The newest case that waits for a human. */
  readonly openCase: string | undefined
  /** How many people its last case needs. */
  readonly quorum: number
}

interface Known {
  readonly key: string
  readonly last: Map<string, Thought>
  readonly humanDecisions: Thought[]
  executed: number
  begun: number
  undone: number
  booked: string | undefined
  openCase: string | undefined
  readonly openCases: Set<string>
  quorum: number
}

const UNDO_SUFFIX = '-undo'
const bookings = ['reserve', 'committed', 'released', 'inDoubt']

/** The dossiers of a run, kept as it goes on. */
export class Dossiers {
  private readonly known = new Map<string, Known>()

  /** The dossier of an action's idempotency key. */
  of(key: string): Dossier {
    return this.open(keyOf(key))
  }

  all(): IterableIterator<Dossier> {
    return this.known.values()
  }

  see(entry: TraceEntry): void {
    if (entry.kind === 'turn') {
      this.seeTurn(entry.record)
      if (entry.record.actor === APPROVALS) this.seeCases(entry.rows)
    }
    if (entry.kind === 'effectBegun' && entry.phase === 'execute')
      this.open(keyOf(entry.key)).begun++
    if (entry.kind !== 'effectHappened') return
    const known = this.open(keyOf(entry.key))
    if (entry.phase === 'execute') known.executed++
    if (entry.phase === 'compensate') known.undone++
  }

  private seeTurn({ actor, thoughts = [] }: TurnRecord): void {
    for (const thought of thoughts) {
      const { key, kind } = thought
      if (typeof key !== 'string') continue
      const known = this.open(key)
      if (actor === LEDGER) seeBooking(known, thought)
      else if (actor.startsWith(ACTIONS)) {
        // What begins again has no outcome yet.
        if (kind === 'proposed') known.last.delete('outcome')
        known.last.set(kind, thought)
      } else seeCase(known, thought)
    }
  }

  private seeCases(rows: Rows): void {
    for (const [id, value] of rows) {
      if (!id.startsWith('case:') || value === null) continue
      const { key, route } = caseFrom(value)
      this.open(key).quorum = route.quorum
    }
  }

  private open(key: string): Known {
    const found = this.known.get(key)
    if (found !== undefined) return found
    const made: Known = {
      key,
      last: new Map(),
      humanDecisions: [],
      executed: 0,
      begun: 0,
      undone: 0,
      booked: undefined,
      openCase: undefined,
      openCases: new Set(),
      quorum: 1,
    }
    this.known.set(key, made)
    return made
  }
}

/** What stands in a thought or an event is a text, or is shown as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

/** An action and its undoing have keys of their own. */
function keyOf(idempotencyKey: string): string {
  return idempotencyKey.endsWith(UNDO_SUFFIX)
    ? idempotencyKey.slice(0, -UNDO_SUFFIX.length)
    : idempotencyKey
}

function seeBooking(known: Known, { kind, outcome }: Thought): void {
  if (!bookings.includes(kind)) return
  if (kind !== 'reserve') known.booked = kind
  else if (outcome === 'reserved') known.booked = 'reserved'
}

function seeCase(known: Known, thought: Thought): void {
  if (thought.kind === 'escalated') known.openCases.add(textOf(thought.case))
  if (thought.kind === 'caseClosed') known.openCases.delete(textOf(thought.case))
  known.openCase = [...known.openCases].at(-1)
  if (thought.kind === 'humanDecision') known.humanDecisions.push(thought)
}
