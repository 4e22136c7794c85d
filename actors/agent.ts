import type { AnyStateMachine } from 'xstate'
import type { Envelope } from '../src/envelope/envelope.ts'
import { actorSpec, checkActorOptions, type ActorSpec } from '../src/kernel/child-spec.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import type { Json } from '../src/kernel/json.ts'
import { anything } from '../src/kernel/spec-check.ts'
import { assertLogic } from '../src/logic/interpreted.ts'
import { isMachine } from '../src/logic/logic-kinds.ts'
import { actorsOf, refuseUngoverned, refuseUnsupported } from '../src/logic/verify.ts'
import type { Action } from '../src/envelope/action.ts'
import { isolated, machineEngine, machineRules, type MachineOptions } from './actor.ts'
import { actionOf } from './governed.ts'
import { checkEnvelope } from './supervisor.ts'

export interface AgentOptions extends Omit<MachineOptions, 'durability' | 'snapshot'> {
  /** What the agent may decide alone. Required as soon as its machine invokes a governed action. */
  readonly envelope?: Envelope
}

const actionsBySpec = new WeakMap<ActorSpec, readonly Action[]>()

/**
 * A child spec for an agent: a machine whose only way to act on the world is `governed(...)`, under the authority of
 * its envelope and of every supervisor's above. Always journaled (`sync`).
 *
 * Refused here, at boot: an effect that is neither governed nor `readOnly`, a custom action that is not wrapped in
 * `observe(...)` (`AMBIT_UNGOVERNED_EFFECT`), and a governed action without any envelope (`AMBIT_ENVELOPE_MISSING`,
 * when the system is created).
 */
export function agent(id: string, machine: AnyStateMachine, options: AgentOptions = {}): ActorSpec {
  assertLogic(machine)
  checkActorOptions(id, options, { ...machineRules, envelope: anything })
  checkEnvelope(`Agent "${id}"`, options)
  refuseUnsupported(machine, true)
  refuseUngoverned(id, machine)
  const { envelope, events, migrations, isolation, ...rest } = options
  const authority = envelope === undefined ? {} : { authority: envelope as unknown as Json }
  const own = machineEngine(machine, { events, migrations, governed: true })
  const engine = isolation === undefined ? own : isolated(id, machine, own, options, true)
  const spec = actorSpec(id, engine, {
    ...rest,
    ...authority,
    durability: 'sync',
  })
  actionsBySpec.set(spec, governedActions(machine))
  return spec
}

/** The governed actions an agent's machine may propose. */
export function actionsOfAgent(spec: ActorSpec): readonly Action[] {
  return actionsBySpec.get(spec) ?? []
}

/** Throws when an agent proposes actions but neither it nor a supervisor above holds an envelope. */
export function refuseWithoutEnvelope(spec: ActorSpec, authority: readonly Json[]): void {
  const [first] = actionsOfAgent(spec)
  if (first === undefined || authority.length > 0) return
  throw new AmbitError(
    'AMBIT_ENVELOPE_MISSING',
    `Agent "${spec.id}" proposes "${first.name}" but has no envelope, so all it may do is nothing. ` +
      'Give agent(...) or a supervisor above it an envelope: defineEnvelope({ ... }).',
  )
}

function governedActions(machine: AnyStateMachine, seen = new Set<unknown>()): Action[] {
  // A machine may invoke itself.
  if (seen.has(machine)) return []
  seen.add(machine)
  return actorsOf(machine).flatMap(({ logic }) =>
    isMachine(logic) ? governedActions(logic, seen) : (actionOf(logic) ?? []),
  )
}
