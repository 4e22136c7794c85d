import { expect, test } from 'vitest'
import {
  makeTicket,
  newRun,
  NOW,
  runCli,
  runDesk,
  startPaymentsProcess,
} from '../support/desk-process.ts'

const TWO_DAYS_LATER = '2026-03-04T09:00:00Z'

const ticket = makeTicket('a', '720.00')

test.each([
  { decided: true, outcome: 'refunded', refunds: 1 },
  { decided: false, outcome: 'denied', refunds: 0 },
])(
  'A10 a case whose time passed while no desk ran ends $outcome when it was decided before: $decided',
  async ({ decided, outcome, refunds }) => {
    const payments = await startPaymentsProcess()
    const run = newRun([ticket], '--payments', payments.url)
    await runDesk({ ...run, options: [...(run.options ?? []), '--now', NOW] })
    if (decided) {
      await runCli('keygen', 'alice', '--journal', run.journal)
      await runCli('approvals', 'approve', 'c-1', '--journal', run.journal)
    }
    const later = { ...run, options: [...(run.options ?? []), '--now', TWO_DAYS_LATER] }
    const { decisions } = await runDesk(later)
    expect(decisions).toMatchObject([{ ticket: 'a', outcome }])
    expect(await payments.refunds()).toHaveLength(refunds)
    await payments.stop()
  },
)
