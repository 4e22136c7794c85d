import { createRequire } from 'node:module'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  makeTickets,
  newRun,
  NOW,
  runCli,
  runDesk,
  temporaryFolder,
  type DeskRun,
} from '../support/desk-process.ts'

interface Database {
  exec(sql: string): void
  close(): void
}

const Sqlite = createRequire(import.meta.url)('libsql') as new (file: string) => Database

let run: DeskRun
let head: string

beforeAll(async () => {
  run = newRun(makeTickets(12, 'log'), '--now', NOW)
  await runDesk(run)
  head = (await runCli('log', 'head', '--journal', run.journal)).out.trim()
})

/** What a forger does to the log, and what is said of it; without the heads, only the kept one is left. */
const forgeries: { name: string; sql: string; says: RegExp }[] = [
  {
    name: 'an edited record',
    sql: `UPDATE turn SET record = replace(record, '"seq":1', '"seq":7') WHERE position = 9`,
    says: /Record 9 .* is not what was written/,
  },
  {
    name: 'a removed record',
    sql: 'DELETE FROM turn WHERE position = 9',
    says: /stands where record 9 should be/,
  },
  {
    name: 'two records that changed places',
    sql: [
      'UPDATE turn SET position = -1 WHERE position = 9',
      'UPDATE turn SET position = 9 WHERE position = 10',
      'UPDATE turn SET position = 10 WHERE position = -1',
    ].join(';'),
    says: /Record 9 .* is not what was written/,
  },
  {
    name: 'a cut tail',
    sql: 'DELETE FROM turn WHERE position > (SELECT max(position) - 3 FROM turn)',
    says: /its tail was cut/,
  },
]

test('C5 an untouched log is verified, also against a head kept elsewhere', async () => {
  const { code, out } = await runCli('log', 'verify', '--journal', run.journal, '--head', head)
  expect(out).toMatch(/The log holds: \d+ records in one unbroken chain/)
  expect(code).toBe(0)
})

test.each(forgeries)('C5 $name is found', async ({ sql, says }) => {
  const copy = forge(sql)
  const { code, err } = await runCli('log', 'verify', '--journal', copy, '--head', head)
  expect(err).toMatch(says)
  expect(code).toBe(1)
})

test('J9 a cut tail is found by the heads that the desk itself noted', async () => {
  const copy = forge(forgeries[3]!.sql)
  expect((await runCli('log', 'verify', '--journal', copy)).code).toBe(1)
  rmSync(join(copy, 'heads.jsonl'))
  expect((await runCli('log', 'verify', '--journal', copy)).code).toBe(0)
})

test('C6 explain tells the proposal, the rules, the case and the outcome, as JSON too', async () => {
  const list = await runCli('approvals', 'list', '--journal', run.journal, '--json')
  const { cases } = JSON.parse(list.out) as { cases: { id: string; key: string }[] }
  const [first] = cases
  expect(first).toBeDefined()
  const { out, code } = await runCli(
    'log',
    'explain',
    first!.id,
    '--journal',
    run.journal,
    '--json',
  )
  const { key, steps } = JSON.parse(out) as { key: string; steps: { thought: { kind: string } }[] }
  expect(code).toBe(0)
  expect(key).toBe(first!.key)
  expect(steps.map(({ thought }) => thought.kind)).toEqual(['proposed', 'decision', 'escalated'])
})

test.each([
  { args: ['approvals', 'list'], has: 'cases' },
  { args: ['log', 'show', '--last', '5'], has: 'records' },
  { args: ['log', 'head'], has: 'hash' },
  { args: ['log', 'verify'], has: 'ok' },
  { args: ['approvals', 'show', 'c-1'], has: 'digest' },
])('C2 `ambit $args` prints one JSON object with --json and exits 0', async ({ args, has }) => {
  const { out, code } = await runCli(...args, '--journal', run.journal, '--json')
  expect(out.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(out)).toHaveProperty(has)
  expect(code).toBe(0)
})

function forge(sql: string): string {
  const copy = join(temporaryFolder(), 'journal')
  cpSync(run.journal, copy, { recursive: true })
  const database = new Sqlite(join(copy, 'journal.sqlite'))
  database.exec(sql)
  database.close()
  return copy
}
