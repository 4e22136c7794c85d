import { isFailure, type ExitReason } from './exit.ts'
import type { RestartWindow } from './restart-window.ts'

export type RestartType = 'permanent' | 'transient' | 'temporary'
/**
 * What a restart begins with: `resume` the last committed turn, `fresh` the input again, `stop` nothing (the child
 * stays down), `escalate` the supervisor fails in its place.
 */
export type Recover = 'resume' | 'fresh' | 'stop' | 'escalate'

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/** The wait before a restart that follows others: a random part of a bound that doubles. */
export interface Backoff {
  /** Bound of the second wait; the first restart is immediate. Default 200. */
  readonly baseMs: number
  /** Largest bound. Default 30,000. */
  readonly maxMs: number
}

export const BACKOFF_BASE_MS = 200
export const BACKOFF_MAX_MS = 30_000
export const backoffDefaults: Backoff = { baseMs: BACKOFF_BASE_MS, maxMs: BACKOFF_MAX_MS }

/** What a plan has to know of a child. */
export interface PlannedChild {
  readonly id: string
  readonly restart: RestartType
  readonly recover: Recover
}

/** A supervisor's rule, and its children in start order. */
export interface Family {
  readonly strategy: Strategy
  readonly children: readonly PlannedChild[]
  readonly backoff: Backoff
}

export interface ChildExit {
  readonly id: string
  readonly reason: ExitReason
}

export type RestartPlan =
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'restart'
      /** The bystanders to stop first, in reverse start order. */
      readonly stop: readonly string[]
      /** All to start then, in start order. */
      readonly start: readonly string[]
      readonly delayMs: number
    }
  | { readonly kind: 'giveUp' }

/**
 * Decides what a supervisor does after a child ends. Pure: same input, same plan.
 *
 * `permanent` is always restarted, `transient` only after a failure, `temporary` never; nobody whose authority ended.
 * `one_for_one` restarts the child, `rest_for_one` also those started after it, `one_for_all` every child; a temporary
 * bystander is stopped and stays so. Children stop in reverse start order and start in start order (OTP supervisor).
 * The first restart is immediate; later ones wait with full jitter.
 */
export function planRestart(
  family: Family,
  exit: ChildExit,
  window: Pick<RestartWindow, 'count' | 'exceeded'>,
  random: number,
): RestartPlan {
  const failed = family.children.find(({ id }) => id === exit.id)
  if (failed === undefined || !isRestarted(failed, exit.reason)) return { kind: 'leave' }
  if (window.exceeded || isEscalated(failed, exit.reason)) return { kind: 'giveUp' }
  const group = groupOf(family, exit.id)
  const stop = group.filter(({ id }) => id !== exit.id).reverse()
  const start = group.filter(({ restart }) => restart !== 'temporary')
  return {
    kind: 'restart',
    stop: stop.map(({ id }) => id),
    start: start.map(({ id }) => id),
    delayMs: backoffMs(window.count - 1, random, family.backoff),
  }
}

/** Whether such an end of the child uses up the supervisor's patience. */
export function isRestarted(
  { restart, recover }: Pick<PlannedChild, 'restart' | 'recover'>,
  reason: ExitReason,
): boolean {
  if (reason.kind === 'envelope' || (recover === 'stop' && isFailure(reason))) return false
  return restart === 'permanent' || (restart === 'transient' && isFailure(reason))
}

function isEscalated({ recover }: PlannedChild, reason: ExitReason): boolean {
  return recover === 'escalate' && isFailure(reason)
}

function groupOf({ strategy, children }: Family, id: string): readonly PlannedChild[] {
  const at = children.findIndex((child) => child.id === id)
  if (strategy === 'one_for_all') return children
  return children.slice(at, strategy === 'rest_for_one' ? children.length : at + 1)
}

/** The wait before the n-th restart in the window, counted from 0. */
export function backoffMs(n: number, random: number, backoff: Backoff = backoffDefaults): number {
  if (n <= 0) return 0
  // Beyond 30 doublings any bound is the largest; a power without end would be no number for a base of nought.
  return Math.floor(random * Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(n - 1, 30)))
}
