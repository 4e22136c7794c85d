import type { Address } from './address.ts'
import { findNonJson } from './json.ts'
import {
  isReservedType,
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  type Event,
  type Headers,
  type Message,
} from './message.ts'

export interface Received {
  readonly message: Message
  readonly refused?: 'invalid' | 'tooLarge'
  readonly detail?: string
}

/** Makes a message of an event from outside, or says why not. A bad event is a dead letter, never a failure. */
export function receive(
  id: string,
  to: Address,
  event: Event,
  headers: Partial<Headers>,
): Received {
  const finding = findFault(event, headers.privileged === true)
  if (finding !== undefined) {
    const body = {
      type:
        typeof (event as unknown as { type?: unknown } | null)?.type === 'string' ? event.type : '',
    }
    return { message: { id, type: body.type, to, body, headers }, ...finding }
  }
  // A copy: what the sender does with its object afterwards is no business of the message.
  const body = structuredClone(event)
  return { message: { id: headers.once ?? id, type: body.type, to, body, headers } }
}

function findFault(event: Event, privileged: boolean): Omit<Received, 'message'> | undefined {
  const candidate: unknown = event
  if (
    typeof candidate !== 'object' ||
    candidate === null ||
    typeof event.type !== 'string' ||
    event.type === ''
  ) {
    return { refused: 'invalid', detail: 'expected an object with a "type" string' }
  }
  if (isReservedType(event.type) && !privileged) {
    return {
      refused: 'invalid',
      detail: `types starting with "xstate." or "ambit." are reserved, got "${event.type}"`,
    }
  }
  const finding = findNonJson(event, 'event', 64 - MESSAGE_DEPTH_MAX)
  if (finding !== undefined) return { refused: 'invalid', detail: `expected JSON, but ${finding}` }
  const bytes = Buffer.byteLength(JSON.stringify(event))
  if (bytes > MESSAGE_BYTES_MAX) {
    return {
      refused: 'tooLarge',
      detail: `expected at most ${MESSAGE_BYTES_MAX} bytes, got ${bytes}`,
    }
  }
  return undefined
}
