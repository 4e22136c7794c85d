import type { Cell } from './cell.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { plainOf, type Message } from './message.ts'
import { parkedKey, parkedRow } from './parked.ts'

/** Messages an actor keeps for a later state; a further one is parked. */
export const DEFERRED_MAX = 1024
/** How often one message is kept for later; after that it is parked, because no state wants it. */
export const DEFERRALS_MAX = 100

const MARKER = '~deferred'
export const DEFERRED_ROWS = '~deferred:'

/** How far the kept messages are: those up to `due` are to be taken again. */
interface Marker {
  readonly last: number
  readonly due: number
  readonly count: number
}

interface Kept {
  readonly lane: Lane
  readonly message: Message
}

const NONE: Marker = { last: 0, due: 0, count: 0 }

/** Keeps the message of this turn until the state has changed. Answers what its record says of it. */
export function deferMessage(cell: Cell, message: Message): 'deferred' | 'parked' {
  const { last, due, count } = markerOf(cell)
  const { stream: _, once: __, attempt: ___, refused: ____, ...headers } = message.headers
  const { times = 0 } = headers.deferred ?? {}
  const newest = cell.rows.get(`${DEFERRED_ROWS}${last}`) as unknown as Kept | undefined
  // Another member asked for it in this turn already.
  if (newest?.message.id === message.id && headers.deferred?.number !== last) return 'deferred'
  const lane = cell.mailbox.takenFrom === 'control' ? 'control' : 'user'
  const plain = plainOf(message)
  if (count >= DEFERRED_MAX || times >= DEFERRALS_MAX) {
    const error = { name: 'Deferred', message: whyParked(times) }
    const now = Math.max(cell.lastNow, cell.host.clock.now())
    cell.putRow(parkedKey(message.id), parkedRow(plain, lane, now, error, { kind: 'stale' }))
    return 'parked'
  }
  const number = last + 1
  const kept = {
    lane,
    message: { ...plain, headers: { ...headers, deferred: { number, times: times + 1 } } },
  }
  cell.putRow(`${DEFERRED_ROWS}${number}`, kept as unknown as Json)
  putMarker(cell, { last: number, due, count: count + 1 })
  return 'deferred'
}

function whyParked(times: number): string {
  if (times >= DEFERRALS_MAX)
    return `Deferred ${times} times; no state wants it. Handle it in one, or do not defer it there.`
  return `${DEFERRED_MAX} messages are deferred already. Leave the state that defers them, then retry this one.`
}

/** A kept message is taken: it is kept no longer. */
export function takeDeferred(cell: Cell, number: number): void {
  cell.putRow(`${DEFERRED_ROWS}${number}`, null)
  const marker = markerOf(cell)
  putMarker(cell, { ...marker, count: marker.count - 1 })
}

/** Whether its last turn kept this message. */
export function isDeferred(cell: Cell, { id }: Message): boolean {
  const newest = cell.rows.get(`${DEFERRED_ROWS}${newestDeferred(cell)}`)
  return (newest as unknown as Kept | undefined)?.message.id === id
}

/** The number of the message that it kept last. */
export function newestDeferred(cell: Cell): number {
  return markerOf(cell).last
}

export function hasDeferred(cell: Cell): boolean {
  return markerOf(cell).count > 0
}

/** The state has changed: what was kept until then comes before what waits in the mailbox. */
export function replayDeferred(cell: Cell): void {
  const marker = markerOf(cell)
  if (marker.due < marker.last) putMarker(cell, { ...marker, due: marker.last })
  refillDeferred(cell)
}

/** Brings the mailbox in line with what is due, in its order; repeating it is harmless. */
export function refillDeferred(cell: Cell): void {
  const { last, due } = markerOf(cell)
  if (last === 0) return
  const before = cell.mailbox.drain()
  const numberOf = ({ headers }: Message) => headers.deferred?.number
  const present = new Map(before.map((each) => [numberOf(each.message), each]))
  const kept = keptIn(cell).filter(([number]) => number <= due)
  const again = kept.map(([number, each]) => present.get(number) ?? each)
  const rest = before.filter(({ message }) => numberOf(message) === undefined)
  for (const { message, lane } of [...again, ...rest].reverse()) cell.mailbox.putBack(message, lane)
  if (again.length > 0) cell.host.schedule(cell)
}

/** An actor that ends takes none of them any more. */
export function abandonDeferred(cell: Cell): void {
  if (!hasDeferred(cell)) return
  for (const [number, { message }] of keptIn(cell)) {
    takeDeferred(cell, number)
    cell.release(() => cell.host.deadLetter(message, 'stopped', 'it was deferred'))
  }
  refillDeferred(cell)
}

function keptIn({ rows }: Cell): (readonly [number: number, Kept])[] {
  const found = [...rows].flatMap(([key, value]) =>
    key.startsWith(DEFERRED_ROWS)
      ? [[Number(key.slice(DEFERRED_ROWS.length)), value as unknown as Kept] as const]
      : [],
  )
  return found.sort(([a], [b]) => a - b)
}

function markerOf({ rows }: Cell): Marker {
  return (rows.get(MARKER) as unknown as Marker | undefined) ?? NONE
}

function putMarker(cell: Cell, marker: Marker): void {
  cell.putRow(MARKER, marker as unknown as Json)
}
