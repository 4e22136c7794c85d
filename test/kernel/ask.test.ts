import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import type { ChildSpec } from '../../src/kernel/supervisor-spec.ts'
import type { Event, ReplyTo } from '../../src/kernel/message.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { ask } from '../../src/logic/invocable.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, valueOf } from '../support/running.ts'

/** Hears questions and answers when it is told to, from a stored `replyTo`. */
const oracle = setup({
  types: { context: {} as { heard: string[]; asker?: ReplyTo }, events: {} as Event },
}).createMachine({
  id: 'oracle',
  context: { heard: [] },
  on: {
    'price.asked': {
      actions: assign(({ context, event }) => ({
        heard: [...context.heard, `asked ${String(event.item)}`],
        asker: thisTurn().message.headers.replyTo,
      })),
    },
    'price.withdrawn': {
      actions: assign({ heard: ({ context }) => [...context.heard, 'withdrawn'] }),
    },
    answer: {
      actions: reply(({ event }) => ({ type: 'priced', price: event.price }), {
        to: ({ context }) => context.asker,
      }),
    },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) },
  },
})

const buyer = (to: string) =>
  setup({
    types: { context: {} as { note: unknown }, events: {} as Event },
    actors: {
      price: ask<{ item: string }>({
        to,
        event: ({ item }) => ({ type: 'price.asked', item }),
        withdraw: () => ({ type: 'price.withdrawn' }),
        timeoutMs: 1000,
      }),
    },
  }).createMachine({
    id: 'buyer',
    context: { note: null },
    initial: 'idle',
    on: {
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.note })) },
      leave: { target: '.idle' },
    },
    states: {
      idle: { on: { buy: 'asking' } },
      asking: {
        invoke: {
          src: 'price',
          input: { item: 'tea' },
          onDone: { target: 'idle', actions: assign({ note: ({ event }) => event.output.price }) },
          onError: {
            target: 'idle',
            actions: assign({ note: ({ event }) => (event.error as { code: string }).code }),
          },
        },
      },
    },
  })

const market = (to = '/oracle'): ChildSpec[] => [
  actor('oracle', oracle, { name: 'pricing' }),
  actor('buyer', buyer(to)),
]

const note = (kernel: Parameters<typeof valueOf>[0]) => valueOf(kernel, '/buyer', { type: 'get' })
const heard = (kernel: Parameters<typeof valueOf>[0]) => valueOf(kernel, '/oracle', { type: 'get' })

describe('a question to another actor', () => {
  test('M5 a question is answered when the other replies', async () => {
    const { kernel, rest } = await run(market())
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    expect(await heard(kernel)).toEqual(['asked tea'])
    expect(await note(kernel)).toBeNull()
    kernel.ref('/oracle').send({ type: 'answer', price: 3 })
    await rest()
    expect(await note(kernel)).toBe(3)
    await kernel.stop()
  })

  test('M5 a question times out by its deadline, and a later answer is a dead letter', async () => {
    const { kernel, clock, rest } = await run(market())
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    clock.advance(999)
    expect(await note(kernel)).toBeNull()
    clock.advance(1)
    expect(await note(kernel)).toBe('AMBIT_ASK_TIMEOUT')
    kernel.ref('/oracle').send({ type: 'answer', price: 3 })
    await rest()
    expect(await note(kernel)).toBe('AMBIT_ASK_TIMEOUT')
    expect(kernel.deadLetters.count('staleReply')).toBe(1)
    await kernel.stop()
  })

  test('M5 leaving the state withdraws the question, and its deadline is forgotten', async () => {
    const { kernel, clock, rest } = await run(market())
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    kernel.ref('/buyer').send({ type: 'leave' })
    await rest()
    expect(await heard(kernel)).toEqual(['asked tea', 'withdrawn'])
    kernel.ref('/oracle').send({ type: 'answer', price: 3 })
    clock.advance(5000)
    expect(await note(kernel)).toBeNull()
    expect((await kernel.session.recover()).timers).toEqual([])
    await kernel.stop()
  })

  test('M5 stopping the asker withdraws the question', async () => {
    const { kernel, rest } = await run(market())
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    kernel.stopActor('/buyer')
    await rest()
    expect(await heard(kernel)).toEqual(['asked tea', 'withdrawn'])
    await kernel.stop()
  })

  test('M5 starting the asker afresh withdraws the question', async () => {
    const { kernel, rest } = await run(market())
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    kernel.startFresh('/buyer')
    await rest()
    expect(await heard(kernel)).toEqual(['asked tea', 'withdrawn'])
    await kernel.stop()
  })

  test('M5 an answer to an earlier question does not answer a later one', async () => {
    const { kernel, rest } = await run(market())
    for (const type of ['buy', 'leave', 'buy']) {
      kernel.ref('/buyer').send({ type })
      await rest()
    }
    kernel.ref('/oracle').send({ type: 'answer', price: 4 })
    await rest()
    expect(await note(kernel)).toBe(4)
    expect(await heard(kernel)).toEqual(['asked tea', 'withdrawn', 'asked tea'])
    await kernel.stop()
  })

  test('M5 a question stands in the committed state: a crash does not withdraw it', async () => {
    const journal = faultyJournal()
    const first = await run(market(), { journal })
    first.kernel.ref('/buyer').send({ type: 'buy' })
    await first.rest()
    await journal.crash()
    const second = await run(market(), { journal, clock: first.clock })
    await second.rest()
    expect(await heard(second.kernel)).toEqual(['asked tea'])
    second.kernel.ref('/oracle').send({ type: 'answer', price: 5 })
    await second.rest()
    expect(await note(second.kernel)).toBe(5)
    await second.kernel.stop()
  })

  test('M5 the deadline of a question is absolute: it counts on while nothing runs', async () => {
    const journal = faultyJournal()
    const first = await run(market(), { journal })
    first.kernel.ref('/buyer').send({ type: 'buy' })
    await first.rest()
    await journal.crash()
    first.clock.turnTo(first.clock.now() + 5000)
    const second = await run(market(), { journal, clock: first.clock })
    second.clock.advance(0)
    expect(await note(second.kernel)).toBe('AMBIT_ASK_TIMEOUT')
    await second.kernel.stop()
  })
})

describe('names', () => {
  test.each(['/oracle', 'pricing'])('M6 a question to %s reaches the actor', async (to) => {
    const { kernel, rest } = await run(market(to))
    kernel.ref('/buyer').send({ type: 'buy' })
    await rest()
    expect(await heard(kernel)).toEqual(['asked tea'])
    await kernel.stop()
  })

  test.each(['/oracle', 'pricing'])('M6 a message told to %s reaches the actor', async (to) => {
    const teller = setup({}).createMachine({
      id: 'teller',
      on: { go: { actions: tell(to, { type: 'price.asked', item: 'milk' }) } },
    })
    const { kernel, rest } = await run([...market(), actor('teller', teller)])
    kernel.ref('/teller').send({ type: 'go' })
    await rest()
    expect(await heard(kernel)).toEqual(['asked milk'])
    await kernel.stop()
  })

  test('M6 a name belongs to one actor', () => {
    const twice = run([actor('a', oracle, { name: 'x' }), actor('b', oracle, { name: 'x' })])
    return expect(twice).rejects.toMatchObject({ code: 'AMBIT_SPEC_INVALID' })
  })

  test('T15 a message told to a name that nobody has is a dead letter', async () => {
    const teller = setup({}).createMachine({
      id: 'teller',
      on: { go: { actions: tell('nobody', { type: 'hello' }) } },
    })
    const { kernel, rest } = await run([actor('teller', teller)])
    kernel.ref('/teller').send({ type: 'go' })
    await rest()
    expect(kernel.deadLetters.count('unknownActor')).toBe(1)
    await kernel.stop()
  })
})
