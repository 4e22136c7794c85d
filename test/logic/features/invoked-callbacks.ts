import { createMachine, fromCallback, sendTo } from 'xstate'
import type { Script } from '../worlds.ts'
import { childIds, childOf, counting, numbered, says, tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'
import { createDeferred } from './deferred.ts'

/** Callbacks as children: what they send back, receive and clean up. */
export const invokedCallbackScripts: readonly Script[] = [
  {
    name: 'what a callback sends at once is taken after the state that invokes it',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'pending',
          states: {
            pending: { on: { begin: 'first' } },
            first: {
              entry: says(world, 'first'),
              invoke: { src: sends('called') },
              on: { called: { target: 'between', actions: tells(world) } },
            },
            between: { on: { next: 'last' } },
            last: {},
          },
        }),
      )
      hand.ref.subscribe((snapshot: { value: unknown }) => world.note('seen', snapshot.value))
      hand.send({ type: 'begin' })
      hand.send({ type: 'next' })
    },
  },
  {
    name: 'what a callback of the initial state sends is taken once the machine has started',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'idle',
          states: {
            idle: {
              entry: says(world, 'idle'),
              invoke: { src: sends('called') },
              on: { called: 'b' },
            },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'an eventless transition comes before the callback of the state it enters',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'pending',
          states: {
            pending: { on: { begin: 'first' } },
            first: { always: { target: 'second', actions: says(world, 'always') } },
            second: { invoke: { src: sends('called') }, on: { called: 'third' } },
            third: { entry: says(world, 'third') },
          },
        }),
      )
      hand.ref.subscribe((snapshot: { value: unknown }) => world.note('seen', snapshot.value))
      hand.send({ type: 'begin' })
    },
  },
  {
    name: 'a callback sends a stream, and the guard picks one',
    run(world) {
      const stream = fromCallback<Ev, { first: number }>(({ sendBack, input }) => {
        for (const n of [0, 1, 2]) sendBack(numbered('called', input.first + n))
      })
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 40 },
          initial: 'a',
          states: {
            a: { on: { begin: 'b' } },
            b: {
              invoke: { src: stream, input: ({ context }) => ({ first: context.n }) },
              on: {
                called: [
                  { guard: ({ event }) => event.n === 42, target: 'c', actions: tells(world) },
                  { actions: tells(world, 'not yet') },
                ],
              },
            },
            c: {},
          },
        }),
      )
      hand.send({ type: 'begin' })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'two callbacks of one state send both, in their order',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'one',
          on: { a: { actions: says(world) }, b: { target: '.three', actions: says(world) } },
          states: {
            one: { invoke: [{ src: sends('a') }, { src: sends('b') }, { src: sends('a') }] },
            three: { entry: says(world, 'three') },
          },
        }),
      )
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'a callback receives what its parent sends, and answers',
    run(world) {
      const pong = fromCallback<Ev>(({ sendBack, receive }) => {
        receive((event) => {
          world.note('received', event)
          if (event.type === 'ping') sendBack(numbered('pong', event.n! + 1))
        })
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'active',
          states: {
            active: {
              entry: sendTo('c', { type: 'ping', n: 1 }),
              invoke: { id: 'c', src: pong },
              on: {
                pong: { target: 'end', actions: tells(world) },
              },
            },
            end: {},
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'all receivers of a callback get each event, in the order they were given',
    run(world) {
      const double = fromCallback<Ev>(({ receive }) => {
        receive((event) => world.note('first', event.type))
        receive((event) => world.note('second', event.type))
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: double },
          on: { '*': { actions: sendTo('c', ({ event }) => event) } },
        }),
      )
      hand.send({ type: 'a' })
      hand.send({ type: 'b' })
      childOf(hand.ref, 'c').send({ type: 'by hand' })
    },
  },
  {
    name: 'a callback without a receiver ignores what it is sent',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: fromCallback(() => undefined) },
          on: { go: { actions: [sendTo('c', { type: 'x' }), says(world)] } },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(childOf(hand.ref, 'c')).status)
    },
  },
  {
    name: 'what a stopped callback sends back is not heard, nor does it receive',
    async run(world) {
      const later = createDeferred()
      const late = fromCallback<Ev>(({ sendBack, receive }) => {
        receive((event) => world.note('received', event.type))
        void later.promise.then(() => sendBack({ type: 'late' }))
        return () => world.note('cleaned')
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { late: { actions: says(world, 'heard') } },
          states: { a: { invoke: { id: 'c', src: late }, on: { leave: 'b' } }, b: {} },
        }),
      )
      const callback = childOf(hand.ref, 'c')
      callback.send({ type: 'x' })
      hand.send({ type: 'leave' })
      callback.send({ type: 'y' })
      later.resolve(undefined)
      await hand.settle()
      world.note(viewOf(callback).status)
    },
  },
  {
    name: 'what a callback sends back later is taken then',
    async run(world) {
      const later = createDeferred()
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: {
                src: fromCallback<Ev>(({ sendBack }) => {
                  void later.promise.then(() => sendBack({ type: 'late' }))
                }),
              },
              on: { late: { target: 'b', actions: says(world) } },
            },
            b: {},
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
      later.resolve(undefined)
      await hand.settle()
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a callback that throws at once is handled where it was invoked, and only there',
    run(world) {
      const broken = fromCallback(() => {
        throw new Error('broken')
      })
      const region = (src: typeof broken, name: string) => ({
        initial: 'waiting',
        states: {
          waiting: {
            invoke: { src, onError: { target: 'failed', actions: tells(world, name) } },
          },
          failed: {},
        },
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'start',
          states: {
            start: { on: { fetch: 'fetch' } },
            fetch: {
              type: 'parallel',
              states: { one: region(broken, 'one'), two: region(sends('x'), 'two') },
            },
          },
        }),
      )
      hand.send({ type: 'fetch' })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a receiver that throws fails its callback, and onError hears of it',
    run(world) {
      const touchy = fromCallback<Ev>(({ receive }) => {
        receive((event) => {
          if (event.type === 'x') throw new Error('not x')
          world.note('received', event.type)
        })
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { '*': { actions: sendTo('c', ({ event }) => event) } },
          states: {
            a: {
              invoke: { id: 'c', src: touchy, onError: { target: 'b', actions: tells(world) } },
            },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      hand.send({ type: 'y' })
      hand.send({ type: 'x' })
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).status)
    },
  },
  {
    name: 'a callback gives its own ref to its parent, and the input may hold the parent',
    run(world) {
      const child = fromCallback<Ev, { parent: NonNullable<Ev['from']> }>(
        ({ self, sendBack, receive, input }) => {
          receive((event) => world.note('received', event.type))
          sendBack({ type: 'ping', from: self })
          input.parent.send({ type: 'direct' })
        },
      )
      world.start(
        createMachine({
          types,
          invoke: { src: child, input: ({ self }) => ({ parent: self }) },
          on: {
            ping: { actions: [says(world), sendTo(({ event }) => event.from!, { type: 'pong' })] },
            direct: { actions: says(world) },
          },
        }),
      )
    },
  },
]

function sends(type: string) {
  return fromCallback(({ sendBack }) => sendBack({ type }))
}
