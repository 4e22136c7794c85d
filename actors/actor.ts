import type { AnyStateMachine } from 'xstate'
import type { z } from 'zod'
import { actorSpec, type ActorOptions, type ActorSpec } from '../src/kernel/child-spec.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Engine } from '../src/kernel/ports/engine.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import { invocableOf } from '../src/logic/invocable.ts'
import { childMachine } from '../src/logic/machine-actors.ts'
import { actorsOf, refuseUnsupported } from '../src/logic/verify.ts'

export interface MachineOptions extends ActorOptions {
  /** What events from outside must look like; others are dead letters with a reason. */
  readonly events?: z.ZodType
}

/**
 * A child spec for any XState machine: restarted from its last committed turn, its messages and timers kept.
 * Default durability `sync`. Throws `AMBIT_NOT_SUPPORTED` for a construct this version does not run.
 */
export function actor(
  id: string,
  machine: AnyStateMachine,
  options: MachineOptions = {},
): ActorSpec {
  refuseUnsupported(machine)
  refuseGoverned(id, machine)
  return actorSpec(id, machineEngine(machine, options.events), options)
}

/** Only an agent has an envelope, so only an agent may propose. */
function refuseGoverned(id: string, machine: AnyStateMachine): void {
  for (const { logic, src } of actorsOf(machine)) {
    const nested = childMachine(logic)
    if (nested !== undefined) refuseGoverned(id, nested)
    const invocable = invocableOf(logic)
    if (invocable?.kind !== 'ask' || invocable.governs === undefined) continue
    throw new AmbitError(
      'AMBIT_ENVELOPE_MISSING',
      `Actor "${id}" invokes the governed action "${src}". Make it an agent: agent("${id}", machine, { envelope }).`,
    )
  }
}

/** An engine that also checks events from outside against a schema. */
export function machineEngine(
  machine: AnyStateMachine,
  events: z.ZodType | undefined,
  governed = false,
): Engine {
  if (events === undefined) return createInterpreter(machine, { governed })
  const refuse = (event: Event): string | undefined => {
    const parsed = events.safeParse(event)
    return parsed.success ? undefined : describeIssues(parsed.error.issues)
  }
  return createInterpreter(machine, { refuse, governed })
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'event'}: ${issue.message}`)
    .join('; ')
}
