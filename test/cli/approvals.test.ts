import { expect, test } from 'vitest'
import {
  end,
  exited,
  firstMatch,
  makeTicket,
  newRun,
  NOW,
  readDecisions,
  runCli,
  runDesk,
  spawnDesk,
  startPaymentsProcess,
} from '../support/desk-process.ts'
import { waitFor } from '../wait-for.ts'

async function json(
  ...args: string[]
): Promise<{ code: number | null; value: Record<string, unknown> }> {
  const { code, out, err } = await runCli(...args, '--json')
  try {
    return {
      code,
      value: JSON.parse(out.trim().split('\n').at(-1) ?? '') as Record<string, unknown>,
    }
  } catch {
    throw new Error(`no JSON from ${args.join(' ')}: ${out}${err}`)
  }
}

test('A12 decisions signed while no desk runs wait in the journal and take effect at the next start', async () => {
  const payments = await startPaymentsProcess()
  const lines = [
    makeTicket('a', '720.00'),
    makeTicket('b', '730.00'),
    makeTicket('c', '740.00'),
    makeTicket('d', '20.00'),
  ]
  const run = newRun(lines, '--now', NOW, '--agents', '1', '--payments', payments.url)
  await runDesk(run)
  const at = ['--journal', run.journal]
  expect((await json('approvals', 'list', ...at)).value.cases).toHaveLength(3)
  expect((await json('keygen', 'alice', ...at)).value).toMatchObject({
    person: 'alice',
    registered: 'journal',
  })
  expect((await json('approvals', 'approve', 'c-1', ...at)).value).toMatchObject({
    taken: 'journal',
    status: 'waiting',
  })
  await json('approvals', 'amend', 'c-2', '--args', '{"amount":"30.00 USD"}', ...at)
  await json('approvals', 'reject', 'c-3', '--reason', 'not ours', ...at)
  const { summary, decisions } = await runDesk(run)
  expect(decisions.map(({ outcome, amount }) => [outcome, amount])).toEqual([
    ['refunded', '720.00'],
    ['refunded', '30.00'],
    ['denied', '740.00'],
    ['refunded', '20.00'],
  ])
  expect(summary.spent.USD).toBe('770.00')
  expect(await payments.refunds()).toHaveLength(3)
  const explained = await runCli('log', 'explain', 'c-1', ...at)
  expect(explained.out).toMatch(
    /escalated {2}as case c-1 because of perAction[\s\S]*human {6}alice: approve[\s\S]*outcome {4}committed/,
  )
  await payments.stop()
})

test('A1 approving from another terminal makes the refund happen while the desk runs', async () => {
  const payments = await startPaymentsProcess()
  const run = newRun([makeTicket('a', '720.00')], '--now', NOW, '--payments', payments.url)
  const desk = spawnDesk(run)
  await firstMatch(desk, /listens on (http:\S+)/)
  desk.stderr?.resume()
  const at = ['--journal', run.journal]
  await waitFor(
    async () => ((await json('approvals', 'list', ...at)).value.cases as unknown[]).length === 1,
    { what: 'the case' },
  )
  expect((await json('keygen', 'alice', '--role', 'support', ...at)).value).toMatchObject({
    registered: 'desk',
  })
  const wrong = await runCli('approvals', 'approve', 'c-1', ...at)
  expect([wrong.code, wrong.err]).toEqual([
    1,
    expect.stringContaining('none of the roles that decide here: finance'),
  ])
  await json('keygen', 'bob', '--role', 'finance', ...at)
  const several = await runCli('approvals', 'approve', 'c-1', ...at)
  expect([several.code, several.err]).toEqual([3, expect.stringContaining('--as: alice, bob')])
  expect((await json('approvals', 'approve', 'c-1', '--as', 'bob', ...at)).value).toMatchObject({
    taken: 'desk',
    status: 'approved',
  })
  await waitFor(async () => (await payments.refunds()).length === 1, { what: 'the refund' })
  await waitFor(() => readDecisions(run)[0]?.outcome === 'refunded', { what: 'the decisions file' })
  const twice = await runCli('approvals', 'approve', 'c-1', '--as', 'bob', ...at)
  expect([twice.code, twice.err]).toEqual([1, expect.stringContaining('nothing is left to decide')])
  const ended = exited(desk)
  desk.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(readDecisions(run)).toMatchObject([
    { ticket: 'a', outcome: 'refunded', rules: ['perAction'] },
  ])
  await end(desk, 'SIGKILL')
  await payments.stop()
})
