import { assign, createMachine } from 'xstate'
import type { Script } from '../worlds.ts'
import { counting, light, sayEvent, sayer, tracked, watch, viewOf } from './action-kit.ts'

export const delayScripts: readonly Script[] = [
  {
    name: 'states follow each other after their times, to the millisecond',
    run(world) {
      watch(world, world.start(light), 999, 1, 499, 1, 1999, 1)
    },
  },
  {
    name: 'one long advance goes through all states that fall due on the way',
    run(world) {
      const hand = world.start(
        tracked(world, {
          initial: 'green',
          states: {
            green: { after: { 1000: 'yellow' } },
            yellow: { after: { 500: 'red' } },
            red: { after: { 2000: 'green' } },
          },
        }),
      )
      watch(world, hand, 3600, 1400)
    },
  },
  {
    name: 'the event of a delayed transition is named after its delay and its state',
    run(world) {
      const hand = world.start(
        createMachine({
          id: 'm',
          initial: 'a',
          states: {
            a: { after: { 10: { target: 'b', actions: sayEvent(world, 'by') } } },
            b: {
              entry: sayEvent(world, 'by'),
              after: { named: { actions: sayEvent(world, 'by') } },
            },
          },
        }).provide({ delays: { named: 20 } } as never),
      )
      hand.advance(30)
    },
  },
  {
    name: 'a delayed transition leaves from a nested state to anywhere',
    run(world) {
      const hand = world.start(
        tracked(world, {
          initial: 'a',
          states: {
            a: { initial: 'a1', states: { a1: { after: { 10: '#end' } } } },
            end: { id: 'end', type: 'final' },
          },
        }),
      )
      hand.advance(10)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'a delayed transition to a child of its state does not leave the state',
    run(world) {
      const hand = world.start(
        tracked(world, {
          initial: 'one',
          states: {
            one: {
              initial: 'two',
              after: { 10: '.three' },
              states: { two: {}, three: { always: '#end' } },
            },
            end: { id: 'end', type: 'final' },
          },
        }),
      )
      hand.advance(10)
    },
  },
  {
    name: 'a delayed transition without a target leaves nothing and comes once',
    run(world) {
      const hand = world.start(
        tracked(world, {
          initial: 'a',
          states: { a: { after: { 10: { actions: sayer(world)('due') } } } },
        }),
      )
      hand.advance(50)
    },
  },
  {
    name: 'of several guarded transitions after one time the first that may is taken',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 2 },
          initial: 'x',
          states: {
            x: {
              after: {
                10: [
                  { target: 'y', guard: ({ context }) => context.n === 1 },
                  { target: 'z', guard: ({ context }) => context.n === 2 },
                  { target: 'y' },
                ],
              },
            },
            y: {},
            z: { on: { '*': { actions: sayEvent(world, 'once more') } } },
          },
        }),
      )
      watch(world, hand, 10, 10)
    },
  },
  {
    name: 'a delayed transition whose guards refuse is not tried again',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          on: { set: { actions: assign({ n: 1 }) } },
          states: {
            a: { after: { 10: { target: 'b', guard: ({ context }) => context.n > 0 } } },
            b: {},
          },
        }),
      )
      hand.advance(10)
      hand.send({ type: 'set' })
      watch(world, hand, 100)
    },
  },
]
