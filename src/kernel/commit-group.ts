import type { Cell } from './cell.ts'
import type { PendingCommit } from './pending-commit.ts'
import type { TurnCommit } from './ports/journal.ts'

/** What one actor did, as the journal is given it. */
export interface Submitted {
  readonly cell: Cell
  readonly pending: PendingCommit
  readonly seq: number
  readonly entry: TurnCommit
}

/** What is stored together, all or none. */
export type Group = readonly Submitted[]

/** The actors that did something, by the groups in which they are stored. */
export function groupsOf(cells: Iterable<Cell>): Cell[][] {
  const groups = new Map<PendingCommit, Cell[]>()
  for (const cell of cells) {
    if (cell.pending === undefined) continue
    const { group } = cell.pending
    const known = groups.get(group)
    if (known === undefined) groups.set(group, [cell])
    else known.push(cell)
  }
  return [...groups.values()]
}
