import type { Address } from './address.ts'
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
