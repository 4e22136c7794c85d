import { expect, test } from 'vitest'
import { fromTransition, setup } from 'xstate'
import { actor, tell, type Durability } from 'ambit'
import { MESSAGES_PER_SLICE_MAX } from '../../src/kernel/run-queue.ts'
import { byHand } from '../support/driven.ts'

const BACKLOG = 1000
const kept: readonly Durability[] = ['none', 'async', 'sync']

/** An actor with a backlog, and another that steers it on the control lane. */
function flooded(durability: Durability) {
  const taken: string[] = []
  let toldAt = -1
  const worker = fromTransition((count: number, { type }: { type: string }) => {
    taken.push(type)
    return count + 1
  }, 0)
  const steerEvent = () => {
    toldAt = taken.length
    return { type: 'steer' }
  }
  const relay = setup({}).createMachine({
    id: 'relay',
    on: { steer: { actions: tell('/work', steerEvent, { lane: 'control' }) } },
  })
  const hand = byHand([
    actor('work', worker, { durability }),
    actor('relay', relay, { durability }),
  ])
  for (let i = 0; i < BACKLOG; i++) hand.ref('/work').send({ type: 'user' })
  return { hand, taken, toldAt: () => toldAt }
}

test.each(kept)(
  'Y15 a control message told while 1,000 user messages wait is taken in the next slice (%s)',
  (durability) => {
    const { hand, taken, toldAt } = flooded(durability)
    hand.send('/relay', { type: 'steer' })
    expect(taken).toHaveLength(BACKLOG + 1)
    expect(toldAt()).toBeLessThanOrEqual(MESSAGES_PER_SLICE_MAX)
    expect(taken.indexOf('steer') - toldAt()).toBeLessThanOrEqual(MESSAGES_PER_SLICE_MAX)
  },
)

test.each(kept)(
  'Y15 a stop while 1,000 user messages wait is taken before them, and each of them is a dead letter (%s)',
  (durability) => {
    const { hand, taken } = flooded(durability)
    hand.system.stopActor('/work')
    hand.system.drain()
    expect(taken.length).toBeLessThanOrEqual(MESSAGES_PER_SLICE_MAX)
    expect(hand.system.deadLetters.count('stopped')).toBe(BACKLOG - taken.length)
  },
)
