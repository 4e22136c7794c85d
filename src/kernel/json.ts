import { hash } from 'node:crypto'
import { AmbitError } from './errors.ts'

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export const JSON_DEPTH_MAX = 64

/**
 * Finds the first place where a value is not JSON, as a path such as `context.order.at`.
 *
 * `undefined` in an object is allowed (it is left out); functions, symbols, bigints, NaN, class instances,
 * cycles and anything nested deeper than 64 levels are not: they would come back as something else.
 */
export function findNonJson(
  value: unknown,
  path: string,
  depth = 0,
  mayHoldRefs = false,
): string | undefined {
  if (value === null || value === undefined) return undefined
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `${path} is ${value}`
    case 'object':
      return findInObject(value, path, depth, mayHoldRefs)
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      return `${path} is a ${typeof value}`
  }
}

/** Throws `AMBIT_CONTEXT_NOT_JSON`, naming the path, unless the value is JSON. `mayHoldRefs` lets actor refs pass. */
export function assertJson(value: unknown, path: string, mayHoldRefs = false): void {
  const finding = findNonJson(value, path, 0, mayHoldRefs)
  if (finding === undefined) return
  throw new AmbitError(
    'AMBIT_CONTEXT_NOT_JSON',
    `Expected plain JSON, but ${finding}. State outlives the process: store a string, number, list or plain object.`,
  )
}

/** Whether a text nests brackets deeper than `max`, found without recursion and before any parsing. */
export function isNestedDeeperThan(text: string, max: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 0x5c) i++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > max) return true
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return false
}

export function sha256(...parts: readonly string[]): string {
  return hash('sha256', parts.length === 1 ? (parts[0] ?? '') : parts.join(''))
}

function findInObject(
  value: object,
  path: string,
  depth: number,
  mayHoldRefs: boolean,
): string | undefined {
  if (mayHoldRefs && isActorRef(value)) return undefined
  if (depth >= JSON_DEPTH_MAX) return `${path} is nested deeper than ${JSON_DEPTH_MAX} levels`
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (value[i] === undefined) return `${path}[${i}] is undefined`
      const finding = findNonJson(value[i], `${path}[${i}]`, depth + 1, mayHoldRefs)
      if (finding !== undefined) return finding
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    const { constructor: made } = value as { constructor?: { name?: unknown } }
    return `${path} is a ${typeof made?.name === 'string' && made.name !== '' ? made.name : 'class instance'}`
  }
  for (const key in value) {
    const finding = findNonJson(
      (value as Record<string, unknown>)[key],
      `${path}.${key}`,
      depth + 1,
      mayHoldRefs,
    )
    if (finding !== undefined) return finding
  }
  return undefined
}

/** A ref of an actor: where nothing is stored, it may be handed around as in XState. */
export function isActorRef(value: object): boolean {
  const { _send, sessionId } = value as { _send?: unknown; sessionId?: unknown }
  return typeof _send === 'function' && typeof sessionId === 'string'
}
