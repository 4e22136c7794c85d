import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import type { Kernel } from '../../src/kernel/system.ts'
import { reply, tell } from '../../src/logic/actions.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { rounds, run, valueOf } from '../support/running.ts'

type Asked = { type: 'add' } | { type: 'boom' } | { type: 'get' }

/** Counts; `hello` is what it tells `/p/other` when it starts. */
const counter = (hello = false) =>
  setup({ types: { context: {} as { count: number }, events: {} as Asked } }).createMachine({
    id: 'counter',
    context: { count: 0 },
    ...(hello && { entry: tell('/greeted', { type: 'hello' }) }),
    on: {
      add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
      boom: {
        actions: assign(() => {
          throw new Error('boom')
        }),
      },
    },
  })

const greeted = () => actor('greeted', setup({}).createMachine({ id: 'greeted' }))

async function turnsOf(kernel: Kernel, address: string) {
  const turns = await kernel.session.history({ address })
  return turns.map(({ record, seq }) => {
    const { message, born, disposition, generation } = JSON.parse(record) as {
      message: { type: string }
      born?: true
      disposition: string
      generation: number
    }
    return [seq, generation, message.type, disposition, born ?? false]
  })
}

test('R31 the first start and the message it was started for are one turn', async () => {
  const { kernel, rest } = await run([pool('p', actor('m', counter()))])
  kernel.ref('/p/1').send({ type: 'add' })
  kernel.ref('/p/1').send({ type: 'add' })
  await rest()
  expect(await turnsOf(kernel, '/p/1')).toEqual([
    [1, 1, 'add', 'processed', true],
    [2, 1, 'add', 'processed', false],
  ])
  expect(await valueOf(kernel, '/p/1', { type: 'get' })).toBe(2)
  await kernel.stop()
})

test('R31 a start that wants something is a turn of its own', async () => {
  const { kernel, rest } = await run([pool('p', actor('m', counter(true))), greeted()])
  kernel.ref('/p/1').send({ type: 'add' })
  await rest()
  expect(await turnsOf(kernel, '/p/1')).toEqual([
    [1, 1, 'ambit.start', 'processed', false],
    [2, 1, 'add', 'processed', false],
  ])
  await kernel.stop()
})

test('R31 a first message that throws fails by itself, and is parked by itself', async () => {
  const { kernel, settle } = await run([pool('p', actor('m', counter()), { intensity: 3 })])
  kernel.ref('/p/1').send({ type: 'boom' })
  kernel.ref('/p/1').send({ type: 'add' })
  await settle()
  expect(await turnsOf(kernel, '/p/1')).toEqual([
    [1, 1, 'ambit.start', 'processed', false],
    [2, 1, 'boom', 'parked', false],
    [3, 1, 'add', 'processed', false],
  ])
  await kernel.stop()
})

test('R31 a first message past its deadline expires by itself', async () => {
  const { kernel, clock, rest } = await run([pool('p', actor('m', counter()))])
  const deadline = clock.now() - 1
  kernel.ref('/p/1').send({ type: 'add' }, { deadline })
  await rest()
  expect(await turnsOf(kernel, '/p/1')).toEqual([
    [1, 1, 'ambit.start', 'processed', false],
    [2, 1, 'add', 'expired', false],
  ])
  await kernel.stop()
})

test('R31 a first message that the journal refuses is parked, and the member goes on', async () => {
  const journal = faultyJournal()
  const { kernel, clock, rest } = await run([pool('p', actor('m', counter()))], { journal })
  const refuse = failing(Infinity, 'poison')
  journal.beforeCommit = (batch) => {
    if (batch.some((each) => each.kind === 'turns' && isPoison(each.records))) refuse()
  }
  kernel.ref('/p/1').send({ type: 'add', poison: true })
  for (let i = 0; i < 60; i++) {
    kernel.ref('/p/2').send({ type: 'add' })
    await rounds(3)
    clock.advance(500)
  }
  journal.beforeCommit = () => undefined
  await rest()
  const dispositions = (await turnsOf(kernel, '/p/1')).map(([, , type, disposition]) => [
    type,
    disposition,
  ])
  expect(dispositions).toEqual([
    ['ambit.start', 'processed'],
    ['add', 'parked'],
  ])
  await kernel.stop()
})

const isPoison = (records: readonly string[]) =>
  records.some((record) => record.includes('"poison":true') && record.includes('"processed"'))
