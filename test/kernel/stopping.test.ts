import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply } from '../../src/logic/actions.ts'
import { controlledEffect } from '../support/controlled-effect.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { rejection } from '../support/refusal.ts'
import { rounds, run, until, valueOf } from '../support/running.ts'

function desk() {
  const { calls, logic } = controlledEffect()
  const machine = setup({
    types: { context: {} as { log: unknown[] } },
    actors: { work: logic },
  }).createMachine({
    id: 'desk',
    context: { log: [] },
    initial: 'idle',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.log })) } },
    states: {
      idle: { on: { work: 'working', wait: 'waiting' } },
      working: {
        invoke: {
          src: 'work',
          onDone: { target: 'idle', actions: assign({ log: ({ event }) => [event.output] }) },
          onError: { target: 'idle', actions: assign({ log: ['in doubt'] }) },
        },
      },
      waiting: {
        after: {
          1000: {
            target: 'idle',
            actions: assign({ log: ({ context }) => [...context.log, thisTurn().now] }),
          },
        },
      },
    },
  })
  return { calls, machine }
}

const get = { type: 'get' }

describe('stopping', () => {
  test('R10 an effect that ends within the grace time is committed', async () => {
    const journal = faultyJournal()
    const { calls, machine } = desk()
    const first = await run([actor('d', machine)], { journal })
    first.kernel.ref('/d').send({ type: 'work' })
    await until(() => calls.length === 1)
    const stopped = first.kernel.stop({ graceMs: 1000 })
    first.clock.advance(500)
    calls[0]?.succeed('done')
    await stopped
    expect(calls[0]?.context.signal.aborted).toBe(false)
    const second = await run([actor('d', desk().machine)], { journal })
    expect(await valueOf(second.kernel, '/d', get)).toEqual(['done'])
    await second.kernel.stop()
  })

  test('R10 an effect that does not end within the grace time is aborted', async () => {
    const journal = faultyJournal()
    const { calls, machine } = desk()
    const first = await run([actor('d', machine)], { journal })
    first.kernel.ref('/d').send({ type: 'work' })
    await until(() => calls.length === 1)
    let over = false
    const stopped = first.kernel.stop({ graceMs: 1000 }).then(() => (over = true))
    await until(() => {
      first.clock.advance(50)
      return first.clock.waiting === 0 || over
    })
    await stopped
    expect(calls[0]?.context.signal.aborted).toBe(true)
    const second = await run([actor('d', desk().machine)], { journal })
    expect(await valueOf(second.kernel, '/d', get)).toEqual(['in doubt'])
    await second.kernel.stop()
  })

  test('R10 what was accepted is committed, and the journal opens again', async () => {
    const journal = faultyJournal()
    const counter = setup({ types: { context: {} as { n: number } } }).createMachine({
      id: 'counter',
      context: { n: 0 },
      on: {
        add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
        get: { actions: reply(({ context }) => ({ type: 'got', value: context.n })) },
      },
    })
    const first = await run([actor('c', counter)], { journal })
    for (let i = 0; i < 200; i++) first.kernel.ref('/c').send({ type: 'add' })
    await first.kernel.stop()
    const second = await run([actor('c', counter)], { journal })
    expect(await valueOf(second.kernel, '/c', get)).toBe(200)
    await second.kernel.stop()
  })

  test('R10 a stopped system refuses messages and tells whoever waits for an answer', async () => {
    const { machine } = desk()
    const { kernel } = await run([actor('d', machine)])
    const waiting = rejection(kernel.ref('/d').ask({ type: 'work' }))
    await rounds()
    await kernel.stop({ graceMs: 0 })
    expect((await waiting).code).toBe('AMBIT_STOPPED')
    expect(kernel.ref('/d').send(get)).toEqual({ status: 'rejected', reason: 'stopped' })
    expect((await rejection(kernel.start())).code).toBe('AMBIT_STOPPED')
  })
})

describe('timers', () => {
  const waiting = async () => {
    const journal = faultyJournal()
    const first = await run([actor('d', desk().machine)], { journal })
    const dueAt = first.clock.now() + 1000
    first.kernel.ref('/d').send({ type: 'wait' })
    await first.rest()
    return { journal, first, dueAt }
  }

  test('F5 a timer fires when it is due, not before', async () => {
    const { first, dueAt } = await waiting()
    first.clock.advance(999)
    expect(await valueOf(first.kernel, '/d', get)).toEqual([])
    first.clock.advance(1)
    expect(await valueOf(first.kernel, '/d', get)).toEqual([dueAt])
    await first.kernel.stop()
  })

  test('F5 a timer keeps its absolute due time over a crash', async () => {
    const { journal, first, dueAt } = await waiting()
    first.clock.advance(400)
    await journal.crash()
    const second = await run([actor('d', desk().machine)], { journal, clock: first.clock })
    second.clock.advance(599)
    expect(await valueOf(second.kernel, '/d', get)).toEqual([])
    second.clock.advance(1)
    expect(await valueOf(second.kernel, '/d', get)).toEqual([dueAt])
    await second.kernel.stop()
  })

  test('F5 a timer that fell due while nothing ran fires once, at once', async () => {
    const { journal, first, dueAt } = await waiting()
    await journal.crash()
    first.clock.turnTo(dueAt + 86_400_000)
    const second = await run([actor('d', desk().machine)], { journal, clock: first.clock })
    second.clock.advance(0)
    await second.rest()
    expect(await valueOf(second.kernel, '/d', get)).toEqual([dueAt + 86_400_000])
    await second.kernel.stop()
    const third = await run([actor('d', desk().machine)], { journal, clock: first.clock })
    third.clock.advance(10_000)
    await third.rest()
    expect(await valueOf(third.kernel, '/d', get)).toHaveLength(1)
    await third.kernel.stop()
  })

  test('F5 a timer that has fired is gone from the journal', async () => {
    const { first, dueAt } = await waiting()
    first.clock.advance(1000)
    await first.rest()
    expect((await first.kernel.session.recover()).timers).toEqual([])
    expect(await valueOf(first.kernel, '/d', get)).toEqual([dueAt])
    await first.kernel.stop()
  })
})
