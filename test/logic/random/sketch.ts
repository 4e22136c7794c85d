import type { RawMachine, RawState } from './raw-plan.ts'

/** A state on its way from the raw choices to the plan: it knows its place in the tree. */
export interface Node {
  readonly key: string
  readonly path: readonly string[]
  readonly id: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  readonly raw: RawState
  readonly parent: Node | undefined
  readonly children: Node[]
  readonly histories: Node[]
  /** Of a history state: the state it leads to if it was never filled. */
  readonly fallback: { to?: Node }
  readonly invokes: { readonly id: string; readonly src: string }[]
}

/** What all states of one machine share while they are read. */
export interface Sketch {
  readonly id: string
  readonly raw: RawMachine
  readonly root: Node
  /** All states but the root, in the order of the document. */
  readonly nodes: readonly Node[]
  /** Names of the actors that may be invoked and spawned. */
  readonly actors: readonly string[]
  readonly isChild: boolean
  /** Ids of the children that the root spawns as it is entered. */
  readonly spawned: string[]
  /** Set as soon as something is read by which actors can keep each other busy. */
  readonly busy: { is: boolean }
}

export function pick<Item>(items: readonly Item[], n: number): Item | undefined {
  return items.length === 0 ? undefined : items[n % items.length]
}

export function sketchMachine(
  raw: RawMachine,
  id: string,
  actors: readonly string[],
  isChild: boolean,
): Sketch {
  const { parallel, initial, parts, states } = raw
  const memory = initial % 6 === 5 ? 2 : 0
  const rootState = {
    kind: parallel ? 'parallel' : 'plain',
    initial,
    memory,
    parts,
    states,
  } as const
  const root = growNode(rootState, undefined, id, id)
  const nodes: Node[] = []
  listNodes(root, nodes)
  const sketch = { id, raw, root, nodes, actors, isChild, spawned: [], busy: { is: false } }
  if (actors.length > 0) [root, ...nodes].forEach((node) => addInvokes(sketch, node))
  return sketch
}

function growNode(raw: RawState, parent: Node | undefined, key: string, id: string): Node {
  const path = parent ? [...parent.path, key] : []
  const node: Node = {
    key,
    path,
    id: [id, ...path].join('.'),
    type: typeOf(raw),
    raw,
    parent,
    children: [],
    histories: [],
    fallback: {},
    invokes: [],
  }
  raw.states.forEach((child, n) => node.children.push(growNode(child, node, 'abcdef'[n]!, id)))
  if (node.children.length > 0) growHistories(node, id)
  return node
}

function typeOf({ kind, states }: RawState): Node['type'] {
  if (states.length === 0) return kind === 'final' ? 'final' : 'atomic'
  return kind === 'parallel' ? 'parallel' : 'compound'
}

const memories = [[], [], ['shallow'], ['deep'], ['shallow', 'deep'], ['deep', 'shallow']] as const

/** Every second history state has a default. */
function growHistories(node: Node, id: string): void {
  const below: Node[] = []
  listNodes(node, below)
  const { memory, initial } = node.raw
  for (const [n, key] of memories[memory]!.entries()) {
    const path = [...node.path, key]
    const to = (initial + n) % 2 === 0 ? undefined : pick(below.filter(isReal), initial)
    node.histories.push({
      key,
      path,
      id: [id, ...path].join('.'),
      type: 'history',
      raw: { kind: 'plain', initial: 0, memory: 0, parts: [], states: [] },
      parent: node,
      children: [],
      histories: [],
      fallback: { ...(to && { to }) },
      invokes: [],
    })
  }
}

function addInvokes({ nodes, actors }: Sketch, node: Node): void {
  if (node.type === 'final' || node.type === 'history') return
  for (const { part, x } of node.raw.parts) {
    if (part !== 'invoke' || node.invokes.length > 1) continue
    const id = `i${nodes.indexOf(node) + 1}${'ab'[node.invokes.length]!}`
    node.invokes.push({ id, src: pick(actors, x)! })
  }
}

function listNodes(node: Node, into: Node[]): void {
  for (const child of node.children) {
    into.push(child)
    listNodes(child, into)
  }
  into.push(...node.histories)
}

export const isReal = (node: Node) => node.type !== 'history'

export function isBelow(node: Node, other: Node): boolean {
  for (let up = node.parent; up; up = up.parent) if (up === other) return true
  return false
}

export function hasInvokes(node: Node): boolean {
  return node.invokes.length > 0 || node.children.some(hasInvokes)
}

/** The innermost state that a transition from `source` does not leave; none if it leaves the root. */
export function stayingNode(
  source: Node,
  targets: readonly Node[],
  reenter: boolean,
): Node | undefined {
  const ends = targets.map((node) => (leadsToParent(node) ? node.parent! : node))
  if (ends.length === 0) return source
  if (!reenter && ends.every((end) => end === source || isBelow(end, source))) return source
  let up = source.parent
  while (up && !ends.every((end) => isBelow(end, up!))) up = up.parent
  return up
}

/** A history of a parallel state that was never filled leads to the parallel state itself. */
function leadsToParent({ type, parent, fallback }: Node): boolean {
  return type === 'history' && parent?.type === 'parallel' && fallback.to === undefined
}
