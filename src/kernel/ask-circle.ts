import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { isDeferred, newestDeferred, takeDeferred } from './deferred.ts'
import { AmbitError } from './errors.ts'
import type { Invocation } from './invocation.ts'
import type { Message } from './message.ts'

/** How many actors are looked at in search of a circle of questions. */
export const CIRCLE_ACTORS_MAX = 1000

/**
 * A turn has taken a question and nobody can answer it: its receiver's state takes no notice of it, so nobody knows who
 * asked, or keeps it for a later state that only its own answer would bring. Then the asker hears so at once, and what
 * was kept is let go. A question that an action saw may be answered later. Answers what the record says of it.
 */
export function refuseUnanswerable(
  cell: Cell,
  message: Message,
  before: unknown,
  wanted: number,
): 'refused' | undefined {
  if (message.headers.replyTo === undefined) return undefined
  const isKept = isDeferred(cell, message)
  if (!isKept && (wanted > 0 || cell.performed > 0 || !isIgnored(cell, message, before)))
    return undefined
  const circle = cell.host.circleOf(cell, message)
  if (isKept && circle === undefined) return undefined
  if (isKept) takeDeferred(cell, newestDeferred(cell))
  const error = refusalOf(cell.address, message.type, isKept, circle)
  cell.release(() => cell.host.refuse(cell, message, error))
  return isKept ? 'refused' : undefined
}

function isIgnored({ spec }: Cell, { body }: Message, before: unknown): boolean {
  return spec.engine.takes?.(before, body) === false
}

/** The question of an actor that waits under a name, if it still waits. */
export function questionIn(cell: Cell, ref: string): Invocation | undefined {
  for (const invocation of cell.invocations.values())
    if (invocation.ref === ref && invocation.kind === 'ask') return invocation
  return undefined
}

/** Whom an actor in memory waits for. */
export function askedBy(cell: Cell | undefined): readonly Address[] {
  const asked = new Set<Address>()
  for (const { asked: to } of cell?.invocations.values() ?? []) if (to !== undefined) asked.add(to)
  return [...asked]
}

/** The shortest circle of questions that `asker` closes by asking `asked`: from the asker back to it. */
export function circleOf(
  asker: Address,
  asked: Address,
  askedBy: (address: Address) => readonly Address[],
): readonly Address[] | undefined {
  const cameFrom = new Map<Address, Address>([[asked, asker]])
  for (const at of cameFrom.keys()) {
    if (at === asker) return pathTo(asker, cameFrom)
    for (const next of askedBy(at))
      if (!cameFrom.has(next) && cameFrom.size < CIRCLE_ACTORS_MAX) cameFrom.set(next, at)
  }
  return undefined
}

function pathTo(asker: Address, cameFrom: ReadonlyMap<Address, Address>): readonly Address[] {
  const path = [asker]
  do path.unshift(cameFrom.get(path[0] ?? asker) ?? asker)
  while (path[0] !== asker)
  return path
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
