import type { Address } from './address.ts'
import type { Json } from './json.ts'
import type { Event } from './message.ts'
import type { Stream } from './rows.ts'
import type { Invocable } from './ports/engine.ts'

/** Something a machine waits for: an effect or an answer. It stands in the committed state until it ends. */
export interface Invocation {
  /** Its place in the cell: the invoke id, after the ids of the machines around it. */
  readonly path: string
  /** (generation, seq, index): an end that names another ref is too late. */
  readonly ref: string
  readonly src: string
  readonly kind: Invocable['kind']
  /** What it was given; null where nobody looks at it again. */
  readonly input: Json
  readonly attempt: number
  /** An ask's receiver, and what it is told when the asker leaves. */
  readonly asked?: Address
  readonly withdraw?: Event
  /** How the invocation runs; found again through the engine after a restart, never stored. */
  readonly logic: Invocable
}

/** A delayed event of a machine in the cell. */
export interface CellTimer {
  readonly id: string
  /** Whose delayed event it is. */
  readonly owner: string
  readonly target: string
  readonly event: Event
  readonly dueAt: number
  /** The id by which it is cancelled, when another event had it already. */
  readonly alias?: string
  /** Whether another event has taken its id: then it can no longer be cancelled by it. */
  readonly isLoose?: true
}

/** What is stored of an invocation: what its logic says as well is left out. */
export interface StoredInvocation {
  readonly path: string
  readonly ref: string
  readonly src: string
  readonly input?: Json
  /** Left out at the first. */
  readonly attempt?: number
  readonly asked?: Address
  readonly withdraw?: Event
}

export function storedInvocation(invocation: Invocation): StoredInvocation {
  const { path, ref, src, input, attempt, asked, withdraw, logic } = invocation
  const isWithdrawnAlike = logic.kind === 'ask' && logic.withdraw !== undefined
  return {
    path,
    ref,
    src,
    ...(input !== null && { input }),
    ...(attempt > 1 && { attempt }),
    ...(asked !== undefined && { asked }),
    ...(withdraw !== undefined && !isWithdrawnAlike && { withdraw }),
  }
}

export function restoredInvocation(stored: StoredInvocation, logic: Invocable): Invocation {
  const { input = null, attempt = 1, ...rest } = stored
  const { kind } = logic
  const alike = logic.kind === 'ask' ? logic.withdraw : undefined
  return { ...(alike !== undefined && { withdraw: alike }), ...rest, kind, input, attempt, logic }
}

/** What the kernel stores of an actor beside the machine's own state. */
export interface StoredSnapshot {
  readonly machine: { readonly id: string; readonly version: string; readonly hash: string }
  readonly state: Json
  readonly lastNow: number
  /** Left out when there are none. */
  readonly invocations?: readonly StoredInvocation[]
  /** How far the streams to and from few others are; those of more are rows. */
  readonly streams?: readonly Stream[]
  readonly output?: Json
}

const ASK_TIMER = 'ask '

export function askTimerId(ref: string): string {
  return `${ASK_TIMER}${ref}`
}

/** Which question's time a timer is, if it is one's. */
export function refOfAskTimer(id: string): string | undefined {
  return id.startsWith(ASK_TIMER) ? id.slice(ASK_TIMER.length) : undefined
}

/** The id under which a machine's delayed event is kept, apart from its neighbours in the cell. */
export function machineTimerId(owner: string, id: string): string {
  return `after ${owner}|${id}`
}

/** The question of an actor that waits under a name, if it still waits. */
export function questionIn(cell: Waiting | undefined, ref: string): Invocation | undefined {
  for (const invocation of cell?.invocations.values() ?? [])
    if (invocation.ref === ref && invocation.kind === 'ask') return invocation
  return undefined
}

interface Waiting {
  readonly invocations: ReadonlyMap<string, Invocation>
}
