import { expect, test } from 'vitest'
import { createSeededRandom } from '../../src/kernel/random.ts'
import {
  killDesk,
  makeTickets,
  newRun,
  NOW,
  runCli,
  runDesk,
  startPaymentsProcess,
} from '../support/desk-process.ts'
import { replayLedger } from '../support/replay-ledger.ts'

/** `npm run evidence` raises these; CI shows that the campaign itself works. */
const KILLS = Number(process.env.AMBIT_KILLS ?? 8)
const TICKETS = Number(process.env.AMBIT_TICKETS ?? 60)

/**
 * Kills the desk at random moments, half of them while it works and half from its very start, then lets it finish. A
 * life works at most `workMs`, so that the run does not end before all kills have fallen.
 */
async function campaign(agents: number, workMs: number, ...server: string[]) {
  const random = createSeededRandom(`${agents} agents`)
  const payments = await startPaymentsProcess(...(server.length > 0 ? server : ['--delay', '15']))
  const tickets = makeTickets(TICKETS, 'kill')
  const run = newRun(tickets, '--agents', String(agents), '--now', NOW, '--payments', payments.url)
  let kills = 0
  for (let lives = 0; kills < KILLS && lives < KILLS * 2; lives++) {
    const after = lives % 2 === 0 ? 'ready' : 'spawn'
    const delayMs = Math.floor(random() * (after === 'ready' ? workMs : 350))
    if ((await killDesk(run, { after, delayMs })) === 'ended') break
    kills++
  }
  const killed = await runDesk(run)
  const verified = await runCli('log', 'verify', '--journal', run.journal, '--json')
  const refunds = await payments.refunds()
  const ledger = await replayLedger(run.journal)
  await payments.stop()
  return { ...killed, kills, refunds, verified, ledger }
}

async function uninterrupted(agents: number) {
  const payments = await startPaymentsProcess()
  const run = newRun(
    makeTickets(TICKETS, 'kill'),
    '--agents',
    String(agents),
    '--now',
    NOW,
    '--payments',
    payments.url,
  )
  const result = await runDesk(run)
  await payments.stop()
  return result
}

test('D3 a desk of one agent killed at random moments decides what an uninterrupted one decides', async () => {
  const [calm, killed] = [await uninterrupted(1), await campaign(1, 80)]
  expect(killed.decisions).toEqual(calm.decisions)
  expect(new Set(killed.refunds.map(({ key }) => key)).size).toBe(killed.refunds.length)
  expect(killed.refunds.length).toBe(killed.summary.refunded)
  expect(killed.verified.code).toBe(0)
  expect(killed.ledger.overspent).toEqual([])
  console.log(
    `kills ${killed.kills}, refunds ${killed.refunds.length}, attempts ${killed.summary.effects.attempts}`,
  )
}, 900_000)

test('D6 eight agents killed at random moments never overspend, and each window refusal was necessary', async () => {
  const [calm, killed] = [await uninterrupted(8), await campaign(8, 20)]
  const withoutWindow = (decisions: typeof calm.decisions) =>
    decisions.map(({ ticket, rules }) => [ticket, rules.filter((rule) => rule !== 'window')])
  expect(withoutWindow(killed.decisions)).toEqual(withoutWindow(calm.decisions))
  expect(new Set(killed.refunds.map(({ key }) => key)).size).toBe(killed.refunds.length)
  expect(killed.verified.code).toBe(0)
  expect(killed.ledger.overspent).toEqual([])
  expect(killed.ledger.needlessRefusals).toEqual([])
  console.log(
    `kills ${killed.kills}, refunds ${killed.refunds.length}, most spent ${killed.ledger.mostUsed / 100}`,
  )
}, 900_000)

test('D5 without idempotency a desk killed at random moments refunds no order twice', async () => {
  const killed = await campaign(4, 100, '--no-idempotency', '--delay', '60')
  const orders = killed.refunds.map(({ order }) => order)
  expect(new Set(orders).size).toBe(orders.length)
  // What was cut off is in doubt, whether it happened or not; nothing is missing and nothing is invented.
  expect(orders.length).toBeGreaterThanOrEqual(killed.summary.refunded)
  expect(orders.length).toBeLessThanOrEqual(killed.summary.refunded + killed.summary.inDoubt)
  expect(killed.verified.code).toBe(0)
  expect(killed.ledger).toMatchObject({ overspent: [], needlessRefusals: [] })
  console.log(`kills ${killed.kills}, refunds ${orders.length}, in doubt ${killed.summary.inDoubt}`)
}, 900_000)
