import type {
  ActionArgs,
  ActionFunction,
  EventObject,
  MachineContext,
  ParameterizedObject,
} from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import type { Lane } from '../kernel/mailbox.ts'
import type { Event, ReplyTo } from '../kernel/message.ts'
import type { Command, Thought } from '../kernel/ports/engine.ts'

const COMMANDS = Symbol.for('ambit.commands')

/** What an action function is told: the context and event at its place in the step. */
export interface ActionGiven<Context, TEvent> {
  readonly context: Context
  readonly event: TEvent
}

type Maker<Context, TEvent> = (
  args: ActionGiven<Context, TEvent>,
  params: unknown,
) => readonly Command[]

/** An action that the runtime understands: XState calls it nothing but a function. */
export type AmbitAction<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
  P extends ParameterizedObject['params'] | undefined = undefined,
> = ActionFunction<C, E, All, P, never, never, never, never, never>

/** A value, or how to get it from context and event. */
export type Given<C, E, T> = T | ((args: ActionGiven<C, E>) => T)

/** Sends an event to another actor, by address or registered name, once the turn is committed. */
export function tell<C extends MachineContext, E extends EventObject, All extends EventObject = E>(
  to: Given<C, E, string>,
  event: Given<C, E, Event>,
  options: { readonly lane?: Extract<Lane, 'control' | 'user'> } = {},
): AmbitAction<C, E, All> {
  return action('tell', (args) => [
    {
      kind: 'tell',
      to: valueOf(to, args),
      event: valueOf(event, args),
      lane: options.lane ?? 'user',
    },
  ])
}

/** Answers the message of this turn, or one whose `replyTo` was stored earlier. */
export function reply<C extends MachineContext, E extends EventObject, All extends EventObject = E>(
  event: Given<C, E, Event>,
  options: { readonly to?: Given<C, E, ReplyTo | undefined> } = {},
): AmbitAction<C, E, All> {
  return action('reply', (args) => {
    const to = options.to === undefined ? undefined : valueOf(options.to, args)
    return [{ kind: 'reply', event: valueOf(event, args), ...(to !== undefined && { to }) }]
  })
}

/**
 * Keeps the message of this turn for a later state: it is taken again, before anything else that waits, once the
 * machine's state value has changed. Messages that are kept are taken in the order in which they came. They are stored
 * with the turn; an actor keeps at most 1,024, each at most 100 times, and parks the rest. With durability `none` a
 * failure of the actor forgets them. Ends of invokes and delayed events cannot be kept.
 */
export function defer<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(): AmbitAction<C, E, All> {
  return action('defer', () => [{ kind: 'defer' }])
}

/** Writes an entry of the thought log; it is stored with the turn, before anything of it leaves. */
export function think<C extends MachineContext, E extends EventObject, All extends EventObject = E>(
  thought: Given<C, E, Thought>,
): AmbitAction<C, E, All> {
  return action('think', (args) => [{ kind: 'think', thought: valueOf(thought, args) }])
}

/** Writes one keyed row beside the snapshot; `null` deletes it. */
export function putRow<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(key: Given<C, E, string>, value: Given<C, E, Json>): AmbitAction<C, E, All> {
  return action('putRow', (args) => [
    { kind: 'put', key: valueOf(key, args), value: valueOf(value, args) },
  ])
}

/**
 * Calls a function after the commit, for looking on only: its result is ignored and what it throws is logged. It may
 * be skipped by a crash and is never called again.
 */
export function observe<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(run: (args: ActionGiven<C, E>) => unknown): AmbitAction<C, E, All> {
  return action('observe', (args) => [
    { kind: 'observe', name: run.name || 'observe', run: () => run(args) },
  ])
}

/**
 * Asks to hear, once, that an actor has ended: with `ambit.down`, its address and the reason. One that is not there is
 * told of at once (`noproc`). A restart that resumes is no end; one that begins anew is. With `pact` an actor that does
 * not handle the event fails with it (Akka's death pact). The monitor survives restarts and crashes.
 */
export function monitor<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(target: Given<C, E, string>, options: { readonly pact?: boolean } = {}): AmbitAction<C, E, All> {
  return action('monitor', (args) => [
    { kind: 'monitor', target: valueOf(target, args), pact: options.pact ?? false },
  ])
}

/** Ends a monitor; a notice that is on its way is not heard any more. */
export function demonitor<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(target: Given<C, E, string>): AmbitAction<C, E, All> {
  return action('demonitor', (args) => [{ kind: 'demonitor', target: valueOf(target, args) }])
}

/** Says that the actor has started, where its spec has `ready: 'told'`: its supervisor goes on with the next. */
export function ready<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(): AmbitAction<C, E, All> {
  return action('ready', () => [{ kind: 'ready' }])
}

/** Says, in the actor's start, that it will not run this time: no failure, and nobody restarts it (OTP `ignore`). */
export function ignore<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(): AmbitAction<C, E, All> {
  return action('ignore', () => [{ kind: 'ignore' }])
}

/** What `perform` may give: messages, answers, rows and thoughts, as data. */
export type Performed =
  | { readonly kind: 'tell'; readonly to: string; readonly event: Event; readonly lane: Lane }
  | { readonly kind: 'reply'; readonly to?: ReplyTo; readonly event: Event }
  | { readonly kind: 'put'; readonly key: string; readonly value: Json }
  | { readonly kind: 'think'; readonly thought: Thought }

const PERFORMED: ReadonlySet<string> = new Set<Performed['kind']>(['tell', 'reply', 'put', 'think'])

/** Several tells, answers, rows and thoughts from one pure decision, so that it is taken once and in one place. */
export function perform<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(decide: (args: ActionGiven<C, E>) => readonly Performed[]): AmbitAction<C, E, All> {
  return commands<C, E, All>((args) => {
    const wanted = decide(args)
    const other = wanted.find(({ kind }) => !PERFORMED.has(kind))
    if (other === undefined) return wanted
    throw new AmbitError(
      'AMBIT_NOT_SUPPORTED',
      `perform(...) gives tell, reply, put or think, got "${other.kind}".`,
    )
  })
}

/** Any commands from one decision. For Ambit's own machines: an agent could start an effect with it. */
export function commands<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
  P extends ParameterizedObject['params'] | undefined = undefined,
>(decide: (args: ActionGiven<C, E>, params: P) => readonly Command[]): AmbitAction<C, E, All, P> {
  return action<C, E, All>('commands', decide as Maker<C, E>) as unknown as AmbitAction<
    C,
    E,
    All,
    P
  >
}

/** What an action of ours wants done, or undefined when it is the author's own function. */
export function commandsOf(
  exec: unknown,
  info: ActionArgs<MachineContext, EventObject, EventObject>,
  params: unknown,
): readonly Command[] | undefined {
  if (typeof exec !== 'function' || !(COMMANDS in exec)) return undefined
  return (exec[COMMANDS] as Maker<MachineContext, EventObject>)(info, params)
}

export function isAmbitAction(candidate: unknown): boolean {
  return typeof candidate === 'function' && COMMANDS in candidate
}

function action<C extends MachineContext, E extends EventObject, All extends EventObject = E>(
  name: string,
  make: Maker<C, E>,
): AmbitAction<C, E, All> {
  const marker = () => undefined
  Object.defineProperty(marker, 'name', { value: `ambit.${name}` })
  return Object.assign(marker, { [COMMANDS]: make })
}

/** A value as it is for this event. */
export function valueOf<C, E, T>(value: Given<C, E, T>, args: ActionGiven<C, E>): T {
  return typeof value === 'function' ? (value as (args: ActionGiven<C, E>) => T)(args) : value
}
