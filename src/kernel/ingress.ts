import type { Address } from './address.ts'
import { findNonJson, isActorRef } from './json.ts'
import {
  isReservedType,
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  NO_HEADERS,
  type Event,
  type Headers,
  type Message,
} from './message.ts'

/** A message that may not come in, and why. */
export interface Refusal {
  readonly message: Message
  readonly refused: 'invalid' | 'tooLarge'
  readonly detail: string
}

export interface Leave {
  /** Reserved types that the receiver itself opened to everybody. */
  readonly opened?: ReadonlySet<string> | undefined
  /** Whether events may hold actor refs, because nothing is stored. */
  readonly mayHoldRefs?: boolean | undefined
}

/** Makes a message of an event from outside, or says why not. A bad event is a dead letter, never a failure. */
export function receive(
  id: string,
  to: Address,
  event: Event,
  headers: Headers = NO_HEADERS,
  leave: Leave = NO_LEAVE,
): Message | Refusal {
  const fault = findTypeFault(event, headers.privileged === true, leave)
  if (fault !== undefined) return refusal(id, to, event, headers, 'invalid', fault)
  // A copy: what the sender does with its object afterwards is no business of the message.
  bytesMost = 0
  refsPass = leave.mayHoldRefs === true
  const body = copyValue(event, 0)
  if (body === REFUSED) {
    const finding = findNonJson(event, 'event', 64 - MESSAGE_DEPTH_MAX)
    const detail = `expected JSON, but ${finding ?? 'it changed while it was read'}`
    return refusal(id, to, event, headers, 'invalid', detail)
  }
  if (bytesMost > MESSAGE_BYTES_MAX) {
    const bytes = Buffer.byteLength(JSON.stringify(event))
    const detail = `expected at most ${MESSAGE_BYTES_MAX} bytes, got ${bytes}`
    if (bytes > MESSAGE_BYTES_MAX) return refusal(id, to, event, headers, 'tooLarge', detail)
  }
  const { type } = body as Event
  return { id: headers.once ?? id, type, to, body: body as Event, headers }
}

export const NO_LEAVE: Leave = {}

function refusal(
  id: string,
  to: Address,
  event: unknown,
  headers: Headers,
  refused: 'invalid' | 'tooLarge',
  detail: string,
): Refusal {
  const { type } = (event ?? {}) as { type?: unknown }
  const body = { type: typeof type === 'string' ? type : '' }
  return { message: { id, type: body.type, to, body, headers }, refused, detail }
}

function findTypeFault(event: Event, isPrivileged: boolean, leave: Leave): string | undefined {
  const candidate: unknown = event
  const isEvent = typeof candidate === 'object' && candidate !== null
  if (!isEvent || typeof event.type !== 'string' || event.type === '')
    return 'expected an object with a "type" string'
  if (!isReservedType(event.type)) return undefined
  if (isPrivileged || leave.opened?.has(event.type) === true) return undefined
  return `types starting with "xstate." or "ambit." are reserved, got "${event.type}"`
}

/** More bytes than the text of a number, a boolean or null, with what stands around it, can have. */
const SCALAR_BYTES = 28
/** More bytes than one UTF-16 unit can have in a JSON text: `\u0000`. */
const UNIT_BYTES = 6

/** At most so many bytes has the text of what is being copied. */
let bytesMost = 0
let refsPass = false

const REFUSED = Symbol('refused')

/** Copies plain JSON; anything else is refused. */
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
  if (refsPass && isActorRef(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return REFUSED
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
