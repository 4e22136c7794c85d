import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { rejection } from '../support/refusal.ts'
import { make, run, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const get = { type: 'get' }

test('R6 an actor whose state cannot be read is quarantined with an alarm', async () => {
  const journal = faultyJournal()
  const { kernel, settle } = await run([actor('w', worker().machine)], { journal })
  kernel.ref('/w').send({ type: 'add' })
  await settle()
  let loads = 0
  journal.onLoad = (_, stored) => {
    loads++
    return stored && { ...stored, snapshot: { torn: true } }
  }
  kernel.ref('/w').send({ type: 'boom' })
  await settle()
  expect(kernel.alarms).toMatchObject([{ address: '/w', error: { name: 'TypeError' } }])
  expect(loads).toBe(1)
  journal.onLoad = (_, stored) => stored
  expect((await kernel.session.load('/w'))?.seq).toBe(2)
  await kernel.stop()
})

test('M4 a state of another machine structure makes start() reject, and is kept', async () => {
  const journal = faultyJournal()
  const first = await run([actor('w', worker().machine)], { journal })
  await first.kernel.stop()
  const changed = setup({}).createMachine({
    id: 'worker',
    initial: 'other',
    states: { other: {} },
  })
  const second = make([actor('w', changed)], { journal })
  const { code, message } = await rejection(second.kernel.start())
  expect(code).toBe('AMBIT_MACHINE_CHANGED')
  expect(message).toContain('"/w" was stored by machine "worker"')
  const third = await run([actor('w', worker().machine)], { journal })
  expect(await valueOf(third.kernel, '/w', get)).toMatchObject({ count: 0 })
  await third.kernel.stop()
})

test('R6 a pool member of another machine structure stays down alone, with an alarm', async () => {
  const journal = faultyJournal()
  const first = await run([pool('p', actor('m', worker().machine))], { journal })
  first.kernel.ref('/p/1').send({ type: 'add' })
  await first.settle()
  await first.kernel.stop()
  const renamed = worker('renamed').machine
  const second = await run([pool('p', actor('m', renamed))], { journal })
  second.kernel.ref('/p/1').send({ type: 'add' })
  await second.settle()
  expect(second.kernel.alarms).toMatchObject([
    { address: '/p/1', error: { code: 'AMBIT_MACHINE_CHANGED' } },
  ])
  expect(await valueOf(second.kernel, '/p/2', get)).toMatchObject({ count: 0 })
  expect((await second.kernel.session.load('/p/1'))?.seq).toBe(1)
  await second.kernel.stop()
})

test('R7 a child that cannot start makes start() reject with its address and cause', async () => {
  const stillborn = setup({}).createMachine({
    id: 'stillborn',
    context: () => {
      throw new Error('no input')
    },
  })
  const journal = faultyJournal()
  const children = [
    actor('w', worker().machine),
    supervisor({ id: 's', children: [actor('x', stillborn)] }),
  ]
  const error = await rejection(make(children, { journal }).kernel.start())
  expect(error.code).toBe('AMBIT_START_FAILED')
  expect(error.message).toContain('"/s/x" could not be started: no input')
  expect(error.cause).toMatchObject({ message: 'no input' })
  const again = await run([actor('w', worker().machine)], { journal })
  await again.kernel.stop()
})
