import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { createSystem } from '../../actors/system.ts'
import { manualClock } from '../../src/index.ts'

const counter = setup({}).createMachine({ id: 'counter', on: { add: {} } })

test('T20 a mailbox shows its messages per lane and how long the oldest was seen to wait', async () => {
  const clock = manualClock()
  const root = actor('counter', counter, { durability: 'none' })
  const system = createSystem({ root, clock, scheduler: 'manual' })
  await system.start()
  system.drain()
  expect(system.mailboxes()).toEqual([])
  const lengths = { system: 0, reply: 0, control: 0, user: 1 }
  const seen = (user: number, oldestAgeMs: number) => [
    { address: '/counter', lengths: { ...lengths, user }, oldestAgeMs },
  ]
  system.ref('/counter').send({ type: 'add' })
  expect(system.mailboxes()).toEqual(seen(1, 0))
  clock.advance(400)
  system.ref('/counter').send({ type: 'add' })
  expect(system.mailboxes()).toEqual(seen(2, 400))
  system.drain()
  expect(system.mailboxes()).toEqual([])
  // What comes later begins anew.
  system.ref('/counter').send({ type: 'add' })
  expect(system.mailboxes()).toEqual(seen(1, 0))
  await system.stop()
})
