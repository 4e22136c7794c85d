import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { circleOf } from '../../src/kernel/ask-circle.ts'
import type { Event, ReplyTo } from '../../src/kernel/message.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { defer, reply } from '../../src/logic/actions.ts'
import { ask } from '../../src/logic/invocable.ts'
import { byHand } from '../support/driven.ts'

const kept = ['none', 'async', 'sync'] as const

type Manners = 'ignores' | 'defers' | 'answers' | 'answers later'

interface Context {
  readonly asker?: ReplyTo
  readonly heard: unknown
}

/**
 * Passes a question on to the next and answers with what it hears; `meanwhile` is how it takes a question while it
 * waits itself. A failure of its own question is its answer, too.
 */
const link = (next: string, meanwhile: Manners, timeoutMs = 1000) =>
  setup({
    types: { context: {} as Context, events: {} as Event },
    actors: { next: ask({ to: next, event: () => ({ type: 'question' }), timeoutMs }) },
    actions: {
      keep: assign({ asker: () => thisTurn().message.headers.replyTo }),
      answers: reply({ type: 'answer', value: 'at once' }),
      defers: defer(),
    },
  }).createMachine({
    id: 'link',
    context: { heard: null },
    initial: 'idle',
    states: {
      idle: {
        on: { question: { target: 'asking', actions: 'keep' }, ask: 'asking' },
      },
      asking: {
        ...(meanwhile !== 'ignores' && {
          on: { question: { actions: meanwhile === 'answers later' ? 'keep' : meanwhile } },
        }),
        invoke: {
          src: 'next',
          onDone: { target: 'told', actions: assign({ heard: ({ event }) => event.output.value }) },
          onError: { target: 'told', actions: assign({ heard: ({ event }) => event.error }) },
        },
      },
      told: {
        always: {
          target: 'idle',
          actions: reply(({ context }) => ({ type: 'answer', value: textOf(context.heard) }), {
            to: ({ context }) => context.asker,
          }),
        },
      },
    },
  })

function textOf(heard: unknown): string {
  return typeof heard === 'string' ? heard : (heard as { code: string }).code
}

function world(durability: (typeof kept)[number], manners: Manners, names: readonly string[]) {
  const children = names.map((name, at) =>
    actor(name, link(`/${names[(at + 1) % names.length] ?? ''}`, manners), { durability }),
  )
  const hand = byHand(children)
  const heard = (name: string) => (hand.context(`/${name}`) as Context).heard
  return { hand, heard }
}

describe('a circle of questions', () => {
  const cases = kept.flatMap((durability) =>
    (['ignores', 'defers'] as const).map((manners) => [durability, manners] as const),
  )

  test.each(cases)('M9 is refused at once with its path (%s, %s)', (durability, manners) => {
    const { hand, heard } = world(durability, manners, ['a', 'b', 'c'])
    hand.send('/a', { type: 'ask' })
    expect(heard('c')).toMatchObject({
      code: 'AMBIT_ASK_CIRCLE',
      message: expect.stringContaining('/c -> /a -> /b -> /c') as unknown,
    })
    expect([heard('b'), heard('a')]).toEqual(['AMBIT_ASK_CIRCLE', 'AMBIT_ASK_CIRCLE'])
  })

  test.each(kept)('M9 of one with itself is refused (%s)', (durability) => {
    const { hand, heard } = world(durability, 'defers', ['a'])
    hand.send('/a', { type: 'ask' })
    expect((heard('a') as Error).message).toContain('/a -> /a')
  })

  test.each(kept)('M9 that somebody answers meanwhile is none (%s)', (durability) => {
    const { hand, heard } = world(durability, 'answers', ['a', 'b', 'c'])
    hand.send('/a', { type: 'ask' })
    expect([heard('c'), heard('b'), heard('a')]).toEqual(['at once', 'at once', 'at once'])
    expect(hand.system.deadLetters.count()).toBe(0)
  })

  test.each(kept)(
    'M9 that may still be answered ends in time, with its path (%s)',
    (durability) => {
      const { hand, heard } = world(durability, 'answers later', ['a', 'b'])
      hand.send('/a', { type: 'ask' })
      hand.clock.advance(999)
      expect([heard('a'), heard('b')]).toEqual([null, null])
      hand.clock.advance(1)
      expect(heard('a')).toMatchObject({
        code: 'AMBIT_ASK_TIMEOUT',
        message: expect.stringContaining('/a -> /b -> /a') as unknown,
      })
    },
  )

  test('M9 is looked for among those that wait, by the shortest way', () => {
    const asks: Record<string, readonly string[]> = {
      '/a': ['/b', '/x'],
      '/b': ['/x', '/c'],
      '/c': ['/a'],
      '/x': ['/y'],
      '/y': ['/x'],
    }
    const askedBy = (address: string) => asks[address] ?? []
    expect(circleOf('/c', '/a', askedBy)).toEqual(['/c', '/a', '/b', '/c'])
    expect(circleOf('/z', '/a', askedBy)).toBeUndefined()
    expect(circleOf('/x', '/x', askedBy)).toEqual(['/x', '/x'])
  })

  test('M9 is not looked for among more than a thousand', () => {
    const next = (address: string) => [`/${Number(address.slice(1)) + 1}`]
    expect(circleOf('/999', '/0', next)).toHaveLength(1001)
    expect(circleOf('/1001', '/0', next)).toBeUndefined()
  })
})

describe('a question of which its receiver takes no notice', () => {
  const deaf = setup({}).createMachine({ id: 'deaf', on: { other: {} } })

  test.each(kept)('M10 is refused at once (%s)', (durability) => {
    const asker = actor('asker', link('/deaf', 'ignores'), { durability })
    const hand = byHand([asker, actor('deaf', deaf, { durability })])
    hand.send('/asker', { type: 'ask' })
    expect((hand.context('/asker') as Context).heard).toMatchObject({
      code: 'AMBIT_ASK_IGNORED',
      message: expect.stringContaining('"/deaf" takes no notice of "question"') as unknown,
    })
    hand.clock.advance(5000)
    expect(hand.system.deadLetters.count()).toBe(0)
  })

  test.each(kept)('M10 is refused to somebody outside (%s)', async (durability) => {
    const hand = byHand([actor('deaf', deaf, { durability })])
    const asked = hand.ref('/deaf').ask({ type: 'question' })
    hand.system.drain()
    await expect(asked).rejects.toMatchObject({ code: 'AMBIT_ASK_IGNORED' })
  })

  test.each(kept)('M10 is not one that waits for a later state (%s)', (durability) => {
    const { hand, heard } = world(durability, 'defers', ['a', 'b'])
    // Nobody waits for /a here, so it is no circle.
    const outside = hand.ref('/a').ask({ type: 'question' })
    hand.system.drain()
    expect(heard('b')).toMatchObject({ code: 'AMBIT_ASK_CIRCLE' })
    return expect(outside).resolves.toMatchObject({ value: 'AMBIT_ASK_CIRCLE' })
  })

  test.each(kept)('M10 is not one that was withdrawn (%s)', (durability) => {
    const impatient = setup({
      types: { events: {} as Event },
      actors: {
        next: ask({
          to: '/busy',
          event: () => ({ type: 'question' }),
          withdraw: () => ({ type: 'never mind' }),
        }),
      },
    }).createMachine({
      initial: 'asking',
      states: { asking: { invoke: { src: 'next' }, on: { leave: 'gone' } }, gone: {} },
    })
    const busy = setup({}).createMachine({ on: { question: {} } })
    const hand = byHand([
      actor('asker', impatient, { durability }),
      actor('busy', busy, { durability }),
    ])
    hand.send('/asker', { type: 'leave' })
    hand.clock.advance(60_000)
    expect(hand.system.deadLetters.count()).toBe(0)
  })
})
