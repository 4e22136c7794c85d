import { toErrorRecord, type ErrorRecord } from './errors.ts'

/**
 * Why a life ended. `normal` and `shutdown` are clean, as in OTP, and so is `envelope`: an agent whose authority ended,
 * or whom a human refused, has not failed. The rest are failures. `restartIntensity` is one, unlike in OTP, so that a
 * transient supervisor that gave up is restarted.
 */
export type ExitReason =
  | { readonly kind: 'normal' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'envelope'; readonly error: ErrorRecord }
  | { readonly kind: 'error'; readonly error: ErrorRecord }
  /** Its supervisor waited for its end in vain. */
  | { readonly kind: 'killed' }
  /** Its supervisor waited for its start in vain. */
  | { readonly kind: 'timeout'; readonly error: ErrorRecord }
  | { readonly kind: 'restartIntensity'; readonly error: ErrorRecord }
  /** Nobody lives there: what a monitor hears of an actor that is not. */
  | { readonly kind: 'noproc' }

/** What brought an actor down, as a reason. What `governed()` rejects with, and nobody handled, is no failure. */
export function reasonOf(thrown: unknown): ExitReason {
  const error = toErrorRecord(thrown)
  return { kind: error.name === 'Declined' ? 'envelope' : 'error', error }
}

const CLEAN: ReadonlySet<ExitReason['kind']> = new Set(['normal', 'shutdown', 'envelope'])

export function isFailure({ kind }: ExitReason): boolean {
  return !CLEAN.has(kind)
}

/** The error in a reason that has one. */
export function errorOf(reason: ExitReason): ErrorRecord | undefined {
  return 'error' in reason ? reason.error : undefined
}

/** How a stop went: by itself; cut off after its grace; or ended while an effect went on regardless of its signal. */
export type StopOutcome = 'stopped' | 'killed' | 'unsettled'
