import { expect, test } from 'vitest'
import { fromTransition, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { lookAt, thisTurn } from '../../src/kernel/turn.ts'
import { putRow } from '../../src/logic/actions.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { TurnCommit } from '../../src/kernel/ports/journal.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { rounds, run, valueOf } from '../support/running.ts'

/** Keeps a number in a row. */
const keeper = () =>
  setup({ types: { events: {} as { type: 'put'; n: number } } }).createMachine({
    id: 'keeper',
    on: { put: { actions: putRow('n', ({ event }) => event.n) } },
  })

/** Writes down what it sees of `/k`: nothing where that is out of sight. */
const looker = (before: () => void = () => undefined) =>
  fromTransition((seen: (number | null)[], event: Event) => {
    if (event.type === 'get') thisTurn().reply({ type: 'got', value: seen })
    if (event.type !== 'look') return seen
    before()
    const n = lookAt('/k')?.rows.get('n')
    return [...seen, typeof n === 'number' ? n : null]
  }, [])

const get = { type: 'get' }
const seenIn = (record: string | undefined) =>
  (JSON.parse(record ?? '{}') as { seen?: unknown }).seen

async function looking(journal = faultyJournal(), keeping: 'sync' | 'async' = 'sync') {
  const clock = createManualClock(1000)
  const children = [actor('k', keeper(), { durability: keeping }), actor('l', looker())]
  const running = await run(children, { journal, clock })
  await running.rest()
  return running
}

test('T19 what a turn sees of another actor stands in its record, and both are stored all or none', async () => {
  const journal = faultyJournal()
  const { kernel, rest } = await looking(journal)
  const batches: TurnCommit[][] = []
  journal.beforeCommit = (batch) => void batches.push(batch.filter((each) => each.kind === 'turns'))
  kernel.ref('/k').send({ type: 'put', n: 7 })
  kernel.ref('/l').send({ type: 'look' })
  await rest()
  const [batch = []] = batches
  expect(batch.map(({ address }) => address).sort()).toEqual(['/k', '/l'])
  expect(new Set(batch.map(({ group }) => group))).toEqual(new Set([0]))
  const record = batch.find(({ address }) => address === '/l')?.records[0]
  expect(seenIn(record)).toEqual({ '/k': { now: 1000, rows: { n: 7 } } })
  kernel.ref('/l').send({ type: 'look' })
  await rest()
  // What is stored already binds nobody.
  expect(batches[1]?.map(({ address, group }) => [address, group])).toEqual([['/l', undefined]])
  await kernel.stop()
})

test('T19 a row that was never stored is seen by no turn that is', async () => {
  const journal = faultyJournal()
  const { kernel, clock, rest } = await looking(journal)
  const fail = failing(4)
  journal.beforeCommit = (batch) => {
    if (batch.some((each) => each.kind === 'turns' && each.address === '/k')) fail()
  }
  kernel.ref('/k').send({ type: 'put', n: 7 })
  kernel.ref('/l').send({ type: 'look' })
  for (let i = 0; i < 40; i++) {
    await rounds(3)
    clock.advance(500)
  }
  await rest()
  const turns = await kernel.session.history({})
  const putAt = turns.findIndex(({ record }) => record.includes('"type":"put"'))
  const seers = turns.filter(({ record }) => record.includes('"rows":{"n":7}'))
  for (const { position } of seers) expect(position).toBeGreaterThan(turns[putAt]?.position ?? 0)
  expect([putAt > 0, await valueOf(kernel, '/l', get)]).toEqual([
    true,
    [seers.length > 0 ? 7 : null],
  ])
  await kernel.stop()
})

const outOfSight: [string, () => ReturnType<typeof looking>][] = [
  [
    'whose turns cannot be stored with others',
    () => looking(faultyJournal(undefined, { storesGroups: false })),
  ],
  ['that is stored later', () => looking(faultyJournal(), 'async')],
]

test.each(outOfSight)('T19 an actor %s is out of sight', async (_, start) => {
  const { kernel, rest } = await start()
  kernel.ref('/k').send({ type: 'put', n: 7 })
  await rest()
  kernel.ref('/l').send({ type: 'look' })
  await rest()
  expect(await valueOf(kernel, '/l', get)).toEqual([null])
  const [turn] = (await kernel.session.history({ address: '/l' })).slice(-2)
  expect(seenIn(turn?.record)).toBeUndefined()
  await kernel.stop()
})

test('T19 an actor that has not taken all it was sent is out of sight', async () => {
  const running: { send?: () => void } = {}
  const children = [
    actor('k', keeper()),
    actor(
      'l',
      looker(() => running.send?.()),
    ),
  ]
  const { kernel, rest } = await run(children)
  await rest()
  kernel.ref('/k').send({ type: 'put', n: 1 })
  await rest()
  running.send = () => void kernel.ref('/k').send({ type: 'put', n: 7 })
  kernel.ref('/l').send({ type: 'look' })
  await rest()
  delete running.send
  kernel.ref('/l').send({ type: 'look' })
  await rest()
  expect(await valueOf(kernel, '/l', get)).toEqual([null, 7])
  await kernel.stop()
})

test('T19 nobody is in sight outside a step', () => {
  expect(lookAt('/k')).toBeUndefined()
})
