import { AmbitError } from '../kernel/errors.ts'

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/

/** Reads `4h`, `30m`, `250ms`, `7d` as milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const value = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
  return value > 0 && Number.isSafeInteger(value) ? value : undefined
}

/** Like `parseDuration`, for text that a schema has let through. */
export function durationMs(text: string): number {
  const value = parseDuration(text)
  if (value !== undefined) return value
  throw new AmbitError('AMBIT_ENVELOPE_INVALID', `Expected a duration such as "4h", got "${text}".`)
}
