import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { thisTurn, turnRandom, withTurn, type Turn } from '../../src/kernel/turn.ts'
import { putRow, reply } from '../../src/logic/actions.ts'
import { effect } from '../../src/logic/invocable.ts'
import { refusal } from '../support/refusal.ts'
import { run, valueOf } from '../support/running.ts'

const turn = (now: number): Turn => ({
  now,
  systemId: 's',
  address: '/a',
  generation: 1,
  seq: 1,
  message: { id: 'm', type: 'go', to: '/a', body: { type: 'go' }, headers: {} },
  authority: [],
  rows: new Map(),
  random: turnRandom('m', 1),
  tell: () => undefined,
  reply: () => undefined,
})

describe('the accessor', () => {
  test('T11 thisTurn() throws outside a step and says where to read it', () => {
    const { code, message } = refusal(() => thisTurn())
    expect(code).toBe('AMBIT_NOT_IN_TURN')
    expect(message).toContain('guard, assign, delay or input')
  })

  test('T11 thisTurn() is the turn of the step that runs, also when steps nest', () => {
    const seen = withTurn(turn(1), () => {
      const inner = withTurn(turn(2), () => thisTurn().now)
      return [inner, thisTurn().now]
    })
    expect(seen).toEqual([2, 1])
    expect(refusal(() => thisTurn()).code).toBe('AMBIT_NOT_IN_TURN')
  })

  test('T11 a step that throws leaves no turn behind', () => {
    expect(() =>
      withTurn(turn(1), () => {
        throw new Error('boom')
      }),
    ).toThrow('boom')
    expect(refusal(() => thisTurn()).code).toBe('AMBIT_NOT_IN_TURN')
  })
})

describe('chance', () => {
  const draw = (random: () => number, count = 50) => Array.from({ length: count }, () => random())

  test('T11 the same turn draws the same numbers when it is stepped again', () => {
    expect(draw(turnRandom('m-1', 7))).toEqual(draw(turnRandom('m-1', 7)))
  })

  test.each([
    ['message', turnRandom('m-2', 7)],
    ['place', turnRandom('m-1', 8)],
  ])('T11 a turn of another %s draws other numbers', (_, other) => {
    expect(draw(other)).not.toEqual(draw(turnRandom('m-1', 7)))
  })

  test('T11 the numbers lie in [0, 1) and are spread', () => {
    const numbers = draw(createSeededRandom('seed'), 10_000)
    expect(numbers.every((n) => n >= 0 && n < 1)).toBe(true)
    const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02)
    expect(new Set(numbers).size).toBeGreaterThan(9_990)
  })
})

const witness = setup({
  types: { context: {} as { seen: unknown[] }, events: {} as { type: string } },
  actors: {
    outside: effect(() => {
      thisTurn()
      return null
    }),
  },
  guards: { inTurn: () => thisTurn().address === '/witness' },
  delays: { soon: () => thisTurn().seq },
}).createMachine({
  id: 'witness',
  context: ({ input }) => ({ seen: [input, thisTurn().now] }),
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        look: {
          guard: 'inTurn',
          actions: [
            assign({ seen: () => lookAround() }),
            putRow('last', () => thisTurn().message.type),
          ],
        },
        get: { actions: reply(({ context }) => ({ type: 'got', value: context.seen })) },
        delay: 'delaying',
        effect: 'trying',
      },
    },
    delaying: { after: { soon: { target: 'waiting', actions: assign({ seen: () => ['rung'] }) } } },
    trying: {
      invoke: {
        src: 'outside',
        onDone: 'waiting',
        onError: {
          target: 'waiting',
          actions: assign({ seen: ({ event }) => [(event.error as { code: string }).code] }),
        },
      },
    },
  },
})

function lookAround(): unknown[] {
  const { now, seq, generation, message, rows, address } = thisTurn()
  return [now, seq, generation, message.type, rows.get('last') ?? null, address]
}

describe('a running actor', () => {
  test('T11 the turn gives its time, place, message and rows in every step', async () => {
    const { kernel, clock, rest } = await run([actor('witness', witness, { input: 'in' })])
    const ref = kernel.ref('/witness')
    const started = clock.now()
    expect(await valueOf(kernel, '/witness', { type: 'get' })).toEqual(['in', started])
    clock.advance(5)
    ref.send({ type: 'look' })
    await rest()
    const expected = [started + 5, 3, 1, 'look', null, '/witness']
    expect(await valueOf(kernel, '/witness', { type: 'get' })).toEqual(expected)
    ref.send({ type: 'look' })
    await rest()
    expect(await valueOf(kernel, '/witness', { type: 'get' })).toMatchObject({
      3: 'look',
      4: 'look',
    })
    await kernel.stop()
  })

  test('T11 a delay may read the turn, and an effect may not', async () => {
    const { kernel, clock, rest } = await run([actor('witness', witness, { input: 'in' })])
    kernel.ref('/witness').send({ type: 'delay' })
    await rest()
    clock.advance(2)
    expect(await valueOf(kernel, '/witness', { type: 'get' })).toEqual(['rung'])
    kernel.ref('/witness').send({ type: 'effect' })
    await rest()
    const seen = await valueOf(kernel, '/witness', { type: 'get' })
    expect(seen).toEqual(['AMBIT_NOT_IN_TURN'])
    await kernel.stop()
  })
})
