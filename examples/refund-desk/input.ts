import { createReadStream, existsSync, fstatSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Board } from './board.ts'
import type { ReceivedLine } from './intake.ts'
import { readLines, receiveLine } from './lines.ts'

const SAMPLE = 'tickets.sample.jsonl'
/** A message to the intake carries at most so many lines, or so many bytes. */
const BATCH_LINES_MAX = 100
const BATCH_BYTES_MAX = 262_144
/** How long a pipe may stay silent before the sample is taken instead. */
const STDIN_WAIT_MS = 500

/** Hands the input to the desk line by line, in batches, each acknowledged before the next is read. */
export async function feed(board: Board, input: string | undefined): Promise<void> {
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
  const stat = fstatSync(0, { throwIfNoEntry: false } as never) as
    ReturnType<typeof fstatSync> | undefined
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
