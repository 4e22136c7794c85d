import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createActor, fromCallback, fromTransition, setup } from 'xstate'
import { z } from 'zod'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { loadSqliteDriver } from '../../src/embedded/sqlite-driver.ts'
import { JOURNAL_FILE, sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { JournalEntry } from '../../src/kernel/ports/journal.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { tell } from '../../src/logic/actions.ts'
import { effect } from '../../src/logic/invocable.ts'
import { byHand } from '../support/driven.ts'
import { errand, runner, seenBy, tagsOf } from '../support/errands.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { deskOf, once, send, waitingJournal } from '../support/proposer-desk.ts'
import { rejection } from '../support/refusal.ts'
import { rounds, run, until } from '../support/running.ts'

const isOf = (address: string) => (entry: JournalEntry) =>
  entry.kind === 'turns' && entry.address === address

const failFor = (addresses: readonly string[], times: number) => {
  const fail = failing(times, `${addresses.join()} cannot be stored`)
  return (batch: readonly JournalEntry[]) => {
    if (addresses.some((address) => batch.some(isOf(address)))) fail()
  }
}

/** A journal that answers at once, also when it fails. */
function atOnce() {
  const inner = memoryJournal()
  const journal = {
    onCommit: (_batch: readonly JournalEntry[]): void => undefined,
    async open() {
      const session = await inner.open()
      const commit = session.commit.bind(session)
      session.commit = (batch) => {
        journal.onCommit(batch)
        return commit(batch)
      }
      return session
    },
  }
  return journal
}

async function go(clock: ManualClock, times = 40): Promise<void> {
  for (let i = 0; i < times; i++) {
    await rounds(3)
    clock.advance(500)
  }
}

describe('members of pools that run-ahead brings to life', () => {
  test.each(['none', 'async'] as const)(
    'T2 a member with durability %s is not started by a message that was never stored',
    async (durability) => {
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
      const journal = atOnce()
      const children = [actor('s', teller), pool('p', actor('member', member, { durability }))]
      const { kernel, clock } = await run(children, { journal })
      journal.onCommit = failFor(['/s'], Infinity)
      kernel.ref('/s').send({ type: 'go' })
      await go(clock)
      expect(started).toEqual([])
      journal.onCommit = () => undefined
      await kernel.stop({ graceMs: 0 })
    },
  )

  test('T2 a member is not born of what two others told it in turns that were never stored', async () => {
    const [journal, clock] = [atOnce(), createManualClock()]
    const started: string[] = []
    const work = effect(() => void started.push('effect'))
    const member = setup({ actors: { work } }).createMachine({
      id: 'member',
      invoke: { src: 'work' },
    })
    const teller = (spendMs: number) =>
      fromTransition((count: number) => {
        clock.spend(spendMs)
        thisTurn().tell('/p/x', { type: 'm' })
        return count + 1
      }, 0)
    const children = [
      actor('s1', teller(0)),
      actor('s2', teller(11)),
      pool('p', actor('member', member)),
    ]
    const { kernel } = await run(children, { journal, clock })
    journal.onCommit = failFor(['/s1', '/s2'], Infinity)
    for (const to of ['/s1', '/s2']) kernel.ref(to).send({ type: 'go' })
    await go(clock)
    expect([await kernel.session.load('/p/x'), started]).toEqual([undefined, []])
    journal.onCommit = () => undefined
    await kernel.stop({ graceMs: 0 })
  })

  test('T3 what waits for room at a member whose first commit fails is not lost', async () => {
    const journal = faultyJournal()
    const clock = createManualClock()
    const member = actor(
      'm',
      runner(() => clock.spend(11)),
      { mailbox: { userLengthMax: 1 } },
    )
    const children = [
      actor(
        's',
        runner(() => clock.spend(11)),
      ),
      pool('p', member),
    ]
    const { kernel, settle } = await run(children, { journal, clock })
    journal.beforeCommit = failFor(['/p/x'], 2)
    const to = '/p/x'
    kernel
      .ref('/s')
      .send(errand('0', [to, errand('1')], [to, errand('2')], [to, errand('3')], [to, errand('4')]))
    await settle()
    kernel.ref('/s').send(errand('again', [to, errand('5')]))
    await settle()
    expect(await tagsOf(kernel, to)).toEqual(['1', '2', '3', '4', '5'])
    await kernel.stop()
  })

  test('T9 what was accepted at a member whose first commit fails is not refused', async () => {
    const journal = faultyJournal()
    const clock = createManualClock()
    const member = actor(
      'm',
      runner(() => clock.spend(11)),
      { mailbox: { userLengthMax: 2 } },
    )
    const children = [
      actor(
        's',
        runner(() => clock.spend(11)),
      ),
      pool('p', member),
    ]
    const { kernel, settle } = await run(children, { journal, clock })
    const fail = failFor(['/p/x'], 2)
    const outcomes: string[] = []
    let sent = 0
    const deliver = () => {
      const id = `o${++sent}`
      void kernel
        .ref('/p/x')
        .deliver(errand(id), { id })
        .then((outcome) => outcomes.push(`${id} ${outcome}`))
    }
    journal.beforeCommit = (batch) => {
      if (batch.some(isOf('/p/x')) && sent === 0) {
        deliver()
        deliver()
      }
      fail(batch)
    }
    kernel.ref('/s').send(errand('0', ['/p/x', errand('1')]))
    await settle()
    expect(kernel.deadLetters.count()).toBe(0)
    expect(await tagsOf(kernel, '/p/x')).toEqual(['1', 'o1', 'o2'])
    expect(outcomes).toEqual(['o1 committed', 'o2 committed'])
    await kernel.stop()
  })

  test('S2 a callback of a member starts once, although the message that woke it was told twice', async () => {
    const journal = faultyJournal()
    const running = { now: 0, started: 0 }
    const listen = fromCallback(() => {
      running.now++
      running.started++
      return () => {
        running.now--
      }
    })
    const member = setup({ actors: { listen } }).createMachine({
      id: 'member',
      initial: 'up',
      states: { up: { invoke: { src: 'listen' } } },
    })
    const specs = () => [actor('s', runner()), pool('p', actor('m', member))]
    const first = await run(specs(), { journal })
    first.kernel.ref('/p/x').send({ type: 'hello' })
    await first.settle()
    await first.kernel.stop()
    expect(running).toEqual({ now: 0, started: 1 })
    const second = await run(specs(), { journal })
    journal.beforeCommit = failFor(['/s'], 2)
    second.kernel.ref('/s').send(errand('1', ['/p/x', errand('2')]))
    await second.settle()
    expect(running).toEqual({ now: 1, started: 2 })
    await second.kernel.stop()
    expect(running.now).toBe(0)
  })
})

describe('a mailbox that drops its oldest', () => {
  test('T3 what is pushed out before it is stored does not come after what follows it', async () => {
    const journal = faultyJournal()
    const none = fromTransition((count: number) => {
      thisTurn().tell('/r', errand('n'))
      return count + 1
    }, 0)
    const fillers = Array.from({ length: 16 }, (_, i) => `f${i}`)
    const children = [
      actor('s', runner()),
      actor('n', none, { durability: 'none' }),
      ...fillers.map((id) => actor(id, runner())),
      actor('r', runner(), { mailbox: { userLengthMax: 2, overflow: 'dropOldest' } }),
    ]
    const { kernel, settle } = await run(children, { journal })
    const fill = fillers.map((id) => [`/${id}`, errand('f')] as const)
    kernel.ref('/s').send(errand('0', ...fill, ['/r', errand('1')], ['/r', errand('2')]))
    kernel.ref('/n').send({ type: 'go' })
    await settle()
    const seen = await seenBy(kernel, '/r')
    const ofSender = seen.filter((each) => each.startsWith('/s'))
    expect(ofSender).toEqual([...ofSender].sort())
    expect(ofSender.at(-1)).toBe('/s 2 2')
    await kernel.stop()
  })
})

describe('a question to an actor whose schema throws', () => {
  test('T8 is rejected, and nobody waits for it', async () => {
    const strays: unknown[] = []
    const stray = (error: unknown) => void strays.push(error)
    process.on('unhandledRejection', stray)
    const events = z.object({ type: z.string() }).refine(() => {
      throw new Error('schema')
    })
    const { kernel, clock } = await run([actor('a', setup({}).createMachine({}), { events })])
    let thrown: unknown
    let asked: Promise<unknown> = Promise.resolve()
    try {
      asked = kernel.ref('/a').ask({ type: 'x' }, { timeoutMs: 100 })
    } catch (error) {
      thrown = error
    }
    await asked.catch(() => undefined)
    clock.advance(200)
    await rounds(5)
    process.off('unhandledRejection', stray)
    expect([thrown, strays]).toEqual([undefined, []])
    await kernel.stop()
  })
})

test('M5 a question is not kept waiting by one that was asked before the clock was set back', async () => {
  const clock = createManualClock()
  const silent = setup({}).createMachine({ on: { '*': {} } })
  const { kernel } = await run([actor('a', silent)], { clock })
  const errors: string[] = []
  const ask = (name: string) =>
    void kernel
      .ref('/a')
      .ask({ type: name }, { timeoutMs: 1000 })
      .catch(() => errors.push(name))
  ask('first')
  clock.turnTo(clock.now() - 3_600_000)
  ask('second')
  clock.advance(2000)
  await until(() => errors.length > 0)
  expect(errors).toEqual(['second'])
  await kernel.stop()
})

/** Sends itself something, and throws if it is told to. */
const selfish = () =>
  fromTransition((seen: readonly string[], { type, n }: { type: string; n?: number }, { self }) => {
    if (type === 'self') self.send({ type: 'add', n: 1 })
    if (n === 0) throw new Error('boom')
    return [...seen, `${type} ${String(n)}`]
  }, [])

describe.each(['nobody', 'somebody'])('a reducer with durability none that %s watches', (who) => {
  const playSelfish = (events: readonly Event[]) => {
    const world = byHand([actor('a', selfish(), { durability: 'none' })])
    const ref = world.ref('/a')
    if (who === 'somebody') ref.subscribe(() => undefined)
    for (const event of events) ref.send(event)
    world.system.drain()
    for (let i = 0; i < 10; i++) world.advance(10_000)
    return world.context('/a')
  }

  test('M1 takes what it sends itself before what others sent later, as in XState', () => {
    const events = [
      { type: 'self', n: 1 },
      { type: 'add', n: 5 },
    ]
    const plain = createActor(selfish()).start()
    for (const event of events) plain.send(event)
    expect(plain.getSnapshot().context).toEqual(['self 1', 'add 1', 'add 5'])
    expect(playSelfish(events)).toEqual(['self 1', 'add 1', 'add 5'])
  })

  test('T1 sends itself nothing in a step that throws', () => {
    expect(playSelfish([{ type: 'self', n: 0 }])).toEqual([])
  })
})

test('A5 an agent that changes its proposal before its case has an id is no conflict with itself', async () => {
  const onTurn = once('ambit.ledger.view', (system) => {
    for (const type of ['leave', 'go']) send(system, 'a', { type, minor: 73_000, order: 'o-1' })
  })
  const desk = await deskOf({ journal: waitingJournal(), onTurn })
  desk.go('a', 72_000)
  await desk.rest()
  expect(desk.heard('a').end).toBeNull()
  expect(desk.cases()).toEqual(['c-1 withdrawn', 'c-2 open'])
  await desk.system.stop()
})

test('J11 a reader refuses a journal of another format by name', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ambit-format-'))
  const session = await sqliteJournal(directory, { driver: 'libsql' }).open()
  await session.close()
  const file = (await loadSqliteDriver('libsql')).open(join(directory, JOURNAL_FILE))
  file.exec("UPDATE meta SET value = '2' WHERE key = 'format'")
  file.exec('DROP TABLE shape')
  file.close()
  const { code } = await rejection(openSqliteReader(directory)).finally(() =>
    rmSync(directory, { recursive: true, force: true }),
  )
  expect(code).toBe('AMBIT_JOURNAL_FORMAT')
})

test('A4 a late proposer of what is in doubt hears that it is in doubt', async () => {
  const desk = await deskOf({ isSure: false })
  desk.go('a', 30_000)
  await desk.rest()
  desk.go('b', 30_000)
  await desk.rest()
  for (const id of ['a', 'b'])
    expect(desk.heard(id).notices).toMatchObject([{ case: 'c-1', state: 'inDoubt' }])
  await desk.system.stop()
})
