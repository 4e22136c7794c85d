import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import type { ParkedDecision } from '../../src/kernel/parked.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import type { Message } from '../../src/kernel/message.ts'
import { reply } from '../../src/logic/actions.ts'
import { effect } from '../../src/logic/invocable.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, until, valueOf } from '../support/running.ts'

const ops: ParkedDecision = { by: 'ops', reason: 'mended' }

/** Fails on `note` and on what its effect answers, as long as it is broken. */
const noting = (bug: { isThere: boolean }) =>
  setup({
    types: { context: {} as { notes: unknown[] } },
    actors: { look: effect(() => 'seen') },
  }).createMachine({
    id: 'noting',
    context: { notes: [] },
    initial: 'idle',
    on: {
      note: {
        actions: assign(({ context, event }) => {
          if (bug.isThere) throw new Error('cannot note')
          return { notes: [...context.notes, event.text] }
        }),
      },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.notes })) },
      end: '.over',
    },
    states: {
      idle: { on: { look: 'looking', later: 'waiting' } },
      looking: {
        invoke: {
          id: 'look',
          src: 'look',
          onDone: {
            target: 'idle',
            actions: assign(({ context, event }) => failing(bug, context.notes, event.output)),
          },
        },
        on: { again: { target: 'looking', reenter: true } },
      },
      waiting: {
        after: {
          100: {
            target: 'idle',
            actions: assign(({ context }) => failing(bug, context.notes, 'waited')),
          },
        },
      },
      over: { type: 'final' },
    },
  })

function failing(bug: { isThere: boolean }, notes: unknown[], text: unknown) {
  if (bug.isThere) throw new Error('cannot go on')
  return { notes: [...notes, text] }
}

const note = (text: string) => ({ type: 'note', text })
const get = { type: 'get' }

describe('parked messages', () => {
  test.each<Durability>(['none', 'async', 'sync'])(
    'U1 a parked message is listed, and retried as a new message (%s)',
    async (durability) => {
      const bug = { isThere: true }
      const { kernel, settle } = await run([actor('a', noting(bug), { durability })])
      void kernel.ref('/a').send(note('one'))
      await settle()
      bug.isThere = false
      const [parked, ...more] = await kernel.parking.list()
      expect(more).toEqual([])
      expect(parked).toMatchObject({ address: '/a', type: 'note', message: { body: note('one') } })
      const outcome = await kernel.parking.settle('retry', '/a', parked?.id ?? '', ops)
      await settle()
      expect(outcome).toMatchObject({ status: 'retried' })
      expect(outcome).not.toMatchObject({ id: parked?.id })
      expect(await valueOf(kernel, '/a', get)).toEqual(['one'])
      expect(await kernel.parking.list()).toEqual([])
      await kernel.stop()
    },
  )

  test("U2 the new message names the old one, and takes over neither its number nor its caller's id", async () => {
    const bug = { isThere: true }
    const { kernel, settle } = await run([actor('a', noting(bug))])
    void kernel.ref('/a').deliver(note('one'), { id: 'order-1' })
    await settle()
    bug.isThere = false
    await kernel.parking.settle('retry', '/a', 'order-1', ops)
    await settle()
    expect(await kernel.ref('/a').deliver(note('one'), { id: 'order-1' })).toBe('duplicate')
    const turns = await kernel.session.history({ address: '/a' })
    const taken = turns.map(({ record }) => (JSON.parse(record) as { message: Message }).message)
    const again = taken.find(({ headers }) => headers.causation === 'order-1')
    expect(again?.body).toEqual(note('one'))
    expect(again?.headers.once).toBeUndefined()
    expect(again?.headers.attempt).toBeUndefined()
    expect(await valueOf(kernel, '/a', get)).toEqual(['one'])
    await kernel.stop()
  })

  test('U3 who decided and why is a turn in the log, of a retry and of a discard', async () => {
    const bug = { isThere: true }
    const { kernel, settle } = await run([actor('a', noting(bug))])
    for (const id of ['m-1', 'm-2']) void kernel.ref('/a').deliver(note(id), { id })
    await settle()
    await kernel.parking.settle('discard', '/a', 'm-1', { by: 'ann', reason: 'a joke' })
    await kernel.parking.settle('retry', '/a', 'm-2', { by: 'bob' })
    await settle()
    const turns = await kernel.session.history({ address: '/a' })
    const thoughts = turns.flatMap(
      ({ record }) => (JSON.parse(record) as { thoughts?: unknown[] }).thoughts ?? [],
    )
    expect(thoughts).toEqual([
      { kind: 'parkedDiscarded', message: 'm-1', by: 'ann', reason: 'a joke' },
      { kind: 'parkedRetried', message: 'm-2', by: 'bob' },
    ])
    await kernel.stop()
  })

  test('U4 a retry after a restart of the system is the same, also of a member that is not in memory', async () => {
    const journal = faultyJournal()
    const bug = { isThere: true }
    const children = () => [pool('p', actor('member', noting(bug)))]
    const first = await run(children(), { journal })
    void first.kernel.ref('/p/one').deliver(note('kept'), { id: 'm-1' })
    await first.settle()
    await journal.crash()
    bug.isThere = false
    const second = await run(children(), { journal })
    expect((await second.kernel.parking.list()).map(({ address, id }) => [address, id])).toEqual([
      ['/p/one', 'm-1'],
    ])
    expect(second.kernel.liveActors()).toBe(0)
    expect(await second.kernel.parking.settle('retry', '/p/one', 'm-1', ops)).toMatchObject({
      status: 'retried',
    })
    await second.settle()
    expect(await valueOf(second.kernel, '/p/one', get)).toEqual(['kept'])
    await second.kernel.stop()
  })

  test('U5 what is not there is refused by name, and makes nobody live', async () => {
    const { kernel, settle } = await run([
      actor('a', noting({ isThere: false })),
      pool('p', actor('member', noting({ isThere: false }))),
    ])
    const refused = (reason: string) => ({ status: 'refused', reason })
    const settled = (to: string) => kernel.parking.settle('retry', to, 'm-1', ops)
    expect(await settled('/a')).toMatchObject(refused('unknownMessage'))
    expect(await settled('/p/nobody')).toMatchObject(refused('unknownMessage'))
    expect(await settled('/nowhere')).toMatchObject(refused('unknownMessage'))
    await settle()
    expect(kernel.liveActors()).toBe(1)
    const twice = kernel.parking.settle('retry', '/a', 'm-1', {} as ParkedDecision)
    await expect(twice).rejects.toMatchObject({ code: 'AMBIT_SPEC_INVALID' })
    await kernel.stop()
  })

  test('U5 of two orders for one message the second is told that it is settled', async () => {
    const bug = { isThere: true }
    const { kernel, settle } = await run([actor('a', noting(bug))])
    void kernel.ref('/a').deliver(note('one'), { id: 'm-1' })
    await settle()
    bug.isThere = false
    const both = await Promise.all(
      ['retry', 'discard'].map((what) =>
        kernel.parking.settle(what as 'retry' | 'discard', '/a', 'm-1', ops),
      ),
    )
    await settle()
    expect(both.map(({ status }) => status)).toEqual(['retried', 'refused'])
    expect(await valueOf(kernel, '/a', get)).toEqual(['one'])
    await kernel.stop()
  })

  test.each([
    ['in memory', false],
    ['of a pool', true],
  ])(
    'U6 of an actor that has ended a parked message can be discarded and not retried (%s)',
    async (_, isMember) => {
      const journal = faultyJournal()
      const bug = { isThere: true }
      const address = isMember ? '/p/one' : '/a'
      const children = () =>
        isMember ? [pool('p', actor('member', noting(bug)))] : [actor('a', noting(bug))]
      const first = await run(children(), { journal })
      void first.kernel.ref(address).deliver(note('one'), { id: 'm-1' })
      await first.settle()
      first.kernel.ref(address).send({ type: 'end' })
      await first.settle()
      const order = (what: 'retry' | 'discard') =>
        first.kernel.parking.settle(what, address, 'm-1', ops)
      expect(await order('retry')).toMatchObject({ status: 'refused', reason: 'stopped' })
      expect(await order('discard')).toEqual({ status: 'discarded' })
      expect(await order('discard')).toMatchObject({ reason: 'unknownMessage' })
      expect(await first.kernel.parking.list()).toEqual([])
      await first.kernel.stop()
      const second = await run(children(), { journal })
      expect(await second.kernel.parking.list()).toEqual([])
      await expect(second.kernel.ref(address).ask(get)).rejects.toMatchObject({
        code: /STOPPED|REFUSED/,
      })
      await second.kernel.stop()
    },
  )

  test('U6 of an actor that is down an order is refused at once', async () => {
    const bug = { isThere: true }
    const root = supervisor({ intensity: 2, children: [actor('a', noting(bug))] })
    const { kernel, settle } = await run([], { root })
    for (const text of ['one', 'two']) kernel.ref('/a').send(note(text))
    await settle()
    expect(kernel.alarms).toHaveLength(1)
    expect(await kernel.parking.settle('retry', '/a', 'm-1', ops)).toMatchObject({
      status: 'refused',
      reason: 'quarantined',
    })
    await kernel.stop()
  })

  test.each([
    ['the end of an effect', 'look', ['seen']],
    ['a delayed event', 'later', ['waited']],
  ])('U7 %s can be retried: the machine goes on from where it waits', async (_, type, notes) => {
    const bug = { isThere: true }
    const { kernel, clock, settle } = await run([actor('a', noting(bug))])
    kernel.ref('/a').send({ type })
    await settle()
    clock.advance(100)
    await settle()
    const [parked] = await kernel.parking.list()
    bug.isThere = false
    await kernel.parking.settle('retry', '/a', parked?.id ?? '', ops)
    await settle()
    expect(await valueOf(kernel, '/a', get)).toEqual(notes)
    await kernel.stop()
  })

  test('U7 an end of a wait that has begun anew is refused', async () => {
    const bug = { isThere: true }
    const { kernel, settle } = await run([actor('a', noting(bug))])
    kernel.ref('/a').send({ type: 'look' })
    await settle()
    const [parked] = await kernel.parking.list()
    // Sent together: the order is taken while the new effect runs.
    kernel.ref('/a').send({ type: 'again' })
    const outcome = await kernel.parking.settle('retry', '/a', parked?.id ?? '', ops)
    expect(outcome).toMatchObject({ status: 'refused', reason: 'superseded' })
    await kernel.stop()
  })

  test('U8 more than three parked messages within a period count as failures of the actor', async () => {
    const bug = { isThere: true }
    const exits: string[] = []
    const root = supervisor({
      intensity: 100,
      periodMs: 3_600_000,
      children: [actor('a', noting(bug))],
    })
    const { kernel, settle } = await run([], {
      root,
      observers: [
        {
          onExit: ({ reason }) =>
            exits.push(reason.kind === 'error' ? (reason.error.code ?? 'own') : reason.kind),
        },
      ],
    })
    for (let i = 0; i < 5; i++) {
      kernel.ref('/a').send(note(String(i)))
      await settle()
    }
    await until(async () => (await kernel.parking.list()).length === 5)
    const tooOften = exits.filter((code) => code === 'AMBIT_PARKED_TOO_OFTEN')
    expect([tooOften.length, exits.length]).toEqual([2, 12])
    bug.isThere = false
    kernel.ref('/a').send(note('after'))
    await settle()
    expect(await valueOf(kernel, '/a', get)).toEqual(['after'])
    await kernel.stop()
  })
})
