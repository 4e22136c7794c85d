import type { ActorSystem } from '../../actors/system.ts'
import type { Clock } from '../kernel/ports/clock.ts'
import type { Journal } from '../kernel/ports/journal.ts'
import type { Logger } from '../kernel/ports/logger.ts'

/** An option that a program adds to `ambit run`, in commander's notation: `--agents <n>`. */
export interface ProgramOption {
  readonly flags: string
  readonly description: string
  /** Reads the text; throws an `Error` whose message says what was expected. */
  readonly parse?: (text: string) => unknown
  readonly fallback?: unknown
}

/** A path the API answers beside its own. It answers 2xx only after what it did is committed. */
export interface ProgramRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Most bytes of the body that are read; a longer one is handed over cut off at one more. Default 1 MiB. */
  readonly bodyBytesMax?: number
  readonly handle: (body: string) => Promise<{ readonly status: number; readonly body: unknown }>
}

export interface ProgramContext {
  /** The values of the program's own options, by their long name in camel case. */
  readonly values: Readonly<Record<string, unknown>>
  /** The journal's folder. */
  readonly directory: string
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
  /** Whether the run ends by itself once everything is at rest. */
  readonly untilIdle: boolean
  /** Shows a line to whoever watches. */
  readonly progress: (line: string) => void
}

export interface RunningProgram {
  readonly system: ActorSystem
  readonly routes?: readonly ProgramRoute[]
  /** Resolves once all given work is at rest: done, or waiting for a human. */
  readonly idle: () => Promise<void>
  /** What the last line of `--json` says. */
  readonly summary: () => unknown
  /** The same for a person. */
  readonly describe: () => string
  readonly stop: () => Promise<void>
}

/** What `ambit run PATH` runs: a module that exports a `program`. */
export interface Program {
  readonly name: string
  readonly description: string
  readonly options: readonly ProgramOption[]
  readonly start: (context: ProgramContext) => Promise<RunningProgram>
}
