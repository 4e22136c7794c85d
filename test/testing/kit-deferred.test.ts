import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor, createSystem, defer, supervisor } from 'ambit'
import {
  check,
  describeCheck,
  invariant,
  invariants,
  messagesConserved,
  simulate,
  type Happening,
} from 'ambit/testing'
import { turn, verdict } from '../support/traces.ts'

/** Takes orders only while it is open, and opens and closes with each bell. */
const shop = setup({
  types: {
    context: {} as { taken: number[] },
    events: {} as { type: 'order'; n: number } | { type: 'bell' },
  },
}).createMachine({
  id: 'shop',
  context: { taken: [] },
  initial: 'closed',
  states: {
    closed: { on: { order: { actions: defer() }, bell: 'open' } },
    open: {
      on: {
        bell: 'closed',
        order: {
          actions: assign({
            taken: ({ context, event }) => {
              if (event.n === 4) throw new Error('never')
              return [...context.taken, event.n]
            },
          }),
        },
      },
    },
  },
})

const seen = { deferred: 0, faults: 0 }

const takenOnce = invariant('takenOnce', ({ snapshotOf }) => ({
  see(entry) {
    if (entry.kind === 'turn' && entry.record.disposition === 'deferred') seen.deferred++
    if (entry.kind === 'fault') seen.faults++
    return undefined
  },
  atEnd() {
    const { context } = (snapshotOf('/shop') ?? {}) as { context?: { taken: number[] } }
    const taken = context?.taken ?? []
    return new Set(taken).size < taken.length ? `Taken twice: ${taken.join(', ')}` : undefined
  },
}))

test('O8 deferred messages are neither lost, reordered nor taken twice, whatever fails', async () => {
  const scenario = simulate({
    name: 'shop',
    system: (ports) =>
      createSystem({
        root: supervisor({ intensity: 1000, children: [actor('shop', shop)] }),
        ...ports,
      }),
    traffic: ['1', '2', 'bell', '3', 'bell', '4', '5', 'bell', '6'].map((what) => ({
      to: '/shop',
      event: what === 'bell' ? { type: 'bell' } : { type: 'order', n: Number(what) },
    })),
    invariants: [...invariants, takenOnce],
  })
  const result = await check(scenario, { exhaustive: 1, randomMs: 2000 })
  expect(result.ok, describeCheck(result)).toBe(true)
  expect(Math.min(seen.deferred, seen.faults)).toBeGreaterThan(100)
}, 120_000)

describe('messagesConserved', () => {
  const took = (id: string, disposition: string, number?: number) => {
    const headers = number === undefined ? {} : { deferred: { number, times: 1 } }
    return turn('/a', { disposition, message: { id, type: 'go', headers } })
  }
  const table: [string, readonly Happening[], string | undefined][] = [
    ['taken', [took('m', 'deferred'), took('m', 'processed', 1)], undefined],
    ['never deferred', [took('m', 'processed', 1)], '/a took m again, which was not deferred.'],
    [
      'taken twice',
      [took('m', 'deferred'), took('m', 'processed', 1), took('m', 'processed', 1)],
      '/a took m again, which was not deferred.',
    ],
    [
      'out of order',
      [
        took('m', 'deferred'),
        took('n', 'deferred'),
        took('n', 'processed', 2),
        took('m', 'processed', 1),
      ],
      '/a took what it deferred as number 1 after number 2.',
    ],
  ]
  test.each(table)('O8 sees a deferred message that is %s', async (_, trace, said) => {
    expect(await verdict(messagesConserved, trace)).toBe(said)
  })
})
