import { describe, expect, test } from 'vitest'
import { assign, fromCallback, sendTo, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import type { Event } from '../../src/kernel/message.ts'
import { silentLogger, type Logger } from '../../src/kernel/ports/logger.ts'
import type { ActorRef } from '../../src/logic/actor-ref.ts'
import { effect } from '../../src/logic/invocable.ts'
import { byHand } from '../support/driven.ts'
import { attempt, boom, cycle, lister, refused, revoked } from '../support/hostile.ts'

const kept = ['none', 'sync'] as const

describe('a ref of a member, held outside', () => {
  const parent = (durability: Durability) =>
    byHand([
      actor(
        'it',
        setup({ actors: { lister } }).createMachine({
          id: 'parent',
          initial: 'up',
          states: { up: { invoke: { src: 'lister', id: 'child' } } },
        }),
        { durability, restart: 'temporary' },
      ),
    ])
  const childOf = (hand: ReturnType<typeof byHand>) =>
    (hand.ref('/it').getSnapshot() as { children: Record<string, ActorRef> }).children
      .child as ActorRef

  test.each(kept)('T8 takes an event as it was sent (%s)', (durability) => {
    const hand = parent(durability)
    const what = { n: 1 }
    // A turn of another message comes before it.
    hand.ref('/it').send({ type: 'other' })
    childOf(hand).send({ type: 'note', what })
    what.n = 2
    hand.system.drain()
    const { context } = childOf(hand).getSnapshot() as { context: { seen: unknown[] } }
    expect(context.seen).toEqual([{ n: 1 }])
  })

  /** What no actor can take, and what would end the member or forge what it is told. */
  const unfit: [string, () => unknown][] = [
    ...refused.slice(0, 9),
    ['nothing', () => undefined],
    ['a text', () => 'note'],
    ['a bigint', () => ({ type: 'note', what: 1n })],
    ['a cycle', cycle],
  ]
  test.each(kept.flatMap((each) => unfit.map(([name, make]) => [name, each, make] as const)))(
    'T8 refuses what its actor refuses: %s (%s)',
    (_, durability, make) => {
      const hand = parent(durability)
      expect(attempt(() => childOf(hand).send(make() as Event))).toBeUndefined()
      hand.system.drain()
      const after = (childOf(hand) as ActorRef | undefined)?.getSnapshot() as
        { status: string; context: unknown } | undefined
      expect([after?.status, after?.context]).toEqual(['active', { seen: [] }])
      expect(hand.system.alarms).toEqual([])
      expect(hand.system.deadLetters.count()).toBe(1)
    },
  )
})

/** A machine whose callback sends back what it is made to, and a list of what went wrong in its system. */
function sendingBack(durability: Durability, event: unknown) {
  const back = fromCallback(({ sendBack, receive }) => {
    receive(() => sendBack(event as Event))
  })
  const machine = setup({
    types: { context: {} as { turns: number } },
    actors: { back },
  }).createMachine({
    id: 'with-callback',
    context: { turns: 0 },
    invoke: { src: 'back', id: 'back' },
    on: {
      go: { actions: sendTo('back', { type: 'x' }) },
      add: { actions: assign({ turns: ({ context }) => context.turns + 1 }) },
    },
  })
  const errors: string[] = []
  const logger: Logger = {
    ...silentLogger,
    child: () => logger,
    error: (_, message) => void errors.push(message),
  }
  const specs = [actor('it', machine, { durability }), actor('other', lister)]
  return { hand: byHand(specs, { logger }), errors }
}

describe('what a callback sends back', () => {
  const events: [string, unknown][] = [
    ['a bigint', { type: 'note', what: 1n }],
    ['a cycle', cycle()],
    ['nothing', undefined],
  ]
  test.each(kept.flatMap((each) => events.map(([name, event]) => [name, each, event] as const)))(
    'T8 may be %s, and costs its system no round (%s)',
    async (_, durability, event) => {
      const { hand, errors } = sendingBack(durability, event)
      for (const type of ['go', 'add', 'go', 'add']) hand.send('/it', { type })
      hand.send('/other', { type: 'note', what: 1 })
      // What is no event at all fails its turn twice and is parked; restarts wait a little.
      hand.advance(5000)
      expect(errors).not.toContain('a round failed')
      expect(hand.context('/other')).toEqual({ seen: [1] })
      expect(hand.context('/it')).toEqual({ turns: 2 })
      const turns = await hand.system.history({ address: '/it' })
      const added = turns.filter(({ record }) => record.includes('"type":"add"'))
      expect(added).toHaveLength(durability === 'none' ? 0 : 2)
    },
  )
})

const thrown: [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['a symbol', () => Symbol('x')],
  ['a function', () => boom],
  ['a bigint', () => 1n],
  ['a cycle', cycle],
  ['a cycle without a prototype', () => Object.assign(Object.create(null) as object, cycle())],
  [
    'an error whose message throws',
    () => Object.defineProperty(new Error(), 'message', { get: boom }),
  ],
  ['a revoked proxy', revoked],
]

describe('what is thrown', () => {
  test.each(kept.flatMap((each) => thrown.map(([name, make]) => [name, each, make] as const)))(
    'F1 by an effect may be %s, and is the end of the effect (%s)',
    async (_, durability, make) => {
      const machine = setup({
        actors: { fail: effect(() => Promise.reject(make() as Error)) },
      }).createMachine({
        id: 'failing',
        initial: 'trying',
        states: { trying: { invoke: { src: 'fail', onError: 'failed' } }, failed: {} },
      })
      const hand = byHand([actor('it', machine, { durability })])
      for (let i = 0; i < 10; i++) await Promise.resolve()
      hand.system.drain()
      expect(hand.ref('/it').getSnapshot()).toMatchObject({ value: 'failed' })
    },
  )

  test.each(kept.flatMap((each) => thrown.map(([name, make]) => [name, each, make] as const)))(
    'R1 by a step may be %s, and is the failure of its actor alone (%s)',
    (_, durability, make) => {
      const machine = setup({
        actions: {
          fail: assign(() => {
            throw make()
          }),
        },
      }).createMachine({ id: 'throwing', on: { go: { actions: 'fail' } } })
      const hand = byHand([
        actor('it', machine, { durability, restart: 'temporary' }),
        actor('other', lister, { durability }),
      ])
      expect(attempt(() => hand.send('/it', { type: 'go' }))).toEqual({ status: 'accepted' })
      expect(hand.system.alarms).toMatchObject([{ address: '/it' }])
      hand.send('/other', { type: 'note', what: 1 })
      expect(hand.context('/other')).toEqual({ seen: [1] })
    },
  )
})
