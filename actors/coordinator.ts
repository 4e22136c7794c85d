import type { EventObject, MachineContext } from 'xstate'
import {
  createDelegation,
  taskOf,
  TASKS,
  WORKERS,
  type DelegationRules,
  type OrphanPolicy,
} from '../machines/delegation.ts'
import { childAddress, isSegment, type Address } from '../src/kernel/address.ts'
import { actorSpec, type ActorSpec } from '../src/kernel/child-spec.ts'
import { AmbitError, toErrorRecord } from '../src/kernel/errors.ts'
import type { Json } from '../src/kernel/json.ts'
import type { Event } from '../src/kernel/message.ts'
import {
  anObject,
  anything,
  atLeast,
  checkOptions,
  having,
  oneOf,
  requireOption,
} from '../src/kernel/spec-check.ts'
import type { SupervisorSpec } from '../src/kernel/supervisor-spec.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import {
  perform,
  valueOf,
  type ActionGiven,
  type AmbitAction,
  type Given,
} from '../src/logic/actions.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import { pool, supervisor, type AuthorityOptions, type PoolOptions } from './supervisor.ts'

export interface CoordinatorOptions extends AuthorityOptions {
  /** What works on a task; each task has one of its own, at `/COORDINATOR/workers/TASK~ATTEMPT`. */
  readonly worker: ActorSpec
  /** Default `stop`. */
  readonly onOrphan?: OrphanPolicy
  /** Default 3,600,000. */
  readonly adoptionMs?: number
  /** Default 2. A worker that is restarted goes on with its task, and that is no further attempt. */
  readonly attemptsMax?: number
  /** Workers that live at a time; a task beyond has failed. Default: no limit. */
  readonly workersMax?: number
  /** How the workers are restarted, as by any pool. */
  readonly restarts?: Pick<PoolOptions, 'intensity' | 'periodMs' | 'backoff' | 'budget'>
}

const ADOPTION_MS = 3_600_000
const ATTEMPTS_MAX = 2

/**
 * A supervisor that also delegates. Who hands it a task owns the task and hears once how it ended (`task.done`,
 * `task.failed`, `task.stopped`, each with `task`); a worker of the coordinator has it. The two are apart: a worker
 * that crashes is restarted and keeps its task, and when the owner ends `onOrphan` says what becomes of it. A task is
 * known by its id: handed in twice, it is done once.
 *
 * @example
 * coordinator('research', { worker: actor('worker', researcher), onOrphan: 'awaitAdoption' })
 */
export function coordinator(id: string, options: CoordinatorOptions): SupervisorSpec {
  const who = `Coordinator "${id}"`
  checkOptions(who, options, {
    worker: having('made by actor() or agent()'),
    onOrphan: oneOf('stop', 'continue', 'awaitAdoption'),
    adoptionMs: atLeast(1),
    attemptsMax: atLeast(1),
    workersMax: atLeast(1),
    restarts: anObject,
    envelope: anything,
  })
  requireOption(who, options, 'worker')
  const { worker, workersMax, restarts = {}, envelope } = options
  checkWorker(who, worker)
  const rules: DelegationRules = {
    onOrphan: options.onOrphan ?? 'stop',
    adoptionMs: options.adoptionMs ?? ADOPTION_MS,
    attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
  }
  const engine = createInterpreter(createDelegation(rules))
  const workers = { ...restarts, ...(workersMax !== undefined && { maxChildren: workersMax }) }
  return supervisor({
    id,
    children: [
      pool(WORKERS, worker, workers),
      pool(TASKS, actorSpec('task', engine, { privileged: true }), { budget: 'each' }),
    ],
    ...(envelope !== undefined && { envelope }),
  })
}

/** A worker that began anew would not know its task, and one that keeps nothing would lose it. */
function checkWorker(who: string, worker: ActorSpec): void {
  if ((worker.kind as unknown) !== 'actor')
    throw invalid(`${who} expects "worker" to be made by actor() or agent().`)
  if (worker.durability !== 'sync')
    throw invalid(`${who} expects a worker of durability "sync", got "${worker.durability}".`)
  if (worker.recover !== 'resume')
    throw invalid(`${who} expects a worker that resumes, got recover: "${worker.recover}".`)
}

interface TaskPlace {
  /** The coordinator's address. */
  readonly to: string
  /** The task's id: letters, digits and `._~:@#=+-`. The same id is the same task. */
  readonly task: string
}

/**
 * Hands a task to a coordinator. Whoever does so owns it and hears `task.done` (`output`), `task.failed` (`error`,
 * `attempts`) or `task.stopped` (`why`), each with `task`; and `task.refused` when another owns it already.
 */
export function delegateTask<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(given: Given<C, E, TaskPlace & { readonly input?: Json }>): AmbitAction<C, E, All> {
  return about(given, ({ input }) => ({
    type: 'task.delegated',
    ...(input !== undefined && { input }),
  }))
}

/** Says that the owner no longer wants a task: its worker is stopped, and then the owner hears `task.stopped`. */
export function withdrawTask<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(given: Given<C, E, TaskPlace>): AmbitAction<C, E, All> {
  return about(given, () => ({ type: 'task.withdrawn' }))
}

/**
 * Takes over a task that nobody owns: from then on its end is told here, also when that was before. `task.refused` says
 * that another owns it (`owned`) or that there is none (`unknown`).
 */
export function adoptTask<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(given: Given<C, E, TaskPlace>): AmbitAction<C, E, All> {
  return about(given, () => ({ type: 'task.adopted' }))
}

/** For a worker, which was told `task.assigned` (`task`, `attempt`, `input`): its task is done. */
export function completeTask<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(output: Given<C, E, Json>): AmbitAction<C, E, All> {
  return fromWorker((args) => ({ type: 'task.done', output: valueOf(output, args) }))
}

/** For a worker: its task cannot be done. That is an answer, not a crash, and nobody tries again. */
export function failTask<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject = E,
>(error: Given<C, E, unknown>): AmbitAction<C, E, All> {
  return fromWorker((args) => ({
    type: 'task.failed',
    error: toErrorRecord(valueOf(error, args)),
  }))
}

function about<
  C extends MachineContext,
  E extends EventObject,
  All extends EventObject,
  P extends TaskPlace,
>(given: Given<C, E, P>, event: (given: P) => Event): AmbitAction<C, E, All> {
  return telling<C, E, All>((args) => {
    const place = valueOf(given, args)
    return [taskAddress(place), event(place)]
  })
}

function fromWorker<C extends MachineContext, E extends EventObject, All extends EventObject>(
  event: (args: ActionGiven<C, E>) => Event,
): AmbitAction<C, E, All> {
  return telling((args) => [taskOf(thisTurn().address), event(args)])
}

function telling<C extends MachineContext, E extends EventObject, All extends EventObject>(
  what: (args: ActionGiven<C, E>) => readonly [to: Address, event: Event],
): AmbitAction<C, E, All> {
  return perform<C, E, All>((args) => {
    const [to, event] = what(args)
    return [{ kind: 'tell', to, event, lane: 'user' }]
  })
}

function taskAddress({ to, task }: TaskPlace): string {
  if (isSegment(task)) return childAddress(childAddress(to, TASKS), task)
  throw invalid(`A task's id must be letters, digits or ._~:@#=+-, got "${task}".`)
}

function invalid(message: string): AmbitError {
  return new AmbitError('AMBIT_SPEC_INVALID', message)
}
