import type { Address } from './address.ts'
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
