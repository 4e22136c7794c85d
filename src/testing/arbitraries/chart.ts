import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** The atomic states that are active together. */
export type Configuration = readonly AnyStateNode[]

/** A transition that may be taken; its guard is not asked. */
export interface Move {
  readonly transition: AnyTransitionDefinition
  /** As in the chart, such as `order.*`; undefined when nobody sends it: `always`, `after`, ends of children. */
  readonly descriptor: string | undefined
}

export function startOf({ root }: AnyStateMachine): Configuration {
  return enter(root)
}

/** Every move out of a configuration or within it; none when the machine is done. */
export function movesFrom(configuration: Configuration): readonly Move[] {
  const nodes = new Set(configuration.flatMap(lineOf))
  const isDone = configuration.some(
    ({ type, parent }) =>
      type === 'final' && parent?.type === 'compound' && parent.parent === undefined,
  )
  if (isDone) return []
  return [...nodes].flatMap((node) => movesOf(node, configuration))
}

/** Where a move leads. What a history state remembers is not followed: it leads to the first state beside it. */
export function take(configuration: Configuration, { transition }: Move): Configuration {
  const { target, source } = transition
  if (target === undefined || target.length === 0) return configuration
  const domain = domainOf(source, target, transition.reenter)
  const staying = configuration.filter((leaf) => !isWithin(leaf, domain))
  return [...staying, ...enterTowards(domain, target)]
}

/** The types of events that a machine names, without wildcards and without XState's own. */
export function eventTypes({ root }: AnyStateMachine): readonly string[] {
  const descriptors = nodesOf(root).flatMap(({ transitions }) => [...transitions.keys()])
  return [...new Set(descriptors)].filter((type) => !type.includes('*') && !isReserved(type))
}

function movesOf(node: AnyStateNode, configuration: Configuration): readonly Move[] {
  const silent = (node.always ?? []).map((transition) => ({ transition, descriptor: undefined }))
  const others = [...node.transitions].flatMap(([descriptor, transitions]) => {
    const isEnd = descriptor.startsWith('xstate.done.state.')
    if (isEnd && !configuration.some((leaf) => leaf.type === 'final' && isWithin(leaf, node))) {
      return []
    }
    return transitions.map((transition) => ({
      transition,
      descriptor: isReserved(descriptor) ? undefined : descriptor,
    }))
  })
  return [...silent, ...others]
}

function isReserved(descriptor: string): boolean {
  return descriptor.startsWith('xstate.')
}

function domainOf(
  source: AnyStateNode,
  targets: readonly AnyStateNode[],
  reenter: boolean,
): AnyStateNode {
  const holds = (node: AnyStateNode) => targets.every((target) => isWithin(target, node))
  if (!reenter && holds(source)) return source
  const above = lineOf(source).slice(1)
  return above.find(holds) ?? source.machine.root
}

function enter(node: AnyStateNode): Configuration {
  if (node.type === 'history') return node.parent === undefined ? [] : enterBeside(node.parent)
  if (node.type === 'parallel') return realStates(node).flatMap(enter)
  return node.type === 'compound' ? enterTowards(node, node.initial.target) : [node]
}

function enterBeside(parent: AnyStateNode): Configuration {
  return parent.type === 'parallel' ? enter(parent) : realStates(parent).slice(0, 1).flatMap(enter)
}

function enterTowards(node: AnyStateNode, targets: readonly AnyStateNode[]): Configuration {
  if (targets.includes(node)) return enter(node)
  const leadsOn = (child: AnyStateNode) => targets.some((target) => isWithin(target, child))
  if (node.type === 'parallel') {
    return realStates(node).flatMap((child) =>
      leadsOn(child) ? enterTowards(child, targets) : enter(child),
    )
  }
  const next = Object.values(node.states).find(leadsOn)
  return next === undefined ? [node] : enterTowards(next, targets)
}

function realStates({ states }: AnyStateNode): readonly AnyStateNode[] {
  return Object.values(states).filter(({ type }) => type !== 'history')
}

/** A state and all around it, the root last. */
function lineOf(node: AnyStateNode): readonly AnyStateNode[] {
  return node.parent === undefined ? [node] : [node, ...lineOf(node.parent)]
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return lineOf(node).includes(ancestor)
}

function nodesOf(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)]
}
