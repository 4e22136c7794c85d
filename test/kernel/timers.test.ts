import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Clock } from '../../src/kernel/ports/clock.ts'
import { Timers } from '../../src/kernel/timers.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { refutes } from '../support/refutes.ts'

function start() {
  const clock = createManualClock(0)
  const fired: string[] = []
  const timers = new Timers(clock, (address, id) => fired.push(`${address} ${id} @${clock.now()}`))
  return { clock, fired, timers }
}

test('F5 timers fire in the order of their due times, whatever order they were set in', () => {
  const { clock, fired, timers } = start()
  for (const dueAt of [50, 10, 40, 20, 30]) timers.set('/a', `t${dueAt}`, dueAt)
  clock.advance(100)
  expect(fired).toEqual(['/a t10 @10', '/a t20 @20', '/a t30 @30', '/a t40 @40', '/a t50 @50'])
  expect(timers.size).toBe(0)
})

test('F5 timers due at the same time fire in the order in which they were set', () => {
  const { clock, fired, timers } = start()
  for (const id of ['c', 'a', 'b']) timers.set('/a', id, 5)
  clock.advance(5)
  expect(fired).toEqual(['/a c @5', '/a a @5', '/a b @5'])
})

test('F5 a cleared timer does not fire', () => {
  const { clock, fired, timers } = start()
  timers.set('/a', 'x', 5)
  timers.set('/a', 'y', 6)
  timers.clear('/a', 'x')
  clock.advance(10)
  expect(fired).toEqual(['/a y @6'])
})

test('F5 clearing names one timer of one actor', () => {
  const { clock, fired, timers } = start()
  timers.set('/a', 'x', 5)
  timers.set('/b', 'x', 5)
  timers.clear('/a', 'x')
  timers.clear('/c', 'x')
  clock.advance(10)
  expect(fired).toEqual(['/b x @5'])
})

test.each([
  ['later', 5, 9],
  ['earlier', 9, 5],
])('F5 a timer that is set again fires once, at its %s time', (_, first, second) => {
  const { clock, fired, timers } = start()
  timers.set('/a', 'x', first)
  timers.set('/a', 'x', second)
  clock.advance(20)
  expect(fired).toEqual([`/a x @${second}`])
})

test('F5 a timer that fell due already fires at once', () => {
  const { clock, fired, timers } = start()
  clock.turnTo(1000)
  timers.set('/a', 'x', 10)
  clock.advance(0)
  expect(fired).toEqual(['/a x @1000'])
})

test('F5 a wake-up that comes too early fires nothing and is set again', () => {
  const { clock, fired } = start()
  const early: (() => void)[] = []
  const eager = {
    ...clock,
    wakeAt: (_: number, wake: () => void) => (early.push(wake), () => undefined),
  }
  const timers = new Timers(eager, (address, id) => fired.push(`${address} ${id}`))
  timers.set('/a', 'x', 100)
  early[0]?.()
  expect(fired).toEqual([])
  clock.turnTo(100)
  expect(early).toHaveLength(2)
  early[1]?.()
  expect(fired).toEqual(['/a x'])
})

test('F5 a timer set while timers fire is not lost', () => {
  const clock = createManualClock(0)
  const fired: string[] = []
  const timers: Timers = new Timers(clock, (address, id) => {
    fired.push(id)
    if (id === 'first') timers.set(address, 'second', 7)
  })
  timers.set('/a', 'first', 5)
  timers.set('/a', 'third', 9)
  clock.advance(10)
  expect(fired).toEqual(['first', 'second', 'third'])
})

test('R10 stopped timers fire no more', () => {
  const { clock, fired, timers } = start()
  timers.set('/a', 'x', 5)
  timers.stop()
  clock.advance(10)
  expect(fired).toEqual([])
  expect(timers.size).toBe(0)
})

type Step =
  | { readonly kind: 'set'; readonly id: number; readonly delay: number }
  | { readonly kind: 'clear'; readonly id: number }
  | { readonly kind: 'advance'; readonly ms: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), id: fc.nat(15), delay: fc.nat(40) }),
    fc.record({ kind: fc.constant('clear' as const), id: fc.nat(15) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(30) }),
  ),
  { maxLength: 120, size: 'max' },
)

interface Wheel {
  set(id: number, dueAt: number): void
  clear(id: number): void
  advance(until: number): number[]
}

/** The oracle: a list that is sorted before every look. */
function sortedList(): Wheel {
  let set: { id: number; dueAt: number; order: number }[] = []
  let order = 0
  return {
    set(id, dueAt) {
      set = [...set.filter((entry) => entry.id !== id), { id, dueAt, order: order++ }]
    },
    clear(id) {
      set = set.filter((entry) => entry.id !== id)
    },
    advance(until) {
      const due = set.filter(({ dueAt }) => dueAt <= until)
      set = set.filter(({ dueAt }) => dueAt > until)
      return due.sort((a, b) => a.dueAt - b.dueAt || a.order - b.order).map(({ id }) => id)
    },
  }
}

function heapOfTimers(): Wheel {
  const clock = createManualClock(0)
  let fired: number[] = []
  const timers = new Timers(clock, (_, id) => void fired.push(Number(id)))
  return {
    set: (id, dueAt) => timers.set('/a', String(id), dueAt),
    clear: (id) => timers.clear('/a', String(id)),
    advance(until) {
      clock.advance(until - clock.now())
      const done = fired
      fired = []
      return done
    },
  }
}

/** Broken on purpose: forgets that a timer was set again. */
function forgetfulList(): Wheel {
  const list = sortedList()
  const known = new Set<number>()
  return {
    ...list,
    set(id, dueAt) {
      if (!known.has(id)) list.set(id, dueAt)
      known.add(id)
    },
  }
}

function behavesLikeAList(make: () => Wheel) {
  return fc.property(steps, (script) => {
    const oracle = sortedList()
    const tested = make()
    let now = 0
    for (const step of script) {
      if (step.kind === 'advance') {
        now += step.ms
        expect(tested.advance(now)).toEqual(oracle.advance(now))
      }
      if (step.kind === 'clear') for (const wheel of [tested, oracle]) wheel.clear(step.id)
      if (step.kind === 'set')
        for (const each of [tested, oracle]) each.set(step.id, now + step.delay)
    }
  })
}

test('F5 any sequence of set, clear and time fires what a sorted list fires', () => {
  fc.assert(behavesLikeAList(heapOfTimers))
})

test('F5 the sorted-list property refutes timers that cannot be set again', () => {
  expect(refutes(behavesLikeAList(forgetfulList))).toBe(true)
})

/** As a real machine has it: a wait goes on by itself, whatever the clock is set to meanwhile. */
function settableClock() {
  let [now, passed] = [0, 0]
  const waits = new Set<{ readonly until: number; readonly wake: () => void }>()
  const clock: Clock = {
    now: () => now,
    elapsed: () => passed,
    soon: () => undefined,
    wakeAt(dueAt, wake) {
      const wait = { until: passed + Math.max(0, dueAt - now), wake }
      waits.add(wait)
      return () => void waits.delete(wait)
    },
  }
  return {
    clock,
    set: (ms: number) => void (now += ms),
    pass: (ms: number) => {
      now += ms
      passed += ms
      for (const wait of [...waits].filter(({ until }) => until <= passed)) {
        waits.delete(wait)
        wait.wake()
      }
    },
  }
}

test('Z7 after the clock was set forward nobody waits behind a timer that it has passed', () => {
  const { clock, pass, set } = settableClock()
  const fired: string[] = []
  const timers = new Timers(clock, (_, id) => fired.push(id))
  timers.set('/a', 'in an hour', 3_600_000)
  set(86_400_000)
  timers.set('/a', 'soon', clock.now() + 5)
  timers.set('/a', 'later', clock.now() + 10)
  pass(5)
  expect(fired).toEqual(['in an hour', 'soon'])
  pass(5)
  expect(fired).toEqual(['in an hour', 'soon', 'later'])
})
