import type { AnyActorLogic, AnyStateMachine, Snapshot } from 'xstate'
import type { z } from 'zod'
import {
  actorSpec,
  checkActorOptions,
  type ActorOptions,
  type ActorSpec,
} from '../src/kernel/child-spec.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Engine } from '../src/kernel/ports/engine.ts'
import { anObject, having, listOf, type OptionRules } from '../src/kernel/spec-check.ts'
import { assertLogic, createInterpreter } from '../src/logic/interpreted.ts'
import type { Migration } from '../src/logic/migration.ts'
import { invocableOf } from '../src/logic/invocable.ts'
import { isMachine } from '../src/logic/logic-kinds.ts'
import { actorsOf, refuseUnsupported } from '../src/logic/verify.ts'

export interface MachineOptions extends ActorOptions {
  /** What events from outside must look like; others are dead letters with a reason. */
  readonly events?: z.ZodType
  /**
   * Ways from states that other versions of the machine stored, followed one after the other. Without a way a stored
   * state of another structure is refused (`AMBIT_MACHINE_CHANGED`).
   */
  readonly migrations?: readonly Migration[]
  /**
   * What XState's `getPersistedSnapshot()` gave: the actor starts from it, children included. Promises, callbacks and
   * observables that ran then run again, and delayed events are not in it, as in XState. Only for a first start: what
   * the journal holds goes before.
   */
  readonly snapshot?: Snapshot<unknown>
}

/**
 * A child spec for any XState logic: a machine, or what `fromTransition`, `fromPromise`, `fromCallback` and
 * `fromObservable` give. It is restarted from its last committed turn, its messages and timers kept. Default durability
 * `sync`.
 *
 * Throws `AMBIT_NOT_SUPPORTED` for a machine that spawns inside an assign or its context and, unless durability is
 * `none`, for one that uses actions or actors nobody implemented, or spawns an actor that has no name.
 */
export function actor(id: string, logic: AnyActorLogic, options: MachineOptions = {}): ActorSpec {
  assertLogic(logic)
  checkActorOptions(id, options, machineRules)
  const { events, migrations, snapshot, ...rest } = options
  if (isMachine(logic)) {
    refuseUnsupported(logic, options.durability !== 'none')
    refuseGoverned(id, logic)
  }
  return actorSpec(id, machineEngine(logic, { events, migrations, snapshot }), rest)
}

/** What a machine's options have beside any actor's. */
export const machineRules: OptionRules = {
  events: having('a zod schema', 'safeParse'),
  migrations: listOf(anObject),
  snapshot: anObject,
}

/** Only an agent has an envelope, so only an agent may propose. */
function refuseGoverned(id: string, machine: AnyStateMachine, seen = new Set<unknown>()): void {
  if (seen.has(machine)) return
  seen.add(machine)
  for (const { logic, src } of actorsOf(machine)) {
    if (isMachine(logic)) refuseGoverned(id, logic, seen)
    const invocable = invocableOf(logic)
    if (invocable?.kind !== 'ask' || invocable.governs === undefined) continue
    throw new AmbitError(
      'AMBIT_ENVELOPE_MISSING',
      `Actor "${id}" invokes the governed action "${src}". Make it an agent: agent("${id}", machine, { envelope }).`,
    )
  }
}

interface EngineOptions {
  readonly events: z.ZodType | undefined
  readonly migrations: readonly Migration[] | undefined
  readonly snapshot?: Snapshot<unknown> | undefined
  readonly governed?: boolean
}

/** An engine that also checks events from outside against a schema. */
export function machineEngine(logic: AnyActorLogic, options: EngineOptions): Engine {
  const { events, migrations = [], snapshot, governed = false } = options
  const from = snapshot === undefined ? {} : { snapshot }
  if (events === undefined) return createInterpreter(logic, { governed, migrations, ...from })
  const refuse = (event: Event): string | undefined => {
    const parsed = events.safeParse(event)
    return parsed.success ? undefined : describeIssues(parsed.error.issues)
  }
  return createInterpreter(logic, { refuse, governed, migrations, ...from })
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'event'}: ${issue.message}`)
    .join('; ')
}
