import { AsyncLocalStorage } from 'node:async_hooks'

/** Who is told of a rejection that nobody handled, when it came from work done on its behalf. */
export interface StrayOwner {
  strayed(error: unknown): void
}

const context = new AsyncLocalStorage<StrayOwner>()
let watchers = 0

/** Runs work so that a promise it forgets to handle is its owner's failure and not the end of the process. */
export function runOwned<T>(owner: StrayOwner, work: () => T): T {
  return context.run(owner, work)
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
  // With a listener Node no longer ends the process by itself; what is not ours keeps its default.
  if (process.listenerCount('unhandledRejection') === 1) throw error
}
