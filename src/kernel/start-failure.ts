import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Branch } from './tree.ts'

/** Why a child has no place: its pool is full, or nobody knows of what it is made. */
export function noPlace({ address, spec }: Branch, id: string): AmbitError {
  const message =
    spec.kind === 'pool'
      ? `"${address}" has no room for "${id}". Raise maxChildren, or end another first.`
      : `Nobody knows of what "${id}" of "${address}" is made. Give its template back, or delete it.`
  return new AmbitError('AMBIT_START_FAILED', message)
}

/** Says which child could not be started, and keeps what went wrong as its cause. */
export function startFailure(address: Address, error: unknown): AmbitError {
  return new AmbitError(
    'AMBIT_START_FAILED',
    `"${address}" could not be started: ${toErrorRecord(error).message}. ` +
      'Mend its machine or its input and start again.',
    { cause: error },
  )
}

/** Says that nobody waits any longer for a start. */
export function startTimeout({ address, spec: { startTimeoutMs } }: Cell): AmbitError {
  const message =
    `"${address}" did not start within ${startTimeoutMs} ms. ` +
    'Raise startTimeoutMs, or let its start do less.'
  return new AmbitError('AMBIT_START_FAILED', message)
}
