import { assign, setup } from 'xstate'
import { isFailure, type ExitReason } from '../src/kernel/exit.ts'
import type { ReplyTo } from '../src/kernel/message.ts'
import type { Command } from '../src/kernel/ports/engine.ts'
import type {
  ChildNews,
  StopPurpose,
  SupervisionNews,
  SupervisorEnd,
} from '../src/kernel/ports/supervising.ts'
import {
  planRestart,
  type Backoff,
  type Recover,
  type RestartType,
} from '../src/kernel/restart-plan.ts'
import { addRestart, type RestartsAt } from '../src/kernel/restart-window.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { commands } from '../src/logic/actions.ts'
import { commandsOf, moment } from './supervisor.ts'
import {
  answer,
  givenUp,
  order,
  report,
  startFault,
  type Moment,
  type Outgoing,
} from './supervisor-context.ts'

/** What every member of a pool is, and how often members may fail. */
export interface PoolFlags {
  readonly intensity: number
  readonly periodMs: number
  readonly backoff: Backoff
  /** `shared`: all failures count together, as in OTP. `each`: a member that fails too often stays down alone. */
  readonly budget: 'shared' | 'each'
  readonly restart: RestartType
  readonly recover: Recover
}

export type PoolCall =
  | { readonly call: 'startChild'; readonly id: string }
  | { readonly call: 'terminateChild'; readonly id: string }
  | { readonly call: 'whichChildren' }
  | { readonly call: 'countChildren' }
  | { readonly call: 'changeFlags'; readonly flags: Partial<PoolFlags> }
  | { readonly call: 'restartChild' | 'deleteChild' | 'changeChild'; readonly id: string }

export type PoolEvent =
  | ChildNews
  | (PoolCall & { readonly type: 'ambit.supervisor.call' })
  | { readonly type: 'ambit.supervisor.shutdown'; readonly purpose: StopPurpose }

export interface PoolContext extends Outgoing {
  readonly flags: PoolFlags
  /** The restarts of the last period: of all under `''`, or of each member. */
  readonly restarts: Readonly<Record<string, readonly RestartsAt[]>>
  /** Members whose start waits. */
  readonly waiting: Readonly<Record<string, true>>
  /** Who waits for a member to be up or down. */
  readonly callers: Readonly<Record<string, ReplyTo>>
  readonly end: SupervisorEnd | null
  readonly isStopping: boolean
}

const definition = setup({
  types: {
    context: {} as PoolContext,
    events: {} as PoolEvent,
    input: {} as { flags: PoolFlags },
  },
  actions: {
    take: assign(({ context, event }) => {
      const { replyTo } = thisTurn().message.headers
      return takeOf(context, event, moment(), replyTo)
    }),
    act: commands(({ context }) => commandsOf(context)),
    up: commands((): Command[] => [{ kind: 'supervise', order: { do: 'up' } }]),
  },
  guards: { isStopping: ({ context }) => context.isStopping },
})

/**
 * Keeps any number of alike members alive, each by itself: no order among them, all stopped at the same time (OTP
 * simple_one_for_one). Who the members are the kernel knows, so that a turn costs the same with a hundred thousand.
 */
export const poolMachine = definition.createMachine({
  id: 'pool',
  version: '1',
  context: ({ input }) => ({
    flags: input.flags,
    restarts: {},
    waiting: {},
    callers: {},
    end: null,
    isStopping: false,
    orders: [],
    answers: [],
  }),
  initial: 'supervising',
  entry: 'up',
  on: { '*': { actions: ['take', 'act'] } },
  states: {
    supervising: { always: { guard: 'isStopping', target: 'stopping' } },
    stopping: { on: { 'ambit.members.stopped': 'ended' } },
    ended: { type: 'final' },
  },
  output: ({ context }) => context.end,
})

/** Takes one event: what the pool is then, and what it wants done. Pure. */
export function takeOf(
  before: PoolContext,
  event: PoolEvent,
  moment: Moment,
  caller?: ReplyTo,
): PoolContext {
  const context: PoolContext = { ...before, orders: [], answers: [] }
  switch (event.type) {
    case 'ambit.child.exit': {
      const { id, incarnation, reason, message } = event
      const about = { child: id, incarnation, reason, ...(message !== undefined && { message }) }
      return failed(context, about, moment)
    }
    case 'ambit.child.notStarted': {
      const told = answered(context, event.id, { ok: false, error: 'notStarted' }, event.error)
      return failed(told, { child: event.id, reason: startFault(event) }, moment)
    }
    case 'ambit.child.started':
      return answered(without(context, event.id), event.id, { ok: true, running: true })
    case 'ambit.child.ignored':
    case 'ambit.child.stopped':
      return answered(without(context, event.id), event.id, { ok: true, running: false })
    case 'ambit.child.retry':
      return context.waiting[event.id] === undefined
        ? context
        : order(without(context, event.id), { do: 'start', id: event.id })
    case 'ambit.members.listed':
      return answer(context, event.to, { ok: true, ...event.fields })
    case 'ambit.supervisor.shutdown':
      return stop(context, { reason: { kind: 'shutdown' } }, event.purpose)
    case 'ambit.supervisor.call':
      return called(context, event, caller)
    case 'ambit.child.asleep':
    case 'ambit.members.stopped':
      return context
  }
}

function failed(
  context: PoolContext,
  about: Omit<SupervisionNews, 'kind'> & { readonly child: string },
  { now, random }: Moment,
): PoolContext {
  const { child: id, reason } = about
  if (context.isStopping) return context
  const { flags } = context
  const { restart, recover, backoff } = flags
  const account = flags.budget === 'shared' ? '' : id
  const window = addRestart(context.restarts[account] ?? [], now, flags)
  const family = { strategy: 'one_for_one', backoff, children: [{ id, restart, recover }] } as const
  const plan = planRestart(family, { id, reason }, window, random())
  const counted =
    plan.kind === 'leave'
      ? context
      : { ...context, restarts: { ...recentOf(context, now), [account]: window.restarts } }
  switch (plan.kind) {
    case 'leave':
      return leave(report(counted, { kind: 'leave', ...about }), id, reason)
    case 'giveUp': {
      const told = report(counted, { kind: 'giveUp', ...about })
      if (flags.budget === 'each') return leave(told, id, reason)
      return stop(told, givenUp(reason), 'restart')
    }
    case 'restart': {
      const told = report(counted, { kind: 'restart', ...about, delayMs: plan.delayMs })
      if (plan.delayMs === 0) return order(told, { do: 'start', id })
      const waiting = { ...told.waiting, [id]: true as const }
      return order({ ...told, waiting }, { do: 'wait', id, delayMs: plan.delayMs })
    }
  }
}

/** A member that is not started again: one that failed is left to a human, any other is forgotten. */
function leave(context: PoolContext, id: string, reason: ExitReason): PoolContext {
  return order(context, isFailure(reason) ? { do: 'leave', id, reason } : { do: 'forget', id })
}

/** Members that have not failed for a while have nothing to remember. */
function recentOf({ restarts, flags }: PoolContext, now: number): PoolContext['restarts'] {
  return Object.fromEntries(
    Object.entries(restarts).filter(
      ([, recent]) => now - (recent.at(-1)?.at ?? 0) <= flags.periodMs,
    ),
  )
}

function stop(context: PoolContext, end: SupervisorEnd, purpose: StopPurpose): PoolContext {
  let told: PoolContext = { ...context, end, isStopping: true, waiting: {} }
  for (const id of Object.keys(context.callers)) told = answered(told, id, NOBODY)
  return order(told, { do: 'stopMembers', purpose })
}

const NOBODY = { ok: false, error: 'noproc' }

function called(
  context: PoolContext,
  event: Extract<PoolEvent, { type: 'ambit.supervisor.call' }>,
  to: ReplyTo | undefined,
): PoolContext {
  if (to === undefined) return context
  if (context.isStopping) return answer(context, to, NOBODY)
  switch (event.call) {
    case 'startChild':
    case 'terminateChild': {
      const isTaken = context.callers[event.id] !== undefined
      if (isTaken) return answer(context, to, { ok: false, error: 'restarting' })
      const waiting = { ...context, callers: { ...context.callers, [event.id]: to } }
      if (event.call === 'startChild') return order(waiting, { do: 'start', id: event.id })
      return order(without(waiting, event.id), { do: 'stop', id: event.id, purpose: 'end' })
    }
    case 'whichChildren':
    case 'countChildren':
      return order(context, { do: 'list', to, isCount: event.call === 'countChildren' })
    case 'changeFlags':
      return answer({ ...context, flags: { ...context.flags, ...event.flags } }, to, { ok: true })
    case 'restartChild':
    case 'deleteChild':
    case 'changeChild':
      // A pool has one spec and no order: there is nothing to keep of a member that is down (simple_one_for_one).
      return answer(context, to, { ok: false, error: 'notForPools' })
  }
}

function answered(context: PoolContext, id: string, fields: object, cause?: unknown): PoolContext {
  const to = context.callers[id]
  if (to === undefined) return context
  const { [id]: _, ...callers } = context.callers
  return answer({ ...context, callers }, to, {
    id,
    ...fields,
    ...(cause !== undefined && { cause }),
  })
}

function without(context: PoolContext, id: string): PoolContext {
  if (context.waiting[id] === undefined) return context
  const { [id]: _, ...waiting } = context.waiting
  return { ...context, waiting }
}
