import type { Audience } from './audience.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Clock } from './ports/clock.ts'
import type { JournalSession } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'
import type { Stall, Watchdog } from './ports/watchdog.ts'
import { ALARMS_KEPT_MAX, type Supervision } from './supervision.ts'

export interface StallParts {
  readonly session: JournalSession
  readonly clock: Clock
  readonly log: Logger
  readonly supervision: Supervision
  readonly audience: Audience
}

/** Makes an alarm of each time the event loop stood still for an actor of this system, or for nobody's code. */
export function watchLoop(watchdog: Watchdog | undefined, parts: StallParts): () => void {
  const { session, clock, log, supervision, audience } = parts
  const { alarms } = supervision
  const told = (stall: Stall) => {
    const { systemId, address = '/' } = stall
    if (systemId !== undefined && systemId !== session.systemId) return
    const error = stallError(stall)
    log.error({ actor: address, err: error }, 'the event loop stood still')
    alarms.push({ at: clock.now(), address, error: toErrorRecord(error) })
    if (alarms.length > ALARMS_KEPT_MAX) alarms.shift()
    audience.stall(stall)
  }
  return watchdog?.watch(told) ?? (() => undefined)
}

/** Who is at work and at what, in words. */
export function wordsFor({ address, message, effect }: Omit<Stall, 'blockedMs'>): string {
  if (address === undefined) return 'code outside of any turn'
  if (effect !== undefined) return `"${address}" in its effect "${effect}"`
  if (message === undefined) return `"${address}"`
  return `"${address}" in its turn of "${message.type}" (message ${message.id})`
}

/** A stall as the alarm it is; where in the code is its stack. */
function stallError(stall: Stall): AmbitError {
  const { blockedMs, stack } = stall
  const error = new AmbitError(
    'AMBIT_LOOP_BLOCKED',
    `The event loop stood still for ${blockedMs} ms: ${wordsFor(stall)}. ` +
      'Make the work shorter, split it, or give the actor a thread of its own.',
  )
  if (stack !== undefined) error.stack = `${error.name}: ${error.message}\n${stack}`
  return error
}
