import { mkdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { sqliteJournal } from '../embedded/sqlite-journal.ts'
import { createRealClock } from '../kernel/clock.ts'
import { createLogger, LOG_LEVELS, type LogLevel } from '../telemetry/logger.ts'
import { startApi, type Api } from './api.ts'
import { leaveAddress, leaveClock, newToken, removeAddress } from './connection.ts'
import { keepHead, refuseCutLog } from './heads.ts'
import { findModule } from './modules.ts'
import type { Program, RunningProgram } from './program.ts'
import { readInstant, readPort, usageError } from './usage.ts'

export const DEFAULT_PORT = 4747

interface RunOptions {
  readonly journal: string
  readonly port?: number
  readonly now?: number
  readonly untilIdle?: boolean
  readonly json?: boolean
  readonly logLevel: LogLevel
}

/** Runs a program until it is idle (`--until-idle`) or told to stop, with the API beside it. */
export async function runProgram(path: string, args: readonly string[]): Promise<void> {
  const program = await loadProgram(path)
  const values = parseOptions(path, program, args)
  if (values === undefined) return
  const options = values as unknown as RunOptions
  const directory = resolve(options.journal)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  await refuseCutLog(directory)
  leaveClock(directory, options.now === undefined ? 0 : options.now - Date.now())
  const show = progressTo(options.json === true ? process.stderr : process.stdout)
  const running = await program.start({
    values,
    directory,
    journal: sqliteJournal(directory),
    clock: createRealClock(options.now === undefined ? {} : { startAt: options.now }),
    logger: createLogger({ level: options.logLevel }),
    untilIdle: options.untilIdle === true,
    progress: show,
  })
  await serve(program, running, options, directory, show)
}

async function serve(
  program: Program,
  running: RunningProgram,
  options: RunOptions,
  directory: string,
  show: (line: string) => void,
): Promise<void> {
  let api: Api | undefined
  try {
    await keepHead(directory, running.system)
    api = await openApi(running, options, directory)
    show(
      `${program.name} listens on ${api.url} (journal ${relative(process.cwd(), directory) || '.'})`,
    )
    const stopped = untilSignal()
    const idle = running.idle()
    await Promise.race([stopped, idle])
    await keepHead(directory, running.system)
    if (options.untilIdle !== true && !stopped.isDone()) {
      if (options.json !== true) show(running.describe())
      show('Everything is at rest. Waiting for decisions and new work; stop with Ctrl-C.')
      await stopped
    }
  } finally {
    removeAddress(directory)
    await api?.close()
    await keepHead(directory, running.system).catch(() => undefined)
    await running.stop()
  }
  process.stdout.write(
    options.json === true ? `${JSON.stringify(running.summary())}\n` : `${running.describe()}\n`,
  )
}

async function openApi(
  running: RunningProgram,
  options: RunOptions,
  directory: string,
): Promise<Api> {
  const token = newToken()
  const { system, routes = [], summary } = running
  const open = (port: number) => startApi({ system, token, port, routes, summary })
  const api = await open(options.port ?? DEFAULT_PORT).catch((error: unknown) => {
    const taken = (error as { code?: unknown }).code === 'EADDRINUSE'
    // Nobody asked for the default port: when it is taken, any other will do.
    if (taken && options.port === undefined) return open(0)
    if (taken)
      throw usageError(
        `Port ${options.port ?? DEFAULT_PORT} is taken. Use --port 0 for a free one.`,
      )
    throw error
  })
  leaveAddress(directory, { url: api.url, token, pid: process.pid })
  return api
}

function parseOptions(
  path: string,
  program: Program,
  args: readonly string[],
): Record<string, unknown> | undefined {
  const command = new Command(`ambit run ${path}`)
  command
    .description(program.description)
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .option(
      '--journal <dir>',
      'folder of the journal; the same folder goes on where it was',
      '.ambit',
    )
    .option(
      '--port <n>',
      `port of the API on the loopback interface, 0 = any free (default: ${DEFAULT_PORT})`,
      guard(readPort),
    )
    .option(
      '--now <instant>',
      'the clock starts there, such as 2026-03-01T09:00:00Z',
      guard(readInstant),
    )
    .option('--until-idle', 'end once everything is at rest')
    .option('--json', 'print one summary object as the last line of stdout')
    .option(
      '--log-level <level>',
      `operations on stderr: ${LOG_LEVELS.join(', ')}`,
      guard(readLevel),
      'error',
    )
  for (const { flags, description, parse, fallback } of program.options) {
    if (parse === undefined)
      command.option(flags, description, fallback as string | boolean | undefined)
    else command.option(flags, description, guard(parse), fallback)
  }
  command.parse([...args], { from: 'user' })
  return command.opts()
}

/** A bad value is wrong use: commander says so with the option's name. */
function guard<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
    }
  }
}

function readLevel(text: string): string {
  if ((LOG_LEVELS as readonly string[]).includes(text)) return text
  throw usageError(`expected one of ${LOG_LEVELS.join(', ')}, got "${text}".`)
}

/** Loads what a folder or file exports as `program`; sources are looked up where they were built to. */
async function loadProgram(path: string): Promise<Program> {
  const file = findModule(path)
  if (file === undefined) {
    throw usageError(
      `Found nothing to run at "${path}". Expected a folder with index.js, or a file that exports \`program\`.`,
    )
  }
  const loaded = (await import(pathToFileURL(file).href)) as { program?: Program }
  if (typeof loaded.program?.start === 'function') return loaded.program
  throw usageError(
    `"${path}" does not export a \`program\` with a name, options and a start function.`,
  )
}

/** npm passes on a Ctrl-C that the terminal has sent already: only a third signal cuts the stop short. */
const SIGNALS_MAX = 2

function untilSignal(): Promise<void> & { isDone(): boolean } {
  let signals = 0
  const waited = new Promise<void>((resolve) => {
    const end = () => {
      if (++signals > SIGNALS_MAX) process.exit(130)
      resolve()
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
  return Object.assign(waited, { isDone: () => signals > 0 })
}

function progressTo(stream: NodeJS.WriteStream): (line: string) => void {
  return (line) => void stream.write(`${line}\n`)
}
