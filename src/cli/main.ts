#!/usr/bin/env node
import * as nodeModule from 'node:module'
import { Command, CommanderError } from 'commander'
import { AmbitError } from '../kernel/errors.ts'
import type { ReplayOptions, SimulateOptions } from './simulate.ts'
import { CommandEnd, exitCodes } from './usage.ts'

const JOURNAL = ['--journal <dir>', 'folder of the journal', '.ambit'] as const
const JSON_FLAG = ['--json', 'print one JSON object'] as const

/** Builds the command line. Each command loads what it needs only when it is called. */
export function createCli(): Command {
  const cli = new Command('ambit')
  cli
    .description('Autonomous agents that cannot leave the authority they were given.')
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) })
  addRun(cli)
  addKeygen(cli)
  addApprovals(cli)
  addParked(cli)
  addSuspended(cli)
  addLog(cli)
  addSimulate(cli)
  return cli
}

/** Runs one command line and answers its exit code; says on stderr what went wrong. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await createCli().parseAsync([...argv], { from: 'user' })
    return exitCodes.done
  } catch (error) {
    return endWith(error)
  }
}

function addRun(cli: Command): void {
  cli
    .command('run')
    .description('run a program: a folder or file that exports `program`')
    .argument('<path>', 'such as examples/refund-desk')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (path: string, _options: unknown, command: Command) => {
      const { runProgram } = await import('./run.ts')
      await runProgram(path, command.args.slice(1))
    })
}

function addKeygen(cli: Command): void {
  cli
    .command('keygen')
    .description('make a signing key for a person who decides on cases, and register it')
    .argument('<name>', 'the person')
    .option('--role <role...>', 'roles the person decides in; default: every role')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (name: string, options: { role?: string[]; journal: string; json?: boolean }) => {
      const { keygen } = await import('./keygen.ts')
      await keygen(name, options)
    })
}

function addApprovals(cli: Command): void {
  const approvals = cli.command('approvals').description('cases that wait for a human')
  approvals
    .command('list')
    .description('open cases; --all for every case')
    .option('--all', 'closed cases too')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { all?: boolean; journal: string; json?: boolean }) => {
      const { listCases } = await import('./approvals.ts')
      await listCases(options)
    })
  approvals
    .command('show')
    .description('one case: what, why, which rules')
    .argument('<case>')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (id: string, options: { journal: string; json?: boolean }) => {
      const { showCase } = await import('./approvals.ts')
      await showCase(id, options)
    })
  addVerdict(approvals, 'approve', 'let the action happen exactly as proposed')
  addVerdict(approvals, 'reject', 'end the action')
  addVerdict(
    approvals,
    'amend',
    'propose something else instead; it is judged anew',
  ).requiredOption('--args <json>', 'arguments to change, such as \'{"amount":"400.00 USD"}\'')
  addVerdict(approvals, 'settle', 'say what became of an effect in doubt')
    .option('--happened', 'the effect happened')
    .option('--not-happened', 'the effect did not happen')
}

function addVerdict(
  approvals: Command,
  verdict: 'approve' | 'reject' | 'amend' | 'settle',
  description: string,
): Command {
  return approvals
    .command(verdict)
    .description(description)
    .argument('<case>')
    .option('--as <name>', 'whose key signs; default: the only key there is')
    .option('--reason <text>', 'kept in the log')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (id: string, options: Record<string, unknown>) => {
      const { decideCase } = await import('./approvals.ts')
      await decideCase(id, verdict, options as never)
    })
}

function addParked(cli: Command): void {
  const parked = cli.command('parked').description('messages that failed and were set aside')
  parked
    .command('list')
    .description('whose they are, and what went wrong')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { journal: string; json?: boolean }) => {
      const { listParked } = await import('./parked.ts')
      await listParked(options)
    })
  const settlements = [
    ['retry', 'give the actor the message again, as a new one'],
    ['discard', 'forget the message'],
  ] as const
  for (const [what, description] of settlements) {
    parked
      .command(what)
      .description(description)
      .argument('<address>', 'the actor, such as /orders/refund')
      .argument('<id>', 'the message, as `ambit parked list` shows it')
      .option('--by <name>', 'who decides; default: who is logged in')
      .option('--reason <text>', 'kept in the log')
      .option(...JOURNAL)
      .option(...JSON_FLAG)
      .action(async (address: string, id: string, options: Record<string, unknown>) => {
        const { settleParked } = await import('./parked.ts')
        await settleParked(what, address, id, options as never)
      })
  }
}

function addSuspended(cli: Command): void {
  const suspended = cli.command('suspended').description('subtrees whose supervisor gave up')
  suspended
    .command('list')
    .description('where no effect starts, since when and why')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { journal: string; json?: boolean }) => {
      const { listSuspended } = await import('./suspended.ts')
      await listSuspended(options)
    })
  suspended
    .command('resume')
    .description('give a subtree its authority back: what waited begins')
    .argument('<address>', 'as `ambit suspended list` shows it')
    .requiredOption('--by <name>', 'who decides')
    .requiredOption('--why <text>', 'kept in the log')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(
      async (
        address: string,
        options: { by: string; why: string; journal: string; json?: boolean },
      ) => {
        const { resumeSuspended } = await import('./suspended.ts')
        await resumeSuspended(address, options)
      },
    )
}

function addLog(cli: Command): void {
  const log = cli.command('log').description('the thought log: what was decided and why')
  log
    .command('show')
    .description('the last entries')
    .option('--actor <address>', 'of one actor and those below it')
    .option('--last <n>', 'how many', '50')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { actor?: string; last: string; journal: string; json?: boolean }) => {
      const { showLog } = await import('./log.ts')
      await showLog(options)
    })
  log
    .command('verify')
    .description('check the hash chain, also against heads kept elsewhere')
    .option('--head <position:hash>', 'a head noted earlier with `ambit log head`')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { head?: string; journal: string; json?: boolean }) => {
      const { verifyLog } = await import('./log.ts')
      await verifyLog(options)
    })
  log
    .command('head')
    .description('print the head of the chain: note it where the log cannot be changed')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (options: { journal: string; json?: boolean }) => {
      const { showHead } = await import('./log.ts')
      await showHead(options)
    })
  log
    .command('explain')
    .description('who decided what about a case, and why')
    .argument('<case>', 'a case such as c-17, or an action key')
    .option(...JOURNAL)
    .option(...JSON_FLAG)
    .action(async (id: string, options: { journal: string; json?: boolean }) => {
      const { explainCase } = await import('./log.ts')
      await explainCase(id, options)
    })
}

const SIMULATION = ['--simulation <name>', 'which of the simulations in it'] as const
const TRACE = ['--trace <file>', 'write the run in the Stately inspection format'] as const

function addSimulate(cli: Command): void {
  cli
    .command('simulate')
    .description('play the simulations of a module: every fault at every point, then random ones')
    .argument('<path>', 'a module that exports what `simulate` of ambit/testing returns')
    .option(...SIMULATION)
    .option('--exhaustive <n>', 'faults in one run: 0, 1 or 2', '1')
    .option('--random-ms <ms>', 'how long to play random runs of each', '4000')
    .option('--seed <text>', 'what the random runs follow from', 'ambit')
    .option('--corpus <dir>', 'schedules that failed once: played first, new ones are added')
    .option(...TRACE)
    .option(...JSON_FLAG)
    .action(async (path: string, options: SimulateOptions) => {
      const { simulateFile } = await import('./simulate.ts')
      await simulateFile(path, options)
    })
  cli
    .command('replay')
    .description('play one schedule again, as the report of a failure names it')
    .argument('<path>', 'the module with the simulation')
    .argument('<schedule>', "such as '1:17=2,40=1'")
    .option(...SIMULATION)
    .option(...TRACE)
    .option(...JSON_FLAG)
    .action(async (path: string, schedule: string, options: ReplayOptions) => {
      const { replayLine } = await import('./simulate.ts')
      await replayLine(path, schedule, options)
    })
}

function endWith(error: unknown): number {
  if (error instanceof CommandEnd) {
    if (error.message !== '') process.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  if (error instanceof CommanderError) {
    const isHelp = error.code === 'commander.helpDisplayed' || error.code === 'commander.version'
    return isHelp ? exitCodes.done : exitCodes.usage
  }
  if (error instanceof AmbitError) {
    process.stderr.write(`${error.code}: ${error.message}\n`)
    return error.code === 'AMBIT_USAGE' ? exitCodes.usage : exitCodes.failed
  }
  process.stderr.write(`${describeError(error)}\n`)
  return exitCodes.failed
}

/** What went wrong, for a person; the stack too when AMBIT_DEBUG is set. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (process.env.AMBIT_DEBUG !== undefined) return error.stack ?? error.message
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message}${cause}`
}

// Whoever reads may stop reading, as `head` does: that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.done)
  throw error
})

// Newer Nodes keep compiled code between runs: a command then starts in about two thirds of the time.
const { enableCompileCache } = nodeModule as { enableCompileCache?: () => unknown }
enableCompileCache?.()

process.exitCode = await main(process.argv.slice(2))
