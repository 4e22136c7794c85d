/** How many restarts a supervisor tolerates within a sliding time. */
export interface RestartLimit {
  /** Most restarts within `periodMs` before the supervisor itself gives up. Default 5. */
  readonly intensity: number
  /** Default 60,000. */
  readonly periodMs: number
}

export const restartLimitDefaults: RestartLimit = { intensity: 5, periodMs: 60_000 }

/**
 * Adds one restart to a sliding window and says whether the limit is exceeded. Pure.
 *
 * As in OTP, the window holds the restarts of the last `periodMs`, and one more than `intensity` exceeds it.
 */
export function addRestart(
  restarts: readonly number[],
  now: number,
  limit: RestartLimit,
): { restarts: readonly number[]; exceeded: boolean } {
  const recent = restarts.slice(firstWithin(restarts, now - limit.periodMs))
  recent.push(now)
  return { restarts: recent, exceeded: recent.length > limit.intensity }
}

/** Where the times begin that are not before `since`; they are in order. */
function firstWithin(times: readonly number[], since: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? since) < since) low = middle + 1
    else high = middle
  }
  return low
}
