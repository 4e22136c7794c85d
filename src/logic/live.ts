import type { Event } from '../kernel/message.ts'
import { kindOf, type Logic, type MemberSnapshot } from './logic-kinds.ts'
import type { Habitat, MemberRef } from './refs.ts'

/** Starts a callback, an observable or an author's own logic: what it brings comes back as events. */
export function startLive(habitat: Habitat, path: string, logic: Logic): void {
  const snapshot = habitat.snapshotAt(path)
  const ref = habitat.refAt(path)
  if (snapshot?.status !== 'active' || ref === undefined || habitat.live?.has(path)) return
  const scope = liveScope(habitat, path, ref)
  habitat.live ??= new Map()
  habitat.live.set(path, {
    ref,
    feed: (event) => feed(habitat, path, logic, snapshot, event, scope),
    stop: () => void logic.transition(snapshot, { type: 'xstate.stop' }, scope),
  })
  try {
    logic.start?.(snapshot, scope)
  } catch (error) {
    habitat.live.delete(path)
    habitat.ended(path, { ok: false, error })
  }
}

export function stopLive(habitat: Habitat, path: string): void {
  const live = habitat.live?.get(path)
  if (live === undefined) return
  habitat.live?.delete(path)
  try {
    live.stop()
  } catch (error) {
    habitat.place.warn(error, `"${path}" failed while it was stopped`)
  }
}

/** A receiver that throws fails its callback, as in XState. */
function feed(
  habitat: Habitat,
  path: string,
  logic: Logic,
  snapshot: MemberSnapshot,
  event: Event,
  scope: unknown,
): void {
  if (kindOf(logic) !== 'callback') return
  try {
    logic.transition(snapshot, event, scope)
  } catch (error) {
    habitat.ended(path, { ok: false, error })
  }
}

function liveScope(habitat: Habitat, path: string, self: MemberRef) {
  return {
    self,
    id: self.id,
    sessionId: self.sessionId,
    system: habitat.system,
    emit: (event: Event) => habitat.emit(path, event),
    logger: () => undefined,
    defer: (run: () => void) => run(),
    stopChild: () => undefined,
    actionExecutor: () => undefined,
  }
}
