import type { Json } from '../kernel/json.ts'
import { pathOf } from './cell-state.ts'
import type { StoredCell, StoredChild, StoredMember } from './persisted.ts'

/** What XState's `getPersistedSnapshot()` gives, as JSON brings it back. */
interface XStateSnapshot {
  readonly status: StoredMember['status']
  readonly value?: Json
  readonly context?: Json
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>
  readonly output?: Json
  readonly error?: Json
  readonly children?: Readonly<Record<string, XStateChild>>
}

interface XStateChild {
  readonly snapshot: XStateSnapshot
  readonly src: string
  readonly systemId?: string
  readonly syncSnapshot?: boolean
}

/** A snapshot of XState's own, with its children, as we store states. It holds no delayed events: XState keeps none. */
export function fromXState(snapshot: unknown): StoredCell {
  const root = snapshot as XStateSnapshot
  const members: Record<string, StoredChild> = {}
  addChildren(members, '', root)
  return { root: memberOf(root), ...(Object.keys(members).length > 0 && { members }) }
}

function addChildren(
  members: Record<string, StoredChild>,
  parent: string,
  { children = {} }: XStateSnapshot,
): void {
  for (const [id, child] of Object.entries(children)) {
    const { snapshot, src, systemId, syncSnapshot } = child
    const path = pathOf(parent, id)
    members[path] = {
      id,
      key: id,
      src,
      ...(systemId !== undefined && { systemId }),
      ...(syncSnapshot === true && { synced: true }),
      ...memberOf(snapshot),
    }
    addChildren(members, path, snapshot)
  }
}

function memberOf(snapshot: XStateSnapshot): StoredMember {
  const {
    status,
    value,
    context,
    historyValue = {},
    output,
    error,
    children: _,
    ...rest
  } = snapshot
  const ending = {
    ...(status !== undefined && { status }),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
  }
  if (value === undefined) {
    const plain = { ...rest, ...(context !== undefined && { context }) } as unknown as Json
    return { ...ending, plain }
  }
  const history = Object.entries(historyValue).map(([key, nodes]) => [
    key,
    nodes.map(({ id }) => id),
  ])
  return {
    ...ending,
    value,
    ...(context !== undefined && { context }),
    ...(history.length > 0 && {
      history: Object.fromEntries(history) as Record<string, string[]>,
    }),
  }
}
