import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a request is answered with: a status and a JSON body. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Says no: the status, and what was expected, what came and what to do. */
export function refuse(status: number, error: string): Answer {
  return { status, body: { error } }
}

/**
 * Reads a request's body, or gives `undefined` if it is larger than `bytesMax`.
 *
 * What is too much is read and thrown away, because a client that still sends does not listen to the answer.
 */
export async function readBody(
  request: IncomingMessage,
  bytesMax: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks).toString('utf8')
}

/** Sends an answer as JSON, unless the other side is gone. */
export function sendJson(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
