import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { isDeferred, newestDeferred, takeDeferred } from './deferred.ts'
import { AmbitError } from './errors.ts'
import type { Message } from './message.ts'

/**
 * Tells the asker at once when a turn has taken a question that nobody can answer: the state takes no notice of it, so
 * nobody knows who asked, or keeps it for later while it waits in a circle for that very asker. What was kept is let
 * go. A question that an action saw may be answered later. Answers what the record says of it.
 */
export function refuseUnanswerable(
  cell: Cell,
  message: Message,
  before: unknown,
  wanted: number,
): 'refused' | undefined {
  const { replyTo } = message.headers
  if (replyTo === undefined) return undefined
  const isKept = isDeferred(cell, message)
  const isSeen = wanted > 0 || cell.performed > 0
  if (!isKept && (isSeen || cell.spec.engine.takes?.(before, message.body) !== false))
    return undefined
  const circle = cell.host.circleThrough(replyTo)
  if (isKept && circle === undefined) return undefined
  if (isKept) takeDeferred(cell, newestDeferred(cell))
  const error = refusalOf(cell.address, message.type, isKept, circle)
  cell.release(() => cell.host.refuse(cell, replyTo, error))
  return isKept ? 'refused' : undefined
}

function refusalOf(
  to: Address,
  type: string,
  isKept: boolean,
  circle: readonly Address[] | undefined,
): AmbitError {
  if (circle !== undefined) {
    const meanwhile = isKept ? 'defers' : 'takes no notice of'
    const message =
      `${circle.join(' -> ')}: each waits for the next one's answer, and "${to}" ${meanwhile} "${type}". ` +
      'Answer it in the state that waits, or tell instead of asking.'
    return new AmbitError('AMBIT_ASK_CIRCLE', message)
  }
  const message =
    `"${to}" takes no notice of "${type}" in its state, so nobody will answer. ` +
    'Handle the event there, defer() it, or ask later.'
  return new AmbitError('AMBIT_ASK_IGNORED', message)
}
