import { createRequire } from 'node:module'
import type { pino as createPino } from 'pino'
import type { z } from 'zod'
import type { Logger } from '../kernel/ports/logger.ts'

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

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
 * Each actor gets a child of it with its address. pino is loaded with the first line that is written.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'warn' } = options
  const threshold = LOG_LEVELS.indexOf(level)
  let root: Logger | undefined
  const load = () => (root ??= loadPino(options, level))
  const make = (child: () => Logger): Logger => {
    let own: Logger | undefined
    const write = (at: Exclude<LogLevel, 'silent'>) => (fields: object, message: string) => {
      if (LOG_LEVELS.indexOf(at) >= threshold) (own ??= child())[at](fields, message)
    }
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (bindings) => make(() => child().child(bindings)),
    }
  }
  return make(load)
}

function loadPino({ schemas = [], descriptor = 2 }: LoggerOptions, level: LogLevel): Logger {
  const { pino } = createRequire(import.meta.url)('pino') as { pino: typeof createPino }
  const names = [
    ...new Set([...SECRET_FIELDS, ...schemas.flatMap((schema) => secretFields(schema))]),
  ]
  const depths = Array.from({ length: REDACTION_DEPTH_MAX }, (_, depth) => '*.'.repeat(depth))
  const paths = names.flatMap((name) =>
    depths.map((above) => `${above}["${name}"]`.replace('.[', '[')),
  )
  const settings = { level, base: undefined, redact: { paths, censor: '[secret]' } }
  return pino(settings, pino.destination({ dest: descriptor, sync: true }))
}

/** Marks a field whose value must not appear in operations logs. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ secret: true })
}

/** The names of the fields that a schema marks as secret, at any depth. */
export function secretFields(schema: z.ZodType): string[] {
  const { shape, element, innerType } = schema.def as {
    shape?: Record<string, z.ZodType>
    element?: z.ZodType
    innerType?: z.ZodType
  }
  const below = [element, innerType].flatMap((inner) =>
    inner === undefined ? [] : secretFields(inner),
  )
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
