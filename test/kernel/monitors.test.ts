import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import { demonitor, monitor, reply, tell } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { run, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

type Heard = readonly { readonly address: string; readonly kind: string }[]

/** Monitors whom it is told to, and notes whose end it hears. */
const watcher = setup({
  types: {
    context: {} as { heard: Heard },
    events: {} as
      | { type: 'watch' | 'forget'; who: string }
      | { type: 'ambit.down'; address: string; reason: { kind: string } }
      | { type: 'get' },
  },
  actions: {
    hear: assign({
      heard: ({ context, event }) =>
        event.type === 'ambit.down'
          ? [...context.heard, { address: event.address, kind: event.reason.kind }]
          : context.heard,
    }),
  },
}).createMachine({
  id: 'watcher',
  context: { heard: [] },
  on: {
    watch: { actions: monitor(({ event }) => event.who) },
    forget: { actions: demonitor(({ event }) => event.who) },
    'ambit.down': { actions: 'hear' },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) },
  },
})

const durabilities: Durability[] = ['none', 'sync']
const get = { type: 'get' }

describe.each(durabilities)('a monitor (%s)', (durability) => {
  const start = (journal = faultyJournal()) =>
    run([actor('m', watcher, { durability }), actor('w', worker().machine, { durability })], {
      journal,
    })

  test('R22 is told once that an actor has ended', async () => {
    const { kernel, settle } = await start()
    kernel.ref('/m').send({ type: 'watch', who: '/w' })
    await settle()
    expect(await valueOf(kernel, '/m', get)).toEqual([])
    kernel.ref('/w').send({ type: 'end' })
    await settle()
    expect(await valueOf(kernel, '/m', get)).toEqual([{ address: '/w', kind: 'normal' }])
    await kernel.stop()
  })

  test('R22 is told at once of one that has ended, and of one that never was', async () => {
    const { kernel, settle } = await start()
    kernel.ref('/w').send({ type: 'end' })
    await settle()
    kernel.ref('/m').send({ type: 'watch', who: '/w' })
    kernel.ref('/m').send({ type: 'watch', who: '/nobody' })
    await settle()
    expect(await valueOf(kernel, '/m', get)).toEqual([
      { address: '/w', kind: 'normal' },
      { address: '/nobody', kind: 'noproc' },
    ])
    await kernel.stop()
  })

  test('R22 hears nothing once it is taken back', async () => {
    const { kernel, settle } = await start()
    kernel.ref('/m').send({ type: 'watch', who: '/w' })
    kernel.ref('/m').send({ type: 'forget', who: '/w' })
    kernel.ref('/w').send({ type: 'end' })
    await settle()
    expect(await valueOf(kernel, '/m', get)).toEqual([])
    await kernel.stop()
  })
})

test('R22 a restart that resumes is no end, one that begins anew is', async () => {
  const root = supervisor({
    intensity: 100,
    children: [
      actor('m', watcher),
      actor('resumes', worker().machine),
      actor('fresh', worker().machine, { recover: 'fresh' }),
      actor('forgets', worker().machine, { durability: 'none' }),
    ],
  })
  const { kernel, settle } = await run([], { root })
  for (const who of ['/resumes', '/fresh', '/forgets']) {
    kernel.ref('/m').send({ type: 'watch', who })
    await settle()
    kernel.ref(who).send({ type: 'boom' })
    await settle()
  }
  const heard = (await valueOf(kernel, '/m', get)) as Heard
  expect(heard).toEqual([
    { address: '/fresh', kind: 'error' },
    { address: '/forgets', kind: 'error' },
  ])
  await kernel.stop()
})

test('R22 what ended while the watching process was down is told when it is up again', async () => {
  const journal = faultyJournal()
  const specs = () => [actor('w', worker().machine), actor('m', watcher)]
  const first = await run(specs(), { journal })
  first.kernel.ref('/m').send({ type: 'watch', who: '/w' })
  await first.settle()
  await first.kernel.stop()
  // Without the watching actor.
  const second = await run([actor('w', worker().machine)], { journal })
  second.kernel.ref('/w').send({ type: 'end' })
  await second.settle()
  await second.kernel.stop()
  const third = await run(specs(), { journal })
  await third.settle()
  expect(await valueOf(third.kernel, '/m', get)).toEqual([{ address: '/w', kind: 'normal' }])
  await third.kernel.stop()
  const fourth = await run(specs(), { journal })
  await fourth.settle()
  expect(await valueOf(fourth.kernel, '/m', get)).toHaveLength(1)
  await fourth.kernel.stop()
})

const order = setup({
  types: {
    context: {} as { heard: readonly string[] },
    events: {} as { type: string; who?: string },
  },
}).createMachine({
  id: 'order',
  context: { heard: [] },
  on: {
    watch: { actions: monitor(({ event }) => event.who ?? '') },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) },
    '*': { actions: assign(({ context, event }) => ({ heard: [...context.heard, event.type] })) },
  },
})

/** Says something, and ends in the same turn. */
const lastWords = setup({}).createMachine({
  id: 'last-words',
  initial: 'alive',
  states: {
    alive: { on: { end: { target: 'over', actions: tell('/pool/m', { type: 'last.word' }) } } },
    over: { type: 'final' },
  },
})

const listening = (durability: Durability) => [
  pool('pool', actor('m', order, { durability })),
  actor('w', lastWords, { durability }),
]

test.each(durabilities)(
  'R22 the end is heard after all that the actor had sent before (%s)',
  async (durability) => {
    const { kernel, settle } = await run(listening(durability))
    kernel.ref('/pool/m').send({ type: 'watch', who: '/w' })
    await settle()
    kernel.ref('/w').send({ type: 'end' })
    await settle()
    expect(await valueOf(kernel, '/pool/m', get)).toEqual(['last.word', 'ambit.down'])
    await kernel.stop()
  },
)

test('R22 whoever comes back into memory by the last word hears it before the end', async () => {
  const journal = faultyJournal()
  const first = await run(listening('sync'), { journal })
  first.kernel.ref('/pool/m').send({ type: 'watch', who: '/w' })
  await first.settle()
  await first.kernel.stop()
  const second = await run(listening('sync'), { journal })
  second.kernel.ref('/w').send({ type: 'end' })
  await second.settle()
  expect(await valueOf(second.kernel, '/pool/m', get)).toEqual(['last.word', 'ambit.down'])
  await second.kernel.stop()
})

test('R22 an end that the journal refuses is not told', async () => {
  const journal = faultyJournal()
  const { kernel, settle } = await run(listening('sync'), { journal })
  let refused = 0
  journal.beforeCommit = (batch) => {
    if (refused > 0 || !batch.some((entry) => entry.kind === 'turns' && entry.status === 'done'))
      return
    refused++
    kernel.ref('/pool/m').send({ type: 'watch', who: '/w' })
    throw new Error('no room')
  }
  kernel.ref('/w').send({ type: 'end' })
  await settle()
  expect(refused).toBe(1)
  expect(await valueOf(kernel, '/pool/m', get)).toEqual(['last.word', 'ambit.down'])
  await kernel.stop()
})

test.each(durabilities)('R23 an actor bound to another falls with it (%s)', async (durability) => {
  const bound = setup({ types: { events: {} as { type: 'watch' } } }).createMachine({
    id: 'bound',
    on: { watch: { actions: monitor('/w', { pact: true }) } },
  })
  const exits: string[] = []
  const { kernel, settle } = await run(
    [
      actor('b', bound, { durability, restart: 'temporary' }),
      actor('w', worker().machine, { durability }),
    ],
    {
      observers: [
        {
          onExit: ({ address, reason }) => {
            if (address === '/b' && reason.kind === 'error') exits.push(reason.error.code ?? '')
          },
        },
      ],
    },
  )
  kernel.ref('/b').send({ type: 'watch' })
  await settle()
  kernel.ref('/w').send({ type: 'end' })
  await settle()
  expect(exits).toEqual(['AMBIT_DEATH_PACT'])
  await kernel.stop()
})

test('R24 a name is free when its actor has ended, and the next owner has it', async () => {
  const { kernel, settle } = await run([
    actor('a', worker().machine, { name: 'chief', groups: ['all'] }),
    actor('b', worker().machine, { groups: ['all'] }),
  ])
  expect(kernel.registry.resolve('chief')).toBe('/a')
  expect(kernel.registry.membersOf('all')).toEqual(['/a', '/b'])
  kernel.ref('/a').send({ type: 'end' })
  await settle()
  expect(kernel.registry.resolve('chief')).toBeUndefined()
  expect(kernel.registry.membersOf('all')).toEqual(['/b'])
  const next = actor('c', worker().machine, { name: 'chief' })
  const child = { id: 'c', restart: 'transient', recover: 'resume', significant: false }
  const called = await kernel.startChild('/', next, {
    call: 'startChild',
    child: {
      ...child,
      shutdown: 100,
      type: 'worker',
      status: 'down',
      isAdded: true,
      incarnation: 0,
    },
  })
  expect(called).toMatchObject({ ok: true, running: true })
  expect(kernel.registry.resolve('chief')).toBe('/c')
  await kernel.stop()
})
