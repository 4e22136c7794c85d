import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { AmbitError, toErrorRecord } from './errors.ts'

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

/** Says that a pool takes no further member. */
export function noRoom(pool: Address, id: string): AmbitError {
  const message = `"${pool}" has no room for "${id}". Raise maxChildren, or end another first.`
  return new AmbitError('AMBIT_START_FAILED', message)
}
