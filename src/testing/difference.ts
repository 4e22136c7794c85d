import type { Json } from '../kernel/json.ts'

/** One place at which two values differ. */
export interface Difference {
  /** As in `context.waiters.0`; empty for the whole. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** Where two values differ, at most so many places. */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  max = 20,
): Difference[] {
  const found: Difference[] = []
  compare(before, after, '', found, max)
  return found
}

/** `path: before -> after`, one a line. */
export function describeDifferences(found: readonly Difference[]): string {
  const text = (value: Json | undefined) => (value === undefined ? '(none)' : JSON.stringify(value))
  return found
    .map(({ path, before, after }) => `${path || '(all)'}: ${text(before)} -> ${text(after)}`)
    .join('\n')
}

function compare(
  before: Json | undefined,
  after: Json | undefined,
  path: string,
  found: Difference[],
  max: number,
): void {
  if (found.length >= max || before === after) return
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) found.push({ path, before, after })
    return
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = path === '' ? key : `${path}.${key}`
    compare(before[key], after[key], below, found, max)
  }
}

function isBranch(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null
}
