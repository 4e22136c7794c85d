import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import { isAmbitAction } from './actions.ts'
import { invocableOf } from './invocable.ts'
import { childMachine, logicOf, plainPromise } from './machine-actors.ts'

/** What XState calls its own actions; those of them that this version runs. */
const RUN_HERE = new Set([
  'xstate.assign',
  'xstate.raise',
  'xstate.cancel',
  'xstate.sendTo',
  'xstate.spawnChild',
  'xstate.stopChild',
  'xstate.log',
  'xstate.enqueueActions',
])

interface ActionUse {
  readonly state: string
  readonly name: string
  readonly exec: unknown
}

interface ActorUse {
  readonly state: string
  readonly src: string
  readonly logic: unknown
  readonly systemId: unknown
  readonly id: string | undefined
  /** Spawned from logic that has no name: it could not be found again after a restart. */
  readonly isInline: boolean
  readonly hasOnSnapshot: boolean
}

/** Refuses, by name and place, what this version does not run: better at definition than in the middle of a case. */
export function refuseUnsupported(
  machine: AnyStateMachine,
  seen = new Set<AnyStateMachine>(),
): void {
  if (seen.has(machine)) return
  seen.add(machine)
  for (const { state, name, exec } of actionsOf(machine)) {
    const type = builtinType(exec)
    if (type === 'xstate.sendTo' && hasDelay(exec))
      throw unsupported(machine, state, 'a delayed sendTo')
    if (type !== undefined && !RUN_HERE.has(type))
      throw unsupported(machine, state, `the action ${type}`)
    if (exec === undefined)
      throw unsupported(machine, state, `the action "${name}", which nobody implemented`)
  }
  for (const { state, src, logic, systemId, id, isInline, hasOnSnapshot } of actorsOf(machine)) {
    if (systemId !== undefined) throw unsupported(machine, state, `systemId for "${src}"`)
    if (isInline)
      throw unsupported(machine, state, 'a spawned actor without a name in setup({ actors })')
    if (id?.includes('/')) throw unsupported(machine, state, `the invoke id "${id}" with a slash`)
    if (hasOnSnapshot) throw unsupported(machine, state, `onSnapshot for "${src}"`)
    const nested = childMachine(logic)
    if (nested !== undefined) refuseUnsupported(nested, seen)
    else if (invocableOf(logic) === undefined && plainPromise(logic) === undefined) {
      throw unsupported(
        machine,
        state,
        `the actor "${src}", which is neither a promise nor a machine`,
      )
    }
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
    const nested = childMachine(logic)
    if (nested !== undefined) {
      refuseUngoverned(agent, nested, seen)
      continue
    }
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
      const { src, id, systemId } = invoke
      const hasOnSnapshot = invoke.onSnapshot !== undefined
      const logic = logicOf(machine, src)
      uses.push({ state: node.id, src, logic, systemId, id, isInline: false, hasOnSnapshot })
    }
  }
  for (const { state, exec } of actionsOf(machine)) {
    if (builtinType(exec) !== 'xstate.spawnChild') continue
    const { src, systemId, id: given } = exec as { src: unknown; systemId?: unknown; id?: unknown }
    const id = typeof given === 'string' ? given : undefined
    const isInline = typeof src !== 'string'
    const name = typeof src === 'string' ? src : '(inline)'
    const logic = logicOf(machine, src)
    uses.push({ state, src: name, logic, systemId, id, isInline, hasOnSnapshot: false })
  }
  return uses
}

interface InvokeDefinition {
  readonly src: string
  readonly id: string
  readonly systemId?: unknown
  readonly onSnapshot?: unknown
}

function hasDelay(exec: unknown): boolean {
  return (exec as { delay?: unknown }).delay !== undefined
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

function unsupported(machine: AnyStateMachine, state: string, what: string): AmbitError {
  return new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `Machine "${machine.id}" uses ${what} in state "${state}"; this version does not run it. ` +
      "Use a promise, a machine, or one of Ambit's actions (tell, reply, think, observe).",
  )
}
