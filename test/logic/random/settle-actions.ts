import type { ActionPlan, DelayPlan, GuardPlan, Later } from './plan.ts'
import type { RawAction, RawGuard } from './raw-plan.ts'
import { isReal, pick, type Node, type Sketch } from './sketch.ts'

/** Where an action stands: which children are certain to be there when it runs. */
export interface Site {
  readonly sketch: Sketch
  readonly children: readonly string[]
  /** Among the entry actions of the root, which are run once. */
  readonly atStart?: boolean
  /** The event is one of the machine's own, so it may be forwarded. */
  readonly heard?: boolean
  /** The event may be one that the machine itself has raised: raising another seldom ends. */
  readonly isRaised?: boolean
}

export const eventTypes = ['a', 'b', 'c', 'p.q', 'p.r', 'r', 's'] as const
const raisedTypes = ['r', 's', 'p.q', 'r', 'a'] as const
const delays: readonly DelayPlan[] = [10, 'short', 5, 'long', 'grown', { plus: 3 }, 20]

export function settleActions(raw: readonly RawAction[], site: Site): ActionPlan[] {
  return raw.map((action) => settleAction(action, site))
}

function settleAction(raw: RawAction, site: Site): ActionPlan {
  const { x, y } = raw
  switch (raw.do) {
    case 'note':
      return note(x, y)
    case 'noteEvent':
    case 'record':
      return { do: raw.do }
    case 'add':
      return { do: 'add', n: 1 + (x % 3), by: y % 2 === 0 ? 'params' : 'inline' }
    case 'throw':
      if (!site.sketch.raw.nervous) return note(x, y)
      return { do: 'throw', from: pick(['assign', 'action', 'params'] as const, x)! }
    case 'cancel':
      return { do: 'cancel', id: timerId(x) }
    case 'emit':
      return { do: 'emit', event: pick(['e', 'f'], x)! }
    case 'log':
      // The log of a world is not silent when the root has failed, as notes are.
      if (site.sketch.isChild) return note(x, y)
      return { do: 'log', what: `l${x % 5}`, ...(y % 2 === 0 && { label: 'label' }) }
    case 'enqueue':
      return {
        do: 'enqueue',
        check: settleGuard(raw.check ?? { is: 'odd', x }, site.sketch),
        then: settleActions(raw.then ?? [], site),
        otherwise: settleActions(raw.otherwise ?? [], site),
      }
    case 'raise':
      if (site.isRaised && y % 5 > 1 && x % 4 > 0) return note(x, y)
      if (y % 5 <= 1) site.sketch.busy.is = true
      return { do: 'raise', event: pick(raisedTypes, x)!, ...later(y) }
    case 'sendParent':
    case 'sendSelf':
    case 'send':
    case 'forward':
    case 'stop':
    case 'spawn':
      return settleSending(raw.do, x, y, site)
  }
}

type Sending = 'sendParent' | 'sendSelf' | 'send' | 'forward' | 'stop' | 'spawn'

function settleSending(kind: Sending, x: number, y: number, site: Site): ActionPlan {
  const { sketch } = site
  switch (kind) {
    case 'sendParent':
      if (!sketch.isChild) return { do: 'emit', event: 'g' }
      return { do: 'sendParent', event: pick(eventTypes, x)!, ...later(y) }
    case 'sendSelf':
      sketch.busy.is = true
      return { do: 'sendSelf', event: pick(eventTypes, x)!, ...later(y) }
    case 'send':
    case 'forward': {
      const lost = sketch.raw.nervous && x % 19 === 0
      const to = lost ? 'nobody' : pick(site.children, x)
      if (to === undefined) return note(x, y)
      if (kind === 'forward' && site.heard) return { do: 'forward', to }
      return { do: 'send', to, event: pick(eventTypes, y)!, ...later(x) }
    }
    case 'stop':
      if (sketch.raw.nervous && site.children.length > 0 && y % 3 === 0) {
        return { do: 'stop', id: pick(site.children, x)! }
      }
      return { do: 'stop', id: pick(['k0', 'k1'], x)! }
    case 'spawn':
      return settleSpawn(x, y, site)
  }
}

function settleSpawn(x: number, y: number, { sketch, atStart }: Site): ActionPlan {
  const src = pick(sketch.actors, x)
  if (src === undefined) return { do: 'record' }
  sketch.busy.is = true
  const input = y % 2 === 0 ? y % 5 : 'context'
  const send = y % 3 === 0 ? { send: pick(eventTypes, x)! } : {}
  const sync = y % 4 === 0
  if (atStart) {
    const id = `r${sketch.spawned.length}`
    sketch.spawned.push(id)
    return { do: 'spawn', id, src, input, sync, fresh: false, ...send }
  }
  return { do: 'spawn', id: pick(['k0', 'k1'], y)!, src, input, sync, fresh: true, ...send }
}

function note(x: number, y: number): ActionPlan {
  const by = pick(['params', 'function', 'inline'] as const, y)!
  return { do: 'note', what: `n${x % 50}`, by }
}

/** Two of five sendings are delayed, half of these under an id. */
function later(n: number): { readonly later?: Later } {
  if (n % 5 > 1) return {}
  const delay = pick(delays, Math.floor(n / 5))!
  return { later: { delay, ...(n % 2 === 1 && { id: timerId(n) }) } }
}

const timerId = (n: number) => pick(['t0', 't1'], Math.floor(n / 10))!

export function settleGuard(raw: RawGuard, sketch: Sketch): GuardPlan {
  const { x } = raw
  switch (raw.is) {
    case 'under': {
      const by = pick(['params', 'function', 'inline'] as const, x)!
      return { is: 'under', limit: 1 + (Math.floor(x / 3) % 8), by }
    }
    case 'odd':
    case 'both':
      return { is: raw.is }
    case 'event':
      return { is: 'event', v: x % 3 }
    case 'in': {
      const state = pick(sketch.nodes.filter(isReal), x)
      return state ? { is: 'in', state: nameOf(state, x) } : { is: 'odd' }
    }
    case 'throwing':
      return sketch.raw.nervous ? { is: 'throwing', inline: x % 2 === 0 } : { is: 'odd' }
    case 'not':
      return { is: 'not', of: (raw.of ?? []).slice(0, 1).map((one) => settleGuard(one, sketch)) }
    case 'and':
    case 'or':
      return { is: raw.is, of: (raw.of ?? []).map((one) => settleGuard(one, sketch)) }
  }
}

/** By its id, or by its path as a value of the machine is matched. */
const nameOf = ({ id, path }: Node, x: number) => (x % 3 === 0 ? path.join('.') : `#${id}`)
