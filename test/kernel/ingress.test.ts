import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { actor } from '../../actors/actor.ts'
import { receive, type Refusal } from '../../src/kernel/ingress.ts'
import {
  MESSAGE_BYTES_MAX,
  MESSAGE_DEPTH_MAX,
  type Event,
  type Message,
} from '../../src/kernel/message.ts'
import { reply } from '../../src/logic/actions.ts'
import { run, valueOf } from '../support/running.ts'

const from = (event: unknown, privileged = false) =>
  receive('m-1', '/a', event as Event, privileged ? { privileged } : {}) as Message &
    Partial<Refusal>

const nested = (levels: number) => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

const malformed: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['a string', 'go'],
  ['a number', 7],
  ['an empty list', []],
  ['an object without a type', { kind: 'go' }],
  ['a type that is no string', { type: 7 }],
  ['an empty type', { type: '' }],
  ['a type below __proto__', JSON.parse('{"__proto__":{"type":"go"}}')],
  ['a type by inheritance', Object.create({ type: 'go' })],
  ['a function', { type: 'go', run: () => 1 }],
  ['a date', { type: 'go', at: new Date(0) }],
  ['NaN', { type: 'go', n: Number.NaN }],
  ['undefined in a list', { type: 'go', list: [undefined] }],
  ['a cycle', cycle()],
]

describe('one event', () => {
  test.each(malformed)('T8 %s is refused as invalid with a detail', (_, event) => {
    const { refused, detail } = from(event)
    expect(refused).toBe('invalid')
    expect(detail).toMatch(/^expected/)
  })

  test.each(['xstate.init', 'xstate.done.actor.x', 'ambit.start', 'ambit.action.decided'])(
    'T8 the reserved type %s is refused',
    (type) => {
      expect(from({ type })).toMatchObject({ refused: 'invalid' })
      expect(from({ type }).detail).toContain(`got "${type}"`)
    },
  )

  test.each(['xstate', 'ambit', 'Ambit.start', 'my.ambit.start', 'ambition'])(
    'T8 the type %s is nobody else’s and is taken',
    (type) => {
      expect(from({ type }).refused).toBeUndefined()
    },
  )

  test('T8 a privileged sender may speak the reserved protocol, but still only JSON', () => {
    expect(from({ type: 'ambit.start' }, true).refused).toBeUndefined()
    expect(from({ type: 'ambit.start', f: () => 1 }, true).refused).toBe('invalid')
  })

  test('T8 as deep as 32 levels is taken, deeper is refused with its path', () => {
    expect(MESSAGE_DEPTH_MAX).toBe(32)
    expect(from({ type: 'go', deep: nested(31) }).refused).toBeUndefined()
    const tooDeep = from({ type: 'go', deep: nested(32) })
    expect(tooDeep.refused).toBe('invalid')
    expect(tooDeep.detail).toContain('event.deep[0]')
  })

  test('T8 an event of more than a mebibyte is too large, counted in bytes', () => {
    const overhead = JSON.stringify({ type: 'go', text: '' }).length
    const fits = MESSAGE_BYTES_MAX - overhead
    expect(from({ type: 'go', text: 'x'.repeat(fits) }).refused).toBeUndefined()
    expect(from({ type: 'go', text: 'x'.repeat(fits + 1) }).refused).toBe('tooLarge')
    expect(from({ type: 'go', text: 'ä'.repeat(fits / 2 + 1) }).refused).toBe('tooLarge')
  })

  test.each(['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString'])(
    'T8 a field called %s is data and reaches no prototype',
    (key) => {
      const event = JSON.parse(`{"type":"go","${key}":{"polluted":true}}`) as Event
      const message = from(event)
      expect(message.refused).toBeUndefined()
      expect(Object.hasOwn(message.body, key)).toBe(true)
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    },
  )

  test('T8 a refused event leaves nothing of its body in the dead letter', () => {
    const { message } = from({ type: 'xstate.init', secret: 'x', big: nested(40) })
    expect(message?.body).toEqual({ type: 'xstate.init' })
  })

  test('T9 the caller’s own id becomes the id of the message', () => {
    const own = receive('m-1', '/a', { type: 'go' }, { once: 'order-7' })
    expect(own).toMatchObject({ id: 'order-7' })
    expect(from({ type: 'go' }).id).toBe('m-1')
  })

  test('T8 nothing at all makes ingress throw', () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withBigInt: true, withMap: true }), (event) => {
        expect(['invalid', 'tooLarge', undefined]).toContain(from(event).refused)
      }),
    )
  })
})

const counter = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'add' } | { type: 'get' } },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
  },
})

describe('a running actor', () => {
  test('T8 refused events are counted dead letters and the actor goes on', async () => {
    const { kernel } = await run([actor('counter', counter)])
    const ref = kernel.ref('/counter')
    for (const [, event] of malformed) {
      expect(ref.send(event as Event)).toEqual({ status: 'rejected', reason: 'invalid' })
    }
    const large = ref.send({ type: 'add', text: 'x'.repeat(MESSAGE_BYTES_MAX) })
    expect(large).toEqual({ status: 'rejected', reason: 'tooLarge' })
    expect(kernel.deadLetters.count('invalid')).toBe(malformed.length)
    expect(kernel.deadLetters.count('tooLarge')).toBe(1)
    expect(await valueOf(kernel, '/counter', { type: 'get' })).toBe(0)
    expect(kernel.alarms).toEqual([])
    await kernel.stop()
  })

  test('T8 an event that its schema refuses is a dead letter that names the field', async () => {
    const events = z.union([
      z.object({ type: z.literal('get') }),
      z.object({ type: z.literal('add'), by: z.number() }),
    ])
    const { kernel } = await run([actor('counter', counter, { events })])
    const sent = kernel.ref('/counter').send({ type: 'add', by: 'two' })
    expect(sent).toEqual({ status: 'rejected', reason: 'invalid' })
    expect(kernel.deadLetters.list()[0]).toMatchObject({ reason: 'invalid' })
    expect(await valueOf(kernel, '/counter', { type: 'get' })).toBe(0)
    await kernel.stop()
  })

  test('T8 a refused question is refused, not left to time out', async () => {
    const { kernel } = await run([actor('counter', counter)])
    await expect(kernel.ref('/counter').ask({ type: 'ambit.start' })).rejects.toMatchObject({
      code: 'AMBIT_EVENT_REFUSED',
    })
    await kernel.stop()
  })
})

function cycle(): Event {
  const event: { type: string; self?: unknown } = { type: 'go' }
  event.self = event
  return event
}
