import type { AnyActorLogic, AnyStateMachine } from 'xstate'
import { buildActor } from './build-actors.ts'
import { buildActions, buildGuard, buildInput } from './build-actions.ts'
import { createSetup, describeEvent, type Args, type Kit } from './parts.ts'
import type {
  ActionPlan,
  InvokePlan,
  MachinePlan,
  OutputPlan,
  StatePlan,
  TransitionPlan,
} from './plan.ts'

/** Makes the XState machine of a plan, and those of its children. */
export function buildMachine(
  plan: MachinePlan,
  { note, doors }: Pick<Kit, 'note' | 'doors'>,
  isChild = false,
): AnyStateMachine {
  const actors: Record<string, AnyActorLogic> = {}
  for (const [name, actor] of Object.entries(plan.actors)) {
    actors[name] =
      actor.kind === 'machine'
        ? buildMachine(actor.plan, { note: (...seen) => note(childMark, ...seen), doors }, true)
        : buildActor(actor, { note, doors, actors: {}, isChild })
  }
  const kit: Kit = { note, doors, actors, isChild }
  const { id, maxIterations, fuel = 0 } = plan
  const builder = new StateBuilder(kit, plan.fuel !== undefined)
  return createSetup(kit).createMachine({
    id,
    options: { maxIterations },
    context: ({ input }: { input?: { readonly n?: number } }) => ({
      n: input?.n ?? 0,
      log: [],
      fuel,
      errors: 0,
    }),
    ...builder.build(plan.root),
  } as never) as unknown as AnyStateMachine
}

/** Stands before what a child machine notes. */
export const childMark = '~'

type Config = Record<string, unknown>

class StateBuilder {
  readonly #kit: Kit
  readonly #burns: boolean

  constructor(kit: Kit, burns: boolean) {
    this.#kit = kit
    this.#burns = burns
  }

  build(plan: StatePlan): Config {
    const { type, history, target, tags, states, output } = plan
    if (type === 'history') return { type, history, ...(target !== undefined && { target }) }
    const { initial } = plan
    const actions = this.#actions(plan.initialActions)
    return {
      ...(type && { type }),
      ...(initial !== undefined && {
        initial: actions.length > 0 ? { target: initial, actions } : initial,
      }),
      ...(tags && { tags: [...tags] }),
      ...(plan.entry && { entry: this.#actions(plan.entry) }),
      ...(plan.exit && { exit: this.#actions(plan.exit) }),
      ...(plan.on && { on: this.#moves(plan.on, this.#burns) }),
      ...(plan.after && { after: this.#moves(plan.after, false) }),
      ...(plan.always && { always: this.#always(plan.always) }),
      ...(plan.onDone && { onDone: this.#transitions(plan.onDone, false) }),
      ...(plan.invoke && { invoke: plan.invoke.map((invoke) => this.#invoke(invoke)) }),
      ...(output !== undefined && { output: buildOutput(output) }),
      ...(states && { states: mapValues(states, (state) => this.build(state)) }),
    }
  }

  #actions(plans: StatePlan['entry']): unknown[] {
    return buildActions(plans, this.#kit)
  }

  #moves(moves: Readonly<Record<string, readonly TransitionPlan[]>>, burns: boolean): Config {
    return mapValues(moves, (transitions) => this.#transitions(transitions, burns))
  }

  #transitions(plans: readonly TransitionPlan[], burns: boolean): Config[] {
    return plans.map(({ target, reenter, guard, actions = [] }) => {
      const isBare = target === undefined && actions.length === 0
      return {
        ...(target && { target: target.length === 1 ? target[0] : [...target] }),
        ...(reenter && { reenter }),
        ...(guard && { guard: buildGuard(guard) }),
        actions: [...(burns && !isBare ? ['burn'] : []), ...this.#actions(actions)],
      }
    })
  }

  /** Taken after every event, even one that nobody hears: what they send must end, too. */
  #always(plans: readonly TransitionPlan[]): Config[] {
    return plans.flatMap((plan) => {
      const sends = plan.target !== undefined || (plan.actions ?? []).some(isSending)
      return this.#transitions([plan], this.#burns && sends)
    })
  }

  #invoke({ id, src, inline, input, onDone, onError, onSnapshot }: InvokePlan): Config {
    return {
      id,
      src: inline ? this.#kit.actors[src] : src,
      input: buildInput(input),
      ...(onDone && { onDone: this.#transitions(onDone, true) }),
      ...(onError && { onError: this.#transitions(onError, true) }),
      ...(onSnapshot && { onSnapshot: this.#transitions(onSnapshot, true) }),
    }
  }
}

function isSending(plan: ActionPlan): boolean {
  if (plan.do === 'enqueue') return [...plan.then, ...plan.otherwise].some(isSending)
  return ['sendSelf', 'sendParent', 'send', 'forward', 'spawn'].includes(plan.do)
}

function buildOutput(output: OutputPlan): unknown {
  switch (output) {
    case 'context':
      return ({ context }: Args) => ({ n: context.n })
    case 'event':
      return ({ context, event }: Args) => ({ n: context.n, event: describeEvent(event) })
    default:
      return output
  }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (from: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
