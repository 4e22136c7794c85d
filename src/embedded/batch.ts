import type { JournalEntry, TurnCommit } from '../kernel/ports/journal.ts'

/** The entries of a batch, those of a group together: what is stored all or none. */
export function inGroups(batch: readonly JournalEntry[]): JournalEntry[][] {
  const groups: JournalEntry[][] = []
  let last: number | undefined
  for (const entry of batch) {
    const group = entry.kind === 'turns' ? entry.group : undefined
    const open = groups.at(-1)
    if (group !== undefined && group === last && open !== undefined) open.push(entry)
    else groups.push([entry])
    last = group
  }
  return groups
}

interface TurnRecord {
  readonly address: string
  readonly seq: number
  readonly record: string
}

/** The records of what was stored, in the order in which the turns were made. */
export function recordsOf(stored: readonly TurnCommit[]): readonly TurnRecord[] {
  const records: (TurnRecord & { readonly place: number })[] = []
  let last = 0
  for (const { address, seq, records: texts, places } of stored) {
    let next = seq - texts.length
    for (const [i, record] of texts.entries()) {
      const place = (last = places?.[i] ?? last)
      records.push({ address, seq: ++next, record, place })
    }
  }
  return stored.length > 1 ? records.sort((a, b) => a.place - b.place) : records
}
