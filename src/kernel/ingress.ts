import type { Address } from './address.ts'
import { toErrorRecord } from './errors.ts'
import { findNonJson, isActorRef } from './json.ts'
import {
  isReservedType,
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  NO_HEADERS,
  ONCE_LENGTH_MAX,
  PassingMessage,
  type Event,
  type Headers,
  type Message,
  type Numbering,
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
  ids: Numbering | string,
  to: Address,
  event: Event,
  headers: Headers = NO_HEADERS,
  leave: Leave = NO_LEAVE,
): Message | Refusal {
  const copied = copyOf(event, leave.mayHoldRefs === true)
  // Only the copy is looked at: what the sender's object says may change from one look to the next.
  if (typeof copied === 'string')
    return refusal(ids, to, typeOf(event), headers, refusedAs(copied), copied)
  const body = copied as unknown as Event
  const fault = findTypeFault(body, headers.privileged === true, leave)
  if (fault !== undefined) return refusal(ids, to, body.type, headers, 'invalid', fault)
  const headerFault = headers === NO_HEADERS ? undefined : findHeaderFault(headers)
  if (headerFault !== undefined)
    return refusal(ids, to, body.type, NO_HEADERS, 'invalid', headerFault)
  if (bytesMost > MESSAGE_BYTES_MAX) {
    const bytes = Buffer.byteLength(JSON.stringify(body))
    const detail = `${TOO_LARGE}, got ${bytes}`
    if (bytes > MESSAGE_BYTES_MAX) return refusal(ids, to, body.type, headers, 'tooLarge', detail)
  }
  const { once } = headers
  if (once === undefined && leave.mayHoldRefs === true && typeof ids !== 'string')
    return new PassingMessage(ids, to, body, headers)
  return { id: once ?? idOf(ids), type: body.type, to, body, headers }
}

function idOf(ids: Numbering | string): string {
  return typeof ids === 'string' ? ids : ids.nextId()
}

const TOO_LARGE = `expected at most ${MESSAGE_BYTES_MAX} bytes`

function refusedAs(detail: string): 'invalid' | 'tooLarge' {
  return detail.startsWith(TOO_LARGE) ? 'tooLarge' : 'invalid'
}

/** What the sender does with its object afterwards is no business of the message. A text says why there is no copy. */
function copyOf(event: unknown, mayHoldRefs: boolean): object | string {
  bytesMost = 0
  valuesLeft = VALUES_MAX
  refsPass = mayHoldRefs
  try {
    const copied = copyValue(event, 0)
    if (valuesLeft <= 0) return `${TOO_LARGE}, got more than ${VALUES_MAX} values`
    if (copied !== REFUSED && typeof copied === 'object' && copied !== null) return copied
    if (copied !== REFUSED) return 'expected an object with a "type" string'
    const finding = findNonJson(event, 'event', 64 - MESSAGE_DEPTH_MAX)
    return `expected JSON, but ${finding ?? 'it changed while it was read'}`
  } catch (error) {
    return `expected JSON, but reading it failed: ${toErrorRecord(error).message}`
  }
}

export const NO_LEAVE: Leave = {}

/** For the dead letter alone. */
function typeOf(event: unknown): unknown {
  try {
    return (event as { type?: unknown } | null | undefined)?.type
  } catch {
    return undefined
  }
}

/** A copy of an event between actors: what its sender does with the original reaches nobody. */
export function copied(event: Event, mayHoldRefs: boolean): Event {
  const copy = copyOf(event, mayHoldRefs)
  return typeof copy === 'string' ? event : (copy as Event)
}

function refusal(
  ids: Numbering | string,
  to: Address,
  type: unknown,
  headers: Headers,
  refused: 'invalid' | 'tooLarge',
  detail: string,
): Refusal {
  const body = { type: typeof type === 'string' ? type : '' }
  return { message: { id: idOf(ids), type: body.type, to, body, headers }, refused, detail }
}

function findTypeFault(event: Event, isPrivileged: boolean, leave: Leave): string | undefined {
  if (typeof event.type !== 'string' || event.type === '')
    return 'expected an object with a "type" string'
  // XState fails a machine that is sent it.
  if (event.type === '*') return 'expected a type, got "*", which stands for all of them'
  if (!isReservedType(event.type)) return undefined
  if (isPrivileged || leave.opened?.has(event.type) === true) return undefined
  return `types starting with "xstate." or "ambit." are reserved, got "${event.type}"`
}

/** Types promise what stands here; plain JavaScript, and an id that came over the network, may be anything. */
function findHeaderFault(headers: Headers): string | undefined {
  const { once, deadline } = headers as { readonly once?: unknown; readonly deadline?: unknown }
  if ('once' in headers) {
    const isId = typeof once === 'string' && once !== '' && once.length <= ONCE_LENGTH_MAX
    if (!isId) return `expected an id of 1-${ONCE_LENGTH_MAX} characters`
  }
  if (deadline === undefined || (typeof deadline === 'number' && !Number.isNaN(deadline)))
    return undefined
  return 'expected a deadline in milliseconds'
}

/** More bytes than the text of a number, a boolean or null, with what stands around it, can have. */
const SCALAR_BYTES = 28
/** More bytes than one UTF-16 unit can have in a JSON text: `\u0000`. */
const UNIT_BYTES = 6

/** At most so many bytes has the text of what is being copied. */
let bytesMost = 0
let refsPass = false
/** A value is at least two bytes of text, so that more of them cannot fit. */
const VALUES_MAX = MESSAGE_BYTES_MAX / 2
let valuesLeft = 0

const REFUSED = Symbol('refused')

/** Copies plain JSON; anything else is refused. */
function copyValue(value: unknown, depth: number): unknown {
  if (--valuesLeft <= 0) return REFUSED
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
    const inner = (value as Record<string, unknown>)[key]
    bytesMost += UNIT_BYTES * key.length + 4
    // Most values are texts: no call for them.
    if (typeof inner === 'string' && key !== '__proto__') {
      valuesLeft--
      bytesMost += UNIT_BYTES * inner.length + SCALAR_BYTES
      copy[key] = inner
      continue
    }
    const copied = copyValue(inner, depth + 1)
    if (copied === REFUSED) return REFUSED
    // Assigned to, a key of this name would be the copy's prototype.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: copied, enumerable: true, writable: true })
    else copy[key] = copied
  }
  return copy
}
