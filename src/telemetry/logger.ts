import type { z } from 'zod'
import type { Logger } from '../kernel/ports/logger.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that never reach an operations log, beside those a schema marks with `secret(...)`. */
const SECRET_FIELDS = ['token', 'secret', 'password', 'privateKey', 'authorization', 'apiKey']

/** How deep in an entry a secret field is looked for. */
export const REDACTION_DEPTH_MAX = 4

export interface LoggerOptions {
  /** Default `warn`. */
  readonly level?: LogLevel
  /** Schemas whose fields marked with `secret(...)` are not written. */
  readonly schemas?: readonly z.ZodType[]
  /** A file descriptor; default 2, stderr. */
  readonly descriptor?: number
}

/**
 * A pino logger for operations: how the process is doing. What was decided, and why, is in the thought log.
 * Each actor gets a child of it with its address.
 */
export async function createLogger(options: LoggerOptions = {}): Promise<Logger> {
  const { pino } = await import('pino')
  const names = [...new Set([...SECRET_FIELDS, ...(options.schemas ?? []).flatMap((schema) => secretFields(schema))])]
  const paths = names.flatMap((name) => {
    const levels = Array.from({ length: REDACTION_DEPTH_MAX }, (_, depth) => `${'*.'.repeat(depth)}["${name}"]`)
    return levels.map((path) => path.replace('.[', '['))
  })
  const settings = { level: options.level ?? 'warn', base: undefined, redact: { paths, censor: '[secret]' } }
  return pino(settings, pino.destination({ dest: options.descriptor ?? 2, sync: true })) as unknown as Logger
}

/** Marks a field whose value must not appear in operations logs. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ secret: true })
}

/** The names of the fields that a schema marks as secret, at any depth. */
export function secretFields(schema: z.ZodType): string[] {
  const { shape, element, innerType } = schema.def as { shape?: Record<string, z.ZodType>; element?: z.ZodType; innerType?: z.ZodType }
  const below = [element, innerType].flatMap((inner) => (inner === undefined ? [] : secretFields(inner)))
  const fields = Object.entries(shape ?? {}).flatMap(([name, field]) => [
    ...(isSecret(field) ? [name] : []),
    ...secretFields(field),
  ])
  return [...fields, ...below]
}

function isSecret(schema: z.ZodType): boolean {
  const inner = (schema.def as { innerType?: z.ZodType }).innerType
  return schema.meta()?.secret === true || (inner !== undefined && isSecret(inner))
}
