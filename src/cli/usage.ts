import { AmbitError } from '../kernel/errors.ts'

/** 0 done, 1 refused or failed, 2 called wrongly, 3 not there. Stable. */
export const exitCodes = { done: 0, failed: 1, usage: 2, missing: 3 } as const

/** Ends a command with a message and an exit code; thrown, so that nothing is cut off half-way. */
export class CommandEnd extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

export function usageError(message: string): AmbitError {
  return new AmbitError('AMBIT_USAGE', message)
}

export function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw usageError(`--port: expected a number from 0 to 65535 (0 picks a free one), got "${text}".`)
}

export function readInstant(text: string): number {
  const instant = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : NaN
  if (Number.isFinite(instant)) return instant
  throw usageError(`--now: expected an instant such as 2026-03-01T09:00:00Z, got "${text}".`)
}
