import { isFailure, type ExitReason } from './exit.ts'

export type RestartType = 'permanent' | 'transient' | 'temporary'

export type RestartPlan =
  | { readonly kind: 'leave' }
  | { readonly kind: 'restart'; readonly delayMs: number }
  | { readonly kind: 'giveUp' }

export const BACKOFF_BASE_MS = 200
export const BACKOFF_MAX_MS = 30_000

/**
 * Decides what a `one_for_one` supervisor does after a child ends. Pure: same input, same plan.
 *
 * `permanent` is always restarted, `transient` only after a failure, `temporary` never (OTP supervisor). The first
 * restart is immediate; later ones wait a random time up to a doubling bound from 200 ms to 30 s (full jitter).
 */
export function planRestart(
  restart: RestartType,
  exit: ExitReason,
  window: { readonly restarts: readonly number[]; readonly exceeded: boolean },
  random: number,
): RestartPlan {
  const due = restart === 'permanent' || (restart === 'transient' && isFailure(exit))
  if (!due || exit.kind === 'shutdown') return { kind: 'leave' }
  if (window.exceeded) return { kind: 'giveUp' }
  return { kind: 'restart', delayMs: backoffMs(window.restarts.length - 1, random) }
}

/** The wait before the n-th restart in the window, counted from 0. */
export function backoffMs(n: number, random: number): number {
  if (n <= 0) return 0
  return Math.floor(random * Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** (n - 1)))
}
