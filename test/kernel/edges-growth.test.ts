import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  assign,
  fromCallback,
  fromTransition,
  sendTo,
  setup,
  stopChild,
  spawnChild,
  type AnyActorRef,
} from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import type { Event } from '../../src/kernel/message.ts'
import { Kernel } from '../../src/kernel/system.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { reply } from '../../src/logic/actions.ts'
import { ask, effect } from '../../src/logic/invocable.ts'
import { actorRef } from '../../src/logic/actor-ref.ts'
import { manualClock } from '../../src/kernel/manual-clock.ts'
import { byHand } from '../support/driven.ts'

const collect = (() => {
  setFlagsFromString('--expose_gc')
  return runInNewContext('gc') as () => void
})()

/** Bytes in use once all garbage is gone. */
function heapUsed(): number {
  for (let i = 0; i < 4; i++) collect()
  return process.memoryUsage().heapUsed
}

const MEBIBYTE = 1_048_576
const HALF = 500_000

test('T18 a million messages through a ring of three actors leave nothing in memory', () => {
  const node = (to: string) =>
    fromTransition((count: number, event: { type: 'hop'; left: number }) => {
      if (event.left > 0) thisTurn().tell(to, { type: 'hop', left: event.left - 1 })
      return count + 1
    }, 0)
  const names = ['a', 'b', 'c']
  const specs = names.map((id, i) =>
    actor(id, node(`/${names[(i + 1) % names.length] ?? ''}`), { durability: 'none' }),
  )
  const hand = byHand(specs)
  const half = () => {
    hand.send('/a', { type: 'hop', left: HALF - 1 })
    return heapUsed()
  }
  const [first, second] = [half(), half()]
  const count = names.reduce((sum, id) => sum + (hand.context(`/${id}`) as number), 0)
  expect(count).toBe(2 * HALF)
  expect(second - first).toBeLessThan(2 * MEBIBYTE)
}, 60_000)

test('T18 the measure finds a list that keeps something of every message', () => {
  const keeping = fromTransition(
    (kept: readonly unknown[], event: { type: 'hop' }) => [{ event, kept }],
    [],
  )
  const hand = byHand([actor('a', keeping, { durability: 'none' })])
  const half = () => {
    for (let i = 0; i < HALF / 10; i++) hand.send('/a', { type: 'hop' })
    return heapUsed()
  }
  const [first, second] = [half(), half()]
  expect(second - first).toBeGreaterThan(2 * MEBIBYTE)
}, 60_000)

/** One lap through what is remembered while it lasts: a timer, a question, an effect, a child, a callback. */
function lapping() {
  const child = setup({}).createMachine({
    id: 'child',
    initial: 'a',
    states: { a: { after: { 60_000: 'b' } }, b: {} },
    on: { hello: {} },
  })
  return setup({
    types: { context: {} as { laps: number }, events: {} as Event },
    actors: {
      child,
      callback: fromCallback(() => () => undefined),
      work: effect(() => new Promise(() => undefined)),
      question: ask({ to: '/silent', event: () => ({ type: 'x' }), timeoutMs: 60_000 }),
      answered: ask({ to: '/answering', event: () => ({ type: 'get' }), timeoutMs: 60_000 }),
    },
  }).createMachine({
    id: 'lapping',
    context: { laps: 0 },
    initial: 'idle',
    states: {
      idle: { on: { lap: 'asking' } },
      asking: {
        entry: spawnChild('child', { id: 'spawned' }),
        invoke: { src: 'answered', onDone: 'busy' },
      },
      busy: {
        entry: sendTo(({ self }) => self.getSnapshot().children.spawned as AnyActorRef, {
          type: 'hello',
        }),
        invoke: [{ src: 'work' }, { src: 'question' }, { src: 'callback' }, { src: 'child' }],
        after: { 60_000: 'idle' },
        on: { back: 'idle' },
        exit: [stopChild('spawned'), assign({ laps: ({ context }) => context.laps + 1 })],
      },
    },
  })
}

const silent = setup({}).createMachine({ id: 'silent', on: { '*': {} } })
const answering = setup({}).createMachine({
  id: 'answering',
  on: { get: { actions: reply({ type: 'got' }) } },
})

/** How much the kernel remembers of what is under way. */
function sizes(kernel: Kernel, waiting: number) {
  const { timers, effects, outside, tree } = kernel as unknown as {
    timers: { size: number; heap: unknown[] }
    effects: { size: number }
    outside: { asks: { waiting: number }; acknowledgements: Map<string, unknown> }
    tree: {
      peek(address: string): { invocations: Map<string, unknown>; timers: Map<string, unknown> }
    }
  }
  const cell = tree.peek('/it')
  return {
    timers: timers.size,
    effects: effects.size,
    asks: outside.asks.waiting,
    acknowledgements: outside.acknowledgements.size,
    invocations: cell.invocations.size,
    cellTimers: cell.timers.size,
    waiting,
  }
}

function lapWorld(durability: Durability) {
  const clock = manualClock()
  const children = [
    actor('it', lapping(), { durability }),
    actor('silent', silent, { durability }),
    actor('answering', answering, { durability }),
  ]
  const root = supervisor({ children })
  const kernel = new Kernel({ root, journal: memoryJournal(), clock, scheduler: 'manual' })
  const started = kernel.start()
  const ref = actorRef(kernel.ref('/it'), (to) => kernel.stopActor(to))
  return { clock, kernel, ref, started }
}

describe('what is remembered while it lasts', () => {
  test.each(['none', 'async', 'sync'] as const)(
    'T18 is forgotten after it (%s)',
    async (durability) => {
      const { clock, kernel, ref, started } = lapWorld(durability)
      await started
      const lap = () => {
        for (const type of ['lap', 'back']) {
          ref.send({ type })
          kernel.drain()
        }
      }
      lap()
      const atRest = sizes(kernel, clock.waiting)
      ref.send({ type: 'lap' })
      kernel.drain()
      // The measure sees what is under way.
      expect(sizes(kernel, clock.waiting).timers).toBeGreaterThan(atRest.timers)
      expect(sizes(kernel, clock.waiting).invocations).toBeGreaterThan(atRest.invocations)
      ref.send({ type: 'back' })
      kernel.drain()
      for (let i = 0; i < 3000; i++) lap()
      expect(sizes(kernel, clock.waiting)).toEqual(atRest)
      expect(atRest).toMatchObject({
        timers: 0,
        effects: 0,
        asks: 0,
        invocations: 0,
        cellTimers: 0,
      })
      const { heap } = (kernel as unknown as { timers: { heap: unknown[] } }).timers
      expect(heap.length).toBeLessThan(2100)
      expect(kernel.rows('/it').size).toBeLessThan(10)
      expect((ref.getSnapshot() as { context: unknown }).context).toEqual({ laps: 3002 })
    },
  )

  test.each(['none', 'async', 'sync'] as const)(
    'T18 of questions from outside is forgotten (%s)',
    async (durability) => {
      const { clock, kernel, ref, started } = lapWorld(durability)
      await started
      for (let i = 0; i < 3000; i++) {
        // Every length of a timeout of its own, and questions that nobody answers among them.
        const timeoutMs = 10 + (i % 30)
        const asked = kernel
          .ref(i % 2 === 0 ? '/answering' : '/silent')
          .ask({ type: 'get' }, { timeoutMs })
        asked.catch(() => undefined)
        if (i % 100 === 0) void kernel.ref('/silent').deliver({ type: 'x' }, { id: 'the same' })
        kernel.drain()
        clock.advance(1)
      }
      clock.advance(100)
      expect(sizes(kernel, clock.waiting)).toMatchObject({
        asks: 0,
        acknowledgements: 0,
        waiting: 0,
      })
      expect(ref.getSnapshot()).toMatchObject({ status: 'active' })
    },
  )
})
