import { assign, createMachine, fromCallback, raise, sendParent, sendTo } from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, counting, numbered, says, tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'

/** What comes before what, when several actors of a tree speak. */
export const actorOrderScripts: readonly Script[] = [
  {
    name: 'the input of an invoked actor sees what the entry actions assigned',
    run(world) {
      const child = fromCallback<Ev, number>(({ input }) => world.note('input', input))
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 1 },
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: {
              entry: assign({ n: ({ context }) => context.n + 41 }),
              invoke: { src: child, input: ({ context }) => context.n },
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a parent that hears its child sees the new state of the child',
    run(world) {
      const child = createMachine({
        types,
        initial: 'a',
        states: {
          a: { on: { go: { target: 'b', actions: sendParent({ type: 'moved' }) } } },
          b: {},
        },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: child },
          on: {
            go: { actions: sendTo('c', { type: 'go' }) },
            moved: { actions: ({ self }) => world.note(viewOf(childOf(self, 'c')).value) },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a child that hears its parent sees the new state of the parent',
    run(world) {
      const child = createMachine({
        types,
        on: { look: { actions: ({ self }) => world.note(viewOf(self._parent!).value) } },
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          invoke: { id: 'c', src: child },
          states: {
            a: { exit: sendTo('c', { type: 'look' }), on: { go: 'b' } },
            b: { entry: sendTo('c', { type: 'look' }), always: 'c' },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a raised event comes before what a child sends at once',
    run(world) {
      const child = createMachine({ types, entry: sendParent({ type: 'sent' }) })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { raised: { actions: says(world) }, sent: { actions: says(world) } },
          states: {
            a: { on: { go: 'b' } },
            b: { invoke: { src: child }, entry: [raise({ type: 'raised' }), says(world, 'b')] },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'what a machine sends itself comes after what it raises',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          on: {
            go: {
              actions: [
                sendTo(({ self }) => self, { type: 'sent' }),
                ({ self }) => self.send({ type: 'direct' }),
                raise({ type: 'raised' }),
                says(world, 'through'),
              ],
            },
            sent: { actions: says(world) },
            direct: { actions: says(world) },
            raised: { actions: says(world) },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'children answer in the order they were spoken to',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: ['a', 'b', 'c'].map((id) => ({ id, src: echo(world, id) })),
          on: {
            go: { actions: ['c', 'a', 'b', 'a'].map((id) => sendTo(id, { type: 'ask' })) },
            answer: { actions: tells(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an event that comes while the parent is busy waits for its turn',
    run(world) {
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          invoke: { id: 'c', src: echo(world, 'c') },
          on: {
            go: {
              actions: [
                assign({ n: ({ context }) => context.n + 1 }),
                sendTo('c', { type: 'ask' }),
                ({ context }) => world.note('go', context.n),
              ],
            },
            answer: [
              {
                guard: ({ context }) => context.n < 3,
                actions: [tells(world, 'parent'), sendTo(({ self }) => self, { type: 'go' })],
              },
              { actions: says(world, 'enough') },
            ],
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'two children play until one of them has enough',
    run(world) {
      const player = (name: string) =>
        createMachine({
          types,
          on: {
            ball: [
              {
                guard: ({ event }) => event.n! < 5,
                actions: [
                  ({ event }) => world.note(name, event.n),
                  sendTo(
                    ({ event }) => event.from!,
                    ({ event, self }) => ({ type: 'ball', n: event.n! + 1, from: self }),
                  ),
                ],
              },
              { actions: sendParent({ type: 'over' }) },
            ],
          },
        })
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            { id: 'ping', src: player('ping') },
            { id: 'pong', src: player('pong') },
          ],
          on: {
            serve: {
              actions: sendTo('ping', ({ self }) => ({
                type: 'ball',
                n: 1,
                from: childOf(self as AnyActorRef, 'pong'),
              })),
            },
            over: { actions: says(world) },
          },
        }),
      )
      hand.send({ type: 'serve' })
    },
  },
  {
    name: 'a word goes down a chain of children and up again',
    run(world) {
      const passing = (name: string) => ({
        ask: { actions: [says(world, name, 'passes'), sendTo('next', { type: 'ask' })] },
      })
      const middle = createMachine({
        types,
        invoke: { id: 'next', src: echo(world, 'leaf') },
        on: {
          ...passing('middle'),
          answer: {
            actions: [says(world, 'middle'), sendParent(({ event }: { event: Ev }) => event)],
          },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'next', src: middle },
          on: { ...passing('top'), answer: { actions: tells(world, 'top') } },
        }),
      )
      hand.send({ type: 'ask' })
      childOf(hand.ref, 'next', 'next').send({ type: 'ask' })
    },
  },
  {
    name: 'events that are sent while the machine starts are taken after it has started',
    run(world) {
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          initial: 'a',
          entry: [sendTo(({ self }) => self, { type: 'hi' }), says(world, 'root')],
          states: {
            a: { entry: says(world, 'a'), on: { hi: 'b' } },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'delayed events of parent and child fall due in the order of time',
    run(world) {
      const child = createMachine({
        types,
        entry: [
          sendParent(numbered('tick', 15), { delay: 15 }),
          sendParent(numbered('tick', 5), { delay: 5 }),
        ],
        initial: 'x',
        states: { x: { after: { 10: { target: 'y', actions: says(world, 'child') } } }, y: {} },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: child },
          on: { tick: { actions: tells(world) } },
          initial: 'x',
          states: { x: { after: { 12: { actions: says(world, 'parent') } } } },
        }),
      )
      hand.advance(20)
      hand.stop()
      hand.advance(20)
    },
  },
  {
    name: 'a stopped machine runs none of its timers',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'x',
          entry: sendTo(({ self }) => self, { type: 'late' }, { delay: 5 }),
          on: { late: { actions: says(world) } },
          states: { x: { after: { 10: { target: 'y', actions: says(world) } } }, y: {} },
        }),
      )
      hand.advance(4)
      hand.stop()
      hand.advance(20)
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).value)
    },
  },
]

function echo(world: World, name: string) {
  return createMachine({
    types,
    on: {
      ask: {
        actions: [
          () => world.note(name, 'is asked'),
          sendParent({ type: 'answer', n: name.length, output: name }),
        ],
      },
    },
  })
}
