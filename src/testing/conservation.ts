import { parkedKey } from '../kernel/parked.ts'
import { textOf } from './dossiers.ts'
import { invariant, type RunView } from './invariant.ts'
import type { TurnRecord } from './trace.ts'

/**
 * What was acknowledged is on the disk; nothing that was sent stays without an answer, or in an outbox; no stream has a
 * gap; and what was parked stays parked until it is discarded, or retried and taken.
 */
export const messagesConserved = invariant('messagesConserved', (view) => {
  const stored = new Set<string>()
  const open = new Set<string>()
  const next = new Map<string, number>()
  const aside = new SetAside()
  return {
    see(entry) {
      if (entry.kind === 'sent') open.add(entry.id)
      if (entry.kind === 'refused') open.delete(entry.id)
      if (entry.kind === 'turn')
        return aside.see(entry.record) ?? seeStream(entry.record, next, stored)
      if (entry.kind === 'deadLetter') aside.taken(entry.id)
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
  /** New messages that stand for parked ones, and that nobody has taken. */
  private readonly owed = new Map<string, { readonly actor: string; readonly parked: string }>()

  see({
    actor,
    generation,
    seq,
    disposition,
    message,
    thoughts = [],
  }: TurnRecord): string | undefined {
    this.taken(message.id)
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

  taken(id: string): void {
    this.owed.delete(id)
  }

  async lost({ load, snapshotOf }: RunView): Promise<string | undefined> {
    for (const { actor, id } of this.parked.values()) {
      const stored = await load(actor)
      if (stored?.rows.has(parkedKey(id)) !== true)
        return `${id} was parked by ${actor}, and is gone without anybody having settled it.`
    }
    for (const { actor, parked } of this.owed.values()) {
      // Whoever is down has it in a mailbox still.
      const { status } = (snapshotOf(actor) ?? {}) as { status?: unknown }
      if (status === 'active') return `${parked} was retried, and ${actor} does not get it.`
    }
    return undefined
  }
}

function seeStream(
  { actor, message }: TurnRecord,
  next: Map<string, number>,
  stored: Set<string>,
): string | undefined {
  const { once, stream } = message.headers
  if (once !== undefined) stored.add(once)
  if (stream === undefined) return undefined
  const id = `${actor} from ${stream.sender} ${stream.generation} ${stream.lane}`
  const expected = next.get(id) ?? stream.number
  next.set(id, stream.number + 1)
  if (stream.number === expected) return undefined
  return `${actor} took number ${stream.number} from ${stream.sender}, ${expected} was next.`
}
