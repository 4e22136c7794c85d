import { assign, cancel, createMachine, fromCallback, sendParent, sendTo, stopChild } from 'xstate'
import type { Script } from '../worlds.ts'
import { childIds, childOf, counting, numbered, says, tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'

/** Refs in events, delayed events between actors, and talks over several levels. */
export const childRefScripts: readonly Script[] = [
  {
    name: 'an event that carries its sender is answered to the sender',
    run(world) {
      const server = createMachine({
        types,
        on: {
          ask: {
            actions: sendTo(
              ({ event }) => event.from!,
              ({ event }) => numbered('answer', event.n! * 2),
            ),
          },
        },
      })
      const client = createMachine({
        types,
        on: {
          go: { actions: sendParent(({ self }) => ({ type: 'wanted', n: 21, from: self })) },
          answer: { actions: tells(world, 'client') },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            { id: 'server', src: server },
            { id: 'client', src: client },
          ],
          on: {
            go: { actions: sendTo('client', { type: 'go' }) },
            own: { actions: sendTo('server', ({ self }) => ({ type: 'ask', n: 1, from: self })) },
            wanted: {
              actions: sendTo('server', ({ event }) => ({ ...event, type: 'ask' })),
            },
            answer: { actions: tells(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'own' })
    },
  },
  {
    name: 'an entry action sends a delayed event to the child, which answers',
    run(world) {
      const child = createMachine({
        types,
        on: { ping: { actions: sendTo(({ event }) => event.from!, { type: 'pong' }) } },
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { on: { next: 'b' } },
            b: {
              entry: sendTo('c', ({ self }) => ({ type: 'ping', from: self }), { delay: 10 }),
              invoke: { id: 'c', src: child },
              on: { pong: 'end' },
            },
            end: { type: 'final', entry: says(world, 'end') },
          },
        }),
      )
      hand.send({ type: 'next' })
      hand.advance(9)
      world.note(viewOf(hand.ref).value)
      hand.advance(1)
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'a delayed event to a child is cancelled by its id',
    run(world) {
      const child = createMachine({ types, on: { '*': { actions: says(world, 'child') } } })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: child },
          on: {
            plan: {
              actions: [
                sendTo('c', { type: 'one' }, { id: 'one', delay: 10 }),
                sendTo('c', { type: 'two' }, { id: 'two', delay: 20 }),
              ],
            },
            revoke: { actions: cancel('one') },
          },
        }),
      )
      hand.send({ type: 'plan' })
      hand.send({ type: 'revoke' })
      hand.advance(30)
    },
  },
  {
    name: 'a delayed event to a child that has stopped meanwhile is lost',
    run(world) {
      const child = createMachine({ types, on: { '*': { actions: says(world, 'child') } } })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              entry: sendTo('c', { type: 'late' }, { delay: 10 }),
              invoke: { id: 'c', src: child },
              on: { leave: 'b' },
            },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      hand.send({ type: 'leave' })
      hand.advance(20)
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'timers of a child end with the child',
    run(world) {
      const child = createMachine({
        types,
        entry: sendParent({ type: 'tick' }, { delay: 15 }),
        initial: 'x',
        states: { x: { after: { 10: 'y' } }, y: { entry: says(world, 'y') } },
      })
      const machine = createMachine({
        types,
        initial: 'a',
        on: { tick: { actions: says(world) } },
        states: { a: { invoke: { id: 'c', src: child }, on: { leave: 'b' } }, b: {} },
      })
      const left = world.start(machine)
      left.send({ type: 'leave' })
      left.advance(30)
      const kept = world.start(machine)
      kept.advance(30)
    },
  },
  {
    name: 'what is sent by hand to a child is taken there and answered above',
    run(world) {
      const child = createMachine({
        types: counting,
        context: { n: 0 },
        on: {
          inc: {
            actions: [
              assign({ n: ({ context }) => context.n + 1 }),
              sendParent(({ context }) => numbered('count', context.n)),
            ],
          },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: child },
          on: { count: { actions: tells(world) } },
        }),
      )
      const ref = childOf(hand.ref, 'c')
      ref.send({ type: 'inc' })
      ref.send({ type: 'inc' })
      world.note(viewOf(ref).context, ref.id)
      hand.stop()
      ref.send({ type: 'inc' })
      world.note(viewOf(ref).context, viewOf(ref).status)
    },
  },
  {
    name: 'a child that its parent stops does not go on to invoke',
    async run(world) {
      const child = createMachine({
        types,
        initial: 'idle',
        states: {
          idle: {
            invoke: {
              src: fromCallback<Ev>(({ sendBack }) => {
                world.note('idle starts')
                void Promise.resolve().then(() => sendBack({ type: 'started' }))
                return () => world.note('idle stops')
              }),
            },
            on: { started: 'active' },
          },
          active: {
            invoke: { src: fromCallback(({ sendBack }) => sendBack({ type: 'stopped' })) },
            on: { stopped: { target: 'idle', actions: sendParent({ type: 'stopped' }) } },
          },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'idle',
          states: {
            idle: { on: { start: 'active' } },
            active: { invoke: { src: child }, on: { stopped: 'end' } },
            end: { type: 'final', entry: says(world, 'end') },
          },
        }),
      )
      hand.send({ type: 'start' })
      await hand.settle()
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'a parent reads the snapshots of its children in its actions',
    run(world) {
      const child = createMachine({
        types: counting,
        context: { n: 1 },
        initial: 'low',
        on: { inc: { actions: assign({ n: ({ context }) => context.n * 3 }) } },
        states: {
          low: { always: { guard: ({ context }) => context.n > 5, target: 'high' } },
          high: {},
        },
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: child },
          on: {
            inc: { actions: sendTo('c', { type: 'inc' }) },
            look: {
              actions: ({ self }) => {
                const { value, context, status } = viewOf(childOf(self, 'c'))
                world.note(status, value, context)
              },
            },
          },
        }),
      )
      for (const type of ['look', 'inc', 'look', 'inc', 'look']) hand.send({ type })
    },
  },
  {
    name: 'a child that is done stays in view until its state is left',
    run(world) {
      const child = createMachine({
        types,
        initial: 'a',
        states: { a: { on: { finish: 'b' } }, b: { type: 'final' } },
        output: 'result',
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: { id: 'c', src: child, onDone: { actions: tells(world) } },
              on: { finish: { actions: sendTo('c', { type: 'finish' }) }, leave: 'b' },
            },
            b: {},
          },
        }),
      )
      hand.send({ type: 'finish' })
      const { status, value, output } = viewOf(childOf(hand.ref, 'c'))
      world.note(childIds(hand.ref), status, value, output)
      hand.send({ type: 'leave' })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'a snapshot with children, and an event with a ref, can be made text of',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'c', src: createMachine({}) },
          on: { drop: { actions: stopChild('c') } },
        }),
      )
      const child = childOf(hand.ref, 'c')
      world.note(
        typeof JSON.stringify(hand.ref.getSnapshot()),
        typeof JSON.stringify({ from: child }),
      )
      hand.send({ type: 'drop' })
      world.note(childIds(hand.ref))
    },
  },
]
