import { carryOut, dispatch } from './carry-out.ts'
import type { Cell } from './cell.ts'
import type { Json } from './json.ts'
import { kernelTypes, sentWith, type Message } from './message.ts'
import {
  parkedKey,
  parkedThought,
  refusedParked,
  type ParkedOrder,
  type ParkedOutcome,
  type ParkedRow,
} from './parked.ts'
import type { Prepared } from './prepare.ts'

/** Does what was ordered, as part of the turn that takes the order. Answers what its record says. */
export function settleParked(
  cell: Cell,
  order: Message,
  now: number,
): Record<string, Json | undefined> {
  const { what, id, by, reason } = order.body as ParkedOrder
  const row = cell.rows.get(parkedKey(id)) as unknown as ParkedRow | undefined
  const outcome = outcomeOf(cell, what, id, row)
  const commands: Prepared[] = []
  if (outcome.status !== 'refused') {
    cell.putRow(parkedKey(id), null)
    commands.push({ kind: 'think', thought: parkedThought(what, id, { by, reason }) })
  }
  if (order.headers.replyTo !== undefined)
    commands.push({ kind: 'reply', event: { type: kernelTypes.parked, outcome } })
  const notes = carryOut(cell, order, commands, now)
  if (outcome.status !== 'retried' || row === undefined) return notes
  dispatch(cell, again(cell, outcome.id, row), row.lane)
  return { ...notes, sent: Number(notes.sent ?? 0) + 1 }
}

function outcomeOf(
  cell: Cell,
  what: ParkedOrder['what'],
  id: string,
  row: ParkedRow | undefined,
): ParkedOutcome {
  if (row === undefined) return refusedParked('unknownMessage', cell.address, id)
  if (what === 'discard') return { status: 'discarded' }
  if (row.path !== undefined && cell.invocations.has(row.path))
    return refusedParked('superseded', cell.address, id)
  return { status: 'retried', id: `${cell.address}:${cell.generation}.${cell.seq}.retry` }
}

/** A new message that says the same; number, caller's own id and deadline were the old one's. */
function again(cell: Cell, id: string, row: ParkedRow): Message {
  const { message, again: body = message.body } = row
  const { from, correlation, replyTo, privileged } = message.headers
  const isOurs = privileged === true || body.type.startsWith('ambit.')
  return {
    id,
    type: body.type,
    to: cell.address,
    body,
    headers: {
      ...(from !== undefined && { from }),
      causation: message.id,
      correlation: correlation ?? message.id,
      ...(replyTo !== undefined && { replyTo }),
      ...(isOurs && { privileged: true }),
    },
    ...(cell.spec.durability === 'sync' && { [sentWith]: cell.commit }),
  }
}
