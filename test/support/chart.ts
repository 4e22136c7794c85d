import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** `event` is an explicit one from outside; all others happen by themselves. */
export type EdgeKind = 'event' | 'wildcard' | 'always' | 'after' | 'done' | 'error' | 'initial'

/** One transition of a chart that leads into a state. */
export interface Edge {
  readonly from: string
  readonly to: string
  readonly kind: EdgeKind
  readonly event: string
}

/** A flat chart: its states by tag, and every transition that changes the state. */
export interface Chart {
  readonly states: readonly string[]
  readonly tagged: (tag: string) => readonly string[]
  readonly edges: readonly Edge[]
}

export const START = '(start)'

export function chartOf({ root }: AnyStateMachine): Chart {
  const nodes = nodesOf(root)
  const leaves = nodes.filter(({ states }) => Object.keys(states).length === 0)
  const edges = nodes.flatMap((node) => {
    const sources = node === root ? leaves.map(nameOf) : [nameOf(node)]
    return sources.flatMap((from) => edgesOf(node, from))
  })
  const starts = [...root.initial.target]
  return {
    states: leaves.map(nameOf),
    tagged: (tag) => leaves.filter(({ tags }) => tags.includes(tag)).map(nameOf),
    edges: [...starts.map((to) => edge(START, to, 'initial', '')), ...edges],
  }
}

/** Every state that can be reached from some, over the edges that are let through. */
export function reachable(
  { edges }: Chart,
  from: readonly string[],
  lets: (edge: Edge) => boolean,
): ReadonlySet<string> {
  const reached = new Set(from)
  const queue = [...from]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const each of edges) {
      if (each.from !== next || reached.has(each.to) || !lets(each)) continue
      reached.add(each.to)
      queue.push(each.to)
    }
  }
  return reached
}

function edgesOf(node: AnyStateNode, from: string): Edge[] {
  const always = (node.always ?? []).flatMap(({ target = [] }) =>
    target.map((to) => edge(from, to, 'always', '')),
  )
  const onEvents = [...node.transitions].flatMap(([event, transitions]) =>
    transitions.flatMap(({ target = [] }) =>
      target.map((to) => edge(from, to, kindOf(event), event)),
    ),
  )
  return [...always, ...onEvents]
}

function edge(from: string, to: AnyStateNode, kind: EdgeKind, event: string): Edge {
  return { from, to: nameOf(to), kind, event }
}

function kindOf(event: string): EdgeKind {
  if (event.includes('*')) return 'wildcard'
  if (event.startsWith('xstate.after.')) return 'after'
  if (event.startsWith('xstate.done.')) return 'done'
  if (event.startsWith('xstate.error.')) return 'error'
  return 'event'
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)]
}

function nameOf({ path }: AnyStateNode): string {
  return path.join('.')
}
