import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { check, describeCheck, type CheckOptions, type CheckResult } from '../testing/check.ts'
import { fromList } from '../testing/choices.ts'
import { toInspection } from '../testing/inspection.ts'
import { fromReplayLine } from '../testing/replay-line.ts'
import { playRun } from '../testing/run.ts'
import { toSequence } from '../testing/sequence.ts'
import type { Scenario } from '../testing/simulate.ts'
import { describeEntry } from '../testing/trace.ts'
import { findModule } from './modules.ts'
import { CommandEnd, exitCodes, usageError } from './usage.ts'

export interface SimulateOptions {
  readonly simulation?: string
  readonly exhaustive: string
  readonly randomMs: string
  readonly seed: string
  readonly corpus?: string
  readonly trace?: string
  readonly json?: boolean
}

/** Plays the simulations of a module. Exit code 1 when something is broken. */
export async function simulateFile(path: string, options: SimulateOptions): Promise<void> {
  const { seed, corpus, json = false } = options
  const exhaustive = readCount('--exhaustive', options.exhaustive, 2) as 0 | 1 | 2
  const randomMs = readCount('--random-ms', options.randomMs, 86_400_000)
  const budget: CheckOptions = {
    exhaustive,
    randomMs,
    seed,
    ...(corpus !== undefined && { corpus }),
  }
  const results: CheckResult[] = []
  for (const simulation of await loadSimulations(path, options.simulation)) {
    const result = await check(simulation, budget)
    results.push(result)
    const { failure } = result
    if (!json) print(named(describeCheck(result), path))
    if (failure !== undefined) writeTrace(options.trace, failure.inspection)
  }
  if (json) print(JSON.stringify({ results }))
  if (results.some(({ ok }) => !ok)) throw new CommandEnd(exitCodes.failed, '')
}

export interface ReplayOptions {
  readonly simulation?: string
  readonly trace?: string
  readonly json?: boolean
}

/** Plays one schedule again and tells all that happens. Exit code 1 when something is broken. */
export async function replayLine(
  path: string,
  line: string,
  options: ReplayOptions,
): Promise<void> {
  const list = readLine(line)
  const simulations = await loadSimulations(path, options.simulation)
  const [simulation] = simulations
  if (simulation === undefined || simulations.length > 1) {
    const names = simulations.map(({ name }) => `"${name}"`).join(', ')
    throw usageError(
      `"${path}" has several simulations: ${names}. Say which with --simulation NAME.`,
    )
  }
  const { trace, breach } = await playRun(simulation, fromList(list))
  writeTrace(options.trace, toInspection(trace.entries))
  if (options.json === true)
    print(JSON.stringify({ breach, hash: trace.hash, entries: trace.entries }))
  else {
    for (const entry of trace.entries)
      print(`${(entry.elapsedMs / 1000).toFixed(3).padStart(10)} s  ${describeEntry(entry)}`)
    const end = breach === undefined ? undefined : `${breach.invariant}: ${breach.sentence}`
    print(`\n${toSequence(trace.entries, end)}\n`)
    print(end === undefined ? 'Everything holds.' : `BROKEN: ${end}`)
  }
  if (breach !== undefined) throw new CommandEnd(exitCodes.failed, '')
}

/** What a module exports that `simulate` made, alone or in lists. */
async function loadSimulations(
  path: string,
  name: string | undefined,
): Promise<readonly Scenario[]> {
  const file = findModule(path)
  if (file === undefined)
    throw usageError(
      `Found no module at "${path}". Expected a JavaScript file, or a folder with index.js.`,
    )
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  const found = new Set(Object.values(loaded).flat().filter(isScenario))
  if (found.size === 0)
    throw usageError(
      `"${path}" exports no simulation. Export what simulate({ ... }) returns, or a list of them.`,
    )
  const wanted = [...found].filter((each) => name === undefined || each.name === name)
  if (wanted.length > 0) return wanted
  const names = [...found].map((each) => `"${each.name}"`).join(', ')
  throw usageError(`"${path}" has no simulation "${name}". It has ${names}.`)
}

function isScenario(value: unknown): value is Scenario {
  const { name, system, invariants } = (value ?? {}) as Partial<Scenario>
  return typeof name === 'string' && typeof system === 'function' && Array.isArray(invariants)
}

function readLine(line: string): number[] {
  try {
    return fromReplayLine(line)
  } catch (error) {
    throw usageError((error as Error).message)
  }
}

function readCount(option: string, text: string, max: number): number {
  if (/^\d{1,8}$/.test(text) && Number(text) <= max) return Number(text)
  throw usageError(`${option}: expected a whole number from 0 to ${max}, got "${text}".`)
}

/** The report of a failure names the file to play it again with. */
function named(text: string, path: string): string {
  return text.replace('ambit replay FILE', `ambit replay ${path}`)
}

function writeTrace(file: string | undefined, events: readonly unknown[]): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(events, null, 2)}\n`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
