import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memory, sqlite, type Journal, type Statement } from 'ambit'
import { describe, expect, test } from 'vitest'
import { createManualClock } from '../support/manual-clock.ts'
import { deskOf, send, type Paid } from '../support/proposer-desk.ts'
import { approver, ledgerOf } from '../support/refund-world.ts'
import { rounds, until } from '../support/running.ts'

const HOUR_MS = 3_600_000

type Desk = Awaited<ReturnType<typeof deskOf>>
type Decide = Awaited<ReturnType<typeof approver>>

interface Row {
  readonly how: string
  readonly decide: (say: Decide, desk: Desk, next: () => Promise<Desk>) => Promise<Desk>
  readonly paid: readonly Paid[]
  readonly cases: readonly string[]
  readonly outcome: unknown
  readonly ledger: readonly string[]
}

const amend = (minor: number) => ({ args: { order: 'o-1', minor } }) as Partial<Statement>
const bob = async (desk: Desk) => approver(desk.system, 'bob')

const table: Row[] = [
  {
    how: 'approved',
    decide: async (say, desk) => (await say('c-1', 'approve'), desk),
    paid: [{ order: 'o-1', minor: 72_000 }],
    cases: ['c-1 approved'],
    outcome: { outcome: 'committed', by: 'human', amount: { minor: 72_000 }, persons: ['alice'] },
    ledger: ['committed'],
  },
  {
    how: 'rejected',
    decide: async (say, desk) => (await say('c-1', 'reject'), desk),
    paid: [],
    cases: ['c-1 rejected'],
    outcome: { outcome: 'rejected', rules: ['perAction'], amount: { minor: 72_000 } },
    ledger: [],
  },
  {
    how: 'amended to what the envelope allows',
    decide: async (say, desk) => (await say('c-1', 'amend', amend(40_000)), desk),
    paid: [{ order: 'o-1', minor: 40_000 }],
    cases: ['c-1 amended'],
    outcome: { outcome: 'committed', by: 'envelope', amount: { minor: 40_000 } },
    ledger: ['committed'],
  },
  {
    how: 'amended, started again and approved by another',
    async decide(say, _, next) {
      await say('c-1', 'amend', amend(60_000))
      const desk = await next()
      expect(desk.cases()).toEqual(['c-1 amended', 'c-2 open'])
      const refused = await approver(desk.system, 'alice')
      expect((await refused('c-2', 'approve')).type).toBe('ambit.approval.refused')
      await (
        await bob(desk)
      )('c-2', 'approve')
      return desk
    },
    paid: [{ order: 'o-1', minor: 60_000 }],
    cases: ['c-1 amended', 'c-2 approved'],
    outcome: { outcome: 'committed', by: 'human', amount: { minor: 60_000 }, persons: ['bob'] },
    ledger: ['committed'],
  },
  {
    how: 'amended to another order, started again and approved',
    async decide(say, _, next) {
      await say('c-1', 'amend', { args: { order: 'o-2', minor: 1 } } as Partial<Statement>)
      const desk = await next()
      await (
        await bob(desk)
      )('c-2', 'approve')
      return desk
    },
    paid: [{ order: 'o-1', minor: 72_000 }],
    cases: ['c-1 amended', 'c-2 approved'],
    outcome: { outcome: 'committed', by: 'human', amount: { minor: 72_000 } },
    ledger: ['committed'],
  },
  {
    how: 'withdrawn',
    async decide(_, desk) {
      send(desk.system, 'a', { type: 'leave' })
      return Promise.resolve(desk)
    },
    paid: [],
    cases: ['c-1 withdrawn'],
    outcome: null,
    ledger: [],
  },
]

const journals: [string, (folder: string) => Journal][] = [
  ['memory', () => memory()],
  ['SQLite', sqlite],
]

/** Plays with a journal that each life opens anew. */
async function withJournal(
  make: (folder: string) => Journal,
  play: (journal: Journal) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ambit-cases-'))
  try {
    await play(make(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe.each(journals)('what a human has, after a restart from %s', (_, make) => {
  test.each(table)('A1 is still $how', async ({ decide, paid, cases, outcome, ledger }) => {
    await withJournal(make, async (journal) => {
      let desk = await deskOf({ journal })
      const next = async () => {
        await desk.rest()
        await desk.system.stop()
        return (desk = await deskOf({ journal }))
      }
      desk.go('a', 72_000)
      await next()
      const last = await decide(await approver(desk.system, 'alice'), desk, next)
      await last.rest()
      expect([last.paid, last.cases()]).toEqual([paid, cases])
      expect([last.heard('a').end]).toMatchObject([outcome])
      expect(ledgerOf(last.system).statuses).toEqual(ledger)
      await last.system.stop()
    })
  })

  test.each([true, false])('A15 is still settled by a person (happened: %s)', async (happened) => {
    await withJournal(make, async (journal) => {
      const first = await deskOf({ journal, isSure: false })
      first.go('a', 30_000)
      await first.rest()
      expect(ledgerOf(first.system)).toEqual({ statuses: ['inDoubt'], sums: [30_000] })
      await first.system.stop()
      const desk = await deskOf({ journal, isSure: false })
      const say = await approver(desk.system, 'alice')
      await say('c-1', 'settle', { happened } as Partial<Statement>)
      await desk.rest()
      expect(desk.cases()).toEqual(['c-1 settled'])
      const end = { outcome: happened ? 'committed' : 'failed', amount: { minor: 30_000 } }
      expect(desk.heard('a').end).toMatchObject(end)
      const [status, sum] = happened ? ['committed', 30_000] : ['released', 0]
      expect(ledgerOf(desk.system)).toEqual({ statuses: [status], sums: [sum] })
      await desk.system.stop()
    })
  })

  test('A10 still expires, and may be proposed again', async () => {
    await withJournal(make, async (journal) => {
      const clock = createManualClock()
      const first = await deskOf({ journal, clock })
      first.go('a', 72_000)
      await until(() => first.cases().length === 1)
      await first.rest()
      await first.system.stop({ graceMs: 0 })
      clock.turnTo(clock.now() + HOUR_MS)
      const desk = await deskOf({ journal, clock })
      await rounds(20)
      expect(desk.cases()).toEqual(['c-1 open'])
      clock.advance(3 * HOUR_MS)
      await until(() => desk.state('a') === 'declined')
      expect(desk.heard('a').end).toMatchObject({ outcome: 'expired', amount: { minor: 72_000 } })
      desk.go('b', 73_000)
      await until(() => desk.cases().length === 2)
      expect(desk.cases()).toEqual(['c-1 expired', 'c-2 open'])
      expect(desk.system.cases()[1]?.proposal.amount).toEqual({ currency: 'USD', minor: 73_000 })
      await desk.rest()
      await desk.system.stop({ graceMs: 0 })
    })
  })
})
