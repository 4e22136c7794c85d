import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  actor,
  agent,
  createSystem,
  pool,
  supervisor,
  type Action,
  type ActorSystem,
  type Clock,
} from 'ambit'
import type { Program, ProgramContext, RunningProgram } from 'ambit/program'
import { createBoard } from './board.ts'
import { feed } from './input.ts'
import { createIntake, type TicketRow } from './intake.ts'
import { connectPayments } from './payments-client.ts'
import { startPayments } from './payments-server.ts'
import type { Reasoner } from './reasoner.ts'
import { deskEnvelope, refundAction } from './refund.ts'
import { decisionLines, describeSummary, summarize } from './report.ts'
import { createTicketAgent } from './ticket-agent.ts'

// You will see: each ticket with its outcome and the rules that asked for a human; then a summary, and how to decide.

const AGENTS_MAX = 1000
/** Many tickets that come to rest together are written together. */
const DECISIONS_DELAY_MS = 200

interface Options {
  readonly input?: string
  readonly agents: number
  readonly payments?: string
  readonly decisions?: string
}

/** A desk of agents that refunds what its envelope allows and asks a human for the rest. */
export const program: Program = {
  name: 'refund-desk',
  description:
    'Reads refund requests, refunds what the envelope allows, and asks a human for the rest.',
  options: [
    {
      flags: '--input <file>',
      description: 'tickets as JSON lines; - for stdin (default: what is piped in, else a sample)',
      parse: readInput,
    },
    {
      flags: '--agents <n>',
      description: 'tickets between proposal and rest at a time',
      parse: readAgents,
      fallback: 8,
    },
    {
      flags: '--payments <url>',
      description: 'a payments server (default: one of its own)',
      parse: readUrl,
    },
    { flags: '--decisions <file>', description: 'write a JSON line for each ticket' },
  ],
  start: startDesk,
}

async function startDesk(context: ProgramContext): Promise<RunningProgram> {
  const options = context.values as unknown as Options
  const own = options.payments === undefined ? await ownPayments(context.directory) : undefined
  const payments = await connectPayments(
    options.payments ?? own?.url ?? '',
    own && { idempotency: true },
  )
  const refund = refundAction(payments)
  const reason = await chooseReasoner()
  const system = createSystem({
    journal: context.journal,
    clock: context.clock,
    logger: context.logger,
    root: supervisor({
      children: [
        supervisor({
          id: 'desk',
          children: [
            actor('intake', createIntake(options.agents), { mailbox: { userLengthMax: 10_000 } }),
            pool(
              'tickets',
              agent('ticket', createTicketAgent(reason, refund as unknown as Action<never>), {
                envelope: deskEnvelope,
              }),
            ),
          ],
        }),
      ],
    }),
  })
  await system.start()
  return runDesk(system, context, options, async () => own?.close())
}

/** A language model when there is a key for one; else the offline classifier, fitted once a message must be judged. */
async function chooseReasoner(): Promise<() => Promise<Reasoner>> {
  if ((process.env.AI_GATEWAY_API_KEY ?? '') !== '') {
    const { createModelReasoner } = await import('./model-reasoner.ts')
    const model = await createModelReasoner()
    return () => Promise.resolve(model)
  }
  let offline: Promise<Reasoner> | undefined
  return () =>
    (offline ??= import('./reasoner.ts').then(({ createOfflineReasoner }) =>
      createOfflineReasoner(),
    ))
}

async function runDesk(
  system: ActorSystem,
  context: ProgramContext,
  options: Options,
  closePayments: () => Promise<unknown>,
): Promise<RunningProgram> {
  const decisions = decisionsFile(options.decisions, context.clock)
  const board = createBoard(system, context.progress, () => decisions.changed(board.tickets))
  await board.open()
  const { directory } = context
  const folder = relative(process.cwd(), directory)
  const journal = folder === '.ambit' ? '' : ` --journal ${folder || '.'}`
  const summary = () => summarize(board.tickets(), board.duplicates())
  const write = () => decisions.write(board.tickets())
  return {
    system,
    routes: [{ method: 'POST', path: '/tickets', handle: (body) => board.post(body) }],
    idle: async () => {
      await feed(board, options.input)
      await board.atRest()
      write()
    },
    summary,
    describe: () => describeSummary(summary(), journal),
    stop: async () => {
      await system.stop()
      write()
      await closePayments()
    },
  }
}

async function ownPayments(directory: string) {
  return startPayments({ port: 0, dataFile: join(directory, 'payments.jsonl') })
}

/** The decisions file, kept up to date while the desk is up: a little after a change, and at the end. */
function decisionsFile(file: string | undefined, clock: Clock) {
  let isDue = false
  const write = (tickets: readonly TicketRow[]) => {
    if (file === undefined) return
    // Renamed into place, so that a reader never sees half a file.
    writeFileSync(`${file}.part`, decisionLines(tickets))
    renameSync(`${file}.part`, file)
  }
  return {
    write,
    changed(tickets: () => readonly TicketRow[]) {
      if (isDue || file === undefined) return
      isDue = true
      clock.wakeAt(clock.now() + DECISIONS_DELAY_MS, () => {
        isDue = false
        write(tickets())
      })
    },
  }
}

function readInput(text: string): string {
  if (text === '-' || existsSync(text)) return text
  throw new Error(`expected a file of JSON lines, or - for stdin; found no "${text}".`)
}

function readAgents(text: string): number {
  const agents = Number(text)
  if (/^\d{1,4}$/.test(text) && agents >= 1 && agents <= AGENTS_MAX) return agents
  throw new Error(`expected a number from 1 to ${AGENTS_MAX}, got "${text}".`)
}

function readUrl(text: string): string {
  if (/^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text)) return text
  throw new Error(`expected a URL such as http://127.0.0.1:4800, got "${text}".`)
}
