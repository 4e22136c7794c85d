import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, fromTransition, setup } from 'xstate'
import { actor, AmbitError, reply, thisTurn, type ActorRef, type Event } from 'ambit'
import { byHand, type ByHand } from '../support/driven.ts'
import { attempt } from '../support/hostile.ts'
import { LIMIT_MS, runs, Tally } from './support/campaign.ts'
import {
  hostileEvent,
  hostileValue,
  isPrototypeClean,
  type Recipe,
} from './support/hostile-values.ts'

const tally = new Tally('messages')
const PAST_ASKS_MS = 6000

/** Counts whatever comes, and sends it back. */
const machine = setup({
  types: { context: {} as { count: number }, events: {} as Event },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    '*': {
      actions: [
        assign({ count: ({ context }) => context.count + 1 }),
        reply(({ event }) => ({ type: 'got', event: event as never })),
      ],
    },
  },
})

const reducer = fromTransition((count: number, event: Event) => {
  thisTurn().reply({ type: 'got', event: event as never })
  return count + 1
}, 0)

const kept = ['none', 'async', 'sync'] as const
const addresses = kept.flatMap((durability) => [`/machine-${durability}`, `/reducer-${durability}`])

interface World {
  readonly hand: ByHand
  readonly turns: Map<string, number>
}

function worldOf(): World {
  const turns = new Map<string, number>()
  const onTurn = ({ address }: { address: string }) =>
    void turns.set(address, (turns.get(address) ?? 0) + 1)
  const children = kept.flatMap((durability) => [
    actor(`machine-${durability}`, machine, { durability }),
    actor(`reducer-${durability}`, reducer, { durability }),
  ])
  return { hand: byHand(children, { observers: [{ onTurn }] }), turns }
}

const ways = {
  send: (ref: ActorRef, event: Event) => ref.send(event),
  ask: (ref: ActorRef, event: Event) => ref.ask(event),
  deliver: (ref: ActorRef, event: Event, id: string) => ref.deliver(event, { id }),
}

type Way = keyof typeof ways

let ids = 0

/** Hands one event to one actor and says what became of it. */
async function give({ hand, turns }: World, address: string, way: Way, { make }: Recipe) {
  const before = { turns: turns.get(address) ?? 0, dead: hand.system.deadLetters.count() }
  tally.given()
  const answer = attempt(() => ways[way](hand.ref(address), make() as Event, `id-${++ids}`))
  const settled = Promise.resolve(answer).then(
    (value) => value,
    (error: unknown) => ({ rejected: error }),
  )
  hand.system.drain()
  hand.clock.advance(PAST_ASKS_MS)
  return {
    answer: await settled,
    turns: (turns.get(address) ?? 0) - before.turns,
    dead: hand.system.deadLetters.count() - before.dead,
    letter: hand.system.deadLetters.list().at(-1),
  }
}

/** A turn and an answer, or a dead letter with its reason and a refusal: nothing between. */
function judge({ answer, turns, dead, letter }: Awaited<ReturnType<typeof give>>): boolean {
  const { thrown, rejected, status } = answer as Record<string, unknown>
  expect(thrown).toBeUndefined()
  const isRefused = status === 'rejected' || rejected !== undefined
  expect({ turns, dead }).toEqual(isRefused ? { turns: 0, dead: 1 } : { turns: 1, dead: 0 })
  if (rejected !== undefined) expect(rejected).toBeInstanceOf(AmbitError)
  if (isRefused) expect(['invalid', 'tooLarge']).toContain(letter?.reason)
  if (isRefused) expect(letter?.detail).toMatch(/expected|reserved/)
  return !isRefused
}

function expectUnharmed({ hand }: World): void {
  expect(isPrototypeClean()).toBe(true)
  expect(hand.system.alarms).toEqual([])
  for (const address of addresses) {
    const count = () => {
      const context = hand.context(address) as number | { count: number }
      return typeof context === 'number' ? context : context.count
    }
    const before = count()
    expect(hand.send(address, { type: 'well' })).toEqual({ status: 'accepted' })
    expect(count()).toBe(before + 1)
    const parked = [...hand.system.rows(address).keys()].filter((key) => key.startsWith('~parked'))
    expect(parked).toEqual([])
  }
}

test(
  'Y1 any value sent, asked or delivered is a turn or a dead letter with a reason, and harms nobody',
  async () => {
    const step = fc.record({
      address: fc.constantFrom(...addresses),
      way: fc.constantFrom<Way>('send', 'ask', 'deliver'),
      event: hostileEvent,
    })
    const property = fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const world = worldOf()
      for (const { address, way, event } of steps)
        tally.settle(judge(await give(world, address, way, event)))
      expectUnharmed(world)
    })
    await fc.assert(property, runs(300))
  },
  LIMIT_MS,
)

test(
  'Y2 any value as an id, a timeout or a deadline is taken or refused by name, and harms nobody',
  async () => {
    const step = fc.record({
      address: fc.constantFrom(...addresses),
      way: fc.constantFrom<Way>('send', 'ask', 'deliver'),
      value: hostileValue,
    })
    const property = fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const world = worldOf()
      for (const { address, way, value } of steps) {
        tally.given()
        const options = optionsOf(way, value.make()) as never
        const answer = attempt(() => world.hand.ref(address)[way]({ type: 'note' }, options))
        const settled = settledOf(answer)
        world.hand.system.drain()
        world.hand.clock.advance(PAST_ASKS_MS)
        const { thrown, error } = await settled
        if (thrown ?? error) expect(thrown ?? error).toBeInstanceOf(AmbitError)
        tally.settle((thrown ?? error) === undefined)
      }
      expectUnharmed(world)
    })
    await fc.assert(property, runs(200))
  },
  LIMIT_MS,
)

function optionsOf(way: Way, value: unknown): object {
  if (way === 'deliver') return { id: value }
  return way === 'ask' ? { timeoutMs: value } : { deadline: value }
}

/** What was thrown or rejected; a promise that stays open after its time is an error too. */
async function settledOf(answer: unknown): Promise<{ thrown?: unknown; error?: unknown }> {
  if (!(answer instanceof Promise)) return answer as { thrown?: unknown }
  return answer.then(
    () => ({}),
    (error: unknown) => ({ error }),
  )
}
