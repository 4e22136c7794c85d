import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { agent } from '../../actors/agent.ts'
import { circuitBreakers, throughBreaker } from '../../actors/circuit-breaker.ts'
import {
  circuitBreakerDefaults,
  resetAfterMs,
  type CircuitBreakerOptions,
} from '../../machines/circuit-breaker.ts'
import { readOnly } from '../../src/logic/invocable.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, until, valueOf } from '../support/running.ts'
import { reply } from '../../src/logic/actions.ts'

interface World {
  isDown: boolean
  calls: number
  /** A call that never ends, as one of a process that is killed. */
  hangs: boolean
}

const limits = { failuresMax: 2, resetMs: 1000, resetMsMax: 3000, probeMs: 5000 }

/** Looks a price up whenever it is told to, and remembers what it heard. */
const buyer = (world: World) =>
  setup({
    types: { context: {} as { heard: unknown[] } },
    actors: {
      price: throughBreaker(
        readOnly((_: { tenant: string }) => {
          world.calls++
          if (world.hangs) return new Promise<number>(() => undefined)
          if (world.isDown) throw new Error('down')
          return 42
        }),
        { breakers: '/breakers', dependency: 'prices', tenant: ({ tenant }) => tenant },
      ),
    },
    actions: {
      hear: assign(({ context }, params: { what: unknown }) => ({
        heard: [...context.heard, params.what],
      })),
    },
  }).createMachine({
    id: 'buyer',
    context: { heard: [] },
    initial: 'idle',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) } },
    states: {
      idle: { on: { look: 'looking', 'look.elsewhere': 'lookingElsewhere' } },
      looking: {
        invoke: {
          src: 'price',
          input: { tenant: 'a' },
          onDone: {
            target: 'idle',
            actions: { type: 'hear', params: ({ event }) => ({ what: event.output }) },
          },
          onError: {
            target: 'idle',
            actions: { type: 'hear', params: ({ event }) => ({ what: event.error }) },
          },
        },
      },
      lookingElsewhere: {
        invoke: {
          src: 'price',
          input: { tenant: 'b' },
          onDone: {
            target: 'idle',
            actions: { type: 'hear', params: ({ event }) => ({ what: event.output }) },
          },
          onError: 'idle',
        },
      },
    },
  })

async function started(world: Partial<World> = {}, journal = faultyJournal()) {
  const whole: World = { isDown: false, calls: 0, hangs: false, ...world }
  const exits: unknown[] = []
  const running = await run([agent('buyer', buyer(whole)), circuitBreakers('breakers', limits)], {
    journal,
    observers: [{ onExit: (exit) => void exits.push(exit) }],
  })
  const { kernel, rest } = running
  const look = async (type = 'look') => {
    kernel.ref('/buyer').send({ type })
    await rest()
    return ((await valueOf(kernel, '/buyer', { type: 'get' })) as unknown[]).at(-1)
  }
  const state = () => {
    const found = kernel.ref('/breakers/prices:a').view() as { getSnapshot(): { value: unknown } }
    return found.getSnapshot().value
  }
  return { ...running, world: whole, look, state, exits, journal }
}

const open = { code: 'AMBIT_CIRCUIT_OPEN' }

describe('a circuit breaker', () => {
  test('G1 closed, it lets calls through; failures in a row open it', async () => {
    const { kernel, world, look, state } = await started()
    expect(await look()).toBe(42)
    for (const isDown of [true, false, true]) {
      world.isDown = isDown
      await look()
    }
    expect(state()).toBe('closed')
    expect(await look()).toMatchObject({ message: 'down' })
    expect(state()).toBe('open')
    await kernel.stop()
  })

  test('G2 open, it refuses by a typed error with the time to come back, and nobody fails', async () => {
    const { kernel, world, look, exits, clock } = await started({ isDown: true })
    await look()
    await look()
    expect(world.calls).toBe(2)
    clock.advance(400)
    expect(await look()).toMatchObject({ ...open, retryAfterMs: 600 })
    expect(world.calls).toBe(2)
    expect(exits).toEqual([])
    await kernel.stop()
  })

  test('G3 half open, one probe goes through and the others are refused', async () => {
    const { kernel, world, look, state, clock, rest } = await started({ isDown: true })
    await look()
    await look()
    clock.advance(1000)
    await rest()
    world.isDown = false
    world.hangs = true
    kernel.ref('/buyer').send({ type: 'look' })
    await until(() => world.calls === 3, 'the probe')
    expect(state()).toEqual({ halfOpen: 'probing' })
    const answer = await kernel.ref('/breakers/prices:a').ask({ type: 'breaker.ask' })
    expect(answer).toMatchObject({ type: 'breaker.refused', retryAfterMs: 5000 })
    await kernel.stop({ graceMs: 0 })
  })

  test('G3 a probe that succeeds closes it', async () => {
    const { kernel, world, look, state, clock, rest } = await started({ isDown: true })
    await look()
    await look()
    clock.advance(1000)
    await rest()
    world.isDown = false
    expect(await look()).toBe(42)
    expect(state()).toBe('closed')
    await kernel.stop()
  })

  test('G4 a probe that fails opens it for longer, up to a cap', async () => {
    const { kernel, world, look, clock, rest } = await started({ isDown: true })
    await look()
    await look()
    const waits: unknown[] = []
    for (const waitMs of [1000, 2000, 3000, 3000]) {
      const refused = (await look()) as { retryAfterMs: number }
      waits.push(refused.retryAfterMs)
      clock.advance(waitMs)
      await rest()
      await look()
    }
    expect(waits).toEqual([1000, 2000, 3000, 3000])
    expect(world.calls).toBe(6)
    await kernel.stop()
  })

  test('G5 a probe that is lost with its process does not keep it half open', async () => {
    const journal = faultyJournal()
    const first = await started({ isDown: true }, journal)
    await first.look()
    await first.look()
    first.clock.advance(1000)
    await first.rest()
    await first.kernel.ref('/breakers/prices:a').ask({ type: 'breaker.ask' })
    expect(first.state()).toEqual({ halfOpen: 'probing' })
    await journal.crash()
    const second = await started({}, journal)
    second.clock.advance(6000)
    await second.rest()
    expect(await second.look()).toMatchObject(open)
    second.clock.advance(3000)
    await second.rest()
    expect(await second.look()).toBe(42)
    expect(second.state()).toBe('closed')
    await second.kernel.stop()
  })

  test('G6 each dependency and tenant has a breaker of its own, seen as an actor', async () => {
    const { kernel, world, look } = await started({ isDown: true })
    await look()
    await look()
    world.isDown = false
    expect(await look('look.elsewhere')).toBe(42)
    expect(kernel.liveActors()).toBe(3)
    await kernel.stop()
  })

  test('G7 a breaker that does not answer keeps nobody from calling', async () => {
    const world: World = { isDown: false, calls: 0, hangs: false }
    const { kernel, clock, rest } = await run([agent('buyer', buyer(world))])
    kernel.ref('/buyer').send({ type: 'look' })
    await rest()
    clock.advance(5000)
    await rest()
    expect(await valueOf(kernel, '/buyer', { type: 'get' })).toEqual([42])
    await kernel.stop()
  })
})

test.each([
  [0, 30_000],
  [1, 30_000],
  [2, 60_000],
  [5, 480_000],
  [6, 600_000],
  [1000, 600_000],
])('G4 opened %i times in a row it stays open %i ms', (opened, ms) => {
  expect(resetAfterMs(circuitBreakerDefaults, opened)).toBe(ms)
})

test('G8 what is no option, and what is no effect, is refused by name', () => {
  const wrong = { failuresMax: 0 } as CircuitBreakerOptions
  expect(() => circuitBreakers('b', wrong)).toThrow(/"failuresMax" to be a whole number from 1/)
  const machine = setup({}).createMachine({}) as never
  const options = { breakers: '/b', dependency: 'd' }
  expect(() => throughBreaker(machine, options)).toThrow(/expects an effect such as readOnly/)
})
