import { describe, expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor, createSystem, pool, supervisor, type ActorSystem } from 'ambit'
import {
  check,
  describeCheck,
  invariant,
  invariants,
  messagesConserved,
  simulate,
} from 'ambit/testing'
import type { Happening } from 'ambit/testing'
import { turn, verdict } from '../support/traces.ts'

/** Fails as long as its process is the first one. */
const worker = (isBroken: boolean) =>
  fromTransition((done: readonly number[], { n }: { type: string; n: number }) => {
    if (isBroken && n % 2 === 0) throw new Error('not now')
    return [...done, n]
  }, [])

/** Somebody who has all that is parked retried, as soon as a process is up. */
function withOperator(system: ActorSystem): ActorSystem {
  const start = async () => {
    await system.start()
    for (const { address, id } of await system.parked())
      void system.retryParked(address, id, { by: 'operator' }).catch(() => undefined)
  }
  return Object.assign(Object.create(system) as ActorSystem, { start })
}

const seen = { retried: 0 }

const doneOnce = invariant('doneOnce', ({ snapshotOf }) => ({
  see(entry) {
    if (entry.kind !== 'turn') return undefined
    const { thoughts = [] } = entry.record
    seen.retried += thoughts.filter(({ kind }) => kind === 'parkedRetried').length
    return undefined
  },
  atEnd() {
    const { context: done = [] } = (snapshotOf('/w/one') ?? {}) as { context?: number[] }
    return new Set(done).size < done.length ? `Done twice: ${done.join(', ')}` : undefined
  },
}))

test('U10 parked messages that are retried are neither lost nor done twice, whatever fails', async () => {
  const scenario = simulate({
    name: 'retries',
    system: (ports) => {
      const isFirst = ports.random.id().startsWith('p1-')
      const root = supervisor({
        intensity: 1000,
        children: [pool('w', actor('m', worker(isFirst)))],
      })
      return withOperator(createSystem({ root, ...ports }))
    },
    traffic: [1, 2, 3, 4].map((n) => ({ to: '/w/one', event: { type: 'do', n } })),
    invariants: [...invariants, doneOnce],
  })
  const result = await check(scenario, { exhaustive: 1, randomMs: 1500 })
  expect(result.ok, describeCheck(result)).toBe(true)
  expect(seen.retried).toBeGreaterThan(20)
}, 120_000)

describe('messagesConserved', () => {
  const parked = (id: string) =>
    turn('/a', { disposition: 'parked', message: { id, type: 'go', headers: {} } })
  const settled = (kind: string, message: string) =>
    turn('/a', { seq: 7, thoughts: [{ kind, message, by: 'x' }] })
  const again = turn('/a', { message: { id: '/a:1.7.retry', type: 'go', headers: {} } })
  const table: [string, readonly Happening[], string | undefined][] = [
    ['retried and taken', [parked('m'), settled('parkedRetried', 'm'), again], undefined],
    ['discarded', [parked('m'), settled('parkedDiscarded', 'm')], undefined],
    ['gone', [parked('m')], 'm was parked by /a, and is gone without anybody having settled it.'],
    [
      'retried for nobody',
      [parked('m'), settled('parkedRetried', 'm')],
      'm was retried, and /a does not get it.',
    ],
    ['never parked', [settled('parkedRetried', 'm')], '/a settled m, which was not parked.'],
  ]
  test.each(table)('U10 sees a parked message that is %s', async (_, trace, said) => {
    expect(await verdict(messagesConserved, trace)).toBe(said)
  })
})
