import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import type { Event, ReplyTo } from '../../src/kernel/message.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply } from '../../src/logic/actions.ts'
import { ask } from '../../src/logic/invocable.ts'
import { byHand } from '../support/driven.ts'

const kept = ['none', 'async', 'sync'] as const

/** Keeps who asked, and answers when it is told to; it can also answer in another's name. */
const oracle = setup({
  types: { context: {} as { asked: number; asker?: ReplyTo }, events: {} as Event },
}).createMachine({
  id: 'oracle',
  context: { asked: 0 },
  on: {
    question: {
      actions: assign(({ context }) => ({
        asked: context.asked + 1,
        asker: thisTurn().message.headers.replyTo,
      })),
    },
    answer: {
      actions: reply(({ event }) => ({ type: 'answer', value: event.value }), {
        to: ({ context, event }) => (event.to as ReplyTo | undefined) ?? context.asker,
      }),
    },
  },
})

interface Asked {
  readonly heard: unknown
}

/** Asks `to` at `ask`; while it waits it answers questions of others itself. */
const asker = (to: string, timeoutMs = 1000) =>
  setup({
    types: { context: {} as Asked, events: {} as Event },
    actors: { ask: ask({ to, event: () => ({ type: 'question' }), timeoutMs }) },
  }).createMachine({
    id: 'asker',
    context: { heard: null },
    initial: 'idle',
    on: { question: { actions: reply({ type: 'answer', value: 'from the asker' }) } },
    states: {
      idle: { on: { ask: 'asking' } },
      asking: {
        invoke: {
          src: 'ask',
          onDone: { target: 'idle', actions: assign({ heard: ({ event }) => event.output.value }) },
          onError: {
            target: 'idle',
            actions: assign({ heard: ({ event }) => (event.error as { code: string }).code }),
          },
        },
      },
    },
  })

const world = (of: Durability, to: Durability = of) =>
  byHand([
    actor('asker', asker('/oracle'), { durability: of }),
    actor('oracle', oracle, { durability: to }),
    actor('liar', oracle, { durability: to }),
  ])

const heard = (hand: ReturnType<typeof byHand>) => (hand.context('/asker') as Asked).heard
const replyTo = (hand: ReturnType<typeof byHand>) =>
  (hand.context('/oracle') as { asker: ReplyTo }).asker

describe('a question between actors', () => {
  const pairs = kept.flatMap((of) => kept.map((to) => [of, to] as const))

  test.each(pairs)('M5 is answered whatever is kept of either (%s asks %s)', (of, to) => {
    const hand = world(of, to)
    hand.send('/asker', { type: 'ask' })
    expect(heard(hand)).toBeNull()
    hand.send('/oracle', { type: 'answer', value: 7 })
    expect(heard(hand)).toBe(7)
    hand.clock.advance(5000)
    expect(heard(hand)).toBe(7)
    expect(hand.system.deadLetters.count()).toBe(0)
  })

  test.each(kept)(
    'M5 times out at its deadline; the late answer is stale and counted (%s)',
    (of) => {
      const hand = world(of)
      hand.send('/asker', { type: 'ask' })
      hand.clock.advance(999)
      expect(heard(hand)).toBeNull()
      hand.clock.advance(1)
      expect(heard(hand)).toBe('AMBIT_ASK_TIMEOUT')
      hand.send('/oracle', { type: 'answer', value: 7 })
      expect(heard(hand)).toBe('AMBIT_ASK_TIMEOUT')
      expect(hand.system.deadLetters.count('staleReply')).toBe(1)
      expect(hand.system.deadLetters.count()).toBe(1)
    },
  )

  test.each(kept)('M5 is answered once: a second answer is stale and counted (%s)', (of) => {
    const hand = world(of)
    hand.send('/asker', { type: 'ask' })
    for (const value of [1, 2]) hand.send('/oracle', { type: 'answer', value })
    expect(heard(hand)).toBe(1)
    expect(hand.system.deadLetters.count('staleReply')).toBe(1)
  })

  test.each(kept)('M5 is not answered by somebody who was not asked (%s)', (of) => {
    const hand = world(of)
    hand.send('/asker', { type: 'ask' })
    const to = replyTo(hand)
    hand.send('/liar', { type: 'answer', value: 'forged', to })
    expect(heard(hand)).toBeNull()
    expect(hand.system.deadLetters.count('staleReply')).toBe(1)
    hand.send('/oracle', { type: 'answer', value: 'true', to })
    expect(heard(hand)).toBe('true')
  })

  test.each(kept)('M5 to nobody ends with its deadline (%s)', (durability) => {
    const hand = byHand([actor('asker', asker('/nobody'), { durability })])
    hand.send('/asker', { type: 'ask' })
    expect(hand.system.deadLetters.count('unknownActor')).toBe(1)
    hand.clock.advance(1000)
    expect(heard(hand)).toBe('AMBIT_ASK_TIMEOUT')
  })
})

/** Answers a question only after it has asked the one who asked. */
const echo = setup({
  types: { context: {} as { asker?: ReplyTo }, events: {} as Event },
  actors: { back: ask({ to: '/asker', event: () => ({ type: 'question' }), timeoutMs: 500 }) },
}).createMachine({
  id: 'echo',
  context: {},
  initial: 'idle',
  states: {
    idle: {
      on: {
        question: {
          target: 'asking',
          actions: assign({ asker: () => thisTurn().message.headers.replyTo }),
        },
      },
    },
    asking: {
      invoke: {
        src: 'back',
        onDone: {
          target: 'idle',
          actions: reply(
            ({ event }) => ({ type: 'answer', value: `via echo ${String(event.output.value)}` }),
            {
              to: ({ context }) => context.asker,
            },
          ),
        },
      },
    },
  },
})

describe('a cycle of questions', () => {
  test.each(kept)('M5 is answered: whoever waits goes on taking messages (%s)', (durability) => {
    const hand = byHand([
      actor('asker', asker('/echo'), { durability }),
      actor('echo', echo, { durability }),
    ])
    hand.send('/asker', { type: 'ask' })
    expect(heard(hand)).toBe('via echo from the asker')
  })

  test.each(kept)('M5 of one actor that asks itself is answered (%s)', (durability) => {
    const hand = byHand([actor('asker', asker('/asker'), { durability })])
    hand.send('/asker', { type: 'ask' })
    expect(heard(hand)).toBe('from the asker')
  })
})

describe('a question from outside', () => {
  test.each(kept)(
    'M5 times out at its deadline; the late answer is stale and counted (%s)',
    async (of) => {
      const hand = world(of)
      const asked = hand.ref('/oracle').ask({ type: 'question' }, { timeoutMs: 200 })
      hand.system.drain()
      hand.clock.advance(200)
      await expect(asked).rejects.toMatchObject({ code: 'AMBIT_ASK_TIMEOUT' })
      hand.send('/oracle', { type: 'answer', value: 7 })
      expect(hand.system.deadLetters.count('staleReply')).toBe(1)
    },
  )

  test.each(kept)('M5 is not answered by somebody who was not asked (%s)', async (of) => {
    const hand = world(of)
    const asked = hand.ref('/oracle').ask({ type: 'question' })
    hand.system.drain()
    const to = replyTo(hand)
    hand.send('/liar', { type: 'answer', value: 'forged', to })
    hand.send('/oracle', { type: 'answer', value: 'true' })
    expect(await asked).toEqual({ type: 'answer', value: 'true' })
  })

  test('M5 each of many with other timeouts ends at its own deadline', async () => {
    const hand = world('none')
    const ended: number[] = []
    const lengths = Array.from({ length: 20 }, (_, i) => 2000 - 100 * i)
    for (const timeoutMs of lengths) {
      const asked = hand.ref('/oracle').ask({ type: 'question' }, { timeoutMs })
      asked.catch(() => ended.push(timeoutMs))
    }
    hand.system.drain()
    for (let passed = 100; passed <= 2000; passed += 100) {
      hand.clock.advance(100)
      await Promise.resolve().then(() => undefined)
      expect(ended).toEqual(lengths.filter((each) => each <= passed).sort((a, b) => a - b))
    }
    expect(hand.clock.waiting).toBe(0)
  })
})

describe('a deadline', () => {
  const taken = (hand: ReturnType<typeof byHand>) =>
    (hand.context('/oracle') as { asked: number }).asked

  test.each(kept)('T7 that passed before its turn makes a dead letter and no step (%s)', (of) => {
    const hand = world(of)
    const { clock } = hand
    const deadline = clock.now() + 100
    const ref = hand.ref('/oracle')
    const before = ref.getSnapshot() as object
    expect(ref.send({ type: 'question' }, { deadline })).toEqual({ status: 'accepted' })
    clock.turnTo(deadline + 1)
    hand.system.drain()
    expect(ref.getSnapshot()).toBe(before)
    const letters = hand.system.deadLetters.list()
    expect(letters).toMatchObject([{ reason: 'expired', message: { type: 'question' } }])
    expect(hand.system.deadLetters.count()).toBe(1)
    hand.send('/oracle', { type: 'question' })
    expect(taken(hand)).toBe(1)
  })

  test.each(kept)('T7 that is just now still counts (%s)', (of) => {
    const hand = world(of)
    const deadline = hand.clock.now() + 100
    hand.ref('/oracle').send({ type: 'question' }, { deadline })
    hand.clock.turnTo(deadline)
    hand.system.drain()
    expect(taken(hand)).toBe(1)
    expect(hand.system.deadLetters.count()).toBe(0)
  })

  test.each(kept)(
    'T7 of a question is that of its message: work nobody waits for is not begun (%s)',
    async (of) => {
      const hand = world(of)
      const asked = hand.ref('/oracle').ask({ type: 'question' }, { timeoutMs: 100 })
      hand.clock.turnTo(hand.clock.now() + 101)
      hand.clock.advance(0)
      await expect(asked).rejects.toMatchObject({ code: 'AMBIT_ASK_TIMEOUT' })
      hand.system.drain()
      expect(taken(hand)).toBe(0)
      expect(hand.system.deadLetters.count('expired')).toBe(1)
    },
  )
})
