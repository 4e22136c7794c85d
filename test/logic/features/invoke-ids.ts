import { createMachine, fromCallback, fromPromise, sendParent, sendTo } from 'xstate'
import type { Script } from '../worlds.ts'
import { childIds, childOf, says, tells, types, viewOf } from './actor-views.ts'

const idle = fromCallback(() => undefined)

/** How children are named, and which state hears that they are done. */
export const invokeIdScripts: readonly Script[] = [
  {
    name: 'an invoked actor without an id is named after its place and its state',
    run(world) {
      const machine = createMachine({
        types,
        id: 'm',
        initial: 'a',
        states: {
          a: {
            invoke: [{ src: idle }, { src: 'named' }, { src: createMachine({ id: 'other' }) }],
            initial: 'deep',
            states: { deep: { invoke: { src: idle } } },
          },
        },
      }).provide({ actors: { named: idle } as never })
      const hand = world.start(machine)
      world.note(childIds(hand.ref))
      world.note(childOf(hand.ref, '2.m.a').id)
    },
  },
  {
    name: 'a machine without an id names its children after "(machine)"',
    async run(world) {
      const machine = createMachine({
        types,
        initial: 'a',
        states: {
          a: {
            invoke: [
              { src: idle },
              { src: fromPromise(async () => 4), onDone: { target: 'b', actions: tells(world) } },
            ],
          },
          b: { type: 'final' },
        },
      })
      const hand = world.start(machine)
      await hand.settle()
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'only the state that invoked an actor hears of its end',
    async run(world) {
      let calls = 0
      const once = fromPromise<number>(() =>
        calls++ % 2 === 0 ? Promise.resolve(42) : new Promise(() => undefined),
      )
      const region = (name: string) => ({
        initial: 'fetch',
        states: {
          fetch: { invoke: { src: once, onDone: { target: 'end', actions: says(world, name) } } },
          end: {},
        },
      })
      const hand = world.start(
        createMachine({
          types,
          type: 'parallel',
          states: { first: region('first'), second: region('second') },
        }),
      )
      await hand.settle()
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'ends of the same machine in two regions have names of their own',
    async run(world) {
      const child = createMachine({
        id: 'child',
        initial: 'a',
        states: {
          a: { invoke: { src: fromPromise(async () => 42), onDone: 'b' } },
          b: { type: 'final' },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          type: 'parallel',
          states: {
            first: { initial: 'fetch', states: { fetch: { invoke: { src: child } } } },
            second: { initial: 'fetch', states: { fetch: { invoke: { src: child } } } },
          },
          on: { '*': { actions: says(world) } },
        }),
      )
      await hand.settle()
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'an end that onDone refuses goes on to other handlers of its type',
    run(world) {
      const child = createMachine({
        types,
        initial: 'a',
        states: { a: { on: { finish: 'b' } }, b: { type: 'final' } },
        output: { good: false },
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: {
            finish: { actions: sendTo('c', { type: 'finish' }) },
            'xstate.done.actor.c': { actions: tells(world, 'root') },
          },
          states: {
            a: {
              invoke: {
                id: 'c',
                src: child,
                onDone: {
                  guard: ({ event }) => (event.output as { good: boolean }).good,
                  target: 'b',
                },
              },
            },
            b: {},
          },
        }),
      )
      hand.send({ type: 'finish' })
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
      world.note(viewOf(childOf(hand.ref, 'c')).status, viewOf(childOf(hand.ref, 'c')).output)
      hand.send({ type: 'finish' })
    },
  },
  {
    name: 'of several onDone transitions the first whose guard holds is taken',
    async run(world) {
      const machine = createMachine({
        types,
        initial: 'a',
        states: {
          a: {
            invoke: {
              id: 'p',
              src: fromPromise(async () => 5),
              onDone: [
                { guard: ({ event }) => event.output > 9, target: 'big' },
                { guard: ({ event }) => event.output > 3, target: 'middle' },
                { target: 'small' },
              ],
            },
          },
          big: { entry: says(world, 'big') },
          middle: { entry: says(world, 'middle') },
          small: { entry: says(world, 'small') },
        },
      })
      const hand = world.start(machine)
      await hand.settle()
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'two children at the same place in two machines are told apart by their parents',
    run(world) {
      const leaf = createMachine({ types, on: { hi: { actions: sendParent({ type: 'yes' }) } } })
      const middle = (name: string) =>
        createMachine({
          types,
          invoke: { id: 'leaf', src: leaf },
          on: {
            hi: { actions: sendTo('leaf', { type: 'hi' }) },
            yes: { actions: [says(world, name), sendParent({ type: 'yes', n: name.length })] },
          },
        })
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            { id: 'left', src: middle('left') },
            { id: 'right', src: middle('right') },
          ],
          on: {
            hi: { actions: [sendTo('right', { type: 'hi' }), sendTo('left', { type: 'hi' })] },
            yes: { actions: tells(world) },
          },
        }),
      )
      hand.send({ type: 'hi' })
      childOf(hand.ref, 'left', 'leaf').send({ type: 'hi' })
    },
  },
  {
    name: 'an actor that nobody implemented is a child that is not there',
    run(world) {
      const machine = createMachine({
        types,
        initial: 'a',
        states: {
          a: { on: { go: 'b' } },
          b: { entry: says(world, 'b'), invoke: { id: 'w', src: 'missing' }, on: { go: 'c' } },
          c: { entry: says(world, 'c') },
        },
      })
      const hand = world.start(machine)
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).value)
      world.note(viewOf(hand.ref).children?.w)
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).value)
    },
  },
]
