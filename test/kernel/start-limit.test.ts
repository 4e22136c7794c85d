import { expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { Starts } from '../../src/kernel/start-limit.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { run } from '../support/running.ts'
import { worker } from '../support/worker.ts'

test('R33 so many are under way at a time, and the next begins when one is done', () => {
  const starts = new Starts(createManualClock(), { perSecond: 1, burst: 100, atOnce: 2 })
  const ends: (() => void)[] = []
  for (let i = 0; i < 5; i++) starts.run((done) => ends.push(done))
  expect(ends).toHaveLength(2)
  ends[0]?.()
  // Saying so twice makes no room.
  ends[0]?.()
  expect(ends).toHaveLength(3)
  for (let i = 1; i < 5; i++) ends[i]?.()
  expect(ends).toHaveLength(5)
  expect(starts.isAtRest).toBe(true)
})

test('R33 beyond the burst they wait for their second', () => {
  const clock = createManualClock()
  const starts = new Starts(clock, { perSecond: 2, burst: 3, atOnce: 8 })
  let begun = 0
  const start = (done: () => void) => {
    begun++
    done()
  }
  for (let i = 0; i < 6; i++) starts.run(start)
  expect(begun).toBe(3)
  clock.advance(499)
  expect(begun).toBe(3)
  clock.advance(1)
  expect(begun).toBe(4)
  clock.advance(1000)
  expect(begun).toBe(6)
})

test('R33 a storm of failures is slowed down, and everybody is up again in the end', async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `w${i}`)
  const root = supervisor({
    intensity: 1000,
    backoff: 'none',
    children: ids.map((id) => actor(id, worker().machine)),
  })
  let restarts = 0
  const { kernel, settle, clock } = await run([], {
    root,
    startLimit: { perSecond: 10, burst: 5, atOnce: 8 },
    observers: [
      {
        onRestart: () => {
          restarts++
        },
      },
    ],
  })
  const before = clock.now()
  for (const id of ids) kernel.ref(`/${id}`).send({ type: 'boom' })
  await settle()
  expect(restarts).toBe(40)
  expect(clock.now() - before).toBeGreaterThanOrEqual(3000)
  expect(kernel.alarms).toEqual([])
  await kernel.stop()
})
