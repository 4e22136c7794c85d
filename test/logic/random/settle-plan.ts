import type {
  ActorPlan,
  GuardPlan,
  InvokePlan,
  MachinePlan,
  OutputPlan,
  StatePlan,
  TransitionPlan,
} from './plan.ts'
import type { PartKind, RawActor, RawMachine, RawPart, RawTransition } from './raw-plan.ts'
import { eventTypes, settleActions, settleGuard, type Site } from './settle-actions.ts'
import {
  hasInvokes,
  isBelow,
  isReal,
  pick,
  sketchMachine,
  stayingNode,
  type Node,
  type Sketch,
} from './sketch.ts'

const maxIterations = 20
const fuel = 40
// Few kinds of events, so that most are heard by some state.
const descriptors = [
  ...eventTypes,
  'a',
  'a',
  'a',
  'b',
  'b',
  'b',
  'c',
  'p.q',
  'r',
  '*',
  'p.*',
] as const
const often = ['by script', 'by script', 'by script', 'well', 'badly'] as const
const promiseEnds = [...often, ...often, 'throws'] as const
const delayKeys = ['10', 'short', '5', 'grown', '25', 'long'] as const

/** Reads raw choices into a plan: names for states and children, and only targets that exist. */
export function settlePlan(raw: RawMachine): MachinePlan {
  return settleMachine(raw, 'm', false)
}

function settleMachine(raw: RawMachine, id: string, isChild: boolean): MachinePlan {
  const actors = Object.fromEntries(
    raw.actors.map((actor, n) => [`w${n}`, settleActor(actor, `${id}w${n}`)]),
  )
  const sketch = sketchMachine(raw, id, Object.keys(actors), isChild)
  sketch.busy.is = isChild || Object.keys(actors).length > 0
  const root = settleState(sketch, sketch.root)
  return { id, maxIterations, ...(sketch.busy.is && { fuel }), root, actors }
}

function settleActor({ kind, x, machine }: RawActor, id: string): ActorPlan {
  switch (kind) {
    case 'promise':
      return {
        kind,
        ends: pick(promiseEnds, x)!,
      }
    case 'callback':
      return {
        kind,
        ...(x % 2 === 0 && { sends: pick(eventTypes, x)! }),
        ...(x % 3 !== 0 && { answers: pick(eventTypes, Math.floor(x / 3))! }),
        ...(x % 13 === 0 && { fails: x % 2 === 0 ? 'start' : 'receive' }),
      }
    case 'transition':
      return { kind, ...(x % 3 === 0 && { fails: pick(eventTypes, x)! }) }
    case 'machine':
      return machine ? { kind, plan: settleMachine(machine, id, true) } : { kind: 'family' }
    case 'family':
      return { kind }
  }
}

function settleState(sketch: Sketch, node: Node): StatePlan {
  if (node.type === 'final') return settleFinal(sketch, node)
  const { parent, raw, invokes, children, histories } = node
  const around = childrenAround(node)
  const atStart = parent === undefined
  const entryChildren = atStart ? invokes.map(({ id }) => id) : [...around, ...sketch.spawned]
  const entry = actionsOf('entry', raw.parts, { sketch, children: entryChildren, atStart })
  const site: Site = { sketch, children: [...around, ...sketch.spawned] }
  const initialActions = node.type === 'compound' ? actionsOf('initial', raw.parts, site) : []
  const states: [string, StatePlan][] = [
    ...children.map((child): [string, StatePlan] => [child.key, settleState(sketch, child)]),
    ...histories.map((child): [string, StatePlan] => [child.key, settleHistory(child)]),
  ]
  const tags = raw.parts.filter(({ part }) => part === 'tag').map(({ x }) => `t${x % 4}`)
  return {
    ...(node.type === 'parallel' && { type: 'parallel' }),
    ...(node.type === 'compound' && { initial: initialOf(node).key }),
    ...filled({ initialActions, tags, entry, exit: actionsOf('exit', raw.parts, site) }),
    ...settleMoves(sketch, node),
    ...filled({ invoke: settleInvokes(sketch, node) }),
    ...(states.length > 0 && { states: Object.fromEntries(states) }),
    ...(atStart && { output: outputOf(raw.initial) }),
  }
}

/** Seldom a final one: the machine would be over before it has begun. */
function initialOf({ children, raw }: Node): Node {
  const going = children.filter(({ type }) => type !== 'final')
  return pick(raw.initial % 8 === 0 || going.length === 0 ? children : going, raw.initial)!
}

function settleFinal(sketch: Sketch, node: Node): StatePlan {
  const site: Site = { sketch, children: [...childrenAround(node), ...sketch.spawned] }
  const { parts, initial } = node.raw
  return {
    type: 'final',
    ...filled({ entry: actionsOf('entry', parts, site), exit: actionsOf('exit', parts, site) }),
    ...(initial % 2 === 0 && { output: outputOf(initial) }),
  }
}

function settleHistory({ key, parent, fallback }: Node): StatePlan {
  const target = fallback.to?.path.slice(parent!.path.length).join('.')
  return {
    type: 'history',
    history: key === 'deep' ? 'deep' : 'shallow',
    ...(target !== undefined && { target }),
  }
}

const outputOf = (n: number): OutputPlan => pick<OutputPlan>([n % 10, 'context', 'event'], n)!

function actionsOf(kind: PartKind, parts: readonly RawPart[], site: Site) {
  const found = parts.flatMap(({ part, action }) => (part === kind && action ? [action] : []))
  return settleActions(found, site)
}

/** Without the lists that are empty: a plan shows only what there is. */
function filled<Lists extends Record<string, readonly unknown[]>>(lists: Lists): Partial<Lists> {
  return Object.fromEntries(
    Object.entries(lists).filter(([, list]) => list.length > 0),
  ) as Partial<Lists>
}

/** Ids of the children that live as long as the state is active. */
function childrenAround(node: Node | undefined): string[] {
  if (node === undefined) return []
  return [...node.invokes.map(({ id }) => id), ...childrenAround(node.parent)]
}

function settleMoves(sketch: Sketch, node: Node): Partial<StatePlan> {
  const on: Record<string, TransitionPlan[]> = {}
  const after: Record<string, TransitionPlan[]> = {}
  const always: TransitionPlan[] = []
  const onDone: TransitionPlan[] = []
  for (const { part, x, transition } of node.raw.parts) {
    if (!transition) continue
    const descriptor = pick(descriptors, x)!
    const heard = part === 'on' && descriptor !== '*'
    const isRaised = part === 'done' || ['r', 's', '*'].includes(descriptor)
    const move = settleTransition(sketch, node, transition, { heard, isRaised })
    if (part === 'on') (on[descriptor] ??= []).push(move)
    else if (part === 'after') (after[pick(delayKeys, x)!] ??= []).push(move)
    else if (part === 'always') {
      if (node.parent || !move.target) always.push(restrained(move, x))
    } else if (part === 'done' && node.children.length > 0) {
      if (x % 4 === 0 || !staysInside(sketch, node, transition)) onDone.push(move)
    }
  }
  for (const [type, move] of messages(node)) (on[type] ??= []).push(move)
  return {
    ...filled({ always, onDone }),
    ...(Object.keys(on).length > 0 && { on }),
    ...(Object.keys(after).length > 0 && { after }),
  }
}

/** A state that is done and starts anew inside is most likely done again at once. */
function staysInside(sketch: Sketch, node: Node, raw: RawTransition): boolean {
  return targetsOf(sketch, node, raw).some((to) => to === node || isBelow(to, node))
}

/** Most children that a state invokes are told something on some event. */
function messages({ raw, invokes }: Node): [string, TransitionPlan][] {
  const parts = raw.parts.filter(({ part }) => part === 'invoke')
  return invokes.flatMap(({ id }, n): [string, TransitionPlan][] => {
    const { x, y } = parts[n]!
    const type = pick(eventTypes, y)!
    if (x % 5 === 0) return []
    if (x % 5 === 1) return [[type, { actions: [{ do: 'forward', to: id }] }]]
    return [[type, { actions: [{ do: 'send', to: id, event: pick(eventTypes, x)! }] }]]
  })
}

/** Most `always` transitions are only taken for a while, or few machines would come to rest. */
function restrained(move: TransitionPlan, x: number): TransitionPlan {
  if (x % 16 === 0) return move
  const under: GuardPlan = { is: 'under', limit: 2 + (x % 6), by: 'params' }
  if (move.target) {
    const over: GuardPlan = { is: 'not', of: [under] }
    return { ...move, guard: move.guard ? { is: 'and', of: [over, move.guard] } : over }
  }
  return { guard: under, actions: [...(move.actions ?? []), { do: 'add', n: 1, by: 'params' }] }
}

function settleInvokes(sketch: Sketch, node: Node): InvokePlan[] {
  const parts = node.raw.parts.filter(({ part }) => part === 'invoke')
  return node.invokes.map(({ id, src }, n) => {
    const { x, y, transition, second, third } = parts[n]!
    const moves = (raw: RawTransition | undefined) =>
      raw ? [settleTransition(sketch, node, raw)] : []
    return {
      id,
      src,
      ...(x % 5 === 0 && { inline: true }),
      input: y % 2 === 0 ? 'context' : y % 5,
      ...filled({ onDone: moves(transition), onError: moves(second), onSnapshot: moves(third) }),
    }
  })
}

function settleTransition(
  sketch: Sketch,
  node: Node,
  raw: RawTransition,
  about: Pick<Site, 'heard' | 'isRaised'> = {},
): TransitionPlan {
  const wanted = targetsOf(sketch, node, raw)
  const isBack = wanted.some((target) => isWayBack(target, node))
  const targets = isBack && !mayReenter(sketch, node) ? [] : wanted
  const back = isBack && targets.length > 0
  const reenter = back || (raw.reenter && mayReenter(sketch, node))
  const staying = stayingNode(node, targets, reenter)
  const site: Site = { sketch, children: [...childrenAround(staying), ...sketch.spawned], ...about }
  const target = targets.map((to) => describeTarget(to, node, raw.y))
  return {
    ...filled({ target }),
    ...(reenter && { reenter }),
    ...(raw.guard && { guard: settleGuard(raw.guard, sketch) }),
    ...filled({ actions: settleActions(raw.actions, site) }),
  }
}

/**
 * A history above the source that leads back to the source would enter it without an exit and start
 * its children twice under one id, which XState does not define; so such a transition re-enters.
 */
function isWayBack(target: Node, source: Node): boolean {
  const { parent, type } = target
  if (type !== 'history' || parent === undefined || !hasInvokes(parent)) return false
  return parent === source || isBelow(source, parent)
}

/** A root that spawns as it starts is entered once: its children's ids are taken. */
const mayReenter = ({ root, spawned }: Sketch, node: Node) => node !== root || spawned.length === 0

function targetsOf({ nodes, root }: Sketch, source: Node, raw: RawTransition): Node[] {
  const { to, x, y } = raw
  if (to === 0 || nodes.length === 0) return []
  const near = y % 3 < 2 ? nearNodes(source) : nodes
  const first = pick(near, x)!
  if (source === root && x % 17 === 0 && !raw.reenter) return [root]
  const second = to === 2 ? counterpart(first, y) : undefined
  return second ? [first, second] : [first]
}

function nearNodes(source: Node): readonly Node[] {
  const { children, histories } = source.parent ?? source
  const inside = source.parent ? [...source.children, ...source.histories] : []
  const memories = [...histories, ...children.flatMap((child) => child.histories)]
  return [...children, ...memories, ...memories, ...memories, ...inside]
}

/** A state in another region of the innermost parallel state around the first target. */
function counterpart(first: Node, y: number): Node | undefined {
  let region: Node = first
  while (region.parent && region.parent.type !== 'parallel') region = region.parent
  if (!region.parent || !isReal(region)) return undefined
  const others = region.parent.children.filter((other) => other !== region)
  const other = pick(others, y)
  return other && (pick(other.children, y) ?? other)
}

/** By id, by the key of a sibling, or by the path of a descendant. */
function describeTarget(target: Node, source: Node, y: number): string {
  if (y % 2 === 0) return `#${target.id}`
  if (isBelow(target, source)) return `.${target.path.slice(source.path.length).join('.')}`
  if (source.parent && target.parent === source.parent) return target.key
  return `#${target.id}`
}
