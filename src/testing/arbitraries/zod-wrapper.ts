import fc from 'fast-check'
import { z } from 'zod'
import { kindOf, type Schema } from './definition.ts'
import { leaf, whole, type Make, type Maker, type Option, type Place } from './maker.ts'

interface Wrapper {
  readonly innerType: Schema
}

const anyJson = z.json()
const absent: Option = { maker: leaf(fc.constant(undefined)) }
const nothing: Option = { maker: leaf(fc.constant(null)) }

/** What a counterexample is tried with first. */
const simplest = ['null', 'undefined', 'literal', 'boolean', 'enum', 'number', 'string']

export const makeJson = (_def: unknown, place: Place): Maker => place.make(anyJson)

export const makeInner = ({ innerType }: Wrapper, place: Place): Maker => place.make(innerType)

export const makeOptional: Make<'optional'> = ({ innerType }, place) => {
  if (place.schema._zod.traits.has('$ZodExactOptional')) return place.make(innerType)
  if (kindOf(innerType) === 'never') return absent.maker
  return place.choose([absent, { maker: place.make(innerType), weight: 3 }])
}

export const makeDefault = ({ innerType }: Wrapper, place: Place): Maker =>
  place.choose([absent, { maker: place.make(innerType), weight: 3 }])

export const makeNullable: Make<'nullable'> = ({ innerType }, place) =>
  place.choose([nothing, { maker: place.make(innerType), weight: 3 }])

export const makeUnion: Make<'union'> = ({ options }, place) => {
  const inOrder = options
    .filter((option) => kindOf(option) !== 'never')
    .toSorted((one, other) => rank(one) - rank(other))
  return place.choose(inOrder.map((option) => ({ maker: place.make(option) })))
}

/** Objects are merged; where both sides say something, either may win, and a filter decides. */
export const makeIntersection: Make<'intersection'> = ({ left, right }, place) => {
  const makers = [place.make(left), place.make(right)] as const
  const both = fc.tuple(makers[0].arbitrary, makers[1].arbitrary, fc.boolean())
  return whole(
    both.map(([one, other, isSwapped]) => (isSwapped ? merge(other, one) : merge(one, other))),
    makers,
  )
}

/** The input's side; of a codec also what its output is encoded to, which random input hardly ever hits. */
export const makePipe: Make<'pipe'> = (def, place) => {
  const { in: input, out } = def
  if (kindOf(input) === 'transform') {
    return place.choose([{ maker: place.makeInput(out) }, { maker: place.makeInput(input) }])
  }
  const maker = place.makeInput(input)
  if (def.reverseTransform === undefined) return maker
  const outputs = place.make(out)
  const encoded = outputs.arbitrary.map((value) => z.safeEncode(place.schema, value).data)
  return place.choose([{ maker }, { maker: { ...outputs, arbitrary: encoded } }])
}

function rank(schema: Schema): number {
  const index = simplest.indexOf(kindOf(schema))
  return index < 0 ? simplest.length : index
}

function merge(under: unknown, over: unknown): unknown {
  return isObject(under) && isObject(over) ? { ...under, ...over } : over
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
