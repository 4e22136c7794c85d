import { AsyncLocalStorage } from 'node:async_hooks'
import type { Address } from './address.ts'
import { toErrorRecord } from './errors.ts'
import type { Clock } from './ports/clock.ts'

/** Who is told of a rejection that nobody handled, when it came from work done on its behalf. */
export interface StrayOwner {
  /** What is done on whose behalf. */
  readonly work?: { readonly address: Address; readonly effect: string }
  strayed(error: unknown): void
}

const context = new AsyncLocalStorage<StrayOwner>()
let watchers = 0

/** Runs work so that a promise it forgets to handle is its owner's failure and not the end of the process. */
export function runOwned<T>(owner: StrayOwner, work: () => T): T {
  return context.run(owner, work)
}

/** On whose behalf the code runs that asks, if on anybody's. */
export function ownerNow(): StrayOwner | undefined {
  return context.getStore()
}

/** The same clock, whose wake-ups belong to nobody: an effect that sends something does not own what follows. */
export function unowned(clock: Clock): Clock {
  return {
    ...clock,
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    soon: (run) => context.exit(() => clock.soon(run)),
    wakeAt: (dueAt, wake) => context.exit(() => clock.wakeAt(dueAt, wake)),
  }
}

/** Watches for such rejections until the answer is called. Rejections of others end the process as they did before. */
export function watchStrays(): () => void {
  if (watchers++ === 0) process.on('unhandledRejection', told)
  let isWatching = true
  return () => {
    if (isWatching && --watchers === 0) process.off('unhandledRejection', told)
    isWatching = false
  }
}

function told(error: unknown): void {
  const owner = context.getStore()
  if (owner !== undefined) {
    owner.strayed(error)
    return
  }
  // With a listener Node no longer ends the process by itself; what is not ours keeps what the process was told.
  if (process.listenerCount('unhandledRejection') > 1) return
  const mode = rejectionMode()
  if (mode === 'none') return
  if (mode?.startsWith('warn'))
    process.emitWarning(toErrorRecord(error).message, 'UnhandledPromiseRejectionWarning')
  else throw error
}

function rejectionMode(): string | undefined {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')]
  return flags.findLast((flag) => flag.startsWith('--unhandled-rejections='))?.split('=')[1]
}
