import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Summary } from '../../examples/refund-desk/report.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cli = join(root, 'dist/src/cli/main.js')
const paymentsMain = join(root, 'dist/examples/refund-desk/payments-main.js')

export const NOW = '2026-03-02T09:00:00Z'

export interface Decision {
  readonly ticket: string
  readonly outcome: string
  readonly rules: readonly string[]
  readonly amount: string | null
  readonly currency: string | null
}

export interface PaymentsProcess {
  readonly url: string
  refunds(): Promise<{ key: string; order: string; amount: string; currency: string }[]>
  stop(): Promise<void>
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ambit-test-'))
}

/** Starts the payments server as its users do, in a process of its own. */
export async function startPaymentsProcess(...options: string[]): Promise<PaymentsProcess> {
  const data = join(temporaryFolder(), 'payments.jsonl')
  const child = spawn(process.execPath, [paymentsMain, '--port', '0', '--data', data, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await firstMatch(child, /listening on (http:\S+)/)
  return {
    url,
    refunds: async () =>
      (await (await fetch(`${url}/refunds`)).json()) as Awaited<
        ReturnType<PaymentsProcess['refunds']>
      >,
    stop: () => end(child, 'SIGTERM'),
  }
}

export interface DeskRun {
  readonly journal: string
  readonly input: string
  readonly decisions: string
  readonly options?: readonly string[]
}

export function newRun(tickets: readonly string[], ...options: string[]): DeskRun {
  const folder = temporaryFolder()
  const input = join(folder, 'tickets.jsonl')
  writeFileSync(input, `${tickets.join('\n')}\n`)
  return {
    journal: join(folder, 'journal'),
    input,
    decisions: join(folder, 'decisions.jsonl'),
    options,
  }
}

export function spawnDesk(run: DeskRun, ...more: string[]): ChildProcess {
  const options = [
    '--journal',
    run.journal,
    '--input',
    run.input,
    '--decisions',
    run.decisions,
    '--port',
    '0',
    ...(run.options ?? []),
  ]
  return spawn(process.execPath, [cli, 'run', 'examples/refund-desk', ...options, ...more], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the desk until every ticket is at rest. */
export async function runDesk(run: DeskRun): Promise<{ summary: Summary; decisions: Decision[] }> {
  const child = spawnDesk(run, '--until-idle', '--json')
  const out = collect(child.stdout)
  const err = collect(child.stderr)
  const code = await exited(child)
  if (code !== 0) throw new Error(`the desk ended with ${code}: ${await err}`)
  const last = (await out).trim().split('\n').at(-1) ?? ''
  return { summary: JSON.parse(last) as Summary, decisions: readDecisions(run) }
}

export interface KillMoment {
  /** Counted from the start of the process, or from when the desk is up and at work. */
  readonly after: 'spawn' | 'ready'
  readonly delayMs: number
}

/** Starts the desk and kills it, as a power button would, at a moment; tells if it had ended before. */
export async function killDesk(
  run: DeskRun,
  { after, delayMs }: KillMoment,
): Promise<'killed' | 'ended'> {
  const child = spawnDesk(run, '--until-idle', '--json')
  child.stdout?.resume()
  const ending = exited(child)
  const killLater = () => {
    AbortSignal.timeout(delayMs).addEventListener('abort', () => child.kill('SIGKILL'))
  }
  if (after === 'spawn') killLater()
  child.stderr?.on('data', (chunk) => {
    if (after === 'ready' && String(chunk).includes('listens on')) killLater()
  })
  return (await ending) === 0 ? 'ended' : 'killed'
}

export function readDecisions(run: DeskRun): Decision[] {
  const lines = readFileSync(run.decisions, 'utf8').trim().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Decision)
}

export async function runCli(
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  return { code: await exited(child), out: await out, err: await err }
}

/** A ticket that is refunded when its amount is within the envelope. */
export function makeTicket(id: string, amount: string): string {
  const facts = {
    order: `order-${id}`,
    amount,
    currency: 'USD',
    category: 'refund',
    confidence: 0.95,
  }
  const text = 'Please refund my order, it arrived broken.'
  return JSON.stringify({ id, customer: 'c-1', text, facts })
}

/** Tickets of every kind with all facts given, the same for the same seed; the daily window fills near their end. */
export function makeTickets(count: number, seed: string): string[] {
  const random = createSeededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  return Array.from({ length: count }, (_, i) => {
    const amount = (
      random() < 0.75 ? 5 + (random() * 14_000) / count : 300 + random() * 400
    ).toFixed(2)
    const facts = {
      order: `o-${i}`,
      amount,
      currency: random() < 0.92 ? 'USD' : 'EUR',
      category: random() < 0.95 ? 'refund' : 'legal',
      confidence: random() < 0.9 ? 0.95 : 0.5,
    }
    const text = pick([
      'Please refund my order, it arrived broken.',
      'I want my money back for this.',
      'You charged me twice, please refund.',
    ])
    return JSON.stringify({ id: `k-${i}`, customer: `c-${i % 17}`, text, facts })
  })
}

export function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', (code) => resolve(code)))
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ending = exited(child)
  child.kill(signal)
  await ending
}

/** Waits for a line on the child's stdout and gives the first group of the match. */
export async function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no stdout')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const match = pattern.exec(line)
    if (match === null) continue
    child.stdout.resume()
    return match[1] ?? ''
  }
  throw new Error(`the process ended before it said ${String(pattern)}`)
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  if (stream === null) return text
  for await (const chunk of stream) text += String(chunk)
  return text
}
