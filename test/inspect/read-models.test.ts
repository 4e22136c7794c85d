import { expect, test } from 'vitest'
import { approver, refundSystem, World } from '../support/refund-world.ts'

test('F8 an actor has a row while it lives, with its state and the turns it made', async () => {
  const system = refundSystem(new World())
  await system.start()
  await system.atRest()
  const row = system.read.actors.get('/desk')
  expect(row?.get()).toMatchObject({ address: '/desk', state: 'refunded', restarts: 0 })
  system.stopActor('/desk')
  await system.atRest()
  expect(system.read.actors.has('/desk')).toBe(false)
  expect(system.read.counters.get()).toMatchObject({ exits: 1, restarts: 0, deadLetters: 0 })
  await system.stop()
})

test('F8 a case is an atom that changes with its decision', async () => {
  const system = refundSystem(new World(), { amount: '720.00 USD' })
  await system.start()
  await system.atRest()
  const seen: unknown[] = []
  const atom = system.read.cases.get('c-1')
  atom?.subscribe((value) => void seen.push((value as { status: string }).status))
  const alice = await approver(system, 'alice')
  await alice('c-1', 'approve')
  await system.atRest()
  expect(seen).toEqual(['approved'])
  await system.stop()
})

test('F8 a listener hears each row that an actor commits', async () => {
  const system = refundSystem(new World())
  const heard: string[] = []
  const stop = system.read.onRow(
    '/system/ledger',
    (key) => void heard.push(key.split(':')[0] ?? ''),
  )
  await system.start()
  await system.atRest()
  stop()
  expect(heard).toEqual(['entry', 'sum', 'entry'])
  await system.stop()
})
