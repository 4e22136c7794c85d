import { describe, expect, test } from 'vitest'
import { assign, raise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import type { Event, ReplyTo } from '../../src/kernel/message.ts'
import type { SendOptions } from '../../src/kernel/ref.ts'
import { putRow, reply, tell } from '../../src/logic/actions.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { refusal, rejection } from '../support/refusal.ts'
import { make, rounds, run, until, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const counter = () =>
  setup({ types: { context: {} as { n: number } } }).createMachine({
    id: 'counter',
    context: { n: 0 },
    on: {
      add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.n })) },
    },
  })

/** Lets the waits before restarts pass. */
async function pass(clock: ManualClock): Promise<void> {
  for (let i = 0; i < 30; i++) {
    await rounds(3)
    clock.advance(100)
  }
}

describe('restarts', () => {
  test('R2 a permanent actor is restarted after a normal end', async () => {
    const child = actor('w', worker().machine, { restart: 'permanent' })
    const { kernel, clock } = await run([child])
    kernel.ref('/w').send({ type: 'end' })
    await pass(clock)
    kernel.ref('/w').send({ type: 'add' })
    expect(await valueOf(kernel, '/w', { type: 'get' })).toMatchObject({ count: 1 })
    await kernel.stop()
  })
})

describe('what a step asks for', () => {
  test('T13 a delay that is no number fails its turn alone; other timers go on', async () => {
    const states = new Map<string, unknown>()
    const waiting = (delayMs: number) =>
      setup({ delays: { wait: () => delayMs } }).createMachine({
        id: `waiting-${delayMs}`,
        initial: 'idle',
        states: {
          idle: { on: { go: 'waiting' } },
          waiting: { after: { wait: 'done' } },
          done: {},
        },
      })
    const { kernel, clock, rest } = await run(
      [actor('nan', waiting(NaN)), actor('infinite', waiting(Infinity)), actor('ok', waiting(100))],
      { observers: [{ onTurn: ({ address, state }) => void states.set(address, state) }] },
    )
    for (const address of ['/nan', '/infinite', '/ok']) kernel.ref(address).send({ type: 'go' })
    await pass(clock)
    await rest()
    expect(Object.fromEntries(states)).toEqual({
      '/nan': 'idle',
      '/infinite': 'idle',
      '/ok': 'done',
    })
    await kernel.stop({ graceMs: 0 })
  })

  test.each([
    ['a row without a key', { type: 'put' }],
    ['a row of the system', { type: 'put', key: '~mine' }],
    ['a receiver that is none', { type: 'answer', replyTo: {} }],
  ])('T1 a step that asks for %s leaves everything as it was', async (_, event) => {
    const machine = setup({
      types: { context: {} as { n: number }, events: {} as Event },
    }).createMachine({
      id: 'asking',
      context: { n: 0 },
      on: {
        put: {
          actions: [
            assign({ n: ({ context }) => context.n + 1 }),
            tell('/c', { type: 'add' }),
            putRow((args) => (args.event as Event).key as string, 1),
          ],
        },
        answer: {
          actions: [
            assign({ n: ({ context }) => context.n + 1 }),
            tell('/c', { type: 'add' }),
            reply({ type: 'x' }, { to: (args) => (args.event as Event).replyTo as ReplyTo }),
          ],
        },
        get: { actions: reply(({ context }) => ({ type: 'got', value: context.n })) },
      },
    })
    const { kernel, clock } = await run([actor('m', machine), actor('c', counter())])
    kernel.ref('/m').send(event)
    await pass(clock)
    expect(await valueOf(kernel, '/m', { type: 'get' })).toBe(0)
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(0)
    await kernel.stop()
  })
})

describe('time', () => {
  test('T12 a question is answered although the clock was set back over a restart', async () => {
    const [journal, clock] = [faultyJournal(), createManualClock()]
    const first = await run([actor('c', counter())], { journal, clock })
    first.kernel.ref('/c').send({ type: 'add' })
    await first.rest()
    await first.kernel.stop()
    clock.turnTo(clock.now() - 10_000)
    const { kernel } = await run([actor('c', counter())], { journal, clock })
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(1)
    await kernel.stop()
  })

  test('F5 a delayed event of a child that ended does not reach its successor', async () => {
    const child = setup({ types: { events: {} as Event } }).createMachine({
      id: 'child',
      initial: 'waiting',
      states: {
        waiting: {
          on: { late: 'hit', arm: { actions: raise({ type: 'late' }, { delay: 1000, id: 't' }) } },
        },
        hit: { type: 'final' },
      },
    })
    const parent = setup({ actors: { child } }).createMachine({
      id: 'parent',
      initial: 'on',
      states: {
        on: {
          invoke: { id: 'kid', src: 'child', onDone: 'wrong' },
          on: { arm: { actions: sendTo('kid', { type: 'arm' }) }, off: 'off' },
        },
        off: { on: { on: 'on' } },
        wrong: {},
      },
    })
    let state: unknown
    const { kernel, clock, rest } = await run([actor('m', parent)], {
      observers: [{ onTurn: (report) => void (state = report.state) }],
    })
    for (const type of ['arm', 'off', 'on']) {
      kernel.ref('/m').send({ type })
      await rest()
    }
    clock.advance(2000)
    await rest()
    expect(state).toBe('on')
    await kernel.stop()
  })
})

describe('definitions', () => {
  test('M4 a stored state is refused when a child machine has another structure', async () => {
    const journal = faultyJournal()
    const parentOf = (next: string) => {
      const child = setup({}).createMachine({
        id: 'child',
        initial: 'one',
        states: { one: { on: { x: next } }, [next]: {} },
      })
      return setup({ actors: { child } }).createMachine({
        id: 'parent',
        invoke: { id: 'kid', src: 'child' },
        on: { x: { actions: sendTo('kid', { type: 'x' }) } },
      })
    }
    const first = await run([actor('m', parentOf('two'))], { journal })
    first.kernel.ref('/m').send({ type: 'x' })
    await first.rest()
    await first.kernel.stop()
    const second = make([actor('m', parentOf('zwei'))], { journal })
    expect((await rejection(second.kernel.start())).message).toContain('structure')
    await second.kernel.stop({ graceMs: 0 })
  })

  test('R9 a pool whose member has a name is refused: the name would be taken by each', () => {
    const named = actor('m', counter(), { name: 'n' })
    expect(refusal(() => pool('p', named)).code).toBe('AMBIT_SPEC_INVALID')
  })
})

describe('events from outside', () => {
  const odd = Object.create(Object.create(null) as object) as never

  test('T8 an event is taken as it was when it was sent', async () => {
    const machine = setup({
      types: { context: {} as { got: unknown[] }, events: {} as Event },
    }).createMachine({
      id: 'm',
      context: { got: [] },
      on: {
        n: { actions: assign({ got: ({ context, event }) => [...context.got, event.n] }) },
        get: { actions: reply(({ context }) => ({ type: 'got', value: context.got as never })) },
      },
    })
    const { kernel, rest } = await run([actor('m', machine)])
    const event = { type: 'n', n: 0 }
    for (event.n = 0; event.n < 3; event.n++) kernel.ref('/m').send(event)
    event.type = 'ambit.stop'
    await rest()
    expect(await valueOf(kernel, '/m', { type: 'get' })).toEqual([0, 1, 2])
    await kernel.stop()
  })

  test.each([
    ['claims a privilege', { type: 'ambit.stop' }, { privileged: true } as SendOptions],
    ['has an odd prototype', { type: 'add', v: odd }, {}],
  ])('T8 an event that %s is a dead letter', async (_, event, options) => {
    const { kernel, rest } = await run([actor('c', counter())])
    expect(kernel.ref('/c').send(event, options)).toMatchObject({ status: 'rejected' })
    await rest()
    expect(kernel.deadLetters.list()).toMatchObject([{ reason: 'invalid' }])
    expect(await valueOf(kernel, '/c', { type: 'get' })).toBe(0)
    await kernel.stop()
  })

  test('T8 an event that the schema refuses brings no member of a pool to life', async () => {
    const events = z.object({ type: z.literal('add') })
    const { kernel, rest } = await run([pool('p', actor('m', counter(), { events }))])
    const before = kernel.liveActors()
    for (let i = 0; i < 50; i++) kernel.ref(`/p/x${i}`).send({ type: 'bad' })
    await rest()
    await until(() => kernel.deadLetters.count('invalid') === 50)
    expect(kernel.liveActors()).toBe(before)
    expect(await kernel.session.history({ under: '/p' })).toEqual([])
    await kernel.stop()
  })
})
