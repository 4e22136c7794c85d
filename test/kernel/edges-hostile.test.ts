import { describe, expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { MESSAGE_BYTES_MAX, type Event } from '../../src/kernel/message.ts'
import type { ActorRef } from '../../src/logic/actor-ref.ts'
import { byHand } from '../support/driven.ts'
import { attempt, lister, refused } from '../support/hostile.ts'

const kept = ['none', 'sync'] as const

/** Answers one value at the first reads and another ever after. */
const turning = (key: string, first: unknown, then: unknown, reads: number): Event => {
  let left = reads
  const event = { type: 'note', what: 'taken' }
  return Object.defineProperty(event, key, {
    enumerable: true,
    get: () => (left-- > 0 ? first : then),
  }) as Event
}

const seenBy = (hand: ReturnType<typeof byHand>) =>
  (hand.context('/it') as { seen: unknown[] }).seen

describe('a hostile event', () => {
  test.each(kept)(
    'T8 is a rejection and a dead letter, never a throw or a failure (%s)',
    (durability) => {
      const hand = byHand([actor('it', lister, { durability })])
      const before = hand.ref('/it').getSnapshot() as object
      for (const [name, make] of refused) {
        const answer = attempt(() => hand.send('/it', make()))
        expect([name, answer]).toEqual([
          name,
          { status: 'rejected', reason: expect.any(String) as string },
        ])
      }
      expect(hand.system.deadLetters.count()).toBe(refused.length)
      expect(hand.ref('/it').getSnapshot()).toBe(before)
      hand.send('/it', { type: 'note', what: 'well' })
      expect(seenBy(hand)).toEqual(['well'])
      expect(hand.system.alarms).toEqual([])
    },
  )

  test.each(refused)(
    'T8 in a question or a delivery is a refusal and not a throw: %s',
    async (_, make) => {
      const hand = byHand([actor('it', lister)])
      for (const give of [
        (ref: ActorRef) => ref.ask(make()),
        (ref: ActorRef) => ref.deliver(make(), { id: 'x' }),
      ]) {
        const answer = attempt(() => give(hand.ref('/it')))
        hand.system.drain()
        hand.clock.advance(5000)
        expect(answer).toBeInstanceOf(Promise)
        await expect(answer).rejects.toMatchObject({ code: 'AMBIT_EVENT_REFUSED' })
      }
    },
  )

  test.each([1, 2, 3, 4, 5])('T8 cannot change its type after read %i of it', (reads) => {
    const hand = byHand([actor('it', lister, { restart: 'temporary' })])
    for (const then of ['ambit.stop', 'xstate.stop', undefined, 7, '']) {
      attempt(() => hand.send('/it', turning('type', 'note', then, reads)))
      attempt(() =>
        hand.send(
          '/it',
          turning('what', 'taken', () => 1, reads),
        ),
      )
    }
    expect(hand.system.alarms).toEqual([])
    expect(hand.send('/it', { type: 'note', what: 'well' })).toEqual({ status: 'accepted' })
    expect(seenBy(hand).every((what) => what === 'taken' || what === 'well')).toBe(true)
  })

  test('T8 that unfolds to more than it may hold is refused before it is unfolded', () => {
    let reads = 0
    let value: unknown = {
      get n() {
        reads++
        return 1
      },
    }
    for (let i = 0; i < 21; i++) value = [value, value]
    const hand = byHand([actor('it', lister)])
    expect(hand.send('/it', { type: 'note', what: value })).toEqual({
      status: 'rejected',
      reason: 'tooLarge',
    })
    // A mebibyte holds fewer than that.
    expect(reads).toBeLessThan(MESSAGE_BYTES_MAX)
  })
})

describe('an event of another’s making', () => {
  test.each(kept)(
    'T8 is taken as it was sent, frozen, thawed or without a prototype (%s)',
    (durability) => {
      const hand = byHand([actor('it', lister, { durability })])
      const what = { list: [1, 2] }
      const ref = hand.ref('/it')
      ref.send({ type: 'note', what })
      what.list.push(3)
      ref.send(Object.freeze({ type: 'note', what: Object.freeze({ list: Object.freeze([4]) }) }))
      ref.send(Object.assign(Object.create(null) as Event, { type: 'note', what: { list: [5] } }))
      ref.send(new Proxy({ type: 'note', what: { list: [6] } }, {}))
      hand.system.drain()
      what.list.push(7)
      expect(seenBy(hand)).toEqual([{ list: [1, 2] }, { list: [4] }, { list: [5] }, { list: [6] }])
      expect(Object.isFrozen(seenBy(hand)[1])).toBe(false)
    },
  )

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'T8 may have the type or the field %s, which is data',
    (key) => {
      const hand = byHand([actor('it', lister)])
      expect(hand.send('/it', { type: key })).toEqual({ status: 'accepted' })
      const what = JSON.parse(`{"${key}":{"polluted":true}}`) as object
      hand.send('/it', { type: 'note', what })
      expect(Object.keys(seenBy(hand)[0] as object)).toEqual([key])
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
      expect(hand.system.alarms).toEqual([])
    },
  )
})
