/** Changes when a list of integers would mean something else. */
const VERSION = 1

/**
 * A schedule as one word: `1:17=2,40=1` takes the second fault at choice 17 and the first at choice 40, and is ordinary
 * everywhere else.
 */
export function toReplayLine(list: readonly number[]): string {
  const set = list.flatMap((taken, at) => (taken === 0 ? [] : `${at}=${taken}`))
  return `${VERSION}:${set.join(',')}`
}

export const REPLAY_CHOICES_MAX = 1_000_000

/** Reads it back. Throws an error that says what was expected. */
export function fromReplayLine(line: string): number[] {
  const [version, rest] = line.trim().split(':')
  if (version !== String(VERSION) || rest === undefined) throw unreadable(line)
  const list: number[] = []
  for (const part of rest === '' ? [] : rest.split(',')) {
    const [, at, taken] = /^(\d{1,7})=(\d{1,7})$/.exec(part) ?? []
    if (at === undefined || Number(at) >= REPLAY_CHOICES_MAX) throw unreadable(line)
    while (list.length < Number(at)) list.push(0)
    list[Number(at)] = Number(taken)
  }
  return list
}

function unreadable(line: string): Error {
  const shown = line.length > 60 ? `${line.slice(0, 60)}...` : line
  return new Error(
    `Expected a replay line such as "${VERSION}:17=2,40=1", got "${shown}". Copy it from the report of a failure.`,
  )
}
