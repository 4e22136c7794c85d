import type { Address } from './address.ts'
import type { Admission } from './admission.ts'
import type { ErrorRecord } from './errors.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, plainOf, type Event, type Message } from './message.ts'

/** A message that was taken and failed its turns; it may be retried or discarded. */
export interface ParkedMessage {
  /** Whose message it was. */
  readonly address: Address
  readonly id: string
  readonly type: string
  /** When it was set aside, in milliseconds since the epoch. */
  readonly at: number
  readonly error: ErrorRecord
  readonly message: Message
}

/** Who decides what becomes of a parked message, and why; both are in the log. */
export interface ParkedDecision {
  readonly by: string
  readonly reason?: string
}

/** What became of it; `id` is that of the new message. */
export type ParkedOutcome =
  | { readonly status: 'retried'; readonly id: string }
  | { readonly status: 'discarded' }
  | { readonly status: 'refused'; readonly reason: ParkedRefusal; readonly message: string }

export type ParkedRefusal =
  'unknownMessage' | 'unknownActor' | 'stopped' | 'quarantined' | 'superseded'

/** The order to do something with a parked message, as its actor takes it. */
export interface ParkedOrder extends ParkedDecision, Event {
  readonly what: 'retry' | 'discard'
  readonly id: string
}

/** What the row of a parked message holds. */
export interface ParkedRow {
  readonly at: number
  readonly lane: Lane
  readonly message: Message
  readonly error: ErrorRecord
  /** What a retry says in its place: the wait that the message ended is over. */
  readonly again?: Event
  /** Where that wait stood. */
  readonly path?: string
}

export const PARKED_ROWS = '~parked:'

export function parkedKey(id: string): string {
  return `${PARKED_ROWS}${id}`
}

export function parkedRow(
  message: Message,
  lane: Lane,
  at: number,
  error: ErrorRecord,
  admission: Admission,
): Json {
  const row: ParkedRow = { at, lane, message: plainOf(message), error, ...waitOf(admission) }
  return row as unknown as Json
}

/** An end, an answer or a due timer reaches nobody by its own name again: it is kept as what it says to the machine. */
function waitOf(admission: Admission): Pick<ParkedRow, 'again' | 'path'> {
  if (admission.kind !== 'step') return {}
  const { target, event, end, ends, timer } = admission
  if (ends === undefined && timer === undefined) return {}
  const again =
    end === undefined
      ? { type: kernelTypes.post, target, event }
      : { type: kernelTypes.ended, target, end }
  return { again, ...(ends !== undefined && { path: ends.path }) }
}

/** The parked messages among the rows of an actor. */
export function parkedIn(
  address: Address,
  rows: Iterable<readonly [string, Json]>,
): ParkedMessage[] {
  return [...rows].flatMap(([key, value]) => {
    if (!key.startsWith(PARKED_ROWS)) return []
    const { at, message, error } = value as unknown as ParkedRow
    return [{ address, id: message.id, type: message.type, at, error, message }]
  })
}

export function parkedThought(
  what: ParkedOrder['what'],
  id: string,
  { by, reason }: ParkedDecision,
): { kind: string; [field: string]: Json } {
  const kind = what === 'retry' ? 'parkedRetried' : 'parkedDiscarded'
  return { kind, message: id, by, ...(reason !== undefined && { reason }) }
}

const refusals: Record<ParkedRefusal, (address: Address, id: string) => string> = {
  unknownMessage: (address, id) =>
    `"${address}" has no parked message "${id}". It was settled before, or never was; list those there are.`,
  unknownActor: (address) => `No actor lives at "${address}". Expected an address in the tree.`,
  stopped: (address, id) =>
    `"${address}" has ended and takes nothing more. Discard "${id}", or send it to another actor.`,
  quarantined: (address) =>
    `"${address}" is down until a human looks. Mend what the alarm names, start the system again, then retry.`,
  superseded: (address, id) =>
    `"${id}" ended a wait of "${address}" that has begun anew since: the new one will end by itself. Discard it.`,
}

export function refusedParked(
  reason: ParkedRefusal,
  address: Address,
  id: string,
): Extract<ParkedOutcome, { status: 'refused' }> {
  return { status: 'refused', reason, message: refusals[reason](address, id) }
}
