import { connect, type Socket } from 'node:net'

/** What came back: 0 when nothing did. */
export interface RawAnswer {
  readonly status: number
  readonly body: unknown
}

/** Sends bytes as they are, and reads until the server ends the connection; ours ends once an answer comes. */
export function exchange(
  port: number,
  ...request: readonly (string | Buffer)[]
): Promise<RawAnswer> {
  return talk(port, request, false)
}

/** The same for a request that lacks its end: the connection ends with what there is of it. */
export function breakOff(port: number, ...request: readonly (string | Buffer)[]) {
  return talk(port, request, true)
}

function talk(
  port: number,
  request: readonly (string | Buffer)[],
  endsAtOnce: boolean,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      received += String(chunk)
      // Not before: Node takes a client that ends its side for one that is gone.
      socket.end()
    })
    // A server that has said what it had to say may reset the rest.
    socket.on('error', () => undefined)
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve(parse(received)))
    for (const part of request) socket.write(part)
    if (endsAtOnce) socket.end()
  })
}

/** Opens a connection, sends the beginning of something, and leaves it at that. */
export function begin(port: number, bytes: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () =>
      socket.write(bytes, () => resolve(socket)),
    )
    socket.on('error', () => undefined)
    socket.resume()
  })
}

/** The last answer that is no interim one. */
function parse(received: string): RawAnswer {
  const start = received.replace(/^(HTTP\/1\.1 1\d\d[^]*?\r\n\r\n)+/, '')
  const [head = '', ...rest] = start.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0)
  const text = rest.join('\r\n\r\n')
  const isChunked = /transfer-encoding: chunked/i.test(head)
  return { status, body: readJson(isChunked ? unchunk(text) : bodyOf(head, text)) }
}

/** Behind it there may be the answer to what was taken for a second request. */
function bodyOf(head: string, text: string): string {
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  return length === undefined ? text : text.slice(0, Number(length))
}

function unchunk(text: string): string {
  const [size = '', ...rest] = text.split('\r\n')
  const length = parseInt(size, 16)
  if (!(length > 0)) return ''
  const body = rest.join('\r\n')
  return body.slice(0, length) + unchunk(body.slice(length + 2))
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
