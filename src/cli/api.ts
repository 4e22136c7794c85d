import { createServer, STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import { timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Context } from 'hono'
import type { ActorSystem } from '../../actors/system.ts'
import {
  isApproverKey,
  keyIdOf,
  signedStatementSchema,
  type Approver,
} from '../envelope/statement.ts'
import { isAddress } from '../kernel/address.ts'
import { AmbitError } from '../kernel/errors.ts'
import { isNestedDeeperThan, JSON_DEPTH_MAX } from '../kernel/json.ts'
import { z } from 'zod'
import type { ProgramRoute } from './program.ts'
import { notSuspended } from './suspended.ts'

export const API_BODY_BYTES_MAX = 1_048_576

const approverSchema = z
  .strictObject({
    keyId: z.string().regex(/^[0-9a-f]{32}$/),
    approver: z.strictObject({
      person: z.string().min(1).max(100),
      roles: z.array(z.string().min(1).max(100)).max(32),
      publicKey: z.string().max(1000).refine(isApproverKey, 'expected an ed25519 key as PEM'),
    }),
  })
  .refine(({ keyId, approver }) => keyId === keyIdOf(approver.publicKey), {
    path: ['keyId'],
    message: 'expected the id of the public key',
  })

const parkedSchema = z.strictObject({
  what: z.enum(['retry', 'discard']),
  address: z.string().max(1000).refine(isAddress, 'expected an address such as /orders/refund'),
  id: z.string().min(1).max(3000),
  by: z.string().min(1).max(100),
  reason: z.string().min(1).max(10_000).optional(),
})

const resumeSchema = z.strictObject({
  address: z
    .string()
    .max(1000)
    .refine((at) => at === '/' || isAddress(at), 'expected an address such as /orders'),
  by: z.string().min(1).max(100),
  why: z.string().min(1).max(10_000),
})

export interface Api {
  readonly url: string
  close(): Promise<void>
}

export interface ApiOptions {
  readonly system: ActorSystem
  readonly token: string
  /** 0 picks a free port. */
  readonly port: number
  readonly routes: readonly ProgramRoute[]
  readonly summary: () => unknown
}

/**
 * Serves a system on the loopback interface. Host and Origin must be this server's own, so that no web page can reach
 * it through a name of its own; every request needs the token; 2xx is answered only after the commit.
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { Hono } = await import('hono')
  const { getRequestListener } = await import('@hono/node-server')
  const app = new Hono()
  let ownHosts: readonly string[] = []
  app.use('*', async (context, next) => {
    const refusal = refuseCaller(context, ownHosts, options.token)
    if (refusal !== undefined) return context.json({ error: refusal.error }, refusal.status)
    return next()
  })
  app.get('/status', (context) => context.json(statusOf(options)))
  app.get('/cases', (context) => context.json({ cases: options.system.cases() }))
  app.get('/parked', async (context) => context.json({ parked: await options.system.parked() }))
  app.post('/parked', (context) => settleParked(context, options.system))
  app.get('/suspended', (context) => context.json({ suspended: options.system.suspended }))
  app.post('/suspended', (context) => resumeSuspended(context, options.system))
  app.post('/decisions', (context) => handInDecision(context, options.system))
  app.post('/approvers', (context) => handInApprover(context, options.system))
  for (const route of options.routes) {
    app.on(route.method, route.path, async (context) => {
      const { status, body } = await route.handle(
        await readBody(context, route.bodyBytesMax ?? API_BODY_BYTES_MAX),
      )
      return context.json(body as object, status as 200)
    })
  }
  app.notFound((context) =>
    context.json({ error: `There is no ${context.req.method} ${context.req.path} here.` }, 404),
  )
  app.onError((error, context) => context.json({ error: error.message }, statusFor(error)))
  const listener = getRequestListener(app.fetch, {
    hostname: 'localhost',
    errorHandler: (error) => Response.json({ error: badRequest(error) }, { status: 400 }),
  })
  // A request without a Host is refused like one with another's: with a reason.
  const server = createServer(
    { requireHostHeader: false },
    (request, response) => void listener(request, response),
  )
  refuseWhatIsNoRequest(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  ownHosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Node answers these by itself, without a word, or not at all. */
function refuseWhatIsNoRequest(server: Server): void {
  server.on('clientError', (error, socket) => refuseOn(socket, 400, badRequest(error)))
  server.on('connect', ({ method = '' }, socket) =>
    refuseOn(socket, 404, `There is no ${method} here.`),
  )
  server.on('checkExpectation', ({ headers }, response: ServerResponse) =>
    refuseOn(response.socket, 417, `Nobody here can meet "${headers.expect ?? ''}".`),
  )
}

function badRequest(error: unknown): string {
  return `Bad request: ${error instanceof Error ? error.message : String(error)}.`
}

function refuseOn(socket: Duplex | null, status: number, error: string): void {
  if (socket?.writable !== true) return void socket?.destroy()
  const body = JSON.stringify({ error })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    // The server does not count this one among its connections any more, so that it would not close it either.
    () => socket.destroy(),
  )
}

/** What the desk refuses is the caller's doing; a desk that stops or is late is not. */
function statusFor(error: Error): 409 | 500 | 503 {
  if (!(error instanceof AmbitError)) return 500
  if (error.code === 'AMBIT_EVENT_REFUSED') return 409
  if (error.retryable === true) return 503
  return error.code === 'AMBIT_STOPPED' || error.code === 'AMBIT_ASK_TIMEOUT' ? 503 : 500
}

function refuseCaller(
  context: Pick<Context, 'req'>,
  ownHosts: readonly string[],
  token: string,
): { status: 401 | 403; error: string } | undefined {
  const host = context.req.header('host') ?? ''
  const origin = context.req.header('origin')
  if (!ownHosts.includes(host))
    return { status: 403, error: 'This API answers on the loopback address only.' }
  if (origin !== undefined && !ownHosts.some((own) => origin === `http://${own}`)) {
    return { status: 403, error: 'This API is not for other web pages.' }
  }
  const given = Buffer.from(context.req.header('authorization')?.replace(/^Bearer /, '') ?? '')
  const expected = Buffer.from(token)
  if (given.length === expected.length && timingSafeEqual(given, expected)) return undefined
  return {
    status: 401,
    error: 'Send the token from api.json in the journal folder as "Authorization: Bearer TOKEN".',
  }
}

function statusOf({ system, summary }: ApiOptions): object {
  const { counters } = system.read
  return { system: system.id, counters: counters.get(), alarms: system.alarms, summary: summary() }
}

async function settleParked(context: Context, system: ActorSystem): Promise<Response> {
  const parsed = parkedSchema.safeParse(readJson(await readBody(context, API_BODY_BYTES_MAX)))
  if (!parsed.success) {
    const error = `Expected what to do with which parked message: ${z.prettifyError(parsed.error)}`
    return context.json({ error }, 400)
  }
  const { what, address, id, by, reason } = parsed.data
  const decision = { by, ...(reason !== undefined && { reason }) }
  const outcome =
    what === 'retry'
      ? await system.retryParked(address, id, decision)
      : await system.discardParked(address, id, decision)
  return context.json(outcome, outcome.status === 'refused' ? 409 : 200)
}

async function resumeSuspended(context: Context, system: ActorSystem): Promise<Response> {
  const parsed = resumeSchema.safeParse(readJson(await readBody(context, API_BODY_BYTES_MAX)))
  if (!parsed.success) {
    const error = `Expected which address to resume, by whom and why: ${z.prettifyError(parsed.error)}`
    return context.json({ error }, 400)
  }
  const { address, by, why } = parsed.data
  if (await system.resumeAuthority(address, { by, why }))
    return context.json({ status: 'resumed', address, by, why })
  return context.json({ error: notSuspended(address, system.suspended) }, 404)
}

async function handInDecision(context: Context, system: ActorSystem): Promise<Response> {
  const parsed = signedStatementSchema.safeParse(
    readJson(await readBody(context, API_BODY_BYTES_MAX)),
  )
  if (!parsed.success)
    return context.json(
      { error: `Expected a signed statement: ${z.prettifyError(parsed.error)}` },
      400,
    )
  const answer = await system.submitDecision(parsed.data)
  return context.json(answer, answer.type === 'ambit.approval.accepted' ? 200 : 409)
}

async function handInApprover(context: Context, system: ActorSystem): Promise<Response> {
  const parsed = approverSchema.safeParse(readJson(await readBody(context, API_BODY_BYTES_MAX)))
  if (!parsed.success)
    return context.json({ error: `Expected an approver: ${z.prettifyError(parsed.error)}` }, 400)
  const { keyId, approver } = parsed.data
  return context.json(await system.addApprover(keyId, approver as Approver), 200)
}

/** Reads at most one byte more than allowed: a longer body is either refused or handed over cut off. */
async function readBody(context: Context, bytesMax: number): Promise<string> {
  const { body } = context.req.raw
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > bytesMax) break
  }
  return Buffer.concat(chunks)
    .subarray(0, bytesMax + 1)
    .toString('utf8')
}

function readJson(text: string): unknown {
  try {
    if (isNestedDeeperThan(text, JSON_DEPTH_MAX)) return undefined
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
