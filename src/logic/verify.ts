import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import { isAmbitAction } from './actions.ts'
import { invocableOf } from './invocable.ts'
import { isLogic, isMachine, kindOf } from './logic-kinds.ts'
import { logicOf } from './machine-definition.ts'

interface ActionUse {
  readonly state: string
  readonly name: string
  readonly exec: unknown
}

interface ActorUse {
  readonly state: string
  readonly src: string
  readonly logic: unknown
  /** Spawned from logic that has no name. */
  readonly isInline: boolean
}

/**
 * Refuses, by name and place, what cannot be run: better at definition than in the middle of a case. Spawning inside an
 * assign or a context leaves no trace in what XState tells of a step. What is journaled needs names besides: an actor
 * that has none could not be found again after a restart.
 */
export function refuseUnsupported(
  machine: AnyStateMachine,
  isJournaled: boolean,
  seen = new Set<AnyStateMachine>(),
): void {
  if (seen.has(machine)) return
  seen.add(machine)
  if (spawns(machine.config.context)) throw spawning(machine, machine.id, 'its context')
  for (const { state, exec } of actionsOf(machine)) {
    if (builtinType(exec) !== 'xstate.assign') continue
    const { assignment } = exec as { assignment?: unknown }
    const parts = typeof assignment === 'object' ? Object.values(assignment ?? {}) : [assignment]
    if (parts.some(spawns)) throw spawning(machine, state, 'an assign')
  }
  for (const { state, src, logic, isInline } of actorsOf(machine)) {
    if (isMachine(logic)) refuseUnsupported(logic, isJournaled, seen)
    if (!isJournaled) continue
    if (isInline)
      throw unsupported(machine, state, 'a spawned actor without a name in setup({ actors })')
    if (!isLogic(logic))
      throw unsupported(machine, state, `the actor "${src}", which nobody implemented`)
  }
  if (!isJournaled) return
  for (const { state, name, exec } of actionsOf(machine)) {
    if (exec === undefined)
      throw unsupported(machine, state, `the action "${name}", which nobody implemented`)
  }
}

/** Refuses an agent that could act on the world without its envelope. `actors` names what it invokes, by machine. */
export function refuseUngoverned(
  agent: string,
  machine: AnyStateMachine,
  seen = new Set<AnyStateMachine>(),
): void {
  if (seen.has(machine)) return
  seen.add(machine)
  for (const { src, logic } of actorsOf(machine)) {
    if (isMachine(logic)) {
      refuseUngoverned(agent, logic, seen)
      continue
    }
    // A reducer is the author's code like an assign: it changes nothing but its own state.
    if (isLogic(logic) && kindOf(logic) === 'plain') continue
    const invocable = invocableOf(logic)
    if (invocable?.kind === 'ask' || (invocable?.kind === 'effect' && invocable.readOnly)) continue
    throw new AmbitError(
      'AMBIT_UNGOVERNED_EFFECT',
      `Agent "${agent}" invokes "${src}", which is neither a governed action nor declared read-only. ` +
        'Wrap it in `governed(...)`, or in `readOnly(...)` if it changes nothing.',
    )
  }
  for (const { state, name, exec } of actionsOf(machine)) {
    // What `enqueueActions` will enqueue cannot be seen before it runs.
    const isHidden = builtinType(exec) === 'xstate.enqueueActions'
    if (!isHidden && (builtinType(exec) !== undefined || isAmbitAction(exec))) continue
    throw new AmbitError(
      'AMBIT_UNGOVERNED_EFFECT',
      `Agent "${agent}" runs the custom action "${name}" in state "${state}". An action function could do anything: ` +
        'wrap it in `observe(...)` if it only looks on, or make it a governed action.',
    )
  }
}

/** Every actor a machine may invoke or spawn, with the logic behind it. */
export function actorsOf(machine: AnyStateMachine): ActorUse[] {
  const uses: ActorUse[] = []
  for (const node of nodesOf(machine.root)) {
    for (const invoke of node.invoke as InvokeDefinition[]) {
      const { src } = invoke
      uses.push({ state: node.id, src, logic: logicOf(machine, src), isInline: false })
    }
  }
  for (const { state, exec } of actionsOf(machine)) {
    if (builtinType(exec) !== 'xstate.spawnChild') continue
    const { src } = exec as { src: unknown }
    const isInline = typeof src !== 'string'
    const name = typeof src === 'string' ? src : '(inline)'
    uses.push({ state, src: name, logic: logicOf(machine, src), isInline })
  }
  return uses
}

interface InvokeDefinition {
  readonly src: string
}

function actionsOf(machine: AnyStateMachine): ActionUse[] {
  const named = machine.implementations.actions as Record<string, unknown>
  const uses: ActionUse[] = []
  const add = (state: string, action: unknown) => {
    const name = actionName(action)
    uses.push({ state, name, exec: typeof action === 'function' ? action : named[name] })
  }
  for (const node of nodesOf(machine.root)) {
    const { entry, exit, always, initial } = node
    const transitions = [...node.transitions.values()].flat()
    const lists = [
      entry,
      exit,
      ...(always ?? []).map(({ actions }) => actions),
      ...transitions.map(({ actions }) => actions),
    ]
    if (Object.keys(node.states).length > 0) lists.push(initial.actions)
    for (const action of lists.flat() as unknown[]) add(node.id, action)
  }
  return uses
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesOf)]
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action
  if (typeof action === 'function') return action.name === '' ? '(anonymous)' : action.name
  return String((action as { type?: unknown }).type)
}

function builtinType(exec: unknown): string | undefined {
  if (typeof exec !== 'function' || !('type' in exec) || !('resolve' in exec)) return undefined
  return String(exec.type)
}

/** Whether a function takes `spawn` from its arguments: it may be written either way. */
function spawns(candidate: unknown): boolean {
  if (typeof candidate !== 'function') return false
  const text = Function.prototype.toString.call(candidate)
  return /^[^=]*\{[^}]*\bspawn\b[^}]*\}/.test(text) || /\.\s*spawn\s*\(/.test(text)
}

function spawning(machine: AnyStateMachine, state: string, where: string): AmbitError {
  return new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `Machine "${machine.id}" spawns inside ${where} in state "${state}", which leaves no trace to store. ` +
      'Use the spawnChild(...) action or an invoke, and send to the child by its id.',
  )
}

function unsupported(machine: AnyStateMachine, state: string, what: string): AmbitError {
  return new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `Machine "${machine.id}" uses ${what} in state "${state}"; what is journaled must be found again by its name. ` +
      "Implement it in setup(...), or run the actor with durability 'none'.",
  )
}
