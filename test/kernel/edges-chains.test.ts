import { describe, expect, test } from 'vitest'
import { assign, fromTransition, raise, sendParent, sendTo, setup, type AnyActorRef } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import { ROUNDS_AT_ONCE_MAX } from '../../src/kernel/committer.ts'
import { manualClock } from '../../src/kernel/manual-clock.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { tell } from '../../src/logic/actions.ts'
import { INTERNAL_EVENTS_MAX } from '../../src/logic/step-run.ts'
import { byHand } from '../support/driven.ts'

const HOPS = 100_000

/** Passes a number on, one less each time, and counts. */
const relay = (to: string) =>
  setup({
    types: { context: {} as { count: number }, events: {} as { type: 'hop'; left: number } },
    guards: { isOver: ({ event }) => event.left === 0 },
  }).createMachine({
    id: 'relay',
    context: { count: 0 },
    on: {
      hop: [
        { guard: 'isOver', actions: assign({ count: ({ context }) => context.count + 1 }) },
        {
          actions: [
            assign({ count: ({ context }) => context.count + 1 }),
            tell(to, ({ event }) => ({ type: 'hop', left: event.left - 1 })),
          ],
        },
      ],
    },
  })

const counts = (hand: ReturnType<typeof byHand>, addresses: readonly string[]) =>
  addresses.reduce((sum, each) => sum + (hand.context(each) as { count: number }).count, 0)

describe('a chain of 100,000 hops', () => {
  const across = (durability: Durability, length: number) => {
    const names = Array.from({ length }, (_, i) => `a${i}`)
    const next = (i: number) => `/a${(i + 1) % length}`
    const hand = byHand(names.map((id, i) => actor(id, relay(next(i)), { durability })))
    hand.send('/a0', { type: 'hop', left: HOPS - 1 })
    return counts(
      hand,
      names.map((id) => `/${id}`),
    )
  }

  test.each([
    ['none', 1],
    ['none', 10],
    ['sync', 3],
  ] as const)('T17 across actors needs no stack (%s, a ring of %i)', (durability, length) => {
    expect(across(durability, length)).toBe(HOPS)
  })

  test('T17 by the tell of a reducer needs no stack', () => {
    const count = fromTransition((sum: number, { left }: { type: 'hop'; left: number }) => {
      if (left > 0) thisTurn().tell('/it', { type: 'hop', left: left - 1 })
      return sum + 1
    }, 0)
    const hand = byHand([actor('it', count, { durability: 'none' })])
    hand.send('/it', { type: 'hop', left: HOPS - 1 })
    expect(hand.context('/it') as number).toBe(HOPS)
  })

  test('T17 by an observer that answers each snapshot with a send needs no stack', () => {
    const hand = byHand([actor('it', relay('/it'), { durability: 'none' })])
    const ref = hand.ref('/it')
    let seen = 0
    ref.subscribe(() => {
      if (++seen < HOPS) ref.send({ type: 'hop', left: 0 })
    })
    hand.send('/it', { type: 'hop', left: 0 })
    expect(seen).toBe(HOPS)
    expect(counts(hand, ['/it'])).toBe(HOPS)
  })

  test('T17 by its own ref, from beside its steps, needs no stack', () => {
    let send: (event: { type: 'hop' }) => void = () => undefined
    const own = setup({
      types: { context: {} as { count: number } },
      actions: { show: ({ self }) => (send = (event) => self.send(event)) },
    }).createMachine({
      id: 'own',
      context: { count: 0 },
      entry: 'show',
      on: { hop: { actions: assign({ count: ({ context }) => context.count + 1 }) } },
    })
    // Where nothing is kept observers are told within the step, and what they send is part of it: see below.
    const hand = byHand([actor('own', own, { durability: 'async' })])
    hand.ref('/own').subscribe(({ context }: { context: { count: number } }) => {
      if (context.count < HOPS) send({ type: 'hop' })
    })
    hand.send('/own', { type: 'hop' })
    expect(counts(hand, ['/own'])).toBe(HOPS)
  })

  test('T17 sent one by one by hand leaves nothing behind', () => {
    const hand = byHand([actor('it', relay('/it'), { durability: 'none' })])
    for (let i = 0; i < HOPS; i++) hand.send('/it', { type: 'hop', left: 0 })
    expect(counts(hand, ['/it'])).toBe(HOPS)
    expect(hand.clock.waiting).toBe(0)
    expect(hand.system.deadLetters.count()).toBe(0)
  })
})

test('T17 a pair that never rests ends a call of drain() by a named limit', () => {
  const clock = manualClock()
  const node = (to: string) =>
    fromTransition((count: number) => {
      // Each message takes a millisecond and uses up a drain, so that a round has one.
      clock.turnTo(clock.now() + 1)
      clock.spend(10)
      thisTurn().tell(to, { type: 'hop' })
      return count + 1
    }, 0)
  const none = { durability: 'none' } as const
  const root = supervisor({
    children: [actor('a', node('/b'), none), actor('b', node('/a'), none)],
  })
  const system = createSystem({ root, clock, scheduler: 'manual' })
  void system.start()
  system.ref('/a').send({ type: 'hop' })
  const limit = expect.objectContaining({ code: 'AMBIT_LOOP_LIMIT' }) as Error
  expect(() => system.drain()).toThrow(limit)
  const { context } = system.ref('/a').getSnapshot() as { context: number }
  // The starts have rounds of their own.
  expect(Math.abs(context - ROUNDS_AT_ONCE_MAX / 2)).toBeLessThan(5)
})

/** A machine with two children; whatever is sent to one goes round until it has gone far enough. */
function ring() {
  const link = setup({
    types: { context: {} as { count: number }, events: {} as { type: 'hop'; left: number } },
    guards: { isOver: ({ event }) => event.left === 0 },
  }).createMachine({
    id: 'link',
    context: { count: 0 },
    on: {
      hop: [
        { guard: 'isOver', actions: assign({ count: ({ context }) => context.count + 1 }) },
        {
          actions: [
            assign({ count: ({ context }) => context.count + 1 }),
            sendParent(({ event }) => ({ type: 'passed', left: event.left - 1 })),
          ],
        },
      ],
    },
  })
  return setup({
    types: {
      context: {} as { passed: number },
      events: {} as { type: 'go' | 'passed'; left: number },
    },
    actors: { link },
  }).createMachine({
    id: 'ring',
    initial: 'turning',
    context: { passed: 0 },
    invoke: [
      { src: 'link', id: 'left' },
      { src: 'link', id: 'right' },
    ],
    states: {
      turning: {
        on: {
          go: { actions: sendTo('left', ({ event }) => ({ type: 'hop', left: event.left })) },
          passed: {
            actions: [
              assign({ passed: ({ context }) => context.passed + 1 }),
              sendTo(
                ({ self, event }) => {
                  const { left, right } = self.getSnapshot().children as Record<string, AnyActorRef>
                  return (event.left % 2 === 0 ? left : right) as AnyActorRef
                },
                ({ event }) => ({ type: 'hop', left: event.left }),
              ),
            ],
          },
        },
      },
    },
  })
}

describe('a chain between the members of one actor', () => {
  const members = (durability: Durability) => {
    const hand = byHand([actor('ring', ring(), { durability, restart: 'temporary' })])
    const failures: unknown[] = []
    hand.ref('/ring').subscribe({ error: (error) => failures.push(error) })
    // Each hop but the last is two events: one to the child and one back.
    return { hand, failures, go: (left: number) => hand.send('/ring', { type: 'go', left }) }
  }

  test.each(['none', 'sync'] as const)(
    'T14 of just 10,000 events is taken in one turn (%s)',
    (kept) => {
      const { hand, failures, go } = members(kept)
      // `go`, then one event down for each hop and one up for each but the last: 10,000 in all.
      const hops = INTERNAL_EVENTS_MAX / 2
      go(hops - 1)
      expect(failures).toEqual([])
      expect((hand.context('/ring') as { passed: number }).passed).toBe(hops - 1)
    },
  )

  test.each(['none', 'sync'] as const)('T14 of more fails its turn by name (%s)', (kept) => {
    const { hand, failures, go } = members(kept)
    go(INTERNAL_EVENTS_MAX / 2)
    expect(failures).toMatchObject([{ code: 'AMBIT_LOOP_LIMIT' }])
    expect(String(failures[0])).toMatch(/"ring" in state "turning" passed 100000 events/)
    expect(hand.system.alarms).toMatchObject([{ address: '/ring' }])
    expect(hand.ref('/ring').getSnapshot()).toMatchObject({ status: 'error' })
  })

  test('T17 over many turns has no limit', () => {
    const { hand, failures, go } = members('none')
    for (let turn = 0; turn < 25; turn++) go(3999)
    expect(failures).toEqual([])
    expect((hand.context('/ring') as { passed: number }).passed).toBe(25 * 3999)
  })
})

describe('a machine that does not come to rest', () => {
  const charts = {
    always: { a: { always: 'b' }, b: { always: 'a' } },
    raise: {
      a: { entry: raise({ type: 'again' }), on: { again: { target: 'a', reenter: true } } },
    },
  }
  const spinner = (chart: keyof typeof charts, maxIterations?: number) =>
    setup({}).createMachine({
      id: 'spinner',
      initial: 'still',
      states: { still: { on: { spin: 'a' } }, ...charts[chart] },
      ...(maxIterations !== undefined && { options: { maxIterations } }),
    } as never)

  const failureOf = (logic: ReturnType<typeof spinner>, durability: Durability = 'none') => {
    const hand = byHand([actor('it', logic, { durability, restart: 'temporary' })])
    const failures: unknown[] = []
    hand.ref('/it').subscribe({ error: (error) => failures.push(error) })
    hand.send('/it', { type: 'spin' })
    expect(failures).toHaveLength(1)
    return failures[0] as Error & { code?: string }
  }

  test.each(['always', 'raise'] as const)('T14 names its machine and state (%s)', (chart) => {
    const failure = failureOf(spinner(chart))
    expect(failure.code).toBe('AMBIT_LOOP_LIMIT')
    expect(failure.message).toMatch(/Machine "spinner" in state "still" took more than 10000/)
  })

  test.each([
    ['always', 'none'],
    ['raise', 'sync'],
  ] as const)('T14 keeps the limit of its author, and XState’s words (%s, %s)', (chart, kept) => {
    const failure = failureOf(spinner(chart, 25), kept)
    expect(failure.message).toMatch(
      /^Infinite loop detected: the machine has processed more than 25/,
    )
    expect(failure.code).toBeUndefined()
  })

  test('T14 fails alone when it is a child, and its parent hears its name and state', () => {
    const parent = setup({
      types: { context: {} as { heard: string } },
      actors: { spinner: spinner('always') },
    }).createMachine({
      id: 'parent',
      context: { heard: '' },
      invoke: {
        src: 'spinner',
        id: 'child',
        onError: {
          actions: assign({ heard: ({ event }) => (event.error as Error).message }),
        },
      },
      on: { spin: { actions: sendTo('child', { type: 'spin' }) } },
    })
    const hand = byHand([actor('it', parent, { durability: 'none' })])
    hand.send('/it', { type: 'spin' })
    const { heard } = hand.context('/it') as { heard: string }
    expect(heard).toMatch(/Machine "spinner" in state "still" took more than 10000/)
    expect(hand.system.alarms).toEqual([])
  })
})
