import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import { reply } from '../../src/logic/actions.ts'
import type { EffectOptions } from '../../src/logic/invocable.ts'
import { controlledEffect } from '../support/controlled-effect.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { gate, rounds, run, until, valueOf } from '../support/running.ts'

function payer(options: EffectOptions<unknown> = {}) {
  const { calls, logic } = controlledEffect(options)
  const machine = setup({
    types: { context: {} as { log: unknown[] } },
    actors: { pay: logic },
    actions: {
      note: assign(({ context }, params: { what: unknown }) => ({
        log: [...context.log, params.what],
      })),
    },
  }).createMachine({
    id: 'payer',
    context: { log: [] },
    initial: 'idle',
    on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.log })) } },
    states: {
      idle: { on: { pay: 'paying' } },
      paying: {
        invoke: {
          id: 'pay',
          src: 'pay',
          input: { order: 'o-1' },
          onDone: {
            target: 'idle',
            actions: { type: 'note', params: ({ event }) => ({ what: event.output }) },
          },
          onError: {
            target: 'idle',
            actions: { type: 'note', params: ({ event }) => ({ what: codeOf(event.error) }) },
          },
        },
        on: { leave: 'idle', again: { target: 'paying', reenter: true } },
      },
    },
  })
  return { calls, machine }
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string }
  return code ?? message
}

const log = (kernel: Parameters<typeof valueOf>[0], address = '/p') =>
  valueOf(kernel, address, { type: 'get' })

describe('beginning and end', () => {
  test('F1 an effect starts only after the turn that invoked it is committed', async () => {
    const journal = faultyJournal()
    const { calls, machine } = payer()
    const { kernel } = await run([actor('p', machine)], { journal })
    const door = gate()
    journal.beforeCommit = () => door.opened
    kernel.ref('/p').send({ type: 'pay' })
    await rounds()
    expect(calls).toHaveLength(0)
    door.open()
    await until(() => calls.length === 1)
    await kernel.stop({ graceMs: 0 })
  })

  test('F1 a turn whose commit fails starts its effect once, when it is made', async () => {
    const journal = faultyJournal()
    const { calls, machine } = payer()
    const { kernel, clock } = await run([actor('p', machine)], { journal })
    journal.beforeCommit = failing(2)
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => {
      clock.advance(50)
      return calls.length > 0
    })
    await rounds()
    expect(calls).toHaveLength(1)
    await kernel.stop({ graceMs: 0 })
  })

  test('F1 the end of an effect is a turn of its own', async () => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    expect(calls[0]).toMatchObject({ input: { order: 'o-1' }, context: { attempt: 1 } })
    calls[0]?.succeed('paid')
    await rest()
    const turns = await kernel.session.history({ address: '/p' })
    const types = turns.map(({ record }) => {
      const { message } = JSON.parse(record) as { message: { type: string } }
      return message.type
    })
    expect(types).toEqual(['ambit.start', 'pay', 'ambit.effect.ended'])
    expect(await log(kernel)).toEqual(['paid'])
    await kernel.stop()
  })

  test.each([
    ['throws', (call: { fail(e: Error): void }) => call.fail(new Error('refused')), 'refused'],
    [
      'answers what is not JSON',
      (call: { succeed(o: unknown): void }) => call.succeed(new Date(0)),
      'AMBIT_OUTPUT_INVALID',
    ],
  ])('F1 an effect that %s ends with an error', async (_, end, seen) => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    end(calls[0]!)
    await rest()
    expect(await log(kernel)).toEqual([seen])
    await kernel.stop()
  })
})

describe('after a crash', () => {
  const crashed = async (options: EffectOptions<unknown>) => {
    const journal = faultyJournal()
    const before = payer(options)
    const first = await run([actor('p', before.machine)], { journal })
    first.kernel.ref('/p').send({ type: 'pay' })
    await until(() => before.calls.length === 1)
    await journal.crash()
    const after = payer(options)
    const second = await run([actor('p', after.machine)], { journal, clock: first.clock })
    return { before: before.calls, after: after.calls, ...second }
  }

  test('F2 an idempotent effect runs again with the same key and maybeExecuted', async () => {
    const { before, after, kernel, rest } = await crashed({ idempotent: true })
    await until(() => after.length === 1)
    expect(before[0]?.context).toMatchObject({ attempt: 1, maybeExecuted: false })
    expect(after[0]?.context).toMatchObject({ attempt: 2, maybeExecuted: true })
    expect(after[0]?.context.idempotencyKey).toBe(before[0]?.context.idempotencyKey)
    expect(after[0]?.input).toEqual({ order: 'o-1' })
    after[0]?.succeed('paid')
    await rest()
    expect(await log(kernel)).toEqual(['paid'])
    await kernel.stop()
  })

  test('F2 an effect’s own key is the one the target sees', async () => {
    const { after, kernel } = await crashed({ idempotent: true, key: () => 'order o-1' })
    await until(() => after.length === 1)
    expect(after[0]?.context.idempotencyKey).toBe('order o-1')
    await kernel.stop({ graceMs: 0 })
  })

  test('F2 any other effect is in doubt and is not repeated', async () => {
    const { after, kernel, rest } = await crashed({ idempotent: false })
    await rest()
    expect(after).toHaveLength(0)
    expect(await log(kernel)).toEqual(['AMBIT_EFFECT_IN_DOUBT'])
    await kernel.stop()
  })

  test('F2 a pool member whose effect was cut off is brought up without being asked', async () => {
    const journal = faultyJournal()
    const before = payer({ idempotent: true })
    const first = await run([pool('pool', actor('m', before.machine))], { journal })
    first.kernel.ref('/pool/a').send({ type: 'pay' })
    await until(() => before.calls.length === 1)
    await journal.crash()
    const after = payer({ idempotent: true })
    const second = await run([pool('pool', actor('m', after.machine))], { journal })
    await until(() => after.calls.length === 1)
    await second.kernel.stop({ graceMs: 0 })
  })
})

describe('leaving', () => {
  test('F4 leaving the state aborts the signal, and F3 a late end changes nothing', async () => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    kernel.ref('/p').send({ type: 'leave' })
    await rest()
    expect(calls[0]?.context.signal.aborted).toBe(true)
    calls[0]?.succeed('too late')
    await rest()
    expect(await log(kernel)).toEqual([])
    await kernel.stop()
  })

  test('F3 the end of an earlier invocation is not taken for that of a later one', async () => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    kernel.ref('/p').send({ type: 'again' })
    await until(() => calls.length === 2)
    calls[0]?.succeed('first')
    await rounds()
    expect(await log(kernel)).toEqual([])
    calls[1]?.succeed('second')
    await rest()
    expect(await log(kernel)).toEqual(['second'])
    await kernel.stop()
  })

  test('F3 an end that names another invocation of the same place changes nothing', async () => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    const body = { type: 'ambit.effect.ended', path: 'pay', ref: '0.0.0', ok: true, output: 'no' }
    kernel.route({ id: 'x', type: body.type, to: '/p', body, headers: {} }, 'reply')
    await rounds()
    expect(await log(kernel)).toEqual([])
    calls[0]?.succeed('yes')
    await rest()
    expect(await log(kernel)).toEqual(['yes'])
    await kernel.stop()
  })

  test.each(['stopActor', 'startFresh'] as const)('F4 %s aborts the signal', async (call) => {
    const { calls, machine } = payer()
    const { kernel, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    kernel[call]('/p')
    await rest()
    expect(calls[0]?.context.signal.aborted).toBe(true)
    calls[0]?.succeed('too late')
    await rest()
    expect(calls).toHaveLength(1)
    await kernel.stop()
  })

  test('F4 a timeout ends the effect with an error and aborts its signal', async () => {
    const { calls, machine } = payer({ timeoutMs: 500 })
    const { kernel, clock, rest } = await run([actor('p', machine)])
    kernel.ref('/p').send({ type: 'pay' })
    await until(() => calls.length === 1)
    expect(calls[0]?.context.deadline).toBe(clock.now() + 500)
    clock.advance(499)
    expect(await log(kernel)).toEqual([])
    clock.advance(1)
    await rest()
    expect(await log(kernel)).toEqual(['AMBIT_EFFECT_TIMEOUT'])
    expect(calls[0]?.context.signal.aborted).toBe(true)
    await kernel.stop()
  })
})
