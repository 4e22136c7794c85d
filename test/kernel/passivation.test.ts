import { actor, createSystem, pool, reply, supervisor } from 'ambit'
import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { MEMBERS_IN_MEMORY_MAX } from '../../src/kernel/tree.ts'

const counter = setup({ types: { context: {} as { count: number } } }).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    get: { actions: reply(({ context }) => ({ type: 'count', count: context.count })) },
  },
})

test('R11 members that only wait leave memory above the limit and come back with their state', async () => {
  const system = createSystem({
    root: supervisor({ children: [pool('members', actor('member', counter))] }),
  })
  await system.start()
  const ids = Array.from({ length: MEMBERS_IN_MEMORY_MAX + 500 }, (_, i) => `/members/m-${i}`)
  for (let i = 0; i < ids.length; i += 500) {
    for (const id of ids.slice(i, i + 500)) system.ref(id).send({ type: 'add' })
    await system.atRest()
  }
  expect(system.liveActors()).toBeLessThan(MEMBERS_IN_MEMORY_MAX + 100)
  const [first = ''] = ids
  system.ref(first).send({ type: 'add' })
  expect(await system.ref(first).ask({ type: 'get' })).toEqual({ type: 'count', count: 2 })
  await system.stop()
})
