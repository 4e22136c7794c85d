import { toErrorRecord, type ErrorRecord } from '../kernel/errors.ts'

const NAME = 'SimulatedFault'

/** What goes wrong because the schedule says so. */
export class SimulatedFault extends Error {
  constructor(what: string) {
    super(`simulated: ${what}`)
    this.name = NAME
  }
}

/** Whether an error comes of such a fault; on its way through supervisors it is a record. */
export function comesOfFault(error: unknown): boolean {
  let record: ErrorRecord | undefined = toErrorRecord(error)
  while (record !== undefined && record.name !== NAME) record = record.cause
  return record !== undefined
}
