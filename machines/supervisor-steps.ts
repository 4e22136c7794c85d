import { isFailure, type ExitReason } from '../src/kernel/exit.ts'
import type {
  ChildNews,
  StopPurpose,
  SupervisionNews,
  SupervisorEnd,
} from '../src/kernel/ports/supervising.ts'
import {
  backoffMs,
  isRestarted,
  planRestart,
  type RestartPlan,
} from '../src/kernel/restart-plan.ts'
import { addRestart } from '../src/kernel/restart-window.ts'
import { handleCall } from './supervisor-calls.ts'
import {
  answer,
  dismiss,
  down,
  find,
  forget,
  givenUp,
  idle,
  isAwaited,
  NOBODY,
  order,
  purposeFor,
  queued,
  report,
  runningOf,
  set,
  startFault,
  terminated,
  type Child,
  type Flags,
  type Moment,
  type SupervisorContext,
  type SupervisorEvent,
  type Work,
} from './supervisor-context.ts'

export function begin(flags: Flags, children: readonly Child[]): SupervisorContext {
  const todo = children.filter(({ staysDown }) => staysDown !== true).map(({ id }) => id)
  const work = { kind: 'starting', todo } as const
  const context: SupervisorContext = {
    flags,
    children,
    restarts: [],
    work,
    awaited: null,
    queue: [],
    ended: [],
    isUp: false,
    end: null,
    orders: [],
    answers: [],
  }
  return advance(context)
}

/** Takes one event: what the supervisor is then, and what it wants done. Pure. */
export function take(
  before: SupervisorContext,
  event: SupervisorEvent,
  moment: Moment,
): SupervisorContext {
  let context: SupervisorContext = { ...before, orders: [], answers: [] }
  if (context.end !== null) return context
  if (event.type === 'ambit.supervisor.shutdown') context = shutDown(context, event.purpose)
  else if (isAwaited(context, event)) context = hear(context, event, moment)
  else if (context.work === null) context = handle(context, event, moment)
  else return queued(context, event)
  while (context.work === null && context.end === null && context.queue.length > 0) {
    const [next, ...queue] = context.queue
    if (next !== undefined) context = handle({ ...context, queue }, next, moment)
  }
  return context
}

/** The awaited child has answered. */
function hear(context: SupervisorContext, news: ChildNews, moment: Moment): SupervisorContext {
  const heard = { ...context, awaited: null }
  switch (news.type) {
    case 'ambit.child.started':
      return answered(set(heard, news.id, { status: 'running', incarnation: news.incarnation }))
    case 'ambit.child.ignored': {
      const { id, ended: reason } = news
      const ended = reason === undefined ? heard.ended : [...heard.ended, { id, reason }]
      return answered(down({ ...heard, ended }, id))
    }
    case 'ambit.child.stopped':
      return answered((heard.work?.kind === 'changing' ? terminated : down)(heard, news.id))
    case 'ambit.child.notStarted':
      return notStarted(heard, news, moment)
    case 'ambit.child.exit':
    case 'ambit.child.retry':
    case 'ambit.child.asleep':
    case 'ambit.members.listed':
    case 'ambit.members.stopped':
      return context
  }
}

function handle(
  context: SupervisorContext,
  event: SupervisorEvent,
  moment: Moment,
): SupervisorContext {
  switch (event.type) {
    case 'ambit.child.exit':
      return exited(context, event, moment)
    case 'ambit.child.retry':
      return retry(context, event.id)
    case 'ambit.child.started':
      // Its incarnation is another one: a commit had failed, and it was read anew.
      return find(context, event.id)?.status === 'running'
        ? set(context, event.id, { incarnation: event.incarnation })
        : context
    case 'ambit.child.asleep':
      return set(context, event.id, { asleep: event.incarnation })
    case 'ambit.child.stopped':
      // Somebody else has stopped it.
      return find(context, event.id)?.status === 'running' ? down(context, event.id) : context
    case 'ambit.supervisor.call': {
      const { context: told, work: wanted } = handleCall(context, event)
      if (wanted === undefined) return told
      const changing = { ...told, work: { kind: 'changing', id: wanted.id, to: event.to } as const }
      return wanted.do === 'start'
        ? startOne(changing, wanted.id)
        : stopOne(changing, wanted.id, 'end')
    }
    case 'ambit.child.ignored':
    case 'ambit.child.notStarted':
    case 'ambit.members.listed':
    case 'ambit.members.stopped':
    case 'ambit.supervisor.shutdown':
      return context
  }
}

function exited(
  context: SupervisorContext,
  exit: Extract<ChildNews, { type: 'ambit.child.exit' }>,
  moment: Moment,
): SupervisorContext {
  const child = find(context, exit.id)
  // What a life before says of itself is over: the child was stopped or started again meanwhile.
  if (child?.status !== 'running' || child.incarnation !== exit.incarnation) return context
  const about = {
    child: exit.id,
    incarnation: exit.incarnation,
    reason: exit.reason,
    ...(exit.message !== undefined && { message: exit.message }),
  }
  return fail(set(context, exit.id, { status: 'down' }), about, moment)
}

/** A child is down by itself: what its supervisor makes of it. */
function fail(
  context: SupervisorContext,
  about: Omit<SupervisionNews, 'kind'> & { readonly child: string },
  moment: Moment,
): SupervisorContext {
  const { child: id, reason } = about
  const { context: counted, plan } = planned(context, id, reason, moment)
  switch (plan.kind) {
    case 'leave':
      return left(report(counted, { kind: 'leave', ...about }), id, reason)
    case 'giveUp':
      return giveUp(report(counted, { kind: 'giveUp', ...about }), reason)
    case 'restart': {
      const { stop, start, delayMs } = plan
      const told = report(counted, { kind: 'restart', ...about, delayMs })
      return work(told, { kind: 'restarting', failed: id, stop, start, delayMs })
    }
  }
}

function planned(
  context: SupervisorContext,
  id: string,
  reason: ExitReason,
  { now, random }: Moment,
): { context: SupervisorContext; plan: RestartPlan } {
  const { flags, children } = context
  const child = find(context, id)
  if (child === undefined || !isRestarted(child, reason))
    return { context, plan: { kind: 'leave' } }
  const window = addRestart(context.restarts, now, flags)
  const family = { strategy: flags.strategy, backoff: flags.backoff, children }
  const plan = planRestart(family, { id, reason }, window, random())
  return { context: { ...context, restarts: window.restarts }, plan }
}

/** A child that is not restarted: a temporary one is forgotten, a significant one may end its supervisor. */
function left(context: SupervisorContext, id: string, reason: ExitReason): SupervisorContext {
  const child = find(context, id)
  const after = isFailure(reason) ? order(context, { do: 'leave', id, reason }) : context
  const without = down(after, id)
  if (child?.significant !== true) return without
  const { autoShutdown } = context.flags
  const isLast = !without.children.some(
    ({ significant, status }) => significant && status !== 'down',
  )
  const isOver =
    autoShutdown === 'any_significant' || (autoShutdown === 'all_significant' && isLast)
  if (!isOver) return without
  const end: SupervisorEnd = { reason: { kind: 'shutdown' } }
  return stopAll(
    report(without, { kind: 'autoShutdown', child: id, reason }),
    end,
    // The team's work is over, so its members do not come back with the next start.
    'end',
  )
}

function giveUp(context: SupervisorContext, reason: ExitReason): SupervisorContext {
  return stopAll(context, givenUp(reason), 'restart')
}

function notStarted(
  context: SupervisorContext,
  news: Extract<ChildNews, { type: 'ambit.child.notStarted' }>,
  moment: Moment,
): SupervisorContext {
  const { work: current } = context
  const { id, error } = news
  const reason = startFault(news)
  const failed = set(context, id, { status: 'down' })
  switch (current?.kind) {
    case 'starting': {
      const end = { reason, failed: { id, error } }
      return work(failed, { kind: 'rollingBack', todo: runningOf(failed), end })
    }
    case 'restarting': {
      return restartAgain(failed, { child: id, reason }, moment)
    }
    case 'changing': {
      const child = find(failed, id)
      const isNew = child?.incarnation === 0 && child.staysDown !== true
      const left = isNew ? forget(failed, id) : down(failed, id)
      return answer(idle(left), current.to, { ok: false, error: 'notStarted', cause: error })
    }
    case 'rollingBack':
    case 'stopping':
    case undefined:
      return advance(failed)
  }
}

/** A start that failed during a restart uses up one more, and is tried again from the supervisor's own queue. */
function restartAgain(
  context: SupervisorContext,
  about: Omit<SupervisionNews, 'kind'> & { readonly child: string },
  { now, random }: Moment,
): SupervisorContext {
  const window = addRestart(context.restarts, now, context.flags)
  const counted = idle({ ...context, restarts: window.restarts })
  if (window.exceeded) return giveUp(report(counted, { kind: 'giveUp', ...about }), about.reason)
  const delayMs = backoffMs(window.count - 1, random(), context.flags.backoff)
  const told = report(counted, { kind: 'restart', ...about, delayMs })
  return wait(told, about.child, delayMs)
}

function wait(context: SupervisorContext, id: string, delayMs: number): SupervisorContext {
  return order(set(context, id, { status: 'restarting' }), { do: 'wait', id, delayMs })
}

/** The wait of a child is over, unless somebody has stopped or started it meanwhile. */
function retry(context: SupervisorContext, id: string): SupervisorContext {
  const child = find(context, id)
  if (child?.status !== 'restarting') return context
  const { flags, children } = context
  const family = { strategy: flags.strategy, backoff: flags.backoff, children }
  const always = { ...child, restart: 'permanent', recover: 'resume' } as const
  const plan = planRestart(
    { ...family, children: children.map((each) => (each.id === id ? always : each)) },
    { id, reason: { kind: 'normal' } },
    { count: 0, exceeded: false },
    0,
  )
  if (plan.kind !== 'restart') return context
  const { stop, start } = plan
  return work(context, { kind: 'restarting', failed: id, stop, start, delayMs: 0 })
}

function shutDown(context: SupervisorContext, purpose: StopPurpose): SupervisorContext {
  const { work: current } = context
  const told = current?.kind === 'changing' ? answer(context, current.to, NOBODY) : context
  return stopAll(dismiss(told), { reason: { kind: 'shutdown' } }, purpose)
}

function stopAll(
  context: SupervisorContext,
  end: SupervisorEnd,
  purpose: StopPurpose,
): SupervisorContext {
  const { work: current } = context
  if (current?.kind === 'stopping') return { ...context, work: { ...current, end, purpose } }
  return work(context, { kind: 'stopping', todo: runningOf(context), purpose, end })
}

/** Begins a piece of work, or goes on with another. */
export function work(context: SupervisorContext, next: Work): SupervisorContext {
  // Whoever is being started or stopped at this moment answers first.
  return advance({ ...context, work: next })
}

/** Does what the work needs next, until it has to wait for a child. */
export function advance(context: SupervisorContext): SupervisorContext {
  const { work: current } = context
  if (current === null || context.awaited !== null) return context
  switch (current.kind) {
    case 'starting':
      return startNext(context, current)
    case 'restarting':
      return restartNext(context, current)
    case 'rollingBack':
    case 'stopping': {
      const [id, ...todo] = current.todo
      if (id === undefined) return dismiss({ ...context, work: null, end: current.end })
      const purpose = current.kind === 'stopping' ? current.purpose : 'restart'
      return stopOne({ ...context, work: { ...current, todo } }, id, purpose)
    }
    case 'changing':
      return context
  }
}

function startNext(
  context: SupervisorContext,
  current: Extract<Work, { kind: 'starting' }>,
): SupervisorContext {
  const [id, ...todo] = current.todo
  if (id !== undefined) return startOne({ ...context, work: { ...current, todo } }, id)
  const up = order<SupervisorContext>({ ...idle(context), isUp: true, ended: [] }, { do: 'up' })
  let after = up
  for (const { id: child, reason } of context.ended)
    if (after.work === null && after.end === null) after = left(after, child, reason)
  return after
}

function restartNext(
  context: SupervisorContext,
  current: Extract<Work, { kind: 'restarting' }>,
): SupervisorContext {
  const [bystander, ...stop] = current.stop
  if (bystander !== undefined)
    return stopOne({ ...context, work: { ...current, stop } }, bystander, 'restart')
  if (current.delayMs > 0) return wait(idle(context), current.failed, current.delayMs)
  const [id, ...start] = current.start
  if (id === undefined) return idle(context)
  if (find(context, id)?.status === 'running')
    return advance({ ...context, work: { ...current, start } })
  return startOne({ ...context, work: { ...current, start } }, id)
}

export function startOne(context: SupervisorContext, id: string): SupervisorContext {
  const starting = set(context, id, { status: 'starting' })
  return order({ ...starting, awaited: id }, { do: 'start', id })
}

export function stopOne(
  context: SupervisorContext,
  id: string,
  purpose: StopPurpose,
): SupervisorContext {
  const child = find(context, id)
  if (child === undefined) return advance(context)
  // One that only waits to be started has nothing to stop.
  if (child.status === 'down' || child.status === 'restarting') return advance(down(context, id))
  const stopping = set(context, id, { status: 'stopping' })
  return order(
    { ...stopping, awaited: id },
    { do: 'stop', id, purpose: purposeFor(child, purpose), shutdown: child.shutdown },
  )
}

/** The child has done what was asked of it: the work goes on. */
function answered(context: SupervisorContext): SupervisorContext {
  const { work: current } = context
  if (current?.kind !== 'changing') return advance(context)
  const { id, to } = current
  const status = find(context, id)?.status
  return answer(idle(context), to, { ok: true, id, running: status === 'running' })
}
