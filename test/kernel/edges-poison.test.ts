import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { byHand } from '../support/driven.ts'

const kept = ['none', 'async', 'sync'] as const

const fragile = (steps: string[]) =>
  setup({ types: { context: {} as { count: number } } }).createMachine({
    id: 'fragile',
    context: { count: 0 },
    on: {
      add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      fail: {
        actions: assign(() => {
          steps.push('fail')
          throw new Error('poison')
        }),
      },
    },
  })

test.each(kept)(
  'R5 a message that fails twice is parked, and the next one is taken (%s)',
  (durability) => {
    const steps: string[] = []
    const hand = byHand([actor('it', fragile(steps), { durability })])
    for (const type of ['add', 'fail', 'add']) hand.send('/it', { type })
    hand.advance(60_000)
    expect(steps).toEqual(['fail', 'fail'])
    expect(hand.system.alarms).toEqual([])
    // Where nothing is kept the actor has begun anew.
    expect(hand.context('/it')).toEqual({ count: durability === 'none' ? 1 : 2 })
  },
)
