import type { TraceEntry } from './trace.ts'

/** One wire event of the Stately inspector, as `@statelyai/inspect` sends and takes it. */
export interface InspectionEvent {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot'
  readonly rootId: string
  readonly sessionId: string
  readonly sourceId?: string
  readonly name?: string
  readonly event?: { readonly type: string; readonly [key: string]: unknown }
  readonly snapshot?: unknown
  readonly id: string
  readonly createdAt: string
  readonly _version: string
}

const ROOT = '/'
/** The version of the wire format, that of @statelyai/inspect. */
const WIRE_VERSION = '0.7.2'

/** A run in the Stately inspection format, with addresses as session ids: they stay the same over restarts. */
export function toInspection(entries: readonly TraceEntry[]): InspectionEvent[] {
  const events: InspectionEvent[] = []
  const known = new Set<string>()
  const add = (
    at: number,
    event: Pick<InspectionEvent, 'type' | 'sessionId'> & Partial<InspectionEvent>,
  ) => {
    const id = String(events.length + 1)
    const createdAt = String(at)
    events.push({ rootId: ROOT, id, createdAt, _version: WIRE_VERSION, ...event })
  }
  for (const entry of entries) {
    if (entry.kind !== 'turn') continue
    const { actor: sessionId, at, message, state, status } = entry.record
    const snapshot = { status, value: state, context: {} }
    if (!known.has(sessionId)) {
      known.add(sessionId)
      add(at, { type: '@xstate.actor', sessionId, name: sessionId, snapshot })
    }
    const { from } = message.headers
    const sourceId = from === undefined ? {} : { sourceId: from }
    add(at, { type: '@xstate.event', sessionId, event: message.body, ...sourceId })
    add(at, { type: '@xstate.snapshot', sessionId, event: message.body, snapshot })
  }
  return events
}
