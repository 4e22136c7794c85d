import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  makeTickets,
  newRun,
  NOW,
  runDesk,
  startPaymentsProcess,
  type Decision,
} from '../support/desk-process.ts'
import { replayLedger } from '../support/replay-ledger.ts'

const refund = 'Please refund my order, it arrived broken.'
const given = {
  order: 'o-1',
  amount: '10.00',
  currency: 'USD',
  category: 'refund',
  confidence: 0.95,
}

function ticket(id: string, facts: object = {}, text = refund): string {
  return JSON.stringify({
    id,
    customer: 'c-1',
    text,
    facts: { ...given, order: `order-${id}`, ...facts },
  })
}

/** One ticket for each way to end, with what must be said of it. */
const table: { line: string; outcome: string; rules: string[] }[] = [
  { line: ticket('small'), outcome: 'refunded', rules: [] },
  { line: ticket('limit', { amount: '500.00' }), outcome: 'refunded', rules: [] },
  { line: ticket('over', { amount: '500.01' }), outcome: 'awaitingHuman', rules: ['perAction'] },
  { line: ticket('euro', { currency: 'EUR' }), outcome: 'awaitingHuman', rules: ['currency'] },
  { line: ticket('legal', { category: 'legal' }), outcome: 'awaitingHuman', rules: ['category'] },
  { line: ticket('unsure', { confidence: 0.79 }), outcome: 'awaitingHuman', rules: ['confidence'] },
  { line: ticket('sure', { confidence: 0.8 }), outcome: 'refunded', rules: [] },
  {
    line: ticket('much', { amount: '900.00', category: 'legal' }),
    outcome: 'awaitingHuman',
    rules: ['perAction', 'category'],
  },
  {
    line: JSON.stringify({ id: 'bare', customer: 'c-1', text: 'I want a refund please.' }),
    outcome: 'awaitingHuman',
    rules: ['missingFact'],
  },
  {
    line: ticket('question', {}, 'What are your opening hours on Sunday?'),
    outcome: 'denied',
    rules: ['notARefund'],
  },
  { line: ticket('minus', { amount: '-5.00' }), outcome: 'invalid', rules: ['invalid'] },
  { line: ticket('zero', { amount: '0.00' }), outcome: 'invalid', rules: ['invalid'] },
  { line: ticket('thirds', { amount: '1.234' }), outcome: 'invalid', rules: ['invalid'] },
  { line: ticket('power', { amount: '1e3' }), outcome: 'invalid', rules: ['invalid'] },
  { line: ticket('zeros', { amount: '007.00' }), outcome: 'invalid', rules: ['invalid'] },
  { line: ticket('nowhere', { currency: 'XYZ' }), outcome: 'invalid', rules: ['invalid'] },
  { line: '{"customer":"nobody","text":"refund"}', outcome: 'invalid', rules: ['invalid'] },
  { line: 'not json at all', outcome: 'invalid', rules: ['invalid'] },
  {
    line: `{"id":"deep","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    outcome: 'invalid',
    rules: ['invalid'],
  },
  {
    line: `{"id":"huge","text":"${'x'.repeat(1_100_000)}"}`,
    outcome: 'invalid',
    rules: ['invalid'],
  },
  { line: ticket('odd id / with # and \u00e9'), outcome: 'refunded', rules: [] },
]

test('D1 every ticket ends in its outcome with the rules that asked', async () => {
  const lines = table.map(({ line }) => line)
  const { decisions, summary } = await runDesk(newRun(lines, '--now', NOW, '--agents', '3'))
  expect(decisions.map(({ outcome, rules }) => ({ outcome, rules }))).toEqual(
    table.map(({ outcome, rules }) => ({ outcome, rules })),
  )
  expect(summary).toMatchObject({
    tickets: table.length,
    refunded: 4,
    awaitingHuman: 6,
    denied: 1,
    invalid: 10,
  })
  expect(summary.spent).toEqual({ USD: '530.00' })
})

test('D8 a message that asks for no refund is denied with the rule notARefund', async () => {
  const line = ticket(
    'q',
    { confidence: undefined, category: undefined },
    'How do I change my delivery address?',
  )
  const { decisions } = await runDesk(newRun([line], '--now', NOW))
  expect(decisions).toMatchObject([{ ticket: 'q', outcome: 'denied', rules: ['notARefund'] }])
})

test('D2 a ticket that comes again is a duplicate, also in a later run on the same journal', async () => {
  const payments = await startPaymentsProcess()
  const lines = [ticket('a'), ticket('b'), ticket('a'), ticket('a', { amount: '11.00' })]
  const run = newRun(lines, '--now', NOW, '--payments', payments.url)
  const first = await runDesk(run)
  expect(first.summary).toMatchObject({
    tickets: 2,
    refunded: 2,
    duplicates: 2,
    effects: { attempts: 2, keys: 2 },
  })
  const again = await runDesk(run)
  expect(again.summary).toEqual(first.summary)
  expect(await payments.refunds()).toHaveLength(2)
  await payments.stop()
})

test('D7 with 20 agents, 10 % of tickets twice and 20 % of payments failing nothing is refunded twice', async () => {
  const payments = await startPaymentsProcess('--fail', '20', '--seed', '7')
  const tickets = makeTickets(60, 'seven')
  const lines = [...tickets, ...tickets.filter((_, i) => i % 10 === 0)]
  const run = newRun(lines, '--now', NOW, '--agents', '20', '--payments', payments.url)
  const { summary, decisions } = await runDesk(run)
  const refunds = await payments.refunds()
  expect(new Set(refunds.map(({ order }) => order)).size).toBe(refunds.length)
  expect(summary).toMatchObject({
    tickets: 60,
    duplicates: 6,
    inDoubt: 0,
    refunded: refunds.length,
  })
  expect(summary.effects.attempts).toBeGreaterThan(summary.effects.keys)
  expect(sumOf(refunds)).toBe(sumOf(decisions.filter(({ outcome }) => outcome === 'refunded')))
  expect(summary.spent.USD).toBe((sumOf(refunds) / 100).toFixed(2))
  const ledger = await replayLedger(run.journal)
  expect(ledger).toMatchObject({ overspent: [], needlessRefusals: [] })
  await payments.stop()
})

test('D5 without idempotency an unknown outcome ends in doubt and is never repeated', async () => {
  const payments = await startPaymentsProcess('--fail', '40', '--seed', '3', '--no-idempotency')
  const run = newRun(
    makeTickets(30, 'five'),
    '--now',
    NOW,
    '--agents',
    '4',
    '--payments',
    payments.url,
  )
  const { summary, decisions } = await runDesk(run)
  const refunds = await payments.refunds()
  expect(summary.inDoubt).toBeGreaterThan(0)
  expect(summary.effects.attempts).toBe(summary.effects.keys)
  expect(new Set(refunds.map(({ order }) => order)).size).toBe(refunds.length)
  // Every refund made is one the desk knows of or is in doubt about, and the other way round.
  expect(refunds.length).toBeGreaterThanOrEqual(summary.refunded)
  expect(refunds.length).toBeLessThanOrEqual(summary.refunded + summary.inDoubt)
  expect(decisions.filter(({ outcome }) => outcome === 'inDoubt').every(hasCase)).toBe(true)
  await payments.stop()
})

test('D4 no more tickets than agents are at work at a time, and a waiting case holds no slot', async () => {
  const run = newRun(makeTickets(40, 'four'), '--now', NOW, '--agents', '2')
  const { summary } = await runDesk(run)
  expect(summary.refunded + summary.awaitingHuman).toBe(40)
  expect(await mostAtWork(run.journal)).toBe(2)
})

test('D7 the sample that the project brings holds every kind of ticket', () => {
  const sample = readFileSync(
    new URL('../../examples/refund-desk/tickets.sample.jsonl', import.meta.url),
    'utf8',
  )
  expect(sample.trim().split('\n').length).toBeGreaterThanOrEqual(40)
})

function sumOf(of: readonly { amount: string | null }[]): number {
  return of.reduce((sum, { amount }) => sum + Math.round(Number(amount) * 100), 0)
}

function hasCase(decision: Decision): boolean {
  return typeof (decision as { case?: unknown }).case === 'string'
}

/** Reads from the log how many ticket agents were between assignment and rest at once. */
async function mostAtWork(journal: string): Promise<number> {
  const { openSqliteReader } = await import('../../src/embedded/sqlite-reader.ts')
  const reader = await openSqliteReader(journal)
  const turns = reader?.history({}) ?? []
  reader?.close()
  const atWork = new Set<string>()
  let most = 0
  for (const { address, record } of turns) {
    const { message } = JSON.parse(record) as {
      message: { type: string; body: { id?: string; ticket?: { id: string } } }
    }
    if (address.startsWith('/desk/tickets/') && message.type === 'ticket.assigned')
      atWork.add(message.body.ticket?.id ?? '')
    if (address === '/desk/intake' && message.type === 'ticket.rested')
      atWork.delete(message.body.id ?? '')
    most = Math.max(most, atWork.size)
  }
  return most
}
