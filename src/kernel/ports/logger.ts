/** Where operations are logged: the part of pino that the kernel uses. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

/** The same logger, which throws nothing: a log that fails must not stop what it tells of. */
export function safe(logger: Logger): Logger {
  if (logger === silentLogger) return logger
  const attempt = <T>(log: () => T): T | undefined => {
    try {
      return log()
    } catch {
      // There is nowhere left to say so.
      return undefined
    }
  }
  return {
    debug: (fields, message) => attempt(() => logger.debug(fields, message)),
    info: (fields, message) => attempt(() => logger.info(fields, message)),
    warn: (fields, message) => attempt(() => logger.warn(fields, message)),
    error: (fields, message) => attempt(() => logger.error(fields, message)),
    child: (bindings) => safe(attempt(() => logger.child(bindings)) ?? silentLogger),
  }
}
