/** How many restarts a supervisor tolerates within a sliding time. */
export interface RestartLimit {
  /** Most restarts within `periodMs` before the supervisor itself gives up. Default 5. */
  readonly intensity: number
  /** Default 60,000. */
  readonly periodMs: number
}

export const restartLimitDefaults: RestartLimit = { intensity: 5, periodMs: 60_000 }

/** Restarts at one moment: a window is never longer than its period has milliseconds, however fast they come. */
export interface RestartsAt {
  readonly at: number
  readonly count: number
}

export interface RestartWindow {
  /** In order of time. */
  readonly restarts: readonly RestartsAt[]
  /** How many they are. */
  readonly count: number
  readonly exceeded: boolean
}

/**
 * Adds one restart to a sliding window and says whether the limit is exceeded. Pure.
 *
 * As in OTP, the window holds the restarts of the last `periodMs`, and one more than `intensity` exceeds it.
 */
export function addRestart(
  restarts: readonly RestartsAt[],
  now: number,
  limit: RestartLimit,
): RestartWindow {
  const recent = restarts.slice(firstWithin(restarts, now - limit.periodMs))
  const last = recent.at(-1)
  if (last?.at === now) recent[recent.length - 1] = { at: now, count: last.count + 1 }
  else recent.push({ at: now, count: 1 })
  let count = 0
  for (const each of recent) count += each.count
  return { restarts: recent, count, exceeded: count > limit.intensity }
}

/** Where those begin that are not before `since`; they are in order. */
function firstWithin(restarts: readonly RestartsAt[], since: number): number {
  let [low, high] = [0, restarts.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((restarts[middle]?.at ?? since) < since) low = middle + 1
    else high = middle
  }
  return low
}
