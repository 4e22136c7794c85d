import {
  and,
  assign,
  cancel,
  emit,
  enqueueActions,
  forwardTo,
  log,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
  type AnyActorRef,
} from 'xstate'
import { fail, type Args, type Kit } from './parts.ts'
import type { ActionPlan, DelayPlan, GuardPlan, SpawnPlan } from './plan.ts'

/** XState's actions and guards are typed by the machine they are in; these are made for any. */
type Built = unknown

export function buildActions(plans: readonly ActionPlan[] | undefined, kit: Kit): Built[] {
  return (plans ?? []).flatMap((plan) => buildAction(plan, kit))
}

function buildAction(plan: ActionPlan, kit: Kit): Built {
  switch (plan.do) {
    case 'note':
      return buildNote(plan.what, plan.by, kit)
    case 'noteEvent':
    case 'record':
      return plan.do
    case 'add': {
      if (plan.by === 'params') return { type: 'add', params: { n: plan.n } }
      return assign(({ context }: Args) => ({ n: context.n + plan.n }))
    }
    case 'throw':
      return buildThrow(plan.from)
    case 'emit':
      return emit(({ context }: Args) => ({ type: plan.event, n: context.n }))
    case 'log':
      return log(({ context }: Args) => `${plan.what} ${context.n}`, plan.label)
    case 'enqueue':
      return buildChoice(plan, kit)
    case 'cancel':
      return cancel(plan.id)
    case 'stop':
      return stopChild(plan.id)
    case 'spawn':
      return buildSpawn(plan, kit)
    case 'raise':
    case 'sendSelf':
    case 'sendParent':
    case 'send':
    case 'forward':
      return buildSending(plan)
  }
}

type Sending = Extract<ActionPlan, { do: 'raise' | 'sendSelf' | 'sendParent' | 'send' | 'forward' }>

function buildSending(plan: Sending): Built {
  if (plan.do === 'forward') return forwardTo(plan.to)
  const { event: type, later } = plan
  const event = ({ context }: Args) => ({ type, v: context.n % 3 })
  const options = later && { delay: buildDelay(later.delay), id: later.id }
  const before = later?.id === undefined ? [] : [cancel(later.id)]
  switch (plan.do) {
    case 'raise':
      return [...before, raise(event as never, options as never)]
    case 'sendSelf':
      return [
        ...before,
        sendTo(({ self }: { self: AnyActorRef }) => self, event as never, options as never),
      ]
    case 'sendParent':
      return [...before, sendParent(event as never, options as never)]
    case 'send':
      return [...before, sendTo(plan.to, event as never, options as never)]
  }
}

export function buildDelay(delay: DelayPlan): Built {
  if (typeof delay !== 'object') return delay
  return ({ context }: Args) => delay.plus + (context.n % 4)
}

function buildNote(what: string, by: 'params' | 'function' | 'inline', { note }: Kit): Built {
  switch (by) {
    case 'params':
      return { type: 'note', params: { what } }
    case 'function':
      return {
        type: 'note',
        params: ({ context, event }: Args) => ({ what, then: context.n, by: event.type }),
      }
    case 'inline':
      return ({ context, event }: Args) => note(what, context.n, event.type)
  }
}

function buildThrow(from: 'assign' | 'action' | 'params'): Built {
  if (from === 'params') return { type: 'note', params: () => fail('params threw') }
  return from === 'assign' ? 'failAssign' : 'failAction'
}

interface Choosing {
  readonly enqueue: (action: never) => void
  readonly check: (guard: never) => boolean
}

function buildChoice(plan: Extract<ActionPlan, { do: 'enqueue' }>, kit: Kit): Built {
  const guard = buildGuard(plan.check)
  const then = buildActions(plan.then, kit)
  const otherwise = buildActions(plan.otherwise, kit)
  return enqueueActions((({ enqueue, check }: Choosing) => {
    for (const action of check(guard as never) ? then : otherwise) enqueue(action as never)
  }) as never)
}

function buildSpawn(plan: SpawnPlan, { actors }: Kit): Built[] {
  const { id, src, sync, fresh, send } = plan
  const input = buildInput(plan.input)
  const logic = fresh ? src : actors[src]
  const spawned = spawnChild(logic as never, { id, syncSnapshot: sync, input } as never)
  return [
    ...(fresh ? [stopChild(id)] : []),
    spawned,
    ...(send === undefined ? [] : [sendTo(id, { type: send, v: 0 } as never)]),
  ]
}

export function buildInput(input: number | 'context'): Built {
  return input === 'context' ? ({ context }: Args) => ({ n: context.n }) : { n: input }
}

export function buildGuard(plan: GuardPlan): Built {
  switch (plan.is) {
    case 'odd':
    case 'both':
      return plan.is
    case 'under': {
      const { limit } = plan
      if (plan.by === 'inline') return ({ context }: Args) => context.n < limit
      if (plan.by === 'params') return { type: 'under', params: { limit } }
      return { type: 'under', params: ({ event }: Args) => ({ limit: limit + (event.v ?? 0) }) }
    }
    case 'event':
      return ({ event }: Args) => event.v === plan.v
    case 'in':
      return stateIn(plan.state)
    case 'and':
      return and(plan.of.map(buildGuard) as never)
    case 'or':
      return or(plan.of.map(buildGuard) as never)
    case 'not':
      return not((plan.of[0] ? buildGuard(plan.of[0]) : 'odd') as never)
    case 'throwing':
      return plan.inline ? () => fail('an inline guard threw') : 'throwing'
  }
}
