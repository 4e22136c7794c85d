import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

const refundSchema = z.object({
  refundId: z.string(),
  order: z.string(),
  amount: z.string(),
  currency: z.string(),
  key: z.string().nullable(),
  at: z.string(),
})

/** A refund that was made; `key` is null if the caller gave none. */
export type Refund = Readonly<z.infer<typeof refundSchema>>

/** The refunds that were ever made, on disk and in memory. */
export interface RefundFile {
  readonly refunds: readonly Refund[]
  /** Adds a refund; it is on the disk when this returns. Throws, leaving the file as it was, if it cannot be. */
  append(refund: Refund): void
  close(): void
}

/**
 * Opens a file of refunds, one JSON object a line, and makes it if there is none.
 *
 * A last line that a crash tore is dropped with a warning: its refund was never answered. Throws on any other line
 * that cannot be read, because going on would forget refunds that were made.
 */
export function openRefundFile(path: string, warn: (message: string) => void): RefundFile {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'a+')
  try {
    const bytes = readFileSync(path)
    let size = bytes.lastIndexOf('\n') + 1
    const refunds = readLines(bytes.subarray(0, size).toString('utf8'), path)
    if (size < bytes.length) {
      warn(
        `${path}: dropped a torn last line of ${bytes.length - size} bytes; its refund was never answered.`,
      )
      ftruncateSync(file, size)
      fsyncSync(file)
    }
    return {
      refunds,
      append(refund) {
        const line = Buffer.from(`${JSON.stringify(refund)}\n`)
        writeDurably(file, line, size)
        size += line.length
        refunds.push(refund)
      },
      close: () => closeSync(file),
    }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function readLines(text: string, path: string): Refund[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, index) => readRefund(line, `${path}, line ${index + 1}`))
}

function readRefund(line: string, place: string): Refund {
  try {
    return refundSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw new Error(
      `${place}: expected a refund as JSON, got ${JSON.stringify(line.slice(0, 80))}. ` +
        'Repair the line, or start with another file.',
      { cause },
    )
  }
}

function writeDurably(file: number, line: Buffer, size: number): void {
  try {
    for (let done = 0; done < line.length;) done += writeSync(file, line, done)
    fsyncSync(file)
  } catch (error) {
    // A half-written line in the middle would make the file unreadable at the next start.
    ftruncateSync(file, size)
    throw error
  }
}
