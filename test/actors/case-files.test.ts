import { memory, type ActorSystem, type Event, type Journal, type Statement } from 'ambit'
import { describe, expect, test } from 'vitest'
import { plainCommit } from '../../src/kernel/plain-commit.ts'
import type { FaultyJournal } from '../support/faulty-journal.ts'
import { deskOf, once, send, waitingJournal } from '../support/proposer-desk.ts'
import { approver, ledgerOf } from '../support/refund-world.ts'
import { until } from '../support/running.ts'

const otherKey = { args: { order: 'o-2', minor: 100 } } as Partial<Statement>

describe('a proposal withdrawn before its case has an id', () => {
  const journals: [string, () => Journal, string][] = [
    ['each message waits for its commit', waitingJournal, 'ambit.ledger.view'],
    // The action sees the ledger, and does not ask it.
    ['the journal stores chains whole', memory, 'ambit.action.propose'],
  ]
  test.each(journals)('A5 leaves no open case (%s)', async (_, journal, type) => {
    const onTurn = once(type, (system) => send(system, 'a', { type: 'leave' }))
    const desk = await deskOf({ journal: journal(), onTurn })
    desk.go('a', 72_000)
    await desk.rest()
    expect([desk.cases(), desk.states.at(-1)]).toEqual([['c-1 withdrawn'], 'withdrawn'])
    expect([desk.paid, ledgerOf(desk.system).statuses]).toEqual([[], []])
    desk.go('b', 1000)
    await desk.rest()
    expect(desk.paid).toEqual([{ order: 'o-1', minor: 1000 }])
    await desk.system.stop()
  })

  test('A4 is proposed anew by a second proposer of the same, and has a case of its own', async () => {
    const onTurn = once('ambit.ledger.view', (system) => {
      send(system, 'a', { type: 'leave' })
      send(system, 'b', { type: 'go', minor: 72_000 })
    })
    const desk = await deskOf({ journal: waitingJournal(), onTurn })
    desk.go('a', 72_000)
    await desk.rest()
    expect(desk.cases()).toEqual(['c-1 withdrawn', 'c-2 open'])
    expect(desk.heard('b').notices).toMatchObject([
      { case: 'c-2', state: 'awaitingHuman', rules: ['perAction'], amount: { minor: 72_000 } },
    ])
    const alice = await approver(desk.system, 'alice')
    await alice('c-2', 'approve')
    await desk.rest()
    expect([desk.paid, desk.state('a'), desk.state('b')]).toEqual([
      [{ order: 'o-1', minor: 72_000 }],
      'idle',
      'done',
    ])
    await desk.system.stop()
  })

  test('A5 is withdrawn once the second proposer leaves as well', async () => {
    const onTurn = once('ambit.ledger.view', (system) => {
      send(system, 'a', { type: 'leave' })
      for (const type of ['go', 'leave']) send(system, 'b', { type, minor: 72_000 })
    })
    const desk = await deskOf({ journal: waitingJournal(), onTurn })
    desk.go('a', 72_000)
    await desk.rest()
    expect(desk.cases().filter((each) => !each.endsWith('withdrawn'))).toEqual([])
    expect(desk.states.at(-1)).toBe('withdrawn')
    await desk.system.stop()
  })

  test('A4 is no conflict for other arguments: nothing came of it', async () => {
    const onTurn = once('ambit.ledger.view', (system) => {
      send(system, 'a', { type: 'leave' })
      send(system, 'b', { type: 'go', minor: 73_000 })
    })
    const desk = await deskOf({ journal: waitingJournal(), onTurn })
    desk.go('a', 72_000)
    await desk.rest()
    expect(desk.heard('b').end).toBeNull()
    expect(desk.cases()).toEqual(['c-1 withdrawn', 'c-2 open'])
    await desk.system.stop()
  })

  test('A5 is withdrawn also when the process dies in between', async () => {
    const journal: FaultyJournal = waitingJournal()
    const onTurn = once('ambit.ledger.view', (system) => send(system, 'a', { type: 'leave' }))
    const first = await deskOf({ journal, onTurn })
    let crashed: Promise<void> | undefined
    journal.afterCommit = (batch) => {
      const isLeft = (record: string) => record.includes('"state":"withdrawn"')
      if (batch.some((each) => each.kind === 'turns' && each.records.some(isLeft)))
        crashed ??= journal.crash()
    }
    first.go('a', 72_000)
    await until(() => crashed !== undefined)
    await crashed
    journal.afterCommit = () => undefined
    const second = await deskOf({ journal })
    await second.rest()
    expect([second.cases(), second.states.at(-1)]).toEqual([['c-1 withdrawn'], 'withdrawn'])
    await second.system.stop()
  })
})

describe('a second case of one proposal', () => {
  test.each(['before it has an id', 'once it is open'])(
    'A11 after an invalid amendment is the one that is closed by a withdrawal %s',
    async (moment) => {
      const leave = (system: ActorSystem) => send(system, 'a', { type: 'leave' })
      const isEarly = moment.startsWith('before')
      const onTurn = isEarly ? { onTurn: once('ambit.approval.submit', leave) } : {}
      const desk = await deskOf({ journal: waitingJournal(), ...onTurn })
      desk.go('a', 72_000)
      await desk.rest()
      const alice = await approver(desk.system, 'alice')
      await alice('c-1', 'amend', otherKey)
      await desk.rest()
      if (!isEarly) {
        expect(desk.cases()).toEqual(['c-1 amended', 'c-2 open'])
        leave(desk.system)
        await desk.rest()
      }
      expect(desk.cases()).toEqual(['c-1 amended', 'c-2 withdrawn'])
      expect(desk.paid).toEqual([])
      await desk.system.stop()
    },
  )

  test('A5 a case opened because the window filled up meanwhile is closed by a withdrawal', async () => {
    const desk = await deskOf({ journal: waitingJournal() })
    for (const [i, id] of ['a', 'b', 'c'].entries()) desk.go(id, 50_000, `o-${i}`)
    await desk.rest()
    const waiting = ['a', 'b', 'c'].filter((id) => desk.state(id) === 'refunding')
    expect([waiting.length, desk.paid.length, desk.cases()]).toEqual([1, 2, ['c-1 open']])
    expect(desk.heard(waiting[0] ?? '').notices).toMatchObject([{ case: 'c-1', rules: ['window'] }])
    desk.tell(waiting[0] ?? '', { type: 'leave' })
    await desk.rest()
    expect(desk.cases()).toEqual(['c-1 withdrawn'])
    await desk.system.stop()
  })
})

test('A4 a late proposer of what a human has hears of its case, its rules and its amount', async () => {
  const desk = await deskOf()
  desk.go('a', 72_000)
  await desk.rest()
  for (const id of ['b', 'c']) desk.go(id, 72_000)
  await desk.rest()
  const notice = { case: 'c-1', rules: ['perAction'], amount: { currency: 'USD', minor: 72_000 } }
  for (const id of ['a', 'b', 'c']) expect(desk.heard(id).notices).toMatchObject([notice])
  const alice = await approver(desk.system, 'alice')
  await alice('c-1', 'reject')
  await desk.rest()
  for (const id of ['a', 'b', 'c'])
    expect(desk.heard(id).end).toMatchObject({
      outcome: 'rejected',
      rules: ['perAction'],
      amount: { minor: 72_000 },
    })
  await desk.system.stop()
})

/** Puts a message into the journal of a system that does not run, as from an actor of it. */
async function putInto(journal: Journal, to: string, event: Event): Promise<void> {
  const session = await journal.open()
  const from = '/forger'
  const stream = { sender: from, generation: 1, lane: 'control' as const, number: 1 }
  const headers = { from, stream, privileged: true }
  const outbox = [{ id: 'forged', type: event.type, to, body: event, headers }]
  const written = { address: from, expectedSeq: 0, seq: 1, records: ['{}'], outbox }
  await session.commit([plainCommit(written)])
  await session.close()
}

describe('a decision that brings back another file', () => {
  test.each([
    ['another amount', { amount: { currency: 'USD', minor: 1 } }],
    ['other arguments', { args: { order: 'o-9', minor: 9_999_900 } }],
    ['another action', { action: 'other' }],
    ['nothing else', undefined],
  ])('A4 with %s does what the digest says, or nothing', async (_, change) => {
    const journal = memory()
    const first = await deskOf({ journal })
    first.go('a', 72_000)
    await first.rest()
    const [opened] = first.system.cases()
    if (opened === undefined) throw new Error('no case is open')
    const { key, digest, proposal, results, route } = opened
    await first.system.stop()
    await putInto(journal, `/system/actions/${key}`, {
      type: 'ambit.action.decided',
      case: 'c-1',
      digest,
      verdict: 'approve',
      persons: ['mallory'],
      file: { proposal: { ...proposal, ...change }, results, route },
    })
    const second = await deskOf({ journal })
    await second.rest()
    expect(second.paid).toEqual(change === undefined ? [{ order: 'o-1', minor: 72_000 }] : [])
    expect(second.cases()).toEqual(['c-1 open'])
    await second.system.stop()
  })
})
