import { assign, createMachine, setup } from 'xstate'
import type { Script } from '../worlds.ts'
import { light, plain, sayEvent, sayValue, sayer, watch, type Ev, viewOf } from './action-kit.ts'

const several: readonly Script[] = [
  {
    name: 'a state has several timers, and leaving it by one ends the others',
    run(world) {
      const say = sayer(world)
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              after: {
                10: { actions: say('10') },
                20: { target: 'b', actions: say('20') },
                30: { target: 'c', actions: say('30') },
              },
            },
            b: {},
            c: {},
          },
        }),
      )
      watch(world, hand, 10, 10, 10)
    },
  },
  {
    name: 'leaving a state ends its timer, coming back starts it afresh',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: { after: { 10: 'late' }, on: { go: 'b' } },
            b: { on: { go: 'a' } },
            late: {},
          },
        }),
      )
      hand.advance(9)
      hand.send({ type: 'go' })
      watch(world, hand, 10)
      hand.send({ type: 'go' })
      watch(world, hand, 9, 1)
    },
  },
  {
    name: 'only a reentering self-transition starts the timer of a state afresh',
    run(world) {
      const machine = plain.createMachine({
        initial: 'a',
        states: {
          a: {
            initial: 'a1',
            after: { 10: 'late' },
            on: {
              stay: 'a',
              act: { actions: () => undefined },
              anew: { target: 'a', reenter: true },
            },
            states: { a1: { on: { inside: 'a2' } }, a2: {} },
          },
          late: {},
        },
      })
      for (const type of ['stay', 'act', 'inside', 'anew']) {
        const hand = world.start(machine)
        hand.advance(6)
        hand.send({ type })
        world.note(type)
        watch(world, hand, 4, 6)
      }
    },
  },
  {
    name: 'a parent and its child keep time apart, as do regions',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          type: 'parallel',
          states: {
            a: {
              initial: 'a1',
              states: {
                a1: { after: { 10: 'a2' } },
                a2: { after: { 10: 'a1' } },
              },
            },
            b: {
              initial: 'b1',
              states: {
                b1: {
                  after: { 25: 'b2' },
                  initial: 'x',
                  states: { x: { after: { 15: 'y' } }, y: { after: { 15: 'x' } } },
                },
                b2: {},
              },
            },
          },
        }),
      )
      watch(world, hand, 10, 5, 5, 5, 5)
    },
  },
  {
    name: 'of two timers due at one time the one set first goes first and may end the other',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              initial: 'a1',
              after: { 10: { target: 'outer', actions: sayer(world)('outer') } },
              states: {
                a1: { after: { 10: { target: 'a2', actions: sayer(world)('inner') } } },
                a2: {},
              },
            },
            outer: {},
          },
        }),
      )
      watch(world, hand, 10)
    },
  },
  {
    name: 'the root may have a timer, which comes once',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          after: { 10: '.b' },
          states: { a: {}, b: { on: { back: 'a' } } },
        }),
      )
      watch(world, hand, 10)
      hand.send({ type: 'back' })
      watch(world, hand, 10)
    },
  },
  {
    name: 'a state passed through by an always transition leaves no timer behind',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: { a: { after: { 10: 'late' }, always: 'b' }, b: {}, late: {} },
          on: { '*': { actions: sayEvent(world, 'took') } },
        }),
      )
      watch(world, hand, 20)
    },
  },
  {
    name: 'a stopped machine has no timers',
    run(world) {
      const hand = world.start(light)
      hand.stop()
      hand.advance(5000)
      world.note(viewOf(hand).value, viewOf(hand).status)
    },
  },
  {
    name: 'an invoked machine keeps time with the clock of its system',
    run(world) {
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: {
            a: { invoke: { id: 'kid', src: light }, after: { 1200: 'b' } },
            b: {},
          },
        }),
      )
      const { kid } = viewOf(hand).children
      for (const ms of [1000, 200, 1000]) {
        hand.advance(ms)
        world.note(viewOf({ ref: kid! }).value, viewOf({ ref: kid! }).status)
      }
    },
  },
]

const kit = setup({
  types: { context: {} as { n: number }, events: {} as Ev },
  delays: {
    fixed: 30,
    byContext: ({ context }) => context.n * 10,
    byEvent: ({ event }) => event.n ?? 5,
  },
})

const named: readonly Script[] = [
  {
    name: 'a named delay is a number or is worked out when the state is entered',
    run(world) {
      const hand = world.start(
        kit.createMachine({
          context: { n: 2 },
          initial: 'a',
          on: { more: { actions: assign({ n: 100 }) } },
          states: {
            a: { after: { byContext: 'b' } },
            b: { after: { fixed: 'c' } },
            c: { on: { go: 'd' } },
            d: { after: { byEvent: 'a' } },
          },
        }),
      )
      hand.send({ type: 'more' })
      watch(world, hand, 19, 1, 29, 1)
      hand.send({ type: 'go', n: 7 } as Ev)
      watch(world, hand, 6, 1, 999, 1)
    },
  },
  {
    name: 'a named delay reads what the entry of its state assigns',
    run(world) {
      const hand = world.start(
        kit.createMachine({
          context: { n: 1 },
          initial: 'a',
          states: {
            a: { on: { go: { target: 'b', actions: assign({ n: 2 }) } } },
            b: { entry: assign({ n: 9 }), after: { byContext: 'c' } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      watch(world, hand, 10, 10, 70)
    },
  },
  {
    name: 'provide replaces a delay',
    run(world) {
      const machine = kit.createMachine({
        context: { n: 1 },
        initial: 'a',
        states: { a: { after: { fixed: 'b' } }, b: {} },
      })
      watch(world, world.start(machine), 10, 20)
      watch(world, world.start(machine.provide({ delays: { fixed: 10 } })), 10, 20)
    },
  },
  {
    name: 'a delay nobody named is no delay',
    run(world) {
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: { a: { after: { unknown: 'b' } as never }, b: { type: 'final' } },
        }),
      )
      sayValue(world, hand)
    },
  },
  {
    name: 'a delay of nothing waits for the clock',
    run(world) {
      const hand = world.start(
        plain.createMachine({ initial: 'a', states: { a: { after: { 0: 'b' } }, b: {} } }),
      )
      sayValue(world, hand)
      watch(world, hand, 0)
    },
  },
]

export const severalDelayScripts: readonly Script[] = [...several, ...named]
