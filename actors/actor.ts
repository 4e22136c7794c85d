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
import { awayEngine } from '../src/isolation/away-engine.ts'
import { checkIsolation, type WorkerSpec } from '../src/isolation/in-worker.ts'
import { assertLogic, createInterpreter } from '../src/logic/interpreted.ts'
import type { Migration } from '../src/logic/migration.ts'
import { invocableOf } from '../src/logic/invocable.ts'
import { isLogic, isMachine, kindOf } from '../src/logic/logic-kinds.ts'
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
  /**
   * Made by `inWorker(...)`: the actor's steps and effects run in a thread of its own, with limits of time and memory
   * that kill it when it exceeds them. Default: in the process's own thread. Not with durability `none`.
   */
  readonly isolation?: WorkerSpec
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
  const { events, migrations, snapshot, isolation, ...rest } = options
  if (isMachine(logic)) {
    refuseUnsupported(logic, options.durability !== 'none')
    refuseGoverned(id, logic)
  }
  const engine = machineEngine(logic, { events, migrations, snapshot })
  return actorSpec(
    id,
    isolation === undefined ? engine : isolated(id, logic, engine, options),
    rest,
  )
}

/** The engine in a thread of its own. Throws for what cannot run there. */
export function isolated(
  id: string,
  logic: AnyActorLogic,
  engine: Engine,
  { isolation, durability, snapshot }: MachineOptions,
  governed = false,
): Engine {
  checkIsolation(id, isolation)
  const refused = (what: string, remedy: string) =>
    new AmbitError(
      'AMBIT_NOT_SUPPORTED',
      `Actor "${id}" has a thread of its own, but ${what}. ${remedy}`,
    )
  if (durability === 'none')
    throw refused(
      "durability 'none' runs actions in the middle of a step",
      "Use 'async' or 'sync', or leave isolation away.",
    )
  if (snapshot !== undefined)
    throw refused('starts from a snapshot', 'Let it start from its input, or leave isolation away.')
  const beside = findBeside(logic)
  if (beside !== undefined)
    throw refused(
      `runs "${beside}" beside its steps`,
      'Make the callback or observable a promise, or leave isolation away.',
    )
  return awayEngine(engine, isolation, governed)
}

/** Names a callback or an observable that a logic is, invokes or spawns. */
function findBeside(logic: unknown, src = 'logic', seen = new Set<unknown>()): string | undefined {
  if (!isLogic(logic) || seen.has(logic)) return undefined
  seen.add(logic)
  if (!isMachine(logic)) return ['callback', 'live'].includes(kindOf(logic)) ? src : undefined
  for (const { logic: inner, src: name } of actorsOf(logic)) {
    const found = findBeside(inner, name, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** What a machine's options have beside any actor's. */
export const machineRules: OptionRules = {
  events: having('a zod schema', 'safeParse'),
  migrations: listOf(anObject),
  snapshot: anObject,
  isolation: anObject,
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
