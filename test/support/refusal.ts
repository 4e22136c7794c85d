import { AmbitError } from '../../src/kernel/errors.ts'

/** The error that a call throws; fails when it throws none of ours. */
export function refusal(call: () => unknown): AmbitError {
  try {
    call()
  } catch (error) {
    if (error instanceof AmbitError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** The error that a promise is rejected with; fails when it is fulfilled. */
export async function rejection(promise: Promise<unknown>): Promise<AmbitError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof AmbitError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
