import { assign, createMachine, forwardTo, raise, sendParent, sendTo } from 'xstate'
import type { Script } from '../worlds.ts'
import { childIds, childOf, counting, numbered, says, tells, types, viewOf } from './actor-views.ts'

/** A machine that a state invokes: how it starts, is spoken to, answers and is done. */
export const invokedMachineScripts: readonly Script[] = [
  {
    name: 'an invoked machine gets input made of context, event and self',
    run(world) {
      const child = createMachine({
        types: {} as { context: { sum: number }; input: { a: number; b: number } },
        context: ({ input }) => ({ sum: input.a + input.b }),
        entry: [({ context }) => world.note('child', context), says(world, 'child entry')],
      })
      const parent = createMachine({
        types: counting,
        context: { n: 30 },
        initial: 'idle',
        states: {
          idle: { on: { go: 'busy' } },
          busy: {
            entry: says(world, 'parent entry'),
            invoke: {
              id: 'child',
              src: child,
              input: ({ context, event, self }) => ({
                a: context.n,
                b: (event as { n?: number }).n! + (typeof self.send === 'function' ? 1 : 0),
              }),
            },
          },
        },
      })
      const hand = world.start(parent)
      hand.send(numbered('go', 4))
      world.note(viewOf(childOf(hand.ref, 'child')).context)
    },
  },
  {
    name: 'a child answers one event with three, and its parent takes them in order',
    run(world) {
      const child = createMachine({
        types,
        on: {
          ask: {
            actions: [
              says(world, 'child'),
              sendParent({ type: 'answer', n: 1 }),
              sendParent({ type: 'answer', n: 2 }),
              sendParent({ type: 'answer', n: 3 }),
              () => world.note('child is through'),
            ],
          },
        },
      })
      const parent = createMachine({
        types: counting,
        context: { n: 0 },
        initial: 'open',
        invoke: { id: 'child', src: child },
        on: { ask: { actions: [sendTo('child', { type: 'ask' }), says(world, 'parent')] } },
        states: {
          open: {
            always: { guard: ({ context }) => context.n === 6, target: 'closed' },
            on: {
              answer: {
                actions: [
                  assign({ n: ({ context, event }) => context.n + event.n! }),
                  ({ context }) => world.note('sum', context.n),
                ],
              },
            },
          },
          closed: { entry: says(world, 'closed') },
        },
      })
      const hand = world.start(parent)
      hand.send({ type: 'ask' })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a child that is final from the start is done while its parent starts',
    run(world) {
      const child = createMachine({
        types,
        initial: 'pending',
        states: {
          pending: { entry: raise({ type: 'resolve' }), on: { resolve: 'success' } },
          success: { type: 'final', entry: says(world, 'child') },
        },
        output: { user: 'Ada' },
      })
      const parent = createMachine({
        types,
        initial: 'waiting',
        states: {
          waiting: {
            entry: says(world, 'waiting'),
            exit: says(world, 'left'),
            invoke: {
              id: 'fetch',
              src: child,
              onDone: {
                guard: ({ event }) => (event.output as { user: string }).user === 'Ada',
                target: 'received',
                actions: tells(world),
              },
            },
          },
          received: {},
        },
      })
      const hand = world.start(parent)
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'a child that is final from the start is done as soon as its state is entered',
    run(world) {
      const child = createMachine({
        types: {} as { context: { n: number }; input: number },
        context: ({ input }) => ({ n: input * 2 }),
        entry: () => world.note('child'),
        initial: 'end',
        states: { end: { type: 'final' } },
        output: ({ context }) => context.n,
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: {
              entry: says(world, 'b'),
              invoke: {
                id: 'c',
                src: child,
                input: 21,
                onDone: { target: 'end', actions: tells(world) },
              },
            },
            end: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'a machine invoked deep inside tells its parent, and the root state takes it',
    run(world) {
      const child = createMachine({ types, entry: sendParent({ type: 'success', n: 42 }) })
      const parent = createMachine({
        types,
        initial: 'a',
        on: { success: { guard: ({ event }) => event.n === 42, target: '.end' } },
        states: {
          a: { initial: 'b', states: { b: { invoke: { src: child }, exit: says(world, 'b') } } },
          end: { entry: tells(world, 'end') },
        },
      })
      const hand = world.start(parent)
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'provide puts another machine in the place of a named one',
    run(world) {
      const silent = createMachine({ types, entry: says(world, 'silent') })
      const loud = createMachine({
        types,
        entry: [says(world, 'loud'), sendParent({ type: 'up' })],
      })
      const parent = createMachine({
        types: {} as typeof types & {
          actors: { src: 'child'; id: 'c'; logic: typeof silent }
        },
        initial: 'start',
        states: {
          start: { invoke: { src: 'child', id: 'c' }, on: { up: 'end' } },
          end: { entry: says(world, 'end') },
        },
      })
      world.start(parent.provide({ actors: { child: silent } }))
      world.start(parent.provide({ actors: { child: loud } }))
    },
  },
  {
    name: 'an entry action speaks to the child that its own state invokes',
    run(world) {
      const child = createMachine({
        types,
        initial: 'one',
        entry: says(world, 'child'),
        states: { one: { on: { next: 'two' } }, two: { entry: sendParent({ type: 'heard' }) } },
      })
      const own = createMachine({
        types,
        initial: 'one',
        states: {
          one: {
            entry: [sendTo('c', { type: 'next' }), says(world, 'parent')],
            invoke: { id: 'c', src: child },
            on: { heard: 'two' },
          },
          two: { entry: says(world, 'two') },
        },
      })
      const root = createMachine({
        types,
        initial: 'one',
        invoke: { id: 'c', src: child },
        states: {
          one: { entry: sendTo('c', { type: 'next' }), on: { heard: 'two' } },
          two: { entry: says(world, 'two of root') },
        },
      })
      world.start(own)
      world.start(root)
    },
  },
  {
    name: 'a child that the entry action finishes lets its parent go on',
    run(world) {
      const child = createMachine({
        types,
        initial: 'one',
        states: { one: { on: { next: 'two' } }, two: { type: 'final' } },
      })
      const parent = createMachine({
        types,
        initial: 'one',
        states: {
          one: {
            entry: sendTo('c', { type: 'next' }),
            invoke: { id: 'c', src: child, onDone: { target: 'two', actions: tells(world) } },
          },
          two: { on: { next: 'three' } },
          three: { type: 'final' },
        },
      })
      const hand = world.start(parent)
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).status)
      hand.send({ type: 'next' })
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'a child invoked in a nested state is answered there, and the state above is done',
    run(world) {
      const pong = createMachine({
        types,
        on: { ping: { actions: [says(world, 'pong'), sendParent({ type: 'pong' })] } },
      })
      const parent = createMachine({
        types,
        initial: 'inner',
        states: {
          inner: {
            initial: 'active',
            states: {
              active: {
                invoke: { id: 'pong', src: pong },
                entry: sendTo('pong', { type: 'ping' }),
                on: { pong: 'success' },
              },
              success: { type: 'final' },
            },
            onDone: { target: 'success', actions: says(world, 'inner') },
          },
          success: { type: 'final' },
        },
      })
      const hand = world.start(parent)
      world.note(viewOf(hand.ref).status, childIds(hand.ref))
    },
  },
  {
    name: 'forwardTo gives a child the very event, and to the parent from below',
    run(world) {
      const child = createMachine({
        types,
        on: {
          down: { actions: tells(world, 'child') },
          both: { actions: [tells(world, 'child'), forwardTo(({ self }) => self._parent!)] },
        },
      })
      const parent = createMachine({
        types: counting,
        context: { n: 0 },
        invoke: { id: 'c', src: child },
        on: {
          down: { actions: forwardTo('c') },
          both: [
            {
              guard: ({ context }) => context.n === 0,
              actions: [assign({ n: 1 }), forwardTo('c')],
            },
            { actions: tells(world, 'parent again') },
          ],
        },
      })
      const hand = world.start(parent)
      hand.send(numbered('down', 7))
      hand.send(numbered('both', 8))
    },
  },
]
