import { and, assign, raise, setup } from 'xstate'
import { childAddress, childId, parentAddress, type Address } from '../src/kernel/address.ts'
import { AmbitError, type ErrorRecord } from '../src/kernel/errors.ts'
import { errorOf, type ExitReason } from '../src/kernel/exit.ts'
import type { Json } from '../src/kernel/json.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Command } from '../src/kernel/ports/engine.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { commands, demonitor, monitor } from '../src/logic/actions.ts'
import { ask } from '../src/logic/invocable.ts'

/** The two pools of a coordinator. */
export const TASKS = 'tasks'
export const WORKERS = 'workers'

/**
 * What becomes of a task whose owner has ended: it is stopped, it goes on without one, or it goes on and waits for
 * another owner.
 */
export type OrphanPolicy = 'stop' | 'continue' | 'awaitAdoption'

export interface DelegationRules {
  readonly onOrphan: OrphanPolicy
  /** How long an orphan waits for another owner before it is stopped, in milliseconds. */
  readonly adoptionMs: number
  /** Workers that may try the task, one after the other. */
  readonly attemptsMax: number
}

/** How a task ended, as its owner hears it. */
export type TaskEnd =
  | { readonly type: 'task.done'; readonly output: Json }
  | { readonly type: 'task.failed'; readonly error: ErrorRecord; readonly attempts: number }
  | { readonly type: 'task.stopped'; readonly why: 'withdrawn' | 'orphaned' | 'abandoned' }

export type DelegationEvent =
  /** Who sends it owns the task. */
  | { readonly type: 'task.delegated'; readonly input?: Json }
  /** The owner does not want it any more. */
  | { readonly type: 'task.withdrawn' }
  /** Whoever sends it owns the task from now on, if nobody else does. */
  | { readonly type: 'task.adopted' }
  /** Answered with `task.status`. */
  | { readonly type: 'task.asked' }
  /** The worker's answers. */
  | { readonly type: 'task.done'; readonly output?: Json }
  | { readonly type: 'task.failed'; readonly error: ErrorRecord }
  | { readonly type: 'ambit.down'; readonly address: Address; readonly reason: ExitReason }
  /** Its time as an orphan is over. */
  | { readonly type: 'task.abandoned' }

interface DelegationContext {
  /** Null when somebody outside delegated it, or nobody owns it any more. */
  readonly owner: Address | null
  readonly input: Json
  /** Which worker has it, counted from 1. */
  readonly attempt: number
  readonly end: TaskEnd | null
}

/**
 * One task: who owns it and who works on it are two regions, because one may change while the other stays. At any time
 * one worker has it, and only that one's answer counts; it is told its owner once, and whoever adopts it.
 */
export function createDelegation(rules: DelegationRules) {
  return setup({
    types: { context: {} as DelegationContext, events: {} as DelegationEvent },
    delays: { adoptionMs: rules.adoptionMs },
    actors: {
      stopWorker: ask<{ pool: Address; id: string }>({
        to: ({ pool }) => pool,
        event: ({ id }) => ({ type: 'ambit.supervisor.call', call: 'terminateChild', id }),
        timeoutMs: Infinity,
      }),
    },
    guards: {
      isFromWorker: ({ context }) => sender() === workerOf(context),
      isFromOther: ({ context }) => sender() !== context.owner,
      isFirst: ({ context }) => context.attempt === 0 && sender() !== null,
      isAdoptable: ({ context }) => context.attempt > 0 && sender() !== null,
      isWorkerDown: ({ context, event }) =>
        event.type === 'ambit.down' && event.address === workerOf(context),
      isOwnerDown: ({ context, event }) =>
        event.type === 'ambit.down' && event.address === context.owner,
      mayTryAgain: ({ context }) => context.attempt < rules.attemptsMax,
      isStopped: () => rules.onOrphan === 'stop',
      isKept: () => rules.onOrphan === 'awaitAdoption',
    },
    actions: {
      take: assign(({ event }) => ({ owner: sender(), input: inputOf(event) })),
      accept: commands(() => answer({ type: 'task.accepted' })),
      refuseUnknown: commands(() => answer({ type: 'task.refused', why: 'unknown' })),
      refuseOwned: commands(({ context: { owner } }) =>
        answer({ type: 'task.refused', why: 'owned', owner }),
      ),
      show: commands(({ context }) => answer({ type: 'task.status', ...context })),
      nextAttempt: assign(({ context }) => ({ attempt: context.attempt + 1 })),
      hand: commands(({ context }) => [tellOf(workerOf(context), assigned(context))]),
      watchWorker: monitor(({ context }) => workerOf(context)),
      leaveWorker: demonitor(({ context }) => workerOf(context)),
      keepOutput: assign(({ event }) => ({ end: doneBy(event) })),
      keepError: assign(({ context, event }) => ({ end: failedBy(event, context.attempt) })),
      keepWithdrawn: assign({ end: { type: 'task.stopped', why: 'withdrawn' } }),
      keepOrphaned: assign({ end: { type: 'task.stopped', why: 'orphaned' } }),
      keepAbandoned: assign({ end: { type: 'task.stopped', why: 'abandoned' } }),
      own: assign(() => ({ owner: sender() })),
      disown: assign({ owner: null }),
      watchOwner: monitor(({ context }) => context.owner ?? ''),
      leaveOwner: demonitor(({ context }) => context.owner ?? ''),
      tellEnd: commands(({ context }) => told(context)),
    },
  }).createMachine({
    id: 'delegation',
    version: '1',
    context: { owner: null, input: null, attempt: 0, end: null },
    type: 'parallel',
    on: { 'task.asked': { actions: 'show' } },
    states: {
      work: {
        initial: 'unknown',
        states: {
          unknown: {
            on: {
              'task.delegated': { target: 'assigned', actions: ['take', 'accept'] },
              'task.withdrawn': { actions: 'refuseUnknown' },
              'task.adopted': { actions: 'refuseUnknown' },
            },
          },
          /** A worker has it. One that is restarted goes on where it was, and keeps it. */
          assigned: {
            entry: ['nextAttempt', 'hand', 'watchWorker'],
            exit: 'leaveWorker',
            on: {
              'task.delegated': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { actions: 'accept' },
              ],
              'task.done': { guard: 'isFromWorker', target: 'ended', actions: 'keepOutput' },
              'task.failed': { guard: 'isFromWorker', target: 'ended', actions: 'keepError' },
              'task.withdrawn': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { target: 'stopping', actions: ['keepWithdrawn', 'accept'] },
              ],
              'task.abandoned': { target: 'stopping', actions: 'keepAbandoned' },
              'ambit.down': [
                {
                  guard: and(['isOwnerDown', 'isStopped']),
                  target: 'stopping',
                  actions: 'keepOrphaned',
                },
                {
                  guard: and(['isWorkerDown', 'mayTryAgain']),
                  target: 'assigned',
                  reenter: true,
                },
                { guard: 'isWorkerDown', target: 'ended', actions: 'keepError' },
              ],
            },
          },
          /** It is over when its worker has stopped, and whatever that had begun. */
          stopping: {
            invoke: {
              src: 'stopWorker',
              input: ({ context }) => ({
                pool: parentAddress(workerOf(context)),
                id: childId(workerOf(context)),
              }),
              onDone: 'ended',
              onError: 'ended',
            },
            on: {
              'task.delegated': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { actions: 'accept' },
              ],
            },
          },
          ended: {
            entry: 'tellEnd',
            on: {
              // Who did not hear, or has forgotten, asks again: nothing is done twice.
              'task.delegated': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { actions: ['accept', 'tellEnd'] },
              ],
              'task.withdrawn': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { actions: 'tellEnd' },
              ],
            },
          },
        },
      },
      ownership: {
        initial: 'nobody',
        states: {
          nobody: {
            on: {
              'task.delegated': { guard: 'isFirst', target: 'owned' },
              'task.adopted': {
                guard: 'isAdoptable',
                target: 'owned',
                actions: ['own', 'accept', 'tellEnd'],
              },
            },
          },
          owned: {
            entry: 'watchOwner',
            exit: 'leaveOwner',
            on: {
              'task.adopted': [
                { guard: 'isFromOther', actions: 'refuseOwned' },
                { actions: ['accept', 'tellEnd'] },
              ],
              'ambit.down': [
                { guard: and(['isOwnerDown', 'isKept']), target: 'orphaned', actions: 'disown' },
                { guard: 'isOwnerDown', target: 'nobody', actions: 'disown' },
              ],
            },
          },
          orphaned: {
            on: { 'task.adopted': { target: 'owned', actions: ['own', 'accept', 'tellEnd'] } },
            after: { adoptionMs: { target: 'nobody', actions: raise({ type: 'task.abandoned' }) } },
          },
        },
      },
    },
  })
}

/** The task that a worker has. Throws `AMBIT_NOT_SUPPORTED` where somebody else says that he is one. */
export function taskOf(worker: Address): Address {
  const pool = parentAddress(worker)
  const [, id] = /^(.+)~\d+$/.exec(childId(worker)) ?? []
  if (id !== undefined && childId(pool) === WORKERS)
    return childAddress(childAddress(parentAddress(pool), TASKS), id)
  throw new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `"${worker}" is no worker of a coordinator, so it has no task. Give its spec to coordinator(...) as "worker".`,
  )
}

/** No two tasks have a worker of the same name, whatever they are called: its number comes last. */
function workerOf({ attempt }: DelegationContext): Address {
  const { address } = thisTurn()
  const workers = childAddress(parentAddress(parentAddress(address)), WORKERS)
  return childAddress(workers, `${childId(address)}~${attempt}`)
}

function assigned({ input, attempt }: DelegationContext): Event {
  return { type: 'task.assigned', task: childId(thisTurn().address), attempt, input }
}

function sender(): Address | null {
  return thisTurn().message.headers.from ?? null
}

function inputOf(event: DelegationEvent): Json {
  return event.type === 'task.delegated' ? (event.input ?? null) : null
}

function doneBy(event: DelegationEvent): TaskEnd {
  return { type: 'task.done', output: event.type === 'task.done' ? (event.output ?? null) : null }
}

function failedBy(event: DelegationEvent, attempts: number): TaskEnd {
  if (event.type === 'task.failed') return { type: 'task.failed', error: event.error, attempts }
  const reason = event.type === 'ambit.down' ? event.reason : undefined
  const error = (reason && errorOf(reason)) ?? {
    name: 'Ended',
    message: `The worker ended without a result (${reason?.kind}).`,
  }
  return { type: 'task.failed', error, attempts }
}

function told({ owner, end }: DelegationContext): readonly Command[] {
  if (owner === null || end === null) return []
  return [tellOf(owner, { ...end, task: childId(thisTurn().address) })]
}

/** Whoever asked is answered; who only told hears of a refusal. */
function answer(event: Event): readonly Command[] {
  const { address, message } = thisTurn()
  const { replyTo, from } = message.headers
  const about = { ...event, task: childId(address) }
  if (replyTo !== undefined) return [{ kind: 'reply', to: replyTo, event: about }]
  return event.type === 'task.refused' && from !== undefined ? [tellOf(from, about)] : []
}

function tellOf(to: Address, event: Event): Command {
  return { kind: 'tell', to, event, lane: 'user' }
}
