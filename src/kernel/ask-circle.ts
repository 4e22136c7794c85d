import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { questionIn } from './invocation.ts'
import type { ReplyTo } from './message.ts'

/** How many actors are looked at in search of a circle of questions. */
export const CIRCLE_ACTORS_MAX = 1000

/** The circle that a question closes, if it still waits; `peek` finds an actor that is in memory. */
export function circleThrough(
  { address, invocation }: ReplyTo,
  peek: (address: Address) => Cell | undefined,
): readonly Address[] | undefined {
  const asked = questionIn(peek(address), invocation)?.asked
  if (asked === undefined) return undefined
  return circleOf(address, asked, (at) => askedBy(peek(at)))
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

/** Whom an actor waits for. */
function askedBy(cell: Cell | undefined): readonly Address[] {
  const all = [...(cell?.invocations.values() ?? [])]
  return all.flatMap(({ asked }) => asked ?? [])
}
