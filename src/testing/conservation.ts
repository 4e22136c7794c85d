import { DEFERRED_ROWS } from '../kernel/deferred.ts'
import type { Json } from '../kernel/json.ts'
import type { Headers } from '../kernel/message.ts'
import { parkedKey } from '../kernel/parked.ts'
import { textOf } from './dossiers.ts'
import { invariant, type RunView } from './invariant.ts'
import type { TurnRecord } from './trace.ts'

/**
 * What was acknowledged is on the disk; nothing that was sent stays without an answer, or in an outbox; no stream has a
 * gap; what was parked stays parked until it is discarded, or retried and taken; and what was deferred is kept until it
 * is taken, in its order.
 */
export const messagesConserved = invariant('messagesConserved', (view) => {
  const stored = new Set<string>()
  const open = new Set<string>()
  const next = new Map<string, number>()
  const skipped = new Set<string>()
  const aside = new SetAside()
  return {
    see(entry) {
      if (entry.kind === 'sent') open.add(entry.id)
      if (entry.kind === 'refused') open.delete(entry.id)
      if (entry.kind === 'turn')
        return aside.see(entry.record) ?? seeStream(entry.record, next, stored, skipped)
      if (entry.kind === 'deadLetter') {
        aside.taken(entry.id)
        if (entry.stream !== undefined)
          skipped.add(`${streamOf(entry.to, entry.stream)} ${entry.stream.number}`)
      }
      if (entry.kind !== 'acknowledged') return undefined
      open.delete(entry.id)
      return stored.has(entry.id) ? undefined : `${entry.id} was acknowledged and is not stored.`
    },
    async atEnd() {
      const [first] = open
      if (first !== undefined) return `${first} was sent, and nobody ever answered.`
      const [left] = await view.waiting()
      if (left !== undefined)
        return `${left.type} (${left.id}) lies in an outbox, and ${left.to} does not get it.`
      return aside.lost(view)
    },
  }
})

/** Messages that were taken and not done with. */
class SetAside {
  private readonly parked = new Map<string, { readonly actor: string; readonly id: string }>()
  private readonly deferred = new Map<string, { readonly actor: string; readonly id: string }>()
  private readonly lastDeferred = new Map<string, number>()
  /** New messages that stand for parked ones, and that nobody has taken. */
  private readonly owed = new Map<string, { readonly actor: string; readonly parked: string }>()

  see(record: TurnRecord): string | undefined {
    const { actor, generation, seq, disposition, message, thoughts = [] } = record
    this.taken(message.id)
    const reordered = this.seeDeferred(record)
    if (reordered !== undefined) return reordered
    if (disposition === 'parked')
      this.parked.set(`${actor} ${message.id}`, { actor, id: message.id })
    for (const { kind, message: id } of thoughts) {
      if (kind !== 'parkedRetried' && kind !== 'parkedDiscarded') continue
      if (!this.parked.delete(`${actor} ${textOf(id)}`))
        return `${actor} settled ${textOf(id)}, which was not parked.`
      if (kind === 'parkedRetried')
        this.owed.set(`${actor}:${generation}.${seq}.retry`, { actor, parked: textOf(id) })
    }
    return undefined
  }

  /** What an actor keeps for later it takes in the order in which it kept it. */
  private seeDeferred({ actor, disposition, message }: TurnRecord): string | undefined {
    const key = `${actor} ${message.id}`
    const { number } = message.headers.deferred ?? {}
    if (number !== undefined && !this.deferred.delete(key))
      return `${actor} took ${message.id} again, which was not deferred.`
    if (disposition === 'deferred') this.deferred.set(key, { actor, id: message.id })
    if (number === undefined) return undefined
    const last = this.lastDeferred.get(actor) ?? 0
    this.lastDeferred.set(actor, number)
    return number > last
      ? undefined
      : `${actor} took what it deferred as number ${number} after number ${last}.`
  }

  taken(id: string): void {
    this.owed.delete(id)
  }

  async lost({ load, snapshotOf }: RunView): Promise<string | undefined> {
    for (const { actor, id } of this.parked.values()) {
      const stored = await load(actor)
      if (stored?.rows.has(parkedKey(id)) !== true)
        return `${id} was parked by ${actor}, and is gone without anybody having settled it.`
    }
    for (const { actor, id } of this.deferred.values()) {
      const { rows = [], status } = (await load(actor)) ?? {}
      const isKept = [...rows].some(([key, value]) => isDeferred(key, value, id))
      if (status === 'active' && !isKept)
        return `${id} was deferred by ${actor}, and is gone without having been taken.`
    }
    for (const { actor, parked } of this.owed.values()) {
      // Whoever is down has it in a mailbox still.
      const { status } = (snapshotOf(actor) ?? {}) as { status?: unknown }
      if (status === 'active') return `${parked} was retried, and ${actor} does not get it.`
    }
    return undefined
  }
}

function isDeferred(key: string, value: Json, id: string): boolean {
  if (!key.startsWith(DEFERRED_ROWS)) return false
  return (value as unknown as { readonly message: { readonly id: string } }).message.id === id
}

function seeStream(
  { actor, message }: TurnRecord,
  next: Map<string, number>,
  stored: Set<string>,
  skipped: ReadonlySet<string>,
): string | undefined {
  const { once, stream } = message.headers
  if (once !== undefined) stored.add(once)
  if (stream === undefined) return undefined
  const id = streamOf(actor, stream)
  let expected = next.get(id) ?? stream.number
  // What came too late to be wanted was taken out of its stream without a turn.
  while (expected < stream.number && skipped.has(`${id} ${expected}`)) expected++
  next.set(id, stream.number + 1)
  if (stream.number === expected) return undefined
  return `${actor} took number ${stream.number} from ${stream.sender}, ${expected} was next.`
}

function streamOf(actor: string, stream: NonNullable<Headers['stream']>): string {
  return `${actor} from ${stream.sender} ${stream.generation} ${stream.lane}`
}
