import { createHash } from 'node:crypto'
import { parseTicket } from './ticket.ts'
import type { ReceivedLine } from './intake.ts'

/** More of one line is never kept: the parser refuses it by its length. */
export const LINE_BYTES_MAX = 1_048_576

/** Splits a stream of bytes into lines, keeping at most one byte more of each than the parser takes. */
export async function* readLines(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let bytes = 0
  const keep = (part: Buffer) => {
    if (bytes <= LINE_BYTES_MAX) parts.push(part)
    bytes += part.length
  }
  const take = () => {
    const line = Buffer.concat(parts)
      .subarray(0, LINE_BYTES_MAX + 1)
      .toString('utf8')
    parts = []
    bytes = 0
    return line
  }
  for await (const chunk of stream) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      keep(rest.subarray(0, end))
      yield take()
      rest = rest.subarray(end + 1)
    }
    keep(rest)
  }
  if (bytes > 0) yield take()
}

/** Parses a line. One read from a numbered place of an input is one line, however often it is read. */
export function receiveLine(text: string, number?: number): ReceivedLine {
  const parsed = parseTicket(text)
  const place = number === undefined ? {} : { line: `line-${number}-${hashOf(text)}` }
  if (parsed.ok) return { ...place, ticket: parsed.ticket }
  return { ...place, reason: parsed.reason, ...(parsed.id !== undefined && { id: parsed.id }) }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
