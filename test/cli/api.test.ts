import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import {
  end,
  firstMatch,
  makeTicket,
  newRun,
  NOW,
  spawnDesk,
  type DeskRun,
} from '../support/desk-process.ts'

let run: DeskRun
let desk: ChildProcess
let url: string
let authorization: string

beforeAll(async () => {
  run = newRun([], '--now', NOW)
  desk = spawnDesk(run)
  desk.stderr?.resume()
  url = await firstMatch(desk, /listens on (http:\S+)/)
  const { token } = JSON.parse(readFileSync(join(run.journal, 'api.json'), 'utf8')) as {
    token: string
  }
  authorization = `Bearer ${token}`
})

afterAll(() => end(desk, 'SIGTERM'))

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** Unlike fetch, a plain request may say any Host. */
function call(
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const post = (body: string, headers: Record<string, string> = { authorization }) =>
  call('POST', '/tickets', headers, body)

test('C3 the token lies in the journal folder and only its owner may read it', () => {
  expect(statSync(join(run.journal, 'api.json')).mode & 0o777).toBe(0o600)
})

test('C3 a request without the token, or with another, is refused', async () => {
  expect((await post(makeTicket('t', '15.00'), {})).status).toBe(401)
  expect((await post(makeTicket('t', '15.00'), { authorization: 'Bearer wrong' })).status).toBe(401)
  expect((await call('GET', '/cases', {})).status).toBe(401)
})

test('C3 a request from another page or under another name is refused, token or not', async () => {
  expect(
    (await post(makeTicket('t', '15.00'), { authorization, origin: 'http://evil.example' })).status,
  ).toBe(403)
  expect(
    (await post(makeTicket('t', '15.00'), { authorization, host: 'evil.example' })).status,
  ).toBe(403)
  expect((await call('GET', '/status', { authorization, origin: url })).status).toBe(200)
})

test('C4 a ticket is answered with 200 once it is in the journal', async () => {
  expect(await post(makeTicket('posted', '15.00'))).toEqual({
    status: 200,
    body: { taken: 1, duplicates: 0, invalid: 0 },
  })
  const reader = await openSqliteReader(run.journal)
  expect(reader?.rows('/desk/intake').has('ticket:posted')).toBe(true)
  reader?.close()
})

test('D2 a ticket posted twice is a duplicate', async () => {
  await post(makeTicket('twice', '15.00'))
  expect(await post(makeTicket('twice', '15.00'))).toEqual({
    status: 200,
    body: { taken: 0, duplicates: 1, invalid: 0 },
  })
})

test.each([
  { name: 'without fields', body: '{"id":"x"}' },
  { name: 'that is empty', body: '' },
  { name: 'that is no JSON', body: 'refund me' },
  { name: 'over 1 MiB', body: `{"id":"huge","text":"${'x'.repeat(1_200_000)}"}` },
  { name: '10,000 levels deep', body: `${'['.repeat(10_000)}${']'.repeat(10_000)}` },
])(
  'X3 a posted ticket $name is answered with 422 and its reason, and the desk goes on',
  async ({ body }) => {
    const answer = await post(body)
    expect(answer).toMatchObject({ status: 422, body: { invalid: 1, outcome: 'invalid' } })
    expect(typeof answer.body.reason).toBe('string')
    expect((await call('GET', '/status', { authorization })).status).toBe(200)
  },
)

test('C3 a decision that is no signed statement is refused with what was expected', async () => {
  const answer = await call(
    'POST',
    '/decisions',
    { authorization },
    '{"statement":{"verdict":"approve"}}',
  )
  expect(answer).toMatchObject({ status: 400 })
  expect(answer.body.error).toMatch(/Expected a signed statement/)
})

test('C3 an unknown path is answered with 404', async () => {
  expect((await call('GET', '/nowhere', { authorization })).status).toBe(404)
})

test('C2 a desk that is told to stop exits 0 and takes its token away', async () => {
  await end(desk, 'SIGTERM')
  expect(desk.exitCode).toBe(0)
  expect(existsSync(join(run.journal, 'api.json'))).toBe(false)
})
