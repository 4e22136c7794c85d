import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AmbitError } from '../kernel/errors.ts'
import {
  aText,
  checkOptions,
  invalid,
  listOf,
  requireOption,
  type OptionRule,
  type OptionRules,
} from '../kernel/spec-check.ts'

/** How long one turn may take in a thread before the thread is killed. */
export const TURN_TIMEOUT_MS = 5000
export const HEAP_MB_MAX = 128

export interface InWorkerOptions {
  /** The name under which the module exports the machine. */
  readonly export: string
  /** Default 128. An actor that needs more is killed alone, and restarted from its last committed turn. */
  readonly maxHeapMb?: number
  /** Default 5,000. A turn that takes longer is killed: nothing of it has happened, and its message has failed once. */
  readonly turnTimeoutMs?: number
  /** Command-line options of Node for the thread, such as a loader. Default: those of the process. */
  readonly nodeOptions?: readonly string[]
}

/** Where an actor that has a thread of its own finds its machine, and what it may use there. */
export interface WorkerSpec {
  readonly module: string
  readonly export: string
  readonly maxHeapMb: number
  readonly turnTimeoutMs: number
  readonly nodeOptions: readonly string[] | undefined
}

/**
 * For the option `isolation` of an actor or agent: its steps and effects run in a thread of their own, which loads the
 * machine again from `module`. Throws `AMBIT_SPEC_INVALID` for a module that is no file, or a missing export name.
 *
 * @example
 * agent('desk', desk, { envelope, isolation: inWorker(new URL('./desk.js', import.meta.url), { export: 'desk' }) })
 */
export function inWorker(module: URL, options: InWorkerOptions): WorkerSpec {
  checkOptions('inWorker()', options, workerRules)
  requireOption('inWorker()', options, 'export')
  const { maxHeapMb = HEAP_MB_MAX, turnTimeoutMs = TURN_TIMEOUT_MS, nodeOptions } = options
  return {
    module: fileAt(module),
    export: options.export,
    maxHeapMb,
    turnTimeoutMs,
    nodeOptions,
  }
}

const workerRules: OptionRules = {
  export: aText,
  maxHeapMb: between(8, 1_048_576),
  turnTimeoutMs: between(20, 3_600_000),
  nodeOptions: listOf(aText),
}

/** Throws unless it was made by `inWorker`. */
export function checkIsolation(id: string, isolation: unknown): asserts isolation is WorkerSpec {
  const { module } = (isolation ?? {}) as Partial<WorkerSpec>
  if (typeof module === 'string' && module.startsWith('file:')) return
  throw invalid(`Actor "${id}" expects "isolation" to be made by inWorker()`, isolation)
}

function between(least: number, most: number): OptionRule {
  const is = (value: unknown) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
  return { expected: `a whole number from ${least} to ${most}`, is }
}

function fileAt(module: unknown): string {
  const href = module instanceof URL ? module.href : String(module)
  if (!(module instanceof URL) || module.protocol !== 'file:') {
    throw new AmbitError(
      'AMBIT_SPEC_INVALID',
      `inWorker() expects the URL of a file, got "${href.slice(0, 200)}". ` +
        "Write new URL('./machine.js', import.meta.url).",
    )
  }
  const path = fileURLToPath(module)
  if (existsSync(path)) return href
  const other = path.replace(/\.(ts|js)$/, (ending) => (ending === '.ts' ? '.js' : '.ts'))
  const hint = other !== path && existsSync(other) ? ` "${other}" is there: name that one.` : ''
  throw new AmbitError(
    'AMBIT_SPEC_INVALID',
    `inWorker() expects a module at "${path}", where there is no file.${hint} ` +
      'A built program must name the built file.',
  )
}
