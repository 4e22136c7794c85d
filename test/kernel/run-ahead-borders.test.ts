import { describe, expect, test } from 'vitest'
import { assign, fromTransition, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { sentWith, type Event, type Message, type ReplyTo } from '../../src/kernel/message.ts'
import type { PendingCommit } from '../../src/kernel/pending-commit.ts'
import type { JournalEntry, JournalSession } from '../../src/kernel/ports/journal.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { ask, effect } from '../../src/logic/invocable.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { message, turn } from '../support/journal-entries.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { rounds, run, valueOf } from '../support/running.ts'

const isOf = (address: string) => (entry: JournalEntry) =>
  entry.kind === 'turns' && entry.address === address

/** Fails the next commits that hold something of an actor. */
const failFor = (address: string, times: number) => {
  const fail = failing(times, `${address} cannot be stored`)
  return (batch: readonly JournalEntry[]) => {
    if (batch.some(isOf(address))) fail()
  }
}

/** The types of the messages that an actor took, by the thought log. */
async function takenBy(session: JournalSession, address: string): Promise<string[]> {
  const turns = await session.history({ address })
  const records = turns.map(({ record }) => JSON.parse(record) as { message: { type: string } })
  return records.map((record) => record.message.type).filter((type) => type !== 'ambit.start')
}

/** Tells `/r` something each time it is told to go. */
const sender = (type = 'm', spend: () => void = () => undefined) =>
  fromTransition((count: number) => {
    spend()
    thisTurn().tell('/r', { type })
    return count + 1
  }, 0)

const keeper = () =>
  setup({}).createMachine({
    id: 'keeper',
    initial: 'up',
    states: { up: { on: { end: 'over' } }, over: { type: 'final' } },
  })

/** Asks `/s` when it is told to go, until it is answered or told to leave. */
const asker = (withdraw?: Event) =>
  setup({
    types: { context: {} as { answered: number }, events: {} as Event },
    actors: {
      question: ask({
        to: '/s',
        event: () => ({ type: 'q' }),
        timeoutMs: Infinity,
        ...(withdraw !== undefined && { withdraw: () => withdraw }),
      }),
    },
  }).createMachine({
    id: 'asker',
    initial: 'idle',
    context: { answered: 0 },
    on: {
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.answered })) },
      boom: {
        actions: assign(() => {
          throw new Error('boom')
        }),
      },
    },
    states: {
      idle: { on: { go: 'asking' } },
      asking: {
        invoke: {
          src: 'question',
          onDone: {
            target: 'idle',
            actions: assign({ answered: ({ context }) => context.answered + 1 }),
          },
        },
        on: { leave: 'idle' },
      },
    },
  })

/** Answers a question at once, as often as it is told to. */
const answerer = (times: number) =>
  setup({}).createMachine({
    id: 'answerer',
    on: { q: { actions: Array.from({ length: times }, () => reply({ type: 'a' })) } },
  })

/** Keeps the question, and answers when it is told to. */
const slowAnswerer = () =>
  setup({
    types: { context: {} as { to: ReplyTo | undefined }, events: {} as Event },
  }).createMachine({
    id: 'slow',
    context: { to: undefined },
    on: {
      q: { actions: assign({ to: () => thisTurn().message.headers.replyTo }) },
      answer: { actions: reply({ type: 'a' }, { to: ({ context }) => context.to }) },
    },
  })

describe('a turn stored without its cause', () => {
  test('T2 an actor that is quarantined withdraws nothing: no turn of it says so', async () => {
    const children = [
      actor('r', asker({ type: 'withdrawn' }), { restart: 'temporary' }),
      actor('s', slowAnswerer()),
    ]
    const { kernel, settle } = await run(children)
    kernel.ref('/r').send({ type: 'go' })
    await settle()
    kernel.ref('/r').send({ type: 'boom' })
    await settle()
    expect(kernel.alarms).toMatchObject([{ address: '/r' }])
    kernel.ref('/s').send({ type: 'last' })
    await settle()
    expect(await takenBy(kernel.session, '/s')).toEqual(['q', 'last'])
    await kernel.stop()
  })

  test.each(['the journal answers at once', 'the journal takes its time'])(
    'T2 a member of a pool is not born of a message that was never sent (%s)',
    async (how) => {
      const started: string[] = []
      const work = effect(() => void started.push('effect'))
      const member = setup({ actors: { work } }).createMachine({
        id: 'member',
        invoke: { src: 'work' },
      })
      const teller = setup({}).createMachine({
        id: 'teller',
        on: { go: { actions: tell('/p/x', { type: 'm' }) } },
      })
      const faulty = faultyJournal()
      const onCommit = failFor('/s', Infinity)
      const atOnce = memoryJournal()
      const journal = how.endsWith('time')
        ? faulty
        : {
            async open() {
              const session = await atOnce.open()
              const commit = session.commit.bind(session)
              session.commit = (batch) => {
                if (isFailing) onCommit(batch)
                return commit(batch)
              }
              return session
            },
          }
      let isFailing = false
      const children = [actor('s', teller), pool('p', actor('member', member))]
      const { kernel, clock } = await run(children, { journal })
      isFailing = true
      faulty.beforeCommit = onCommit
      kernel.ref('/s').send({ type: 'go' })
      for (let i = 0; i < 40; i++) {
        await rounds(3)
        clock.advance(500)
      }
      expect([await kernel.session.load('/p/x'), started]).toEqual([undefined, []])
      isFailing = false
      faulty.beforeCommit = () => undefined
      await kernel.stop({ graceMs: 0 })
    },
  )
})

describe('what is told although its turn was thrown away', () => {
  test('T2 a stale answer is a dead letter once, after its sender is stored', async () => {
    const journal = faultyJournal()
    const told: string[] = []
    const onDeadLetter = ({ reason }: { reason: string }) => void told.push(reason)
    const { kernel, settle } = await run([actor('r', asker()), actor('s', answerer(2))], {
      journal,
      observers: [{ onDeadLetter }],
    })
    let toldBefore = -1
    const fail = failing(2)
    journal.beforeCommit = () => {
      if (toldBefore < 0) toldBefore = told.length
      fail()
    }
    kernel.ref('/r').send({ type: 'go' })
    await settle()
    expect([toldBefore, told]).toEqual([0, ['staleReply']])
    await kernel.stop()
  })

  test('T2 a message to an actor that ends is no dead letter while it is not sent', async () => {
    const journal = faultyJournal()
    const told: string[] = []
    const onDeadLetter = ({ reason }: { reason: string }) => void told.push(reason)
    const { kernel, clock } = await run([actor('s', sender()), actor('r', keeper())], {
      journal,
      observers: [{ onDeadLetter }],
    })
    journal.beforeCommit = failFor('/s', Infinity)
    kernel.ref('/s').send({ type: 'go' })
    kernel.ref('/r').send({ type: 'end' })
    for (let i = 0; i < 10; i++) {
      await rounds(3)
      clock.advance(500)
    }
    expect(told).toEqual([])
    journal.beforeCommit = () => undefined
    await kernel.stop({ graceMs: 0 })
  })
})

describe('messages that are lost', () => {
  test('T3 an answer that was stale only by a turn that is never stored is not lost', async () => {
    const journal = faultyJournal()
    const specs = () => [actor('r', asker()), actor('s', slowAnswerer())]
    const first = await run(specs(), { journal })
    first.kernel.ref('/r').send({ type: 'go' })
    await first.settle()
    journal.beforeCommit = failFor('/r', Infinity)
    let crashed: Promise<void> | undefined
    journal.afterCommit = (batch) => {
      if (batch.some(isOf('/s'))) crashed ??= journal.crash()
    }
    first.kernel.ref('/r').send({ type: 'leave' })
    first.kernel.ref('/s').send({ type: 'answer' })
    await rounds(50)
    expect(crashed).toBeDefined()
    await crashed
    journal.beforeCommit = () => undefined
    const second = await run(specs(), { journal, clock: first.clock })
    await second.rest()
    // `leave` is as if it had never been; the answer is stored with its sender.
    expect(await valueOf(second.kernel, '/r', { type: 'get' })).toBe(1)
    await second.kernel.stop()
  })

  test('T3 messages that wait for room come in when what took the room is taken back', async () => {
    const journal = faultyJournal()
    const clock = createManualClock()
    const children = [
      actor('s1', sender('one')),
      actor(
        's2',
        sender('two', () => clock.spend(11)),
      ),
      actor('r', keeper(), { mailbox: { userLengthMax: 1 } }),
    ]
    const { kernel, settle } = await run(children, { journal, clock })
    journal.beforeCommit = failFor('/s1', 2)
    for (const to of ['/s1', '/s2']) kernel.ref(to).send({ type: 'go' })
    await settle()
    expect((await takenBy(kernel.session, '/r')).sort()).toEqual(['one', 'two'])
    await kernel.stop()
  })

  test.each([false, true])(
    'T3 a stale answer whose commit failed leaves no gap in its stream (groups %s)',
    async (storesGroups) => {
      const journal = faultyJournal(undefined, { storesGroups })
      const specs = [actor('r', asker()), actor('s', answerer(2))]
      const { kernel, settle } = await run(specs, { journal })
      const fail = failing(storesGroups ? 4 : 2)
      journal.beforeCommit = (batch) => {
        const isIt = ({ records }: { records: readonly string[] }) =>
          records.some((record) => record.includes('"type":"ambit.reply"'))
        if (batch.some((entry) => entry.kind === 'turns' && isIt(entry))) fail()
      }
      for (let answered = 1; answered <= 3; answered++) {
        kernel.ref('/r').send({ type: 'go' })
        await settle()
        expect(await valueOf(kernel, '/r', { type: 'get' })).toBe(answered)
      }
      await kernel.stop()
    },
  )
})

test.each([true, false])(
  'R5 what cannot be stored is parked also when others were taken before it (groups %s)',
  async (storesGroups) => {
    const journal = faultyJournal(undefined, { storesGroups })
    const children = [actor('x', keeper()), actor('n', keeper())]
    const { kernel, clock } = await run(children, { journal })
    journal.beforeCommit = (batch) => {
      const isIt = (record: string) => /"processed".*"type":"poison"/.test(record)
      if (batch.some((entry) => entry.kind === 'turns' && entry.records.some(isIt)))
        throw new Error('this cannot be stored')
    }
    for (const type of ['before', 'poison', 'after']) kernel.ref('/x').send({ type })
    for (let i = 0; i < 60; i++) {
      kernel.ref('/n').send({ type: 'other' })
      await rounds(3)
      clock.advance(500)
    }
    expect((await takenBy(kernel.session, '/x')).at(-1)).toBe('after')
    journal.beforeCommit = () => undefined
    await kernel.stop({ graceMs: 0 })
  },
)

/** How many commits that are over a message keeps in memory, one by the other. */
function commitsHeldBy(last: Message | undefined): number {
  let held = 0
  for (let each = last; each !== undefined; held++) {
    const commit = each[sentWith] as PendingCommit | undefined
    each = commit?.group.taken[0]?.message
  }
  return held
}

test.each([
  ['each hop has a commit of its own', false, 0],
  ['each hop has a drain of its own', true, 11],
] as const)('T18 a message does not keep all commits before it: %s', async (_, groups, spendMs) => {
  const journal = faultyJournal(undefined, { storesGroups: groups })
  const clock = createManualClock()
  const node = (to: string) =>
    fromTransition((count: number, { left }: { type: 'hop'; left: number }) => {
      clock.spend(spendMs)
      if (left > 0) thisTurn().tell(to, { type: 'hop', left: left - 1 })
      return count + 1
    }, 0)
  const children = [actor('a', node('/b')), actor('b', node('/a'))]
  const { kernel, settle } = await run(children, { journal, clock })
  let last: Message | undefined
  journal.afterCommit = (batch) => {
    for (const entry of batch) if (entry.kind === 'turns') last = entry.outbox[0] ?? last
  }
  kernel.ref('/a').send({ type: 'hop', left: 200 })
  await settle()
  expect(last?.body).toEqual({ type: 'hop', left: 0 })
  expect(commitsHeldBy(last)).toBeLessThan(10)
  await kernel.stop()
})

test('J1 in memory no entry of a batch that is refused is stored without its record', async () => {
  const session = await memoryJournal().open()
  const bad = turn('/b', 1, { outbox: [{ ...message(1), headers: {} }] })
  await expect(session.commit([turn('/a', 1), bad])).rejects.toThrow()
  const records = await session.history({ address: '/a' })
  expect(records).toHaveLength((await session.load('/a'))?.seq ?? 0)
})
