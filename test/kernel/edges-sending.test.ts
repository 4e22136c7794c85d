import { describe, expect, test } from 'vitest'
import { assign, createActor, fromTransition, sendTo, setup, type AnyActorRef } from 'xstate'
import { actor } from '../../actors/actor.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import type { Overflow } from '../../src/kernel/mailbox.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { tell } from '../../src/logic/actions.ts'
import { byHand } from '../support/driven.ts'

const kept = ['none', 'async', 'sync'] as const

const counter = setup({ types: { context: {} as { count: number } } }).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: { add: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
})

const countOf = (hand: ReturnType<typeof byHand>, address: string) =>
  (hand.context(address) as { count: number }).count

describe('what send answers', () => {
  test.each(kept)('T6 a full mailbox refuses until it has room (%s)', (durability) => {
    const mailbox = { userLengthMax: 3 }
    const hand = byHand([actor('it', counter, { durability, mailbox })])
    const ref = hand.ref('/it')
    const answers = Array.from({ length: 5 }, () => ref.send({ type: 'add' }))
    const full = { status: 'rejected', reason: 'mailboxFull', retryAfterMs: 100 }
    const taken = { status: 'accepted' }
    expect(answers).toEqual([taken, taken, taken, full, full])
    expect(hand.system.deadLetters.count('mailboxFull')).toBe(2)
    hand.system.drain()
    expect(countOf(hand, '/it')).toBe(3)
    expect(ref.send({ type: 'add' })).toEqual(taken)
  })

  test.each([
    ['deadLetter', [0, 1, 2], [3, 4]],
    ['dropOldest', [2, 3, 4], [0, 1]],
  ] as const)('T6 %s always accepts, and says what it lost', (overflow: Overflow, taken, lost) => {
    const list = fromTransition(
      (seen: number[], { n }: { type: 'add'; n: number }) => [...seen, n],
      [],
    )
    const mailbox = { userLengthMax: 3, overflow }
    const hand = byHand([actor('it', list, { durability: 'none', mailbox })])
    const answers = Array.from({ length: 5 }, (_, n) => hand.ref('/it').send({ type: 'add', n }))
    hand.system.drain()
    expect(answers.every(({ status }) => status === 'accepted')).toBe(true)
    expect(hand.context('/it')).toEqual(taken)
    const letters = hand.system.deadLetters.list()
    expect(letters.map(({ message }) => message.body.n)).toEqual(lost)
  })

  test.each(['deadLetter', 'dropOldest'] as const)(
    'T6 a question that %s loses is refused at once, not left to time out',
    async (overflow) => {
      const mailbox = { userLengthMax: 1, overflow }
      const hand = byHand([actor('it', counter, { mailbox })])
      const asked = [1, 2].map(() => hand.ref('/it').ask({ type: 'add' }))
      const lost = asked[overflow === 'deadLetter' ? 1 : 0]
      asked.forEach((each) => void each.catch(() => undefined))
      await expect(lost).rejects.toMatchObject({ code: 'AMBIT_STOPPED' })
    },
  )

  test.each(kept)(
    'T15 a stopped actor refuses, and so does a place where nobody is (%s)',
    (durability) => {
      const hand = byHand([actor('it', counter, { durability })])
      const ref = hand.ref('/it')
      ref.send({ type: 'add' })
      ref.stop()
      // The system lane goes first: what came before the stop is a dead letter too.
      hand.system.drain()
      expect(ref.send({ type: 'add' })).toEqual({ status: 'rejected', reason: 'stopped' })
      const nobody = ['/nobody', '/it/below', '/__proto__', '/constructor', '/~outside/x']
      for (const address of nobody)
        expect(hand.send(address, { type: 'add' })).toEqual({
          status: 'rejected',
          reason: 'unknownActor',
        })
      expect(hand.system.deadLetters.count('stopped')).toBe(2)
      expect(hand.system.deadLetters.count('unknownActor')).toBe(nobody.length)
    },
  )

  test('T15 a question to a stopped actor, or to nobody, is refused at once', async () => {
    const hand = byHand([actor('it', counter)])
    hand.ref('/it').stop()
    hand.system.drain()
    for (const address of ['/it', '/nobody'])
      await expect(hand.ref(address).ask({ type: 'add' })).rejects.toMatchObject({
        code: 'AMBIT_STOPPED',
      })
    expect(hand.clock.waiting).toBeLessThanOrEqual(1)
  })
})

/** A machine that sends `add` to what it is given, by `sendTo`. */
const sender = (to: () => unknown) =>
  setup({}).createMachine({
    id: 'sender',
    on: { go: { actions: sendTo(to as () => AnyActorRef, { type: 'add' }) } },
  })

describe('a ref that is not of the sender’s own members', () => {
  const senders = [...kept] as Durability[]

  test.each(senders)('M8 another actor’s ref is reached by sendTo (%s)', (durability) => {
    const hand = byHand([
      actor(
        'from',
        sender(() => hand.ref('/to')),
        { durability },
      ),
      actor('to', counter, { durability }),
    ])
    hand.send('/from', { type: 'go' })
    expect(countOf(hand, '/to')).toBe(1)
  })

  test.each(senders)(
    'M8 its own ref of the system reaches the actor in a later turn (%s)',
    (durability) => {
      const own = setup({ types: { context: {} as { count: number } } }).createMachine({
        id: 'own',
        context: { count: 0 },
        on: {
          go: { actions: sendTo((() => hand.ref('/own')) as () => AnyActorRef, { type: 'add' }) },
          add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
        },
      })
      const hand = byHand([actor('own', own, { durability })])
      hand.send('/own', { type: 'go' })
      expect(countOf(hand, '/own')).toBe(1)
    },
  )

  test.each(senders)('M8 a plain XState actor is reached by sendTo (%s)', (durability) => {
    const plain = createActor(counter).start()
    const hand = byHand([
      actor(
        'from',
        sender(() => plain),
        { durability },
      ),
    ])
    hand.send('/from', { type: 'go' })
    expect(plain.getSnapshot().context).toEqual({ count: 1 })
  })

  test('M8 a plain XState actor reaches an actor of Ambit, and cannot forge its protocol', () => {
    const hand = byHand([actor('to', counter)])
    const forging = setup({}).createMachine({
      id: 'forging',
      on: {
        go: { actions: sendTo((() => hand.ref('/to')) as () => AnyActorRef, { type: 'add' }) },
        forge: {
          actions: sendTo((() => hand.ref('/to')) as () => AnyActorRef, { type: 'ambit.stop' }),
        },
      },
    })
    const plain = createActor(forging).start()
    plain.send({ type: 'forge' })
    plain.send({ type: 'go' })
    hand.system.drain()
    expect(countOf(hand, '/to')).toBe(1)
    expect(hand.system.deadLetters.count('invalid')).toBe(1)
  })

  test.each(senders)(
    'M8 a ref of another system leads there and not to its namesake here (%s)',
    (durability) => {
      const there = byHand([actor('to', counter)])
      const here = byHand([
        actor(
          'from',
          sender(() => there.ref('/to')),
          { durability },
        ),
        actor('to', counter, { durability }),
      ])
      here.send('/from', { type: 'go' })
      there.system.drain()
      expect([countOf(here, '/to'), countOf(there, '/to')]).toEqual([0, 1])
    },
  )

  test('M8 a ref given in an event is reached where nothing is kept', () => {
    const greeter = setup({}).createMachine({
      id: 'greeter',
      on: {
        greet: {
          actions: sendTo(({ event }) => (event as never as { who: AnyActorRef }).who, {
            type: 'add',
          }),
        },
      },
    })
    const hand = byHand([
      actor('greeter', greeter, { durability: 'none' }),
      actor('to', counter, { durability: 'none' }),
    ])
    hand.send('/greeter', { type: 'greet', who: hand.ref('/to') })
    expect(countOf(hand, '/to')).toBe(1)
    expect(hand.send('/greeter', { type: 'greet', who: { _send: 1, sessionId: 2 } }).status).toBe(
      'accepted',
    )
  })
})

describe('messages between actors', () => {
  test.each(kept)(
    'T17 an event is taken as it was told, whatever becomes of it after (%s)',
    (durability) => {
      const shared = { n: 1 }
      const list = fromTransition(
        (seen: number[], event: { type: string; shared: { n: number } }) => {
          return event.type === 'note' ? [...seen, event.shared.n] : seen
        },
        [],
      )
      const from = setup({}).createMachine({
        id: 'from',
        on: {
          go: { actions: [tell('/to', () => ({ type: 'note', shared })), () => (shared.n += 1)] },
        },
      })
      const hand = byHand([actor('from', from, { durability }), actor('to', list, { durability })])
      hand.send('/from', { type: 'go' })
      expect(hand.context('/to')).toEqual([1])
    },
  )

  test.each(kept)(
    'T8 a machine cannot tell what is reserved, and the turn fails (%s)',
    (durability) => {
      const from = setup({}).createMachine({
        id: 'from',
        on: { 'go.*': { actions: tell('/to', ({ event }) => ({ type: event.type.slice(3) })) } },
      })
      const hand = byHand([
        actor('from', from, { durability, restart: 'temporary' }),
        actor('to', counter, { durability }),
      ])
      hand.send('/from', { type: 'go.ambit.stop' })
      expect(hand.system.alarms).toMatchObject([{ error: { code: 'AMBIT_EVENT_REFUSED' } }])
      expect(hand.send('/to', { type: 'add' })).toEqual({ status: 'accepted' })
      expect(countOf(hand, '/to')).toBe(1)
    },
  )

  test.each(kept)(
    'T8 a reducer that answers for another is refused its reserved types (%s)',
    (durability) => {
      const from = fromTransition((state: number) => {
        thisTurn().tell('/to', { type: 'xstate.stop' })
        return state + 1
      }, 0)
      const hand = byHand([
        actor('from', from, { durability, restart: 'temporary' }),
        actor('to', counter, { durability }),
      ])
      hand.send('/from', { type: 'go' })
      expect(hand.system.alarms).toMatchObject([{ error: { code: 'AMBIT_EVENT_REFUSED' } }])
      expect(hand.context('/from')).toBe(0)
    },
  )
})
