import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, readBody, refuse, sendJson } from './json-http.ts'
import { createPaymentsDesk, type PaymentsDesk } from './payments-desk.ts'
import { openRefundFile } from './refund-file.ts'

/** How a payments server is started; only the port and the file must be given. */
export interface PaymentsOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** JSON lines; made if there is none. */
  readonly dataFile: string
  /** Of 100 posts so many answer 503: half of them before the refund is made, half after. Default 0. */
  readonly failPercent?: number
  /** Makes the failures the same on every run. Default 1. */
  readonly seed?: number
  /** How long an answer to a post waits; the refund is made at once. Default 0. */
  readonly delayMs?: number
  /** Without it a key is recorded and never looked up, so every post makes a refund. Default true. */
  readonly idempotency?: boolean
  /** Takes warnings about the file. Default stderr. */
  readonly warn?: (message: string) => void
}

/** A running payments server. */
export interface Payments {
  readonly url: string
  readonly port: number
  /** Stops listening, drops open connections and closes the file. */
  close(): Promise<void>
}

const bodyBytesMax = 64 * 1024

/** A client that has not sent its request by then is cut off. */
const requestTimeoutMs = 30_000

/**
 * Starts a small payments server on 127.0.0.1, which makes refunds and forgets none.
 *
 * `POST /refunds` makes one, `GET /refunds` lists all, `GET /capabilities` says whether keys are looked up.
 * Rejects if the port is taken or the file cannot be read.
 */
export async function startPayments(options: PaymentsOptions): Promise<Payments> {
  const { failPercent = 0, seed = 1, delayMs = 0, idempotency = true } = options
  const warn = options.warn ?? ((message: string) => console.error(message))
  const file = openRefundFile(options.dataFile, warn)
  const desk = createPaymentsDesk({ file, idempotency, failPercent, seed })
  const server = createServer((request, response) => void serve(desk, delayMs, request, response))
  server.requestTimeout = requestTimeoutMs
  try {
    await listen(server, options.port)
  } catch (error) {
    file.close()
    throw error
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          file.close()
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.message
      const message = `Expected to listen on port ${port}, but ${reason}. Choose another port.`
      reject(new Error(message, { cause }))
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

async function serve(
  desk: PaymentsDesk,
  delayMs: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const answer = await answerRequest(desk, request)
    const isPost = request.method === 'POST'
    if (!isPost || delayMs === 0) sendJson(response, answer)
    // Not waited for at the end: whoever stops the server does not wait for late answers.
    else setTimeout(() => sendJson(response, answer), delayMs).unref()
  } catch (error) {
    // A client that went away in the middle of its request has nobody left to be told.
    if (request.destroyed && !request.complete) return
    console.error(error)
    const message =
      'The refund could not be written down and was not made; see the log of the server.'
    sendJson(response, refuse(500, message))
  }
}

async function answerRequest(desk: PaymentsDesk, request: IncomingMessage): Promise<Answer> {
  const route = `${request.method ?? ''} ${(request.url ?? '').replace(/\?.*$/s, '')}`
  if (route === 'GET /capabilities') return { status: 200, body: { idempotency: desk.idempotency } }
  if (route === 'GET /refunds') return { status: 200, body: desk.refunds }
  if (route !== 'POST /refunds') {
    const routes = 'POST /refunds, GET /refunds or GET /capabilities'
    return refuse(404, `Expected ${routes}, got ${route}.`)
  }
  const body = await readBody(request, bodyBytesMax)
  if (body === undefined) return refuse(413, `Expected at most ${bodyBytesMax} bytes, got more.`)
  return desk.answerClaim(body, request.headers['idempotency-key'])
}
