import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateApproverKey, keyIdOf, signStatement, type ActorSystem } from 'ambit'
import { API_BODY_BYTES_MAX, startApi, type Api } from '../../src/cli/api.ts'
import { refundSystem, World } from '../support/refund-world.ts'
import { bytesInUse } from '../support/memory.ts'
import { waitFor } from '../wait-for.ts'
import { LIMIT_MS, runs, Tally, TIMES } from './support/campaign.ts'
import { hostileJson, hostileText, isPrototypeClean } from './support/hostile-values.ts'
import { mutate, mutation } from './support/mutations.ts'
import { begin, breakOff, exchange, type RawAnswer } from './support/raw-http.ts'

const tally = new Tally('http')
const TOKEN = 'a-token-of-this-test'
const MEBIBYTE = 1_048_576
const ROUTE_BYTES_MAX = 1000
/** A quarter of one body. */
const KEPT_BYTES_MAX = 8 * MEBIBYTE

const alice = generateApproverKey()
const approver = {
  keyId: keyIdOf(alice.publicKey),
  approver: { person: 'alice', roles: ['finance'], publicKey: alice.publicKey },
}
let system: ActorSystem
let api: Api
let port: number
let decision: unknown

beforeAll(async () => {
  system = refundSystem(new World(), { amount: '700.00 USD' })
  await system.start()
  await system.atRest()
  const handle = async (body: string) =>
    body.length > ROUTE_BYTES_MAX
      ? { status: 413, body: { error: 'too long' } }
      : { status: 200, body: { length: body.length } }
  const routes = [
    { method: 'POST', path: '/notes', bodyBytesMax: ROUTE_BYTES_MAX, handle } as const,
  ]
  api = await startApi({ system, token: TOKEN, port: 0, routes, summary: () => ({}) })
  port = Number(new URL(api.url).port)
  const [open] = system.cases()
  decision = signStatement(
    {
      v: 1,
      system: 'another',
      case: 'c-1',
      digest: open?.digest ?? '',
      verdict: 'approve',
      person: 'alice',
      at: 1,
      nonce: 'n-0123456789abcdef',
    },
    alice.privateKey,
  )
})

afterAll(async () => {
  await api.close()
  await system.stop()
})

interface Request {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly body: string
  readonly framing: 'length' | 'chunked' | 'longer' | 'shorter' | 'none'
}

const inHeader = hostileText.map((text) => text.replace(/[\r\n]/g, ' ').slice(0, 300))

const method = fc.oneof(
  fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
  fc.constantFrom('TRACE', 'CONNECT', 'PROPFIND', 'get', 'BREW', ''),
)

const path = fc.oneof(
  fc.constantFrom('/status', '/cases', '/decisions', '/approvers', '/notes'),
  fc.constantFrom('/', '//', '*', '/%ff', '/%', '/..//../etc/passwd', '/decisions/', '/status?x=%'),
  fc.constantFrom(
    'http://evil.example/status',
    '/\u0000',
    '/__proto__',
    `/${'x'.repeat(9000)}`,
    '',
  ),
  fc.webPath(),
)

const header: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('Host: evil.example', 'Host:', 'Host: 127.0.0.1', 'Host: localhost:PORT'),
  fc.constantFrom('Origin: http://evil.example', 'Origin: null', 'Origin: http://127.0.0.1:PORT'),
  fc.constantFrom('Authorization: Bearer', 'Authorization: Basic eDp5', `Authorization: ${TOKEN}`),
  fc.constantFrom('Content-Type: text/plain', 'Content-Type: multipart/form-data', 'Content-Type:'),
  fc.constantFrom(
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Expect: the best',
    'Upgrade: h2c',
  ),
  fc.constantFrom('Connection: Upgrade', 'Connection: close', 'Transfer-Encoding: gzip', 'x'),
  fc.tuple(inHeader, inHeader).map(([name, value]) => `${name}: ${value}`),
  fc.constant(`X-Long: ${'x'.repeat(20_000)}`),
)

const body: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.boolean(), fc.array(mutation, { maxLength: 2 }))
    .map(([isDecision, mutations]) =>
      textOf(mutate(isDecision ? decision : approver, mutations).value),
    ),
  hostileJson.map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 2000 }),
  fc.constantFrom('', '{', '{"statement":', 'null', '[]', '1e999', '{"a":1}{"b":2}', '\ufeff{}'),
  fc.integer({ min: 30, max: 100_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 30, max: 30_000 }).map((depth) => deepArgs(depth)),
  fc
    .nat(64)
    .map((less) => JSON.stringify(decisionOf('x'.repeat(API_BODY_BYTES_MAX - 700 + less * 16)))),
)

const request: fc.Arbitrary<Request> = fc.record({
  method,
  path,
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 4 })),
  body,
  framing: fc.constantFrom('length', 'length', 'chunked', 'longer', 'shorter', 'none'),
})

/** A signed statement with arguments of some kind; the signature does not matter for what is tried here. */
function decisionOf(args: unknown): object {
  const { statement, ...rest } = decision as { statement: object }
  return { ...rest, statement: { ...statement, verdict: 'amend', args } }
}

/** A value that is gone has no text. */
function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value)
}

function deepArgs(depth: number): string {
  return JSON.stringify(decisionOf('ARGS')).replace('"ARGS"', '['.repeat(depth) + ']'.repeat(depth))
}

function bytesOf({ method, path, headers, body, framing }: Request): Buffer {
  const names = headers.map((each) => each.split(':')[0]?.toLowerCase())
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...headers.map((each) => each.replace('PORT', String(port))),
  ]
  if (!names.includes('host')) lines.push(`Host: 127.0.0.1:${port}`)
  if (!names.includes('authorization')) lines.push(`Authorization: Bearer ${TOKEN}`)
  const bytes = Buffer.from(body)
  const more = { length: 0, longer: 10, shorter: -1 }[framing as 'length']
  if (typeof more === 'number') lines.push(`Content-Length: ${Math.max(0, bytes.length + more)}`)
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked')
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  if (framing !== 'chunked') return Buffer.concat([head, bytes])
  const size = Buffer.from(bytes.length > 0 ? `${bytes.length.toString(16)}\r\n` : '')
  return Buffer.concat([
    head,
    size,
    bytes,
    Buffer.from(`${bytes.length > 0 ? '\r\n' : ''}0\r\n\r\n`),
  ])
}

/** An answer with JSON in it and, when it is a refusal, a reason. */
function judge({ method }: Request, { status, body }: RawAnswer): boolean {
  const isDone = status >= 200 && status < 300
  expect(status).toBeGreaterThanOrEqual(200)
  expect(status).toBeLessThan(500)
  if (method === 'HEAD') return isDone
  expect(body).toBeTypeOf('object')
  if (!isDone) {
    const { error, message } = body as { error?: unknown; message?: unknown }
    expect(error ?? message).toMatch(/./)
  }
  return isDone
}

const isUp = async () => {
  const { status } = await exchange(
    port,
    `GET /status HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
  )
  return status === 200
}

test(
  'Y7 any request is answered with JSON: done, or refused as the caller’s doing with a reason',
  async () => {
    const property = fc.asyncProperty(request, async (given) => {
      tally.given()
      const send = given.framing === 'longer' ? breakOff : exchange
      tally.settle(judge(given, await send(port, bytesOf(given))))
      expect(isPrototypeClean()).toBe(true)
    })
    await fc.assert(property, runs(2000))
    expect(await isUp()).toBe(true)
    expect(system.alarms).toEqual([])
  },
  LIMIT_MS,
)

test('Y7 a stranger is told nothing: every path but for the token is refused alike', async () => {
  const paths = ['/status', '/cases', '/nowhere', '/decisions', '/__proto__', '/%ff']
  for (const target of paths) {
    for (const method of ['GET', 'POST', 'PUT']) {
      tally.given()
      const host = `Host: 127.0.0.1:${port}`
      const { status, body } = await exchange(
        port,
        `${method} ${target} HTTP/1.1\r\n${host}\r\n\r\n`,
      )
      expect({ target, method, status, body }).toMatchObject({
        status: 401,
        body: { error: /token/ },
      })
      tally.settle(false)
    }
  }
})

test(
  'Y8 bodies over the cap are answered, and nothing of what is beyond it is kept',
  async () => {
    const huge = Buffer.alloc(32 * MEBIBYTE, 'x')
    const before = bytesInUse()
    const targets = ['/decisions', '/approvers', '/notes', '/status', '/nowhere']
    const statuses = await Promise.all(
      Array.from({ length: targets.length * TIMES }, async (_, i) => {
        tally.given()
        const target = targets[i % targets.length] ?? ''
        const head = bytesOf({ ...plain, path: target, body: '' }).toString()
        const long = head.replace('Content-Length: 0', `Content-Length: ${huge.length}`)
        const { status } = await exchange(port, long, huge)
        tally.settle(false)
        return `${target} ${status}`
      }),
    )
    expect([...new Set(statuses)].sort()).toEqual(
      ['/approvers 400', '/decisions 400', '/notes 413', '/nowhere 404', '/status 404'].sort(),
    )
    await waitFor(() => bytesInUse() - before < KEPT_BYTES_MAX, {
      what: 'the bodies to be forgotten',
    })
    expect(await isUp()).toBe(true)
  },
  LIMIT_MS,
)

test('Y8 requests that never end hold up nobody, and closing ends them', async () => {
  const starts = [
    '',
    'G',
    'POST /decisions HTTP/1.1\r\n',
    bytesOf({ ...plain, framing: 'longer', body: 'x' }),
  ]
  const open = await Promise.all(
    Array.from({ length: 200 }, (_, i) => begin(port, String(starts[i % starts.length]))),
  )
  expect(await isUp()).toBe(true)
  const other = await startApi({ system, token: TOKEN, port: 0, routes: [], summary: () => ({}) })
  const held = await begin(Number(new URL(other.url).port), 'POST /decisions HTTP/1.1\r\n')
  await other.close()
  await waitFor(() => held.destroyed)
  for (const socket of open) socket.destroy()
})

const plain: Request = {
  method: 'POST',
  path: '/decisions',
  headers: [],
  body: '',
  framing: 'length',
}
