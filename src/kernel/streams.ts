import type { Cell } from './cell.ts'
import { takeDeferred } from './deferred.ts'
import type { Lane } from './mailbox.ts'
import type { Message } from './message.ts'

/** A message that was taken before, or comes before its turn, is put out of the way. */
export function isWanted(cell: Cell, message: Message, lane: Lane): boolean {
  const place = placeInStream(cell, message)
  if (place === 'done') {
    cell.host.dispose(message)
    return false
  }
  if (place === 'early') {
    // It stays in its sender's outbox and comes again, in its order, with the next start.
    const { id, type } = message
    cell.host.logger(cell.address).error({ message: id, type }, 'gap in a stream: not taken')
    return false
  }
  const { once } = message.headers
  if (once === undefined || !cell.rows.has(onceKey(once))) return true
  // The first may not be durable yet: the repeat is answered after the commit that makes it so.
  if (!cell.isDirect) cell.commit.taken.push({ message, lane })
  cell.release(() => cell.host.acknowledged(message, 'duplicate'))
  cell.host.changed(cell)
  return false
}

/** Takes a numbered message for good without a turn, so that the next of its stream is the next. */
export function skipMessage(cell: Cell, message: Message, lane: Lane): void {
  const { stream, deferred } = message.headers
  if (deferred !== undefined) {
    takeDeferred(cell, deferred.number)
    cell.host.changed(cell)
  }
  if (stream === undefined) return
  if (cell.isDirect) cell.host.dispose(message)
  else {
    cell.commit.consumed.push({ ...stream, receiver: cell.address })
    cell.commit.taken.push({ message, lane })
  }
  cell.putRow(highWaterKey(message), stream.number)
  cell.host.changed(cell)
}

/** A numbered message is taken once and in its order: its stream's high water says which number is next. */
function placeInStream(cell: Cell, message: Message): 'next' | 'done' | 'early' {
  const { stream } = message.headers
  if (stream === undefined) return 'next'
  const highWater = cell.rows.get(highWaterKey(message))
  // A receiver that never heard from this stream takes it up where it is: earlier ones were dead letters.
  if (typeof highWater !== 'number') return 'next'
  if (stream.number <= highWater) return 'done'
  return stream.number === highWater + 1 ? 'next' : 'early'
}

export function onceKey(id: string): string {
  return `~once:${id}`
}

/** The row that says which number of a message's stream was taken last. */
export function highWaterKey(message: Message): string {
  const { stream } = message.headers
  return stream === undefined ? '' : `~in:${stream.sender}|${stream.generation}|${stream.lane}`
}
