import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readPaymentsOptions } from '../../examples/refund-desk/payments-options.ts'
import {
  startPayments,
  type Payments,
  type PaymentsOptions,
} from '../../examples/refund-desk/payments-server.ts'
import type { Refund } from '../../examples/refund-desk/refund-file.ts'

const claim = { order: 'A-1', amount: '499.99', currency: 'USD' }

let running: Payments[] = []

afterEach(async () => {
  await Promise.all(running.map((payments) => payments.close()))
  running = []
})

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'payments-')), 'refunds.jsonl')
}

async function start(options: Partial<PaymentsOptions> = {}): Promise<Payments> {
  const payments = await startPayments({ port: 0, dataFile: newFile(), ...options })
  running.push(payments)
  return payments
}

async function stop(payments: Payments): Promise<void> {
  await payments.close()
  running = running.filter((other) => other !== payments)
}

async function post(payments: Payments, body: unknown, key?: string) {
  const response = await fetch(`${payments.url}/refunds`, {
    method: 'POST',
    headers: key === undefined ? {} : { 'idempotency-key': key },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function list(payments: Payments): Promise<Refund[]> {
  const response = await fetch(`${payments.url}/refunds`)
  return (await response.json()) as Refund[]
}

test('X1 a refund is answered with 201 and listed', async () => {
  const payments = await start()
  const answer = await post(payments, claim, 'k-1')
  expect(answer).toEqual({ status: 201, body: { refundId: 'rf-1', ...claim, key: 'k-1' } })
  const [refund, ...others] = await list(payments)
  expect(others).toEqual([])
  expect(refund).toMatchObject({ refundId: 'rf-1', ...claim, key: 'k-1' })
  expect(refund?.at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
})

test('X1 the same key again gets the first answer and makes no second refund', async () => {
  const payments = await start()
  const first = await post(payments, claim, 'k-1')
  const again = await post(payments, claim, 'k-1')
  expect(again).toEqual({ status: 200, body: first.body })
  expect(await list(payments)).toHaveLength(1)
})

test('X1 ten posts at once with one key make one refund', async () => {
  const payments = await start()
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(payments, claim, 'k-1')))
  const statuses = answers.map(({ status }) => status).sort()
  expect(statuses).toEqual([...Array<number>(9).fill(200), 201])
  expect(await list(payments)).toHaveLength(1)
})

test.each([
  ['amount', { ...claim, amount: '500.00' }],
  ['order', { ...claim, order: 'A-2' }],
  ['currency', { ...claim, currency: 'EUR' }],
])('X1 the same key with another %s is refused with 422', async (_field, other) => {
  const payments = await start()
  await post(payments, claim, 'k-1')
  expect((await post(payments, other, 'k-1')).status).toBe(422)
  expect(await list(payments)).toHaveLength(1)
})

test('X1 a key is remembered over a restart', async () => {
  const dataFile = newFile()
  const before = await start({ dataFile })
  const first = await post(before, claim, 'k-1')
  await stop(before)
  const after = await start({ dataFile })
  expect(await post(after, claim, 'k-1')).toEqual({ status: 200, body: first.body })
  expect((await post(after, claim, 'k-2')).body).toMatchObject({ refundId: 'rf-2' })
  expect(await list(after)).toHaveLength(2)
})

test('X1 a post without a key is refused with 400', async () => {
  const payments = await start()
  expect((await post(payments, claim)).status).toBe(400)
  expect(await list(payments)).toEqual([])
})

test.each([
  ['no JSON', '{'],
  ['a list', []],
  ['a missing order', { amount: '5', currency: 'USD' }],
  ['an amount that is a number', { ...claim, amount: 5 }],
  ['a negative amount', { ...claim, amount: '-5' }],
  ['an amount of zero', { ...claim, amount: '0.00' }],
  ['three decimals', { ...claim, amount: '5.001' }],
  ['an unknown currency', { ...claim, currency: 'XYZ' }],
  ['a malformed currency', { ...claim, currency: 'dollar' }],
  ['decimals of a yen', { ...claim, amount: '5.50', currency: 'JPY' }],
])('X1 a body with %s is refused with 400', async (_what, body) => {
  const payments = await start()
  const answer = await post(payments, body, 'k-1')
  expect(answer.status).toBe(400)
  expect(answer.body.error).toMatch(/expected/i)
  expect(await list(payments)).toEqual([])
})

test('X1 a body over 64 KiB is refused with 413', async () => {
  const payments = await start()
  const answer = await post(payments, { ...claim, note: 'x'.repeat(65_536) }, 'k-1')
  expect(answer.status).toBe(413)
  expect(await list(payments)).toEqual([])
})

test('X1 without idempotency each post makes a refund and its key is only recorded', async () => {
  const payments = await start({ idempotency: false })
  expect((await post(payments, claim, 'k-1')).status).toBe(201)
  expect((await post(payments, claim, 'k-1')).status).toBe(201)
  expect((await post(payments, claim)).status).toBe(201)
  expect((await list(payments)).map(({ key }) => key)).toEqual(['k-1', 'k-1', null])
})

test.each([true, false])(
  'X1 the server says whether keys are looked up: %s',
  async (idempotency) => {
    const payments = await start({ idempotency })
    const response = await fetch(`${payments.url}/capabilities`)
    expect(await response.json()).toEqual({ idempotency })
  },
)

test('X2 of the answers that fail, half were lost after the refund was made', async () => {
  const payments = await start({ failPercent: 100, seed: 7 })
  for (let i = 0; i < 100; i++) expect((await post(payments, claim, `k-${i}`)).status).toBe(503)
  const made = (await list(payments)).length
  expect(made).toBeGreaterThan(35)
  expect(made).toBeLessThan(65)
})

test('X2 a retry with the same key after 503 makes the refund once, whether it was made or not', async () => {
  const payments = await start({ failPercent: 60, seed: 3 })
  for (let i = 0; i < 20; i++) {
    let status = 503
    while (status === 503) status = (await post(payments, claim, `k-${i}`)).status
    expect([200, 201]).toContain(status)
  }
  const keys = (await list(payments)).map(({ key }) => key)
  expect(new Set(keys).size).toBe(20)
  expect(keys).toHaveLength(20)
})

test('X2 the same seed fails the same posts', async () => {
  const runs = [
    await start({ failPercent: 40, seed: 11 }),
    await start({ failPercent: 40, seed: 11 }),
  ]
  const statuses: number[][] = [[], []]
  for (let i = 0; i < 30; i++) {
    for (const [run, payments] of runs.entries()) {
      statuses[run]?.push((await post(payments, claim, `k-${i}`)).status)
    }
  }
  expect(statuses[0]).toEqual(statuses[1])
  expect(new Set(statuses[0])).toEqual(new Set([201, 503]))
})

test('X2 a refund is on the disk while its answer still waits', async () => {
  const payments = await start({ delayMs: 300_000 })
  const abort = new AbortController()
  const waiting = fetch(`${payments.url}/refunds`, {
    method: 'POST',
    headers: { 'idempotency-key': 'k-1' },
    body: JSON.stringify(claim),
    signal: abort.signal,
  })
  waiting.catch(() => undefined)
  await expect.poll(() => list(payments)).toHaveLength(1)
  abort.abort()
  await expect(waiting).rejects.toThrow()
  expect(await list(payments)).toHaveLength(1)
})

test('X6 a torn last line is dropped with a warning and the file goes on from the last whole line', async () => {
  const dataFile = newFile()
  const before = await start({ dataFile })
  await post(before, claim, 'k-1')
  await stop(before)
  const whole = readFileSync(dataFile, 'utf8')
  appendFileSync(dataFile, '{"refundId":"rf-2","order":"Ä')
  const warnings: string[] = []
  const after = await start({ dataFile, warn: (message) => warnings.push(message) })
  expect(warnings).toEqual([expect.stringContaining('torn last line')])
  expect(readFileSync(dataFile, 'utf8')).toBe(whole)
  await post(after, claim, 'k-2')
  await stop(after)
  expect(await list(await start({ dataFile }))).toHaveLength(2)
})

test.each([
  ['is no JSON', 'not json'],
  ['is empty', ''],
  ['is no refund', '{"refundId":"rf-1"}'],
])('X6 a whole line that %s keeps the server from starting', async (_what, line) => {
  const dataFile = newFile()
  writeFileSync(dataFile, `${line}\n{"torn`)
  await expect(start({ dataFile })).rejects.toThrow(/line 1: expected a refund as JSON/)
  expect(readFileSync(dataFile, 'utf8')).toBe(`${line}\n{"torn`)
})

test('X1 a port that is taken is said so', async () => {
  const { port } = await start()
  await expect(start({ port })).rejects.toThrow(`port ${port}, but it is taken`)
})

test('X2 the command line turns its flags into options', () => {
  const args = '--port 4100 --data r.jsonl --fail 12.5 --seed 9 --delay 20 --no-idempotency'.split(
    ' ',
  )
  expect(readPaymentsOptions(args)).toEqual({
    ok: true,
    options: {
      port: 4100,
      dataFile: 'r.jsonl',
      failPercent: 12.5,
      seed: 9,
      delayMs: 20,
      idempotency: false,
    },
  })
})

test.each([
  ['--port 4100', '--data'],
  ['--data r.jsonl', '--port'],
  ['--port 70000 --data r.jsonl', '70000'],
  ['--port 1 --data r.jsonl --fail 101', '101'],
  ['--port 1 --data r.jsonl --delay -5', '--delay'],
  ['--port 1 --data r.jsonl --chaos', '--chaos'],
  ['--port 1 --data r.jsonl extra', 'extra'],
])('X2 the command line %s is refused with a message about %s', (line, named) => {
  const read = readPaymentsOptions(line.split(' '))
  expect(read.ok ? '' : read.message).toContain(named)
})
