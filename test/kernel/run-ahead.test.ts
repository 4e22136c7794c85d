import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import { effect } from '../../src/logic/invocable.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import type { TurnCommit } from '../../src/kernel/ports/journal.ts'
import { disorderIn, errand, runner, seenBy, tagsOf, turnsOf, witness } from '../support/errands.ts'
import { failing, faultyJournal, type FaultyJournal } from '../support/faulty-journal.ts'
import { faultIn, headOf } from '../support/journal-kinds.ts'
import { rounds, run, until } from '../support/running.ts'

const trio = () => ['a', 'b', 'c'].map((id) => actor(id, runner()))

/** There and back and on: `/a`, `/b`, `/a` again, `/c`. */
const journey = errand('1', ['/b', errand('2', ['/a', errand('3', ['/c', errand('4')])])])

const streamsOf = ({ outbox }: TurnCommit) =>
  outbox.map(({ to, headers }) => `${to} ${String(headers.stream?.number)}`)

describe('a chain of messages between actors of one journal', () => {
  test('T2 one message and all that follows of it is one commit of one group', async () => {
    const journal = faultyJournal()
    const { kernel, rest } = await run(trio(), { journal })
    const { batches } = witness(journal)
    kernel.ref('/a').send(journey)
    await rest()
    const [batch = [], ...others] = batches
    expect(others).toEqual([])
    expect(batch.map(({ address, seq }) => `${address} ${seq}`).sort()).toEqual([
      '/a 3',
      '/b 2',
      '/c 2',
    ])
    const groups = new Set(batch.map(({ group }) => group))
    expect([groups.size, groups.has(undefined)]).toEqual([1, false])
    for (const { outbox, consumed, rows, snapshot } of batch) {
      expect([outbox, consumed, rows]).toEqual([[], [], []])
      expect(snapshot).not.toHaveProperty('streams')
    }
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
  })

  test('T2 what has nothing to do with each other is in no group', async () => {
    const journal = faultyJournal()
    const { kernel, rest } = await run(trio(), { journal })
    const { batches } = witness(journal)
    kernel.ref('/a').send(errand('1', ['/b', errand('2')]))
    kernel.ref('/c').send(errand('3'))
    await rest()
    const groupOf = (address: string) => batches[0]?.find((each) => each.address === address)?.group
    expect(batches).toHaveLength(1)
    expect(groupOf('/a')).toBe(groupOf('/b'))
    expect(groupOf('/c')).toBeUndefined()
    await kernel.stop()
  })

  test('T2 observers and the thought log hear of it in the order of cause and effect', async () => {
    const journal = faultyJournal()
    const observer = witness(journal)
    const { kernel, rest } = await run(trio(), { journal, observers: [observer] })
    observer.told.length = 0
    kernel.ref('/a').send(journey)
    await rest()
    const order = ['/a 2', '/b 2', '/a 3', '/c 2']
    expect(observer.told).toEqual(order)
    const turns = await kernel.session.history({})
    expect(turns.slice(-4).map(({ address, seq }) => `${address} ${seq}`)).toEqual(order)
    expect(faultIn(turns, await headOf(kernel.session))).toBeUndefined()
    await kernel.stop()
  })
})

/** `/a` answers outside and has `/b` have `/c` work; each effect that starts is counted. */
function working() {
  const started: string[] = []
  const work = effect(() => void started.push('work'))
  const a = setup({}).createMachine({
    id: 'a',
    on: { go: { actions: [tell('/b', errand('b', ['/c', errand('c')])), reply({ type: 'ok' })] } },
  })
  const c = setup({ actors: { work } }).createMachine({
    id: 'c',
    initial: 'idle',
    states: {
      idle: { on: { errand: 'working' } },
      working: { invoke: { src: 'work', onDone: 'done' } },
      done: {},
    },
  })
  return { started, children: [actor('a', a), actor('b', runner()), actor('c', c)] }
}

describe('a commit that goes wrong', () => {
  const fails = (times: number) => (journal: FaultyJournal) => {
    journal.beforeCommit = failing(times)
  }
  const conflicts = (times: number) => (journal: FaultyJournal) => {
    journal.conflicts = times
  }
  const troubles: [string, (journal: FaultyJournal) => void][] = [
    ['fails once', fails(1)],
    ['fails alone, too', fails(2)],
    ['fails for long', fails(9)],
    ['is answered as a conflict', conflicts(1)],
    ['is answered as a conflict again and again', conflicts(5)],
    ['is stored, but the answer is lost', (journal) => (journal.afterCommit = failing(1, 'lost'))],
    [
      'is stored, but two answers are lost',
      (journal) => (journal.afterCommit = failing(2, 'lost')),
    ],
  ]

  test.each(troubles)('J8 a chain whose commit %s happens once', async (_, trouble) => {
    const journal = faultyJournal()
    const { started, children } = working()
    const { kernel, clock, rest } = await run(children, { journal })
    await rest()
    trouble(journal)
    const observer = witness(journal)
    const answers: string[] = []
    // Nothing may have happened outside by the time that nothing was stored.
    const early: unknown[] = []
    const { beforeCommit } = journal
    journal.beforeCommit = (batch) => {
      if (observer.batches.length === 0) early.push(...answers, ...started)
      return beforeCommit(batch)
    }
    const asked = kernel.ref('/a').ask({ type: 'go' }, { timeoutMs: Infinity })
    void asked.then(({ type }) => answers.push(type))
    for (let i = 0; i < 60; i++) {
      await rounds(3)
      clock.advance(500)
    }
    await rest()
    expect([early, answers, started]).toEqual([[], ['ok'], ['work']])
    expect(await seenBy(kernel, '/b')).toEqual(['/a 0 b'])
    const turns = await kernel.session.history({ address: '/c' })
    const types = turns.map(
      ({ record }) => (JSON.parse(record) as { message: { type: string } }).message.type,
    )
    expect(types).toEqual(['ambit.start', 'errand', 'ambit.effect.ended'])
    expect(await kernel.session.history({ address: '/a' })).toHaveLength(2)
    expect(kernel.deadLetters.count()).toBe(0)
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
  })

  test('J8 nothing of a chain is in the journal while its commit fails', async () => {
    const journal = faultyJournal()
    const observer = witness(journal)
    const { kernel, clock } = await run(trio(), { journal, observers: [observer] })
    observer.told.length = 0
    const head = await headOf(kernel.session)
    journal.beforeCommit = failing(Infinity)
    kernel.ref('/a').send(journey)
    for (let i = 0; i < 20; i++) {
      await rounds(3)
      clock.advance(500)
    }
    expect([await headOf(kernel.session), observer.told]).toEqual([head, []])
    await journal.crash()
    journal.beforeCommit = () => undefined
    const next = await run(trio(), { journal })
    await next.rest()
    for (const address of ['/a', '/b', '/c']) expect(await seenBy(next.kernel, address)).toEqual([])
    await next.kernel.stop()
  })

  test('J8 one actor that cannot be stored does not hold up those before it in its chain', async () => {
    const journal = faultyJournal()
    const observer = witness(journal)
    const children = [...trio(), actor('x', runner()), actor('n', runner())]
    const { kernel, clock, rest } = await run(children, { journal, observers: [observer] })
    journal.beforeCommit = (batch) => {
      const isIt = ({ address, records }: TurnCommit) =>
        address === '/x' && records.some((each) => /"processed".*"tag":"poison"/.test(each))
      if (turnsOf(batch).some(isIt)) throw new Error('this cannot be stored')
    }
    const toX = (tag: string) => ['/x', errand(tag, ['/c', errand(`${tag}!`)])] as const
    kernel.ref('/a').send(errand('1', ['/b', errand('2', toX('x1'))]))
    await rest()
    const more = errand('4', toX('poison'), toX('x2'))
    kernel.ref('/a').send(errand('3', ['/b', more]))
    // Without others that are stored nobody could tell a bad message from a bad disk.
    for (let i = 0; i < 100; i++) {
      kernel.ref('/n').send(errand(String(i)))
      await rounds(3)
      clock.advance(500)
    }
    await rest()
    expect(await tagsOf(kernel, '/b')).toEqual(['2', '4'])
    expect(await tagsOf(kernel, '/x')).toEqual(['x1', 'x2'])
    expect(await tagsOf(kernel, '/c')).toEqual(['x1!', 'x2!'])
    expect(disorderIn(await seenBy(kernel, '/c'))).toEqual([])
    expect(await tagsOf(kernel, '/n')).toHaveLength(100)
    const parked = [...kernel.rows('/x').keys()].filter((key) => key.startsWith('~parked:'))
    expect(parked).toHaveLength(1)
    expect(observer.early).toEqual([])
    await kernel.stop()
  })
})

describe('a receiver that cannot take a message ahead', () => {
  /** Has `/s` tell `/r` three things, the last one after `/r` had its turn. */
  const three = errand(
    '0',
    ['/r', errand('1')],
    ['/r', errand('2')],
    ['/t', errand('t', ['/s', errand('again', ['/r', errand('3')])])],
  )

  test.each([
    [1, ['1', '2', '3']],
    [2, ['2', '3']],
  ])('T3 a message that throws %i times is put back in its order', async (times, expected) => {
    const journal = faultyJournal()
    const fail = failing(times, 'boom')
    const onTake = (tag: string) => {
      if (tag === '1') fail()
    }
    const children = [actor('s', runner()), actor('t', runner()), actor('r', runner(onTake))]
    const { kernel, settle } = await run(children, { journal })
    const { batches } = witness(journal)
    kernel.ref('/s').send(three)
    await settle()
    const sent = batches[0]?.find(({ address }) => address === '/s')
    expect(sent && streamsOf(sent)).toEqual(['/r 1', '/r 2', '/r 3'])
    expect(await tagsOf(kernel, '/r')).toEqual(expected)
    expect(await tagsOf(kernel, '/s')).toEqual(['0', 'again'])
    expect((await kernel.session.recover()).outbox).toEqual([])
    await kernel.stop()
  })

  test('T3 a message waits when one before it on its lane found no room', async () => {
    const journal = faultyJournal()
    const mailbox = { userLengthMax: 1 }
    const children = [actor('s', runner()), actor('t', runner()), actor('r', runner(), { mailbox })]
    const { kernel, settle } = await run(children, { journal })
    const { batches } = witness(journal)
    kernel.ref('/s').send(three)
    await settle()
    const sent = batches[0]?.find(({ address }) => address === '/s')
    expect(sent && streamsOf(sent)).toEqual(['/r 1', '/r 2'])
    expect(await seenBy(kernel, '/r')).toEqual(['/s 1 1', '/s 2 2', '/s 3 3'])
    await kernel.stop()
  })

  test.each(['none', 'async'] as const)(
    'T2 a receiver with durability %s is sent to after the commit',
    async (durability) => {
      const journal = faultyJournal()
      const taken: string[] = []
      const receiver = runner((tag) => taken.push(tag))
      const children = [
        actor('s', runner()),
        actor('t', runner()),
        actor('r', receiver, { durability }),
      ]
      const { kernel, clock, settle } = await run(children, { journal })
      const { batches } = witness(journal)
      journal.beforeCommit = failing(6)
      kernel.ref('/s').send(three)
      while (batches.length === 0) {
        expect(taken).toEqual([])
        await rounds(3)
        clock.advance(100)
      }
      await settle()
      expect(taken).toEqual(['1', '2', '3'])
      const sent = batches.flat().filter(({ address }) => address === '/s')
      expect(sent.flatMap(streamsOf).filter((each) => each.startsWith('/r'))).toEqual([
        '/r 1',
        '/r 2',
        '/r 3',
      ])
      expect((await kernel.session.recover()).outbox).toEqual([])
      await kernel.stop()
    },
  )
})

describe('lives that begin or end within a drain', () => {
  test.each([
    ['startFresh', ['1', '2'], 2],
    ['stopActor', ['1'], 1],
  ] as const)('T3 what was sent before %s arrives', async (call, expected, generation) => {
    const journal = faultyJournal()
    const onTake = (tag: string) => {
      if (tag === 'first') end()
    }
    const specs = () => [actor('s', runner(onTake)), actor('r', runner())]
    const { kernel, rest, clock } = await run(specs(), { journal })
    const end = () => kernel[call]('/s')
    kernel.ref('/s').send(errand('first', ['/r', errand('1')]))
    kernel.ref('/s').send(errand('second', ['/r', errand('2')]))
    await rest()
    expect(await tagsOf(kernel, '/r')).toEqual(expected)
    expect(await kernel.session.load('/s')).toMatchObject({ generation })
    expect(kernel.deadLetters.count('stopped')).toBe(call === 'stopActor' ? 1 : 0)
    await journal.crash()
    const next = await run(specs(), { journal, clock })
    await next.rest()
    expect(await tagsOf(next.kernel, '/r')).toEqual(expected)
    await next.kernel.stop()
  })

  test.each([0, 2])(
    'T15 what comes to a receiver that ended in the drain is a dead letter (%i commits fail)',
    async (times) => {
      const journal = faultyJournal()
      const mortal = setup({}).createMachine({
        id: 'mortal',
        initial: 'up',
        states: { up: { on: { errand: 'over' } }, over: { type: 'final' } },
      })
      const children = [actor('s', runner()), actor('t', runner()), actor('r', mortal)]
      const { kernel, settle } = await run(children, { journal })
      journal.beforeCommit = failing(times)
      const back = errand('back', ['/r', errand('later')])
      kernel
        .ref('/s')
        .send(
          errand(
            '0',
            ['/r', errand('end')],
            ['/r', errand('late')],
            ['/t', errand('t', ['/s', back])],
          ),
        )
      await settle()
      expect(kernel.deadLetters.count('stopped')).toBe(2)
      expect(await tagsOf(kernel, '/s')).toEqual(['0', 'back'])
      expect(await kernel.session.load('/r')).toMatchObject({ status: 'done', seq: 2 })
      expect((await kernel.session.recover()).outbox).toEqual([])
      await kernel.stop()
    },
  )

  test.each([0, 1, 2, 5])(
    'R9 a member that a message brings to life takes it once (%i commits fail)',
    async (times) => {
      const journal = faultyJournal()
      const children = [actor('s', runner()), pool('p', actor('m', runner()))]
      const { kernel, settle } = await run(children, { journal })
      journal.beforeCommit = failing(times)
      kernel.ref('/s').send(errand('0', ['/p/x', errand('1')], ['/p/x', errand('2')]))
      await settle()
      await until(async () => (await kernel.session.load('/p/x')) !== undefined)
      expect(await seenBy(kernel, '/p/x')).toEqual(['/s 1 1', '/s 2 2'])
      expect((await kernel.session.recover()).outbox).toEqual([])
      await kernel.stop()
    },
  )
})
