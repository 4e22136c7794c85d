import type { Shutdown } from '../src/kernel/child-spec.ts'
import { errorOf, type ExitReason } from '../src/kernel/exit.ts'
import type { Event, ReplyTo } from '../src/kernel/message.ts'
import type {
  ChildNews,
  Order,
  StopPurpose,
  SupervisionNews,
  SupervisorEnd,
} from '../src/kernel/ports/supervising.ts'
import type { Backoff, PlannedChild, Strategy } from '../src/kernel/restart-plan.ts'
import type { RestartsAt } from '../src/kernel/restart-window.ts'
import type { AutoShutdown } from '../src/kernel/supervisor-spec.ts'

/** `down`: not running, its spec kept. `restarting`: its start failed or waits, and will be tried again. */
export type ChildStatus = 'down' | 'starting' | 'running' | 'stopping' | 'restarting'

export interface Child extends PlannedChild {
  readonly significant: boolean
  readonly shutdown: Shutdown
  readonly type: 'worker' | 'supervisor'
  /** Whether it was added at run time: then it ends with this life of its supervisor. */
  readonly isAdded: boolean
  readonly status: ChildStatus
  readonly incarnation: number
  /** It was terminated in an earlier life of its supervisor, or cannot be made: it is known, and not started. */
  readonly staysDown?: boolean
  /** The incarnation that was last seen to fall asleep. */
  readonly asleep?: number
}

export interface Flags {
  readonly strategy: Strategy
  readonly intensity: number
  readonly periodMs: number
  readonly autoShutdown: AutoShutdown
  readonly backoff: Backoff
}

/** What the supervisor is at, one thing at a time. `todo`, `stop` and `start` are ids still to come, in order. */
export type Work =
  | { readonly kind: 'starting'; readonly todo: readonly string[] }
  | { readonly kind: 'rollingBack'; readonly todo: readonly string[]; readonly end: SupervisorEnd }
  | {
      readonly kind: 'restarting'
      readonly failed: string
      readonly stop: readonly string[]
      readonly start: readonly string[]
      readonly delayMs: number
    }
  /** A call starts or stops one child. */
  | { readonly kind: 'changing'; readonly id: string; readonly to?: ReplyTo | undefined }
  | {
      readonly kind: 'stopping'
      readonly todo: readonly string[]
      readonly purpose: StopPurpose
      readonly end: SupervisorEnd
    }

export interface SupervisorContext extends Outgoing {
  readonly flags: Flags
  /** In start order. */
  readonly children: readonly Child[]
  /** The restarts of the last period. */
  readonly restarts: readonly RestartsAt[]
  readonly work: Work | null
  /** The child whose news the work waits for. */
  readonly awaited: string | null
  /** What came meanwhile, in its order. */
  readonly queue: readonly SupervisorEvent[]
  /** Children that turned out to have ended before, looked at once all are up. */
  readonly ended: readonly { readonly id: string; readonly reason: ExitReason }[]
  readonly isUp: boolean
  readonly end: SupervisorEnd | null
}

/** What others ask of a supervisor, with OTP's answers. */
export type Call =
  | { readonly call: 'startChild'; readonly child: Child }
  | { readonly call: 'terminateChild'; readonly id: string }
  | { readonly call: 'restartChild'; readonly id: string }
  | { readonly call: 'deleteChild'; readonly id: string }
  | { readonly call: 'whichChildren' }
  | { readonly call: 'countChildren' }
  | { readonly call: 'changeFlags'; readonly flags: Partial<Flags> }
  | {
      readonly call: 'changeChild'
      readonly id: string
      readonly change: Partial<Pick<Child, 'restart' | 'recover' | 'significant' | 'shutdown'>>
    }

export type SupervisorCall = Call & {
  readonly type: 'ambit.supervisor.call'
  readonly to?: ReplyTo | undefined
}

export type SupervisorEvent =
  | ChildNews
  | SupervisorCall
  | { readonly type: 'ambit.supervisor.shutdown'; readonly purpose: StopPurpose }

/** What a turn knows beside the context. */
export interface Moment {
  readonly now: number
  readonly random: () => number
}

/** What may wait for the end of a piece of work; calls beyond are refused. */
export const QUEUE_MAX = 10_000

/** What a turn of a supervisor or pool gives away. */
export interface Outgoing {
  readonly orders: readonly Order[]
  readonly answers: readonly { readonly to: ReplyTo; readonly event: Event }[]
}

export function answer<C extends Outgoing>(context: C, to: ReplyTo | undefined, fields: object): C {
  if (to === undefined) return context
  const event = { type: 'ambit.supervisor.answer', ...fields }
  return { ...context, answers: [...context.answers, { to, event }] }
}

export function idle(context: SupervisorContext): SupervisorContext {
  return { ...context, work: null, awaited: null }
}

/** A stopped child keeps its spec, unless it is temporary. */
export function down(context: SupervisorContext, id: string): SupervisorContext {
  const child = find(context, id)
  if (child?.restart === 'temporary') return forget(context, id)
  return set(context, id, { status: 'down' })
}

/** A call has stopped it. */
export function terminated(context: SupervisorContext, id: string): SupervisorContext {
  return down(order(context, { do: 'terminated', id }), id)
}

export function forget(context: SupervisorContext, id: string): SupervisorContext {
  const children = context.children.filter((child) => child.id !== id)
  return order({ ...context, children }, { do: 'forget', id })
}

export function find({ children }: SupervisorContext, id: string): Child | undefined {
  return children.find((child) => child.id === id)
}

export function set(
  context: SupervisorContext,
  id: string,
  change: Partial<Child>,
): SupervisorContext {
  const at = context.children.findIndex((child) => child.id === id)
  const known = context.children[at]
  if (known === undefined) return context
  const children = [...context.children]
  children[at] = { ...known, ...change }
  return { ...context, children }
}

export function order<C extends Outgoing>(context: C, wanted: Order): C {
  return { ...context, orders: [...context.orders, wanted] }
}

export function report<C extends Outgoing>(context: C, news: SupervisionNews): C {
  return order(context, { do: 'report', report: news })
}

/** What a supervisor that gives up says of it. */
export function givenUp(reason: ExitReason): SupervisorEnd {
  const error = errorOf(reason) ?? { name: 'Ended', message: `A child ended: ${reason.kind}.` }
  return { reason: { kind: 'restartIntensity', error } }
}

/** Why a start did not come to anything. */
export function startFault({
  error,
  isLate,
}: Extract<ChildNews, { type: 'ambit.child.notStarted' }>): ExitReason {
  return { kind: isLate === true ? 'timeout' : 'error', error }
}

/** What has to be stopped, in reverse start order. */
export function runningOf({ children }: SupervisorContext): readonly string[] {
  return children
    .filter(({ status }) => status !== 'down')
    .map(({ id }) => id)
    .reverse()
}

export function queued(context: SupervisorContext, event: SupervisorEvent): SupervisorContext {
  const isFull = context.queue.length >= QUEUE_MAX
  if (event.type === 'ambit.supervisor.call' && isFull)
    return answer(context, event.to, { ok: false, error: 'overloaded' })
  return { ...context, queue: [...context.queue, event] }
}

export const NOBODY = { ok: false, error: 'noproc' }

/** Whoever called and was not answered is told that nobody is there any more. */
export function dismiss(context: SupervisorContext): SupervisorContext {
  let told: SupervisorContext = { ...context, queue: [] }
  for (const event of context.queue)
    if (event.type === 'ambit.supervisor.call') told = answer(told, event.to, NOBODY)
  return told
}

/** Nobody starts a child again that was added at run time, so it is not left waiting for that. */
export function purposeFor({ isAdded }: Child, purpose: StopPurpose): StopPurpose {
  return isAdded && purpose === 'restart' ? 'end' : purpose
}

const ANSWERS: Readonly<Record<string, ChildStatus>> = {
  'ambit.child.started': 'starting',
  'ambit.child.ignored': 'starting',
  'ambit.child.notStarted': 'starting',
  'ambit.child.stopped': 'stopping',
}

/** Only what answers the order: a child that is being stopped may still say that it has started. */
export function isAwaited(context: SupervisorContext, event: SupervisorEvent): event is ChildNews {
  const { awaited } = context
  if (awaited === null || (event as { id?: string }).id !== awaited) return false
  return ANSWERS[event.type] === find(context, awaited)?.status
}
