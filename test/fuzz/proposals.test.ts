import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { agent, defineAction, defineEnvelope, governed, type Event, type Json } from 'ambit'
import { byHand } from '../support/driven.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import { hostileJson, hostileText, isPrototypeClean } from './support/hostile-values.ts'

const tally = new Tally('proposals')

const envelope = defineEnvelope({
  id: 'notes',
  owner: 'head',
  actions: { note: { counterparties: { deny: ['nobody'] } } },
  escalateWhen: [{ category: ['legal'] }],
  approval: { by: ['editor'] },
})

const note = defineAction({
  name: 'note',
  input: z.object({ id: z.string(), what: z.any() }),
  key: ({ id }) => id,
  counterparty: ({ id }) => id,
  idempotent: true,
  execute: async () => null,
})

/** Proposes whatever it is told to, and says what it waits for or how it ended. */
const writer = setup({
  types: {
    context: {} as { given: unknown; error: unknown },
    events: {} as Event,
  },
  actors: { note: governed(note, { onWaiting: 'waits' }) },
}).createMachine({
  id: 'writer',
  context: { given: null, error: null },
  initial: 'idle',
  states: {
    idle: {
      on: { go: { target: 'proposing', actions: assign({ given: ({ event }) => event.given }) } },
    },
    proposing: {
      invoke: {
        src: 'note',
        input: ({ context }) => context.given as never,
        onDone: 'noted',
        onError: { target: 'declined', actions: assign({ error: ({ event }) => event.error }) },
      },
      on: { waits: 'waiting' },
    },
    waiting: {},
    noted: {},
    declined: {},
  },
})

const input = fc.record(
  {
    args: fc.oneof(
      { weight: 4, arbitrary: fc.record({ id: hostileText, what: hostileJson }) },
      hostileJson,
    ),
    why: fc.oneof({ weight: 9, arbitrary: fc.constant('she asked') }, hostileJson),
    confidence: fc.oneof({ weight: 9, arbitrary: fc.constant(0.9) }, hostileJson),
    category: fc.oneof(fc.constantFrom('late', 'legal'), hostileText),
    excluded: fc.array(hostileText, { maxLength: 3 }),
  },
  { requiredKeys: ['args', 'why'] },
)

test(
  'Y4 whatever an agent proposes is done, declined with an error it hears, or waits as a case',
  async () => {
    const property = fc.asyncProperty(input, async (given) => {
      const hand = byHand([agent('writer', writer, { envelope })])
      tally.given()
      const sent = hand.send('/writer', { type: 'go', given })
      // What is no event does not come in.
      if (sent.status === 'rejected') {
        tally.settle(false)
        return
      }
      await settle(hand)
      const { value, context } = hand.ref('/writer').getSnapshot() as {
        value: string
        context: { error: { message?: unknown } | null }
      }
      expect(['noted', 'declined', 'waiting']).toContain(value)
      if (value === 'declined') expect(context.error?.message).toMatch(/./)
      if (value === 'waiting') expect(hand.system.cases()).toHaveLength(1)
      expect(hand.system.alarms).toEqual([])
      expect(isPrototypeClean()).toBe(true)
      tally.settle(value !== 'declined')
    })
    await fc.assert(property, runs(600))
  },
  LIMIT_MS,
)

test('Y4 half of an emoji in the arguments is an error that the agent hears', async () => {
  const hand = byHand([agent('writer', writer, { envelope })])
  const args: Json = { id: 'n-1', what: 'cut in half: \ud83d' }
  hand.send('/writer', { type: 'go', given: { args, why: 'she asked' } })
  await settle(hand)
  expect(hand.context('/writer')).toMatchObject({
    error: { code: 'AMBIT_EVENT_REFUSED', message: /arguments of "note" were refused/ },
  })
})

/** Lets the effect's promises, and the retries of whatever failed, have their turn. */
async function settle(hand: ReturnType<typeof byHand>): Promise<void> {
  for (let round = 0; round < 10; round++) {
    await Promise.resolve()
    hand.advance(10)
  }
}
