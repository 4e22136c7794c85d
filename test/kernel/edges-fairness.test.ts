import { setImmediate as nextRound } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import { createRealClock } from '../../src/kernel/clock.ts'
import { DRAIN_MS_MAX, MESSAGES_PER_SLICE_MAX, SLICE_MS_MAX } from '../../src/kernel/run-queue.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { run, until } from '../support/running.ts'

/** Answers every `chat` with one to the other, until it is told to hush; `taken` hears of each. */
const chatty = (other: string, taken: () => void) =>
  setup({
    actions: {
      take: assign(() => {
        taken()
        return {}
      }),
    },
  }).createMachine({
    id: 'chatty',
    initial: 'talking',
    states: {
      talking: {
        on: { chat: { actions: ['take', tell(other, { type: 'chat' })] }, hush: 'silent' },
      },
      silent: {},
    },
  })

const quiet = setup({ types: { context: {} as { count: number } } }).createMachine({
  id: 'quiet',
  context: { count: 0 },
  on: {
    add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
  },
})

const kept = ['sync', 'async', 'none'] as const

const pair = (durability: Durability, taken: () => void) => [
  actor('left', chatty('/right', taken), { durability }),
  actor('right', chatty('/left', taken), { durability }),
  actor('quiet', quiet, { durability }),
]

/** A pair that never stops, on the real clock, with an actor beside it. */
async function talking(durability: Durability) {
  let taken = 0
  const root = supervisor({ children: pair(durability, () => taken++) })
  const system = createSystem({ root, clock: createRealClock() })
  await system.start()
  for (let i = 0; i < 50; i++) system.ref('/left').send({ type: 'chat' })
  return {
    system,
    taken: () => taken,
    end: async () => {
      for (const address of ['/left', '/right']) system.ref(address).send({ type: 'hush' })
      await system.atRest()
      await system.stop()
    },
  }
}

describe('a pair that talks for ever', () => {
  test.each(kept)('T10 does not starve a third actor (%s)', async (durability) => {
    const { system, taken, end } = await talking(durability)
    const answers: unknown[] = []
    for (let i = 0; i < 20; i++) {
      system.ref('/quiet').send({ type: 'add' })
      const before = taken()
      answers.push((await system.ref('/quiet').ask({ type: 'get' })).value)
      // They have gone on meanwhile: the third had its turn between theirs and not after them.
      await until(() => taken() > before, 'the pair to go on')
    }
    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    await end()
  })

  test.each(kept)('T10 does not starve the event loop (%s)', async (durability) => {
    const { taken, end } = await talking(durability)
    // A loop that is starved never comes round: fifty times is as good as for ever, however slow the machine.
    for (let round = 0; round < 50; round++) {
      const before = taken()
      await nextRound()
      await until(() => taken() > before, 'the pair to go on')
    }
    await end()
  })
})

/** How many messages of a busy actor are taken before another, waiting actor has its turn. */
async function takenBefore(durability: Durability, stepMs: number, count = 200): Promise<number> {
  const clock = createManualClock()
  const steps: string[] = []
  const machine = (name: string) =>
    setup({
      actions: {
        work: assign(() => {
          steps.push(name)
          clock.spend(stepMs)
          return {}
        }),
      },
    }).createMachine({ id: name, on: { go: { actions: 'work' } } })
  const specs = ['busy', 'other'].map((name) => actor(name, machine(name), { durability }))
  const { kernel, rest } = await run(specs, { clock })
  for (let i = 0; i < count; i++) kernel.ref('/busy').send({ type: 'go' })
  kernel.ref('/other').send({ type: 'go' })
  await rest()
  await kernel.stop()
  expect(steps).toHaveLength(count + 1)
  return steps.indexOf('other')
}

describe('a slice', () => {
  test.each(kept)('T10 has at most 32 messages (%s)', async (durability) => {
    expect(await takenBefore(durability, 0)).toBe(MESSAGES_PER_SLICE_MAX)
  })

  test.each([
    ['sync', 1],
    ['sync', 4],
    ['async', 1],
    ['none', 1],
    ['none', 4],
  ] as const)('T10 has at most 5 ms (%s, %i ms a step)', async (durability, stepMs) => {
    // Where nothing is kept the clock is looked at for every eighth message of one millisecond only.
    const most = durability === 'none' ? 8 : Math.ceil(SLICE_MS_MAX / stepMs)
    expect(await takenBefore(durability, stepMs)).toBeLessThanOrEqual(most)
  })
})

test.each(kept)('T10 a drain ends after 10 ms, and the loop has air (%s)', async (durability) => {
  const clock = createManualClock()
  let [steps, rounds] = [0, 0]
  const work = () => {
    steps++
    clock.spend(1)
  }
  const { kernel } = await run(pair(durability, work), { clock })
  for (let i = 0; i < 50; i++) kernel.ref('/left').send({ type: 'chat' })
  const perRound: number[] = []
  while (rounds++ < 30) {
    const before = steps
    await nextRound()
    perRound.push(steps - before)
  }
  expect(steps).toBeGreaterThan(30)
  // A drain is looked at once a slice at the least: ten milliseconds and what the last slice was allowed.
  expect(Math.max(...perRound)).toBeLessThanOrEqual(DRAIN_MS_MAX + 8)
  for (const address of ['/left', '/right']) kernel.ref(address).send({ type: 'hush' })
  await kernel.stop()
})
