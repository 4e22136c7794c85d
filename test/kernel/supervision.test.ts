import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import type { Message } from '../../src/kernel/message.ts'
import { reply } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { rejection } from '../support/refusal.ts'
import { run, until, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const get = { type: 'get' }
const restartsInto = (seen: string[]) => ({
  onRestart: ({ address }: { address: string }) => void seen.push(address),
})

describe('one actor', () => {
  test('R1 a failed actor goes on from its last committed turn; its mailbox stays', async () => {
    const restarts: string[] = []
    const { kernel, settle } = await run([actor('w', worker().machine)], {
      observers: [restartsInto(restarts)],
    })
    const ref = kernel.ref('/w')
    for (const type of ['add', 'add', 'boom', 'add']) ref.send({ type })
    await settle()
    expect(await valueOf(kernel, '/w', get)).toMatchObject({ count: 3 })
    expect(restarts).toEqual(['/w', '/w'])
    await kernel.stop()
  })

  test('R1 a running effect stays, and its end is taken by the next life', async () => {
    const { calls, machine } = worker()
    const restarts: string[] = []
    const { kernel, rest, clock } = await run([actor('w', machine)], {
      observers: [restartsInto(restarts)],
    })
    kernel.ref('/w').send({ type: 'work' })
    await until(() => calls.length === 1)
    kernel.ref('/w').send({ type: 'boom' })
    await until(() => {
      clock.advance(10)
      return restarts.length === 2
    })
    expect(await valueOf(kernel, '/w', get)).toMatchObject({ done: null })
    expect(calls[0]?.context.signal.aborted).toBe(false)
    calls[0]?.succeed('result')
    await rest()
    expect(await valueOf(kernel, '/w', get)).toMatchObject({ done: 'result' })
    expect(calls).toHaveLength(1)
    await kernel.stop()
  })

  test.each([
    ['permanent', 2],
    ['transient', 2],
    ['temporary', 0],
  ] as const)('R2 a failing %s actor is restarted %i times', async (restart, times) => {
    const restarts: string[] = []
    const { kernel, settle } = await run([actor('w', worker().machine, { restart })], {
      observers: [restartsInto(restarts)],
    })
    kernel.ref('/w').send({ type: 'boom' })
    await settle()
    expect(restarts).toHaveLength(times)
    expect(kernel.alarms).toHaveLength(times === 0 ? 1 : 0)
    await kernel.stop()
  })

  test.each(['transient', 'temporary'] as const)(
    'R2 a %s actor that ends normally stays ended, also after a restart of the system',
    async (restart) => {
      const journal = faultyJournal()
      const spec = () => [actor('w', worker().machine, { restart })]
      const first = await run(spec(), { journal })
      first.kernel.ref('/w').send({ type: 'end' })
      await first.settle()
      await first.kernel.stop()
      const second = await run(spec(), { journal })
      const refused = { status: 'rejected', reason: 'stopped' }
      expect(second.kernel.ref('/w').send({ type: 'add' })).toEqual(refused)
      expect(second.kernel.alarms).toEqual([])
      await second.kernel.stop()
    },
  )

  test('R5 a message that fails twice is parked with its error, durably', async () => {
    const journal = faultyJournal()
    const first = await run([actor('w', worker().machine)], { journal })
    first.kernel.ref('/w').send({ type: 'boom', order: 'o-1' })
    await first.settle()
    await first.kernel.stop()
    const second = await run([actor('w', worker().machine)], { journal })
    await second.rest()
    const rows = [...second.kernel.rows('/w')].filter(([key]) => key.startsWith('~parked:'))
    expect(rows).toHaveLength(1)
    const [, parked] = rows[0] as unknown as [string, { message: Message; error: object }]
    expect(parked.message).toMatchObject({ type: 'boom', body: { order: 'o-1' } })
    expect(parked.error).toMatchObject({ name: 'Parked' })
    expect(await valueOf(second.kernel, '/w', get)).toMatchObject({ count: 0 })
    await second.kernel.stop()
  })

  test('R5 what follows a parked message is taken in order, and the actor goes on', async () => {
    const { kernel, settle } = await run([actor('w', worker().machine)])
    const types = ['add', 'boom', 'add', 'add', 'boom', 'add']
    for (const type of types) kernel.ref('/w').send({ type })
    await settle()
    const turns = await kernel.session.history({ address: '/w' })
    const taken = turns.map(({ record }) => JSON.parse(record) as { message: Message })
    expect(taken.map(({ message }) => message.type)).toEqual(['ambit.start', ...types])
    expect(await valueOf(kernel, '/w', get)).toMatchObject({ count: 4 })
    await kernel.stop()
  })
})

describe('supervisors', () => {
  const failing = (intensity: number) =>
    supervisor({
      id: 's',
      intensity,
      periodMs: 60_000,
      children: [actor('bad', worker().machine), actor('good', worker().machine)],
    })

  test('R8 a supervisor that gives up is restarted by its own, with all its children', async () => {
    const restarts: string[] = []
    const { kernel, settle } = await run([failing(1), actor('beside', worker().machine)], {
      observers: [restartsInto(restarts)],
    })
    kernel.ref('/s/bad').send({ type: 'boom' })
    await settle()
    expect(restarts.sort()).toEqual(['/s/bad', '/s/bad', '/s/good'])
    expect(kernel.alarms).toEqual([])
    expect(await valueOf(kernel, '/s/bad', get)).toMatchObject({ count: 0 })
    await kernel.stop()
  })

  test('R8 at the root the children stay down with an alarm, and the process goes on', async () => {
    const root = supervisor({ intensity: 1, children: [actor('w', worker().machine)] })
    const { kernel, settle, clock } = await run([], { root })
    kernel.ref('/w').send({ type: 'boom' })
    await settle()
    expect(kernel.alarms).toMatchObject([{ address: '/', error: { message: 'boom' } }])
    const asked = rejection(kernel.ref('/w').ask(get, { timeoutMs: 10 }))
    clock.advance(100)
    expect((await asked).code).toBe('AMBIT_ASK_TIMEOUT')
    await kernel.stop()
  })

  test('R3 restarts further apart than the period never add up', async () => {
    const root = supervisor({
      intensity: 2,
      periodMs: 1000,
      children: [actor('w', worker().machine)],
    })
    const { kernel, settle, clock } = await run([], { root })
    for (let i = 0; i < 5; i++) {
      kernel.ref('/w').send({ type: 'boom' })
      await settle()
      clock.advance(2000)
    }
    expect(kernel.alarms).toEqual([])
    expect(await valueOf(kernel, '/w', get)).toMatchObject({ count: 0 })
    await kernel.stop()
  })

  test('R9 a pool starts a member with the first message to its address', async () => {
    const { kernel, rest } = await run([pool('p', actor('m', worker().machine))])
    await rest()
    expect(kernel.liveActors()).toBe(0)
    kernel.ref('/p/a').send({ type: 'add' })
    kernel.ref('/p/a').send({ type: 'add' })
    kernel.ref('/p/b').send({ type: 'add' })
    await rest()
    expect(kernel.liveActors()).toBe(2)
    expect(await valueOf(kernel, '/p/a', get)).toMatchObject({ count: 2 })
    await kernel.stop()
  })

  test('R9 each member is given the input made from its own id', async () => {
    const named = setup({ types: { context: {} as { id: unknown } } }).createMachine({
      id: 'named',
      context: ({ input }) => ({ id: input }),
      on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.id })) } },
    })
    const member = actor('m', named)
    const { kernel } = await run([
      pool('p', member),
      pool('q', member, { inputOf: (id) => ({ order: id.toUpperCase() }) }),
    ])
    expect(await valueOf(kernel, '/p/a', get)).toEqual({ id: 'a' })
    expect(await valueOf(kernel, '/q/a', get)).toEqual({ order: 'A' })
    await kernel.stop()
  })

  test('R9 a member that fails too often stays down alone', async () => {
    const { kernel, settle } = await run([
      pool('p', actor('m', worker().machine), { intensity: 1, budget: 'each' }),
    ])
    kernel.ref('/p/bad').send({ type: 'boom' })
    for (let i = 0; i < 5; i++) kernel.ref('/p/good').send({ type: 'add' })
    await settle()
    expect(kernel.alarms).toMatchObject([{ address: '/p/bad' }])
    expect(await valueOf(kernel, '/p/good', get)).toMatchObject({ count: 5 })
    await kernel.stop()
  })
})
