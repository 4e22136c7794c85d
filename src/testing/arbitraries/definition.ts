import type { z } from 'zod'

export type Schema = z.core.$ZodType
export type Def = z.core.$ZodTypes['_zod']['def']
export type Kind = Def['type']
export type DefOf<K extends Kind> = Extract<Def, { type: K }>

/** A check of a schema, also the one that a schema such as `z.email()` is itself. */
export type Check =
  z.core.$ZodChecks['_zod']['def'] | z.core.$ZodCheckBigIntFormatDef | { readonly check: 'custom' }

/** The least and the most of zod's formats of numbers. */
export const numberFormats: Readonly<Record<string, readonly [number, number]>> = {
  safeint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  float32: [-3.4028234663852886e38, 3.4028234663852886e38],
}

export function defOf(schema: Schema): Def {
  return (schema as z.core.$ZodTypes)._zod.def
}

export function kindOf(schema: Schema): Kind {
  return defOf(schema).type
}

export function checksOf(schema: Schema): readonly Check[] {
  const def = defOf(schema)
  const others = (def.checks ?? []).map((check) => check._zod.def as Check)
  return schema._zod.traits.has('$ZodCheck') ? [def as unknown as Check, ...others] : others
}

export function isWhole(format: string): boolean {
  return !format.startsWith('float')
}
