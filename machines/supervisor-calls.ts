import {
  answer,
  find,
  forget,
  set,
  terminated,
  type Call,
  type Child,
  type Flags,
  type SupervisorCall,
  type SupervisorContext,
} from './supervisor-context.ts'

/** What a call still needs done before it is answered. */
export interface Wanted {
  readonly do: 'start' | 'stop'
  readonly id: string
}

interface Handled {
  readonly context: SupervisorContext
  readonly work?: Wanted
}

type Of<T extends Call['call']> = Extract<SupervisorCall, { call: T }>

/** Answers a call as OTP's supervisor does, or says what has to be done first. Pure. */
export function handleCall(context: SupervisorContext, event: SupervisorCall): Handled {
  switch (event.call) {
    case 'startChild':
      return startChild(context, event)
    case 'terminateChild':
      return terminateChild(context, event)
    case 'restartChild':
      return restartChild(context, event)
    case 'deleteChild':
      return deleteChild(context, event)
    case 'whichChildren':
      return ok(context, event, { children: [...context.children].reverse().map(shown) })
    case 'countChildren':
      return ok(context, event, { counts: countsOf(context.children) })
    case 'changeFlags':
      return changeFlags(context, event)
    case 'changeChild':
      return changeChild(context, event)
  }
}

function startChild(context: SupervisorContext, event: Of<'startChild'>): Handled {
  const { child } = event
  const known = find(context, child.id)
  if (known !== undefined) {
    const error = isAlive(known) ? 'alreadyStarted' : 'alreadyPresent'
    return refused(context, event, error)
  }
  if (child.significant && context.flags.autoShutdown === 'never')
    return refused(context, event, 'badSignificant')
  const children = [...context.children, child]
  return { context: { ...context, children }, work: { do: 'start', id: child.id } }
}

/** Keeps the spec, unless the child is temporary; a child that is down already is none the worse. */
function terminateChild(context: SupervisorContext, event: Of<'terminateChild'>): Handled {
  const known = find(context, event.id)
  if (known === undefined) return refused(context, event, 'notFound')
  if (isAlive(known)) return { context, work: { do: 'stop', id: event.id } }
  return ok(terminated(context, event.id), event, { id: event.id, running: false })
}

function restartChild(context: SupervisorContext, event: Of<'restartChild'>): Handled {
  const known = find(context, event.id)
  if (known === undefined) return refused(context, event, 'notFound')
  if (isAlive(known)) return refused(context, event, 'running')
  if (known.status === 'restarting') return refused(context, event, 'restarting')
  return { context, work: { do: 'start', id: event.id } }
}

function deleteChild(context: SupervisorContext, event: Of<'deleteChild'>): Handled {
  const known = find(context, event.id)
  if (known === undefined) return refused(context, event, 'notFound')
  if (isAlive(known)) return refused(context, event, 'running')
  if (known.status === 'restarting') return refused(context, event, 'restarting')
  return ok(forget(context, event.id), event, { id: event.id })
}

/** New flags count from now on. */
function changeFlags(context: SupervisorContext, event: Of<'changeFlags'>): Handled {
  const flags: Flags = { ...context.flags, ...event.flags }
  const isSignificant = context.children.some(({ significant }) => significant)
  if (isSignificant && flags.autoShutdown === 'never')
    return refused(context, event, 'badSignificant')
  return ok({ ...context, flags }, event, { flags })
}

/** What changes of a child counts from its next restart on. */
function changeChild(context: SupervisorContext, event: Of<'changeChild'>): Handled {
  const known = find(context, event.id)
  if (known === undefined) return refused(context, event, 'notFound')
  const { restart, significant } = { ...known, ...event.change }
  const mayNot = restart === 'permanent' || context.flags.autoShutdown === 'never'
  if (significant && mayNot) return refused(context, event, 'badSignificant')
  return ok(set(context, event.id, event.change), event, { id: event.id })
}

function isAlive({ status }: Child): boolean {
  return status === 'running' || status === 'starting' || status === 'stopping'
}

function shown(child: Child): object {
  const { id, type, restart, significant, incarnation } = child
  const status = isAsleep(child) ? 'asleep' : child.status
  return { id, status, type, restart, significant, incarnation }
}

/** One that idles is alive, though not in memory. */
function isAsleep({ status, asleep, incarnation }: Child): boolean {
  return status === 'running' && asleep === incarnation
}

function countsOf(children: readonly Child[]): object {
  const count = (is: (child: Child) => boolean) => children.filter(is).length
  return {
    specs: children.length,
    active: count(({ status }) => status === 'running'),
    asleep: count(isAsleep),
    supervisors: count(({ type }) => type === 'supervisor'),
    workers: count(({ type }) => type === 'worker'),
  }
}

function ok(context: SupervisorContext, { to }: SupervisorCall, fields: object): Handled {
  return { context: answer(context, to, { ok: true, ...fields }) }
}

function refused(context: SupervisorContext, { to }: SupervisorCall, error: string): Handled {
  return { context: answer(context, to, { ok: false, error }) }
}
