import type fc from 'fast-check'
import { AmbitError } from '../../kernel/errors.ts'
import { kindOf, type Check, type DefOf, type Kind, type Schema } from './definition.ts'

/** What makes the values of one schema. */
export interface Maker {
  readonly arbitrary: fc.Arbitrary<unknown>
  /** Whether it comes to an end when each choice takes its first option. */
  readonly ends: boolean
  /** The schemas around it that it comes back to. */
  readonly loops: ReadonlySet<Schema>
}

export interface Option {
  readonly maker: Maker
  /** Default 1. */
  readonly weight?: number
}

/** A place in a schema, where a value is to be made. */
export interface Place {
  /** Such as `order.lines.*.price`; empty at the root. */
  readonly path: string
  readonly schema: Schema
  readonly checks: readonly Check[]
  /** Whether a filter decides about the text made here: then well-known ones are worth a try. */
  readonly isFiltered: boolean
  /** Makes another schema's value in this place. */
  make(schema: Schema): Maker
  /** Makes an input for a schema whose outcome is filtered. */
  makeInput(schema: Schema): Maker
  /** Makes a part: `step` is its key, its index, or `*` for each of many. */
  makePart(schema: Schema, step: string): Maker
  /** One of several. Where a recursion is too deep it is the first of those that end. */
  choose(options: readonly Option[]): Maker
}

export type Make<K extends Kind> = (def: DefOf<K>, place: Place) => Maker

export function leaf(arbitrary: fc.Arbitrary<unknown>): Maker {
  return { arbitrary, ends: true, loops: new Set() }
}

/** A maker of something that has all these parts. */
export function whole(arbitrary: fc.Arbitrary<unknown>, parts: readonly Maker[]): Maker {
  return {
    arbitrary,
    ends: parts.every(({ ends }) => ends),
    loops: new Set(parts.flatMap(({ loops }) => [...loops])),
  }
}

/** Says why nothing can be made in a place, and what to do. */
export function impossible({ path, schema }: Place, reason: string, cause?: unknown): AmbitError {
  return new AmbitError(
    'AMBIT_ARBITRARY_IMPOSSIBLE',
    `fromZod cannot make a value at "${path}" (zod type "${kindOf(schema)}"): ${reason}. ` +
      `Pass an override: fromZod(schema, { at: { '${path}': fc.… } }).`,
    { cause },
  )
}
