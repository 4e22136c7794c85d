import fc from 'fast-check'
import { isWhole, numberFormats, type Check } from './definition.ts'
import { fresh } from './fresh.ts'
import { impossible, leaf, type Maker, type Place } from './maker.ts'

const NUMBER_MAX = Number.MAX_VALUE

interface Bounds {
  readonly min: number
  readonly minExcluded: boolean
  readonly max: number
  readonly maxExcluded: boolean
}

/** Whole numbers first: a counterexample with one says more. */
export function makeNumber(place: Place): Maker {
  const { checks } = place
  const bounds = boundsOf(checks)
  const step = checks.find((check) => check.check === 'multiple_of')?.value
  if (step !== undefined) return makeMultiple(place, bounds, Math.abs(Number(step)))
  const integers = integersIn(bounds)
  if (checks.some((check) => check.check === 'number_format' && isWhole(check.format))) {
    if (integers === undefined) throw impossible(place, 'no whole number is within its bounds')
    return leaf(integers)
  }
  if (bounds.min > bounds.max) throw impossible(place, 'no number is within its bounds')
  const doubles = fc
    .double({ ...bounds, noNaN: true })
    // It would come back from a journal as 0.
    .filter((value) => !Object.is(value, -0))
  if (integers === undefined) return leaf(doubles)
  return leaf(fc.oneof({ withCrossShrink: true }, integers, doubles))
}

export function makeBigInt(place: Place): Maker {
  const { checks } = place
  const limits: { min?: bigint; max?: bigint } = {}
  for (const check of checks) {
    if (check.check === 'bigint_format') {
      const isSigned = check.format === 'int64'
      raise(limits, isSigned ? -(2n ** 63n) : 0n)
      lower(limits, isSigned ? 2n ** 63n - 1n : 2n ** 64n - 1n)
    }
    if (check.check === 'greater_than') raise(limits, (check.value as bigint) + open(check))
    if (check.check === 'less_than') lower(limits, (check.value as bigint) - open(check))
  }
  const step = checks.find((check) => check.check === 'multiple_of')?.value
  const { min, max } = limits
  if (min !== undefined && max !== undefined && min > max) {
    throw impossible(place, 'no bigint is within its bounds')
  }
  if (step === undefined) return leaf(fresh(fc.bigInt(limits)))
  const by = BigInt(step)
  // Rounded towards zero, so one more at either end is left to the filter.
  const factors = fc.bigInt({
    ...(min !== undefined && { min: min / by - 1n }),
    ...(max !== undefined && { max: max / by + 1n }),
  })
  return leaf(fresh(factors).map((factor) => factor * by))
}

/** The earliest and the latest date are within. */
export function makeDate({ checks }: Place): Maker {
  const limits: { min?: Date; max?: Date } = {}
  for (const check of checks) {
    if (check.check === 'greater_than') limits.min = new Date(check.value as Date)
    if (check.check === 'less_than') limits.max = new Date(check.value as Date)
  }
  return leaf(fc.date({ ...limits, noInvalidDate: true }))
}

function boundsOf(checks: readonly Check[]): Bounds {
  let bounds = { min: -NUMBER_MAX, minExcluded: false, max: NUMBER_MAX, maxExcluded: false }
  for (const check of checks) {
    if (check.check === 'greater_than' && Number(check.value) >= bounds.min) {
      bounds = { ...bounds, min: Number(check.value), minExcluded: !check.inclusive }
    } else if (check.check === 'less_than' && Number(check.value) <= bounds.max) {
      bounds = { ...bounds, max: Number(check.value), maxExcluded: !check.inclusive }
    } else if (check.check === 'number_format') {
      const [min, max] = numberFormats[check.format] ?? [-NUMBER_MAX, NUMBER_MAX]
      if (min > bounds.min) bounds = { ...bounds, min, minExcluded: false }
      if (max < bounds.max) bounds = { ...bounds, max, maxExcluded: false }
    }
  }
  return bounds
}

function integersIn({ min, minExcluded, max, maxExcluded }: Bounds) {
  const first = minExcluded ? Math.floor(min) + 1 : Math.ceil(min)
  const last = maxExcluded ? Math.ceil(max) - 1 : Math.floor(max)
  const limits = {
    min: Math.max(first, Number.MIN_SAFE_INTEGER),
    max: Math.min(last, Number.MAX_SAFE_INTEGER),
  }
  return limits.min <= limits.max ? fresh(fc.integer(limits)) : undefined
}

/** The nearest number to the decimal that is meant: 3 times 0.1 is 0.3. */
function makeMultiple(place: Place, bounds: Bounds, step: number): Maker {
  const [digits = '', exponent = '0'] = step.toExponential().split('e')
  const decimals = (digits.split('.')[1]?.length ?? 0) - Number(exponent)
  const units = Number(digits.replace('.', ''))
  const factorMax = Math.floor(Number.MAX_SAFE_INTEGER / Math.max(units, step))
  const factors = integersIn({
    ...bounds,
    min: Math.max(bounds.min / step, -factorMax),
    max: Math.min(bounds.max / step, factorMax),
  })
  if (factors === undefined) throw impossible(place, `no multiple of ${step} is within its bounds`)
  return leaf(factors.map((factor) => Number(`${factor * units}e${-decimals}`)))
}

const open = ({ inclusive }: { inclusive: boolean }) => (inclusive ? 0n : 1n)

function raise(limits: { min?: bigint }, min: bigint): void {
  if (limits.min === undefined || min > limits.min) limits.min = min
}

function lower(limits: { max?: bigint }, max: bigint): void {
  if (limits.max === undefined || max < limits.max) limits.max = max
}
