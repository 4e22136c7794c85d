import fc from 'fast-check'

export interface SchedulesOptions {
  /** The longest list. Default 100. */
  readonly max?: number
  /** The share of steps with a fault, 0 to 1. Default 0.3. */
  readonly faultRate?: number
}

const FAULT_MAX = 1000
const LENGTH_MAX = 100

/** Lists of what happens at each step of a run: 0 is no fault, 1 to 1,000 say which. They shrink to fewer and to 0. */
export function schedules(options: SchedulesOptions = {}): fc.Arbitrary<readonly number[]> {
  const { max = LENGTH_MAX, faultRate = 0.3 } = options
  const faults = Math.round(faultRate * 1000)
  const step = fc.oneof(
    { withCrossShrink: true },
    { weight: 1000 - faults, arbitrary: fc.constant(0) },
    { weight: faults, arbitrary: fc.integer({ min: 1, max: FAULT_MAX }) },
  )
  return fc.array(step, { maxLength: max, size: 'max' })
}
