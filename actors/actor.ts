import type { AnyStateMachine } from 'xstate'
import type { z } from 'zod'
import { actorSpec, type ActorOptions, type ActorSpec } from '../src/kernel/child-spec.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Engine } from '../src/kernel/ports/engine.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import { refuseUnsupported } from '../src/logic/verify.ts'

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
  return actorSpec(id, machineEngine(machine, options.events), options)
}

/** An engine that also checks events from outside against a schema. */
export function machineEngine(machine: AnyStateMachine, events: z.ZodType | undefined): Engine {
  if (events === undefined) return createInterpreter(machine)
  const refuse = (event: Event): string | undefined => {
    const parsed = events.safeParse(event)
    return parsed.success ? undefined : describeIssues(parsed.error.issues)
  }
  return createInterpreter(machine, { refuse })
}

function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'event'}: ${issue.message}`)
    .join('; ')
}
