import type { Address } from './address.ts'
import { findNonJson } from './json.ts'
import {
  isReservedType,
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  NO_HEADERS,
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
  headers: Headers = NO_HEADERS,
  opened?: ReadonlySet<string>,
  mayHoldRefs = false,
): Received {
  const isOpen =
    headers.privileged === true || opened?.has((event as Event | null)?.type ?? '') === true
  const fault = findTypeFault(event, isOpen)
  if (fault !== undefined) return refusal(id, to, event, headers, 'invalid', fault)
  // A copy: what the sender does with its object afterwards is no business of the message.
  const copy = copyJson(event, mayHoldRefs)
  if (copy === undefined) {
    const detail = `expected JSON, but ${findNonJson(event, 'event', 64 - MESSAGE_DEPTH_MAX) ?? 'it changed while it was read'}`
    return refusal(id, to, event, headers, 'invalid', detail)
  }
  if (copy.bytesMost > MESSAGE_BYTES_MAX) {
    const bytes = Buffer.byteLength(JSON.stringify(event))
    const detail = `expected at most ${MESSAGE_BYTES_MAX} bytes, got ${bytes}`
    if (bytes > MESSAGE_BYTES_MAX) return refusal(id, to, event, headers, 'tooLarge', detail)
  }
  const body = copy.value as Event
  return { message: { id: headers.once ?? id, type: body.type, to, body, headers } }
}

function refusal(
  id: string,
  to: Address,
  event: unknown,
  headers: Headers,
  refused: 'invalid' | 'tooLarge',
  detail: string,
): Received {
  const { type } = (event ?? {}) as { type?: unknown }
  const body = { type: typeof type === 'string' ? type : '' }
  return { message: { id, type: body.type, to, body, headers }, refused, detail }
}

function findTypeFault(event: Event, isOpen: boolean): string | undefined {
  const candidate: unknown = event
  const isEvent = typeof candidate === 'object' && candidate !== null
  if (!isEvent || typeof event.type !== 'string' || event.type === '')
    return 'expected an object with a "type" string'
  if (isOpen || !isReservedType(event.type)) return undefined
  return `types starting with "xstate." or "ambit." are reserved, got "${event.type}"`
}

/** More bytes than the text of a number, a boolean or null, with what stands around it, can have. */
const SCALAR_BYTES = 28
/** More bytes than one UTF-16 unit can have in a JSON text: `\u0000`. */
const UNIT_BYTES = 6

let bytesMost = 0
let refsPass = false

/** Copies plain JSON, and says how many bytes its text can have at most; undefined when it is no plain JSON. */
function copyJson(
  value: unknown,
  mayHoldRefs: boolean,
): { value: unknown; bytesMost: number } | undefined {
  bytesMost = 0
  refsPass = mayHoldRefs
  const copied = copyValue(value, 0)
  return copied === REFUSED ? undefined : { value: copied, bytesMost }
}

const REFUSED = Symbol('refused')

function copyValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      bytesMost += UNIT_BYTES * value.length + SCALAR_BYTES
      return value
    case 'number':
      bytesMost += SCALAR_BYTES
      return Number.isFinite(value) ? value : REFUSED
    case 'boolean':
    case 'undefined':
      bytesMost += SCALAR_BYTES
      return value
    case 'object':
      if (value === null) {
        bytesMost += SCALAR_BYTES
        return null
      }
      if (depth >= MESSAGE_DEPTH_MAX) return REFUSED
      return Array.isArray(value) ? copyList(value, depth) : copyObject(value, depth)
    case 'bigint':
    case 'function':
    case 'symbol':
      return REFUSED
  }
}

function copyList(list: readonly unknown[], depth: number): unknown {
  const copy: unknown[] = []
  for (let i = 0; i < list.length; i++) {
    const copied = list[i] === undefined ? REFUSED : copyValue(list[i], depth + 1)
    if (copied === REFUSED) return REFUSED
    copy.push(copied)
  }
  return copy
}

function copyObject(value: object, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    return refsPass && isActorRef(value) ? value : REFUSED
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    const copied = copyValue((value as Record<string, unknown>)[key], depth + 1)
    if (copied === REFUSED) return REFUSED
    bytesMost += UNIT_BYTES * key.length + 4
    // Assigned to, a key of this name would be the copy's prototype.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: copied, enumerable: true, writable: true })
    else copy[key] = copied
  }
  return copy
}

/** A ref of an actor: where nothing is stored, it may be handed around as in XState. */
function isActorRef(value: object): boolean {
  const { _send, sessionId } = value as { _send?: unknown; sessionId?: unknown }
  return typeof _send === 'function' && typeof sessionId === 'string'
}
