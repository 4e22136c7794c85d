import { mkdtempSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { JournalEntry } from '../../src/kernel/ports/journal.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { failing, faultyJournal, type FaultyJournal } from '../support/faulty-journal.ts'
import { turn } from '../support/journal-entries.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { rejection } from '../support/refusal.ts'
import { gate, rounds, run, until, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const counter = () =>
  setup({ types: { context: {} as { n: number } } }).createMachine({
    id: 'counter',
    context: { n: 0 },
    on: {
      add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.n })) },
    },
  })

/** Tells `/c` to add, each time it is told to go. */
const sender = () =>
  setup({}).createMachine({ id: 'sender', on: { go: { actions: tell('/c', { type: 'add' }) } } })

/** Lets the pauses of the committer and the waits before restarts pass. */
async function pass(clock: ManualClock, steps = 40): Promise<void> {
  for (let i = 0; i < steps; i++) {
    await rounds(3)
    clock.advance(500)
  }
}

/** What a promise came to so far. */
function watched(promise: Promise<unknown>): { outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: 'pending' }
  promise.then(
    (value) => (seen.outcome = value),
    () => (seen.outcome = 'rejected'),
  )
  return seen
}

const isOf = (address: string) => (entry: JournalEntry) =>
  entry.kind === 'turns' && entry.address === address

/** The next commit is stored but not answered, and the read that would tell so fails once. */
function loseOneAnswer(journal: FaultyJournal): void {
  journal.afterCommit = failing(1, 'the answer was lost')
  const fail = failing(1, 'the read failed')
  journal.onLoad = (_, stored) => {
    fail()
    return stored
  }
}

describe('deliveries', () => {
  test('T9 neither a delivery nor its repeat is answered before it is committed', async () => {
    const journal = faultyJournal()
    const { kernel } = await run([actor('c', counter())], { journal })
    journal.beforeCommit = failing(Infinity)
    const deliver = () => watched(kernel.ref('/c').deliver({ type: 'add' }, { id: 'x' }))
    const [first, second] = [deliver(), deliver()]
    await rounds(20)
    expect([first.outcome, second.outcome]).toEqual(['pending', 'pending'])
    await journal.crash()
    journal.beforeCommit = () => undefined
    const next = await run([actor('c', counter())], { journal })
    expect(await valueOf(next.kernel, '/c', { type: 'get' })).toBe(0)
    await next.kernel.stop()
  })

  test('T9 a delivery and its repeat at the same time are both answered', async () => {
    const { kernel } = await run([actor('c', counter())])
    const deliver = () => kernel.ref('/c').deliver({ type: 'add' }, { id: 'x' })
    expect(await Promise.all([deliver(), deliver()])).toEqual(['committed', 'duplicate'])
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(1)
    await kernel.stop()
  })

  test('T9 a delivery to an actor that ends is answered', async () => {
    const { kernel } = await run([actor('w', worker().machine)])
    kernel.ref('/w').send({ type: 'end' })
    const delivery = watched(kernel.ref('/w').deliver({ type: 'add' }, { id: 'x' }))
    await until(() => delivery.outcome !== 'pending')
    expect(delivery.outcome).not.toBe('committed')
    await kernel.stop()
  })
})

describe('commits that go unanswered', () => {
  test('J8 an effect whose turn was stored starts once, although no answer came', async () => {
    const journal = faultyJournal()
    const { calls, machine } = worker()
    const { kernel, clock } = await run([actor('w', machine)], { journal })
    loseOneAnswer(journal)
    kernel.ref('/w').send({ type: 'work' })
    await pass(clock)
    expect(calls.length).toBe(1)
    await kernel.stop({ graceMs: 0 })
  })

  test('J8 a message whose turn was stored leaves once, also over a crash', async () => {
    const journal = faultyJournal()
    const children = () => [actor('s', sender()), actor('c', counter())]
    const { kernel, clock } = await run(children(), { journal })
    loseOneAnswer(journal)
    for (let count = 1; count <= 2; count++) {
      kernel.ref('/s').send({ type: 'go' })
      await pass(clock)
      expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(count)
      expect((await kernel.session.recover()).outbox).toEqual([])
    }
    await journal.crash()
    const next = await run(children(), { journal })
    await next.rest()
    expect(await valueOf(next.kernel, '/c', { type: 'get' })).toBe(2)
    await next.kernel.stop()
  })

  test('J8 a restart while a commit is on its way keeps the effect of that commit', async () => {
    const journal = faultyJournal()
    const { calls, machine } = worker()
    const { kernel, clock } = await run([actor('w', machine)], { journal })
    const doors = [gate()]
    const [door] = doors
    journal.beforeCommit = () => doors.pop()?.opened
    kernel.ref('/w').send({ type: 'work' })
    kernel.ref('/w').send({ type: 'boom' })
    await rounds(30)
    door?.open()
    await pass(clock)
    expect(calls.length).toBe(1)
    await kernel.stop({ graceMs: 0 })
  })

  test('J8 an async actor is written again after a commit that failed', async () => {
    const journal = faultyJournal()
    const child = () => actor('c', counter(), { durability: 'async' })
    const { kernel, clock } = await run([child()], { journal })
    journal.beforeCommit = failing(1)
    for (let i = 0; i < 6; i++) {
      kernel.ref('/c').send({ type: 'add' })
      await pass(clock, 5)
    }
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(6)
    await kernel.stop()
    const next = await run([child()], { journal })
    expect(await valueOf(next.kernel, '/c', { type: 'get' })).toBe(6)
    await next.kernel.stop()
  })
})

describe('commits that fail', () => {
  test('J8 a turn that the journal cannot take does not stop its neighbours', async () => {
    const journal = faultyJournal()
    const children = [actor('bad', counter()), actor('c', counter())]
    const { kernel, clock } = await run(children, { journal })
    journal.beforeCommit = (batch) => {
      if (batch.some(isOf('/bad'))) throw new Error('this cannot be stored')
    }
    kernel.ref('/bad').send({ type: 'add' })
    const deliver = (id: string) => watched(kernel.ref('/c').deliver({ type: 'add' }, { id }))
    const first = deliver('a')
    await pass(clock)
    const second = deliver('b')
    await pass(clock)
    expect([first.outcome, second.outcome]).toEqual(['committed', 'committed'])
    journal.beforeCommit = () => undefined
    await kernel.stop({ graceMs: 0 })
  })

  test('J8 tries get rarer while the journal fails, and the system can be stopped', async () => {
    const journal = faultyJournal()
    const { kernel, clock } = await run([actor('c', counter())], { journal })
    journal.beforeCommit = failing(Infinity)
    const before = journal.commits
    kernel.ref('/c').send({ type: 'add' })
    for (let ms = 0; ms < 1000; ms++) {
      await rounds(1)
      clock.advance(1)
    }
    const tries = journal.commits - before
    expect(tries).toBeGreaterThan(2)
    expect(tries).toBeLessThan(30)
    const stopping = watched(kernel.stop({ graceMs: 0 }).then(() => 'stopped'))
    await pass(clock)
    expect(stopping.outcome).toBe('stopped')
  })
})

describe('messages between actors', () => {
  test('J5 a message to an actor that is not stored leaves the outbox and stays away', async () => {
    const journal = faultyJournal()
    const children = () => [actor('s', sender()), actor('c', counter(), { durability: 'none' })]
    const { kernel, rest } = await run(children(), { journal })
    for (let i = 0; i < 5; i++) kernel.ref('/s').send({ type: 'go' })
    await rest()
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(5)
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
    const next = await run(children(), { journal })
    await next.rest()
    expect(await valueOf(next.kernel, '/c', { type: 'get' })).toBe(0)
    await next.kernel.stop()
  })

  test('T3 messages that wait for room keep the order of their lane', async () => {
    const clock = createManualClock()
    const control = (n: number) => tell('/r', { type: 'c', n }, { lane: 'control' })
    const bursting = setup({}).createMachine({
      id: 'bursting',
      on: {
        burst: {
          actions: [
            tell('/r', { type: 'u', n: 1 }),
            tell('/r', { type: 'u', n: 2 }),
            control(1),
            control(2),
            tell('/s', { type: 'one' }),
          ],
        },
        one: { actions: control(3) },
      },
    })
    const receiver = setup({
      types: { context: {} as { seen: string[] }, events: {} as Event },
    }).createMachine({
      id: 'receiver',
      context: { seen: [] },
      on: {
        get: { actions: reply(({ context }) => ({ type: 'got', value: context.seen })) },
        '*': {
          actions: assign(({ context, event }) => {
            // The slice is used up by each message, so that the others have to wait.
            clock.spend(11)
            return { seen: [...context.seen, `${event.type}${String(event.n)}`] }
          }),
        },
      },
    })
    const mailbox = { userLengthMax: 1, controlLengthMax: 1 }
    const children = [actor('s', bursting), actor('r', receiver, { mailbox })]
    const { kernel, rest } = await run(children, { clock })
    kernel.ref('/s').send({ type: 'burst' })
    await rest()
    const seen = (await valueOf(kernel, '/r', { type: 'get' })) as string[]
    expect(seen.filter((each) => each.startsWith('c'))).toEqual(['c1', 'c2', 'c3'])
    expect(seen.filter((each) => each.startsWith('u'))).toEqual(['u1', 'u2'])
    await kernel.stop()
  })
})

test('J6 an owner that was succeeded cannot write, also when its lock file is gone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ambit-test-'))
  const first = await sqliteJournal(directory).open()
  await first.commit([turn('/x', 1)])
  unlinkSync(join(directory, 'owner.lock'))
  const second = await sqliteJournal(directory).open()
  const { code, cause } = await rejection(Promise.resolve(first.commit([turn('/x', 2)])))
  expect(code).toBe('AMBIT_COMMIT_FAILED')
  expect(cause).toMatchObject({ code: 'AMBIT_JOURNAL_OWNED' })
  expect(await second.commit([turn('/y', 1)])).toEqual(['stored'])
  await second.close()
  await first.close()
})
