import type { ErrorRecord } from './errors.ts'

/** Why a life ended. `normal` and `shutdown` are clean; the rest count as failures. */
export type ExitReason =
  | { readonly kind: 'normal' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'error'; readonly error: ErrorRecord }
  | { readonly kind: 'restartIntensity'; readonly error: ErrorRecord }

export function isFailure(reason: ExitReason): boolean {
  return reason.kind === 'error' || reason.kind === 'restartIntensity'
}
