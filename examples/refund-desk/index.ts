import { createReadStream, existsSync, fstatSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { actor, agent, createSystem, pool, supervisor, type Action, type ActorSystem, type Json } from 'ambit'
import type { Program, ProgramContext, RunningProgram } from 'ambit/program'
import { createIntake, INTAKE, type ReceivedLine, type TicketRow } from './intake.ts'
import { readLines, receiveLine } from './lines.ts'
import { connectPayments } from './payments-client.ts'
import { startPayments } from './payments-server.ts'
import type { Reasoner } from './reasoner.ts'
import { deskEnvelope, refundAction } from './refund.ts'
import { decisionLines, describeSummary, describeTicket, summarize, ticketsIn } from './report.ts'
import { createTicketAgent } from './ticket-agent.ts'

// You will see: each ticket with its outcome and the rules that asked for a human; then a summary, and how to decide.

const SAMPLE = 'tickets.sample.jsonl'
const AGENTS_MAX = 1000
/** A message to the intake carries at most so many lines, or so many bytes. */
const BATCH_LINES_MAX = 100
const BATCH_BYTES_MAX = 262_144
/** A refund that is tried again waits at most this long. */
const RETRY_WAIT_MS = 6000
/** How long a pipe may stay silent before the sample is taken instead. */
const STDIN_WAIT_MS = 500

interface Options {
  readonly input?: string
  readonly agents: number
  readonly payments?: string
  readonly decisions?: string
}

/** A desk of agents that refunds what its envelope allows and asks a human for the rest. */
export const program: Program = {
  name: 'refund-desk',
  description: 'Reads refund requests, refunds what the envelope allows, and asks a human for the rest.',
  options: [
    { flags: '--input <file>', description: 'tickets as JSON lines; - for stdin (default: what is piped in, else a sample)', parse: readInput },
    { flags: '--agents <n>', description: 'tickets between proposal and rest at a time', parse: readAgents, fallback: 8 },
    { flags: '--payments <url>', description: 'a payments server (default: one of its own)', parse: readUrl },
    { flags: '--decisions <file>', description: 'write a JSON line for each ticket' },
  ],
  start: startDesk,
}

async function startDesk(context: ProgramContext): Promise<RunningProgram> {
  const options = context.values as unknown as Options
  const own = options.payments === undefined ? await ownPayments(context.directory) : undefined
  const payments = await connectPayments(options.payments ?? own?.url ?? '', own && { idempotency: true })
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
            pool('tickets', agent('ticket', createTicketAgent(reason, refund as unknown as Action<never>), { envelope: deskEnvelope })),
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
  return () => (offline ??= import('./reasoner.ts').then(({ createOfflineReasoner }) => createOfflineReasoner()))
}

async function runDesk(
  system: ActorSystem,
  context: ProgramContext,
  options: Options,
  closePayments: () => Promise<unknown>,
): Promise<RunningProgram> {
  const board = createBoard(system, context.progress)
  await board.open()
  const { directory } = context
  const folder = relative(process.cwd(), directory)
  const journal = folder === '.ambit' ? '' : ` --journal ${folder || '.'}`
  const summary = () => summarize(board.tickets(), board.duplicates())
  const write = () => writeDecisions(options.decisions, board.tickets())
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

/** The desk's tickets as its journal says, kept up to date after each commit. */
function createBoard(system: ActorSystem, progress: (line: string) => void) {
  const rows = new Map<string, Json>()
  let unrested = 0
  let duplicates = 0
  let waiting: (() => void)[] = []
  let posted = 0
  const note = (key: string, value: Json, show: boolean) => {
    if (!key.startsWith('ticket:') && !key.startsWith('invalid:')) return
    const before = rows.get(key) as unknown as TicketRow | undefined
    const row = value as unknown as TicketRow
    rows.set(key, value)
    unrested += (row.state === 'rested' ? 0 : 1) - (before === undefined || before.state === 'rested' ? 0 : 1)
    if (show && row.state === 'rested') progress(describeTicket(row))
    if (unrested > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }
  const ask = async (lines: readonly ReceivedLine[]) => {
    const answer = await system.ref(INTAKE).ask({ type: 'tickets.received', lines }, { timeoutMs: 60_000 })
    duplicates += Number(answer.duplicates)
    return answer
  }
  return {
    async open() {
      system.read.onRow(INTAKE, (key, value) => note(key, value, true))
      for (const [key, value] of system.rows(INTAKE)) note(key, value, false)
      const ready = await system.ref(INTAKE).ask({ type: 'desk.opened' }, { timeoutMs: 60_000 })
      duplicates = Number(ready.duplicates)
    },
    receive: ask,
    /** Takes posted tickets, one JSON object or JSON lines; a single bad one is answered with its reason. */
    async post(body: string) {
      const id = `post-${Date.now()}-${++posted}`
      const texts = body.split('\n').filter((text) => text.trim() !== '')
      const lines = (texts.length === 0 ? [''] : texts).map((text, i) => receiveLine(text, `${id}.${i}`))
      const { type: _, known: __, ...counts } = await ask(lines)
      const [only] = lines
      if (lines.length > 1 || only?.reason === undefined) return { status: 200, body: counts }
      return { status: 422, body: { ...counts, outcome: 'invalid', reason: only.reason } }
    },
    tickets: () => ticketsIn(rows),
    duplicates: () => duplicates,
    async atRest() {
      if (unrested > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      await system.atRest({ timersWithinMs: RETRY_WAIT_MS })
    },
  }
}

async function feed(board: ReturnType<typeof createBoard>, input: string | undefined): Promise<void> {
  let batch: ReceivedLine[] = []
  let bytes = 0
  let number = 0
  for await (const text of await openInput(input)) {
    number++
    if (text.trim() === '') continue
    batch.push(receiveLine(text, number))
    bytes += Math.min(text.length, 100_000)
    if (batch.length < BATCH_LINES_MAX && bytes < BATCH_BYTES_MAX) continue
    await board.receive(batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) await board.receive(batch)
}

async function openInput(input: string | undefined): Promise<AsyncGenerator<string>> {
  if (input !== undefined && input !== '-') return readLines(createReadStream(input))
  if (input === '-' || (await isPipedIn())) return readLines(process.stdin)
  return readLines(createReadStream(sampleFile()))
}

/** Whether something is piped in: a file, or a pipe on which something comes within half a second. */
async function isPipedIn(): Promise<boolean> {
  const stat = fstatSync(0, { throwIfNoEntry: false } as never) as ReturnType<typeof fstatSync> | undefined
  if (stat === undefined || process.stdin.isTTY) return false
  if (stat.isFile()) return stat.size > 0
  if (!stat.isFIFO() && !stat.isSocket()) return false
  const signal = AbortSignal.timeout(STDIN_WAIT_MS)
  const heard = await new Promise<boolean>((resolve) => {
    process.stdin.once('readable', () => resolve(process.stdin.readableLength > 0))
    process.stdin.once('end', () => resolve(false))
    signal.addEventListener('abort', () => resolve(false))
  })
  // A silent pipe must not keep the process alive.
  if (!heard) process.stdin.unref()
  return heard
}

/** The sample lies beside the sources; the build does not copy it. */
function sampleFile(): string {
  const here = fileURLToPath(new URL(SAMPLE, import.meta.url))
  return existsSync(here) ? here : here.replace(/([\\/])dist\1examples\1/, '$1examples$1')
}

async function ownPayments(directory: string) {
  return startPayments({ port: 0, dataFile: join(directory, 'payments.jsonl') })
}

function writeDecisions(file: string | undefined, tickets: readonly TicketRow[]): void {
  if (file === undefined) return
  // Renamed into place, so that a reader never sees half a file.
  writeFileSync(`${file}.part`, decisionLines(tickets))
  renameSync(`${file}.part`, file)
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
