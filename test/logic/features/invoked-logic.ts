import { createMachine, forwardTo, fromTransition, sendTo } from 'xstate'
import type { ActorLogic, Snapshot } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, numbered, says, shows, tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'

type Counted = Snapshot<undefined> & { readonly context: number }

/** Reducers and logic written by hand, as children. */
export const invokedLogicScripts: readonly Script[] = [
  {
    name: 'a reducer counts what is forwarded to it',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'count', src: fromTransition(reduce, 0) },
          on: { inc: { actions: forwardTo('count') }, dec: { actions: forwardTo('count') } },
        }),
      )
      for (const type of ['inc', 'inc', 'dec', 'inc']) {
        hand.send({ type })
        world.note(viewOf(childOf(hand.ref, 'count')).context)
      }
    },
  },
  {
    name: 'what a reducer sends itself comes after the event at hand',
    run(world) {
      const reducer = fromTransition<{ n: number; seen: string[] }, Ev, never, undefined>(
        (state, event, { self }) => {
          if (event.type === 'inc') self.send({ type: 'double' })
          const n = event.type === 'inc' ? state.n + 1 : state.n * 2
          return { n, seen: [...state.seen, event.type] }
        },
        { n: 0, seen: [] },
      )
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'count', src: reducer },
          on: { inc: { actions: forwardTo('count') } },
        }),
      )
      hand.send({ type: 'inc' })
      hand.send({ type: 'inc' })
      world.note(viewOf(childOf(hand.ref, 'count')).context)
    },
  },
  {
    name: 'a reducer starts from its input',
    run(world) {
      const reducer = fromTransition<{ n: number }, Ev, never, { n: number }>(
        (state, event) => ({ n: state.n + event.n! }),
        ({ input }) => ({ n: input.n * 10 }),
      )
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'count', src: reducer, input: { n: 4 } },
          on: { add: { actions: forwardTo('count') } },
        }),
      )
      world.note(viewOf(childOf(hand.ref, 'count')).context)
      hand.send(numbered('add', 2))
      world.note(viewOf(childOf(hand.ref, 'count')).context)
    },
  },
  {
    name: 'each state of a reducer is a snapshot that onSnapshot hears of',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          entry: sendTo('count', { type: 'inc' }, { delay: 10 }),
          invoke: {
            id: 'count',
            src: fromTransition(reduce, 41),
            onSnapshot: {
              actions: shows(world),
            },
          },
          on: { other: { actions: sendTo('count', { type: 'other' }) } },
        }),
      )
      hand.advance(10)
      hand.send({ type: 'other' })
    },
  },
  {
    name: 'a reducer that throws fails, and onError hears of it',
    run(world) {
      const reducer = fromTransition<number, Ev, never, undefined>((n, event) => {
        if (event.type === 'bad') throw new Error('no such event')
        return n + 1
      }, 0)
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { '*': { actions: forwardTo('count') } },
          states: {
            a: {
              invoke: {
                id: 'count',
                src: reducer,
                onError: { target: 'b', actions: tells(world) },
              },
            },
            b: {},
          },
        }),
      )
      const child = childOf(hand.ref, 'count')
      hand.send({ type: 'good' })
      hand.send({ type: 'bad' })
      world.note(viewOf(hand.ref).value, viewOf(child).status, viewOf(child).context)
    },
  },
  {
    name: 'logic written by hand starts, steps and answers its parent',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              entry: sendTo('logic', { type: 'ping' }),
              invoke: { id: 'logic', src: pong(world), input: 5 },
              on: { pong: { target: 'b', actions: tells(world) } },
            },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'logic written by hand is done with the output its snapshot has',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { inc: { actions: forwardTo('logic') } },
          states: {
            a: {
              invoke: {
                id: 'logic',
                src: untilThree(),
                onDone: { target: 'b', actions: tells(world) },
              },
            },
            b: {},
          },
        }),
      )
      const child = childOf(hand.ref, 'logic')
      for (let n = 0; n < 3; n++) {
        hand.send({ type: 'inc' })
        world.note(viewOf(hand.ref).value, viewOf(child).status)
      }
    },
  },
  {
    name: 'logic that has failed before it starts fails its parent',
    run(world) {
      const failed: ActorLogic<Snapshot<undefined>, Ev> = {
        transition: (snapshot) => snapshot,
        getInitialSnapshot: () => ({ status: 'error', output: undefined, error: 'from the start' }),
        getPersistedSnapshot: (snapshot) => snapshot,
      }
      const hand = world.start(createMachine({ types, invoke: { id: 'logic', src: failed } }))
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
      const handled = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { invoke: { src: failed, onError: { target: 'b', actions: tells(world) } } },
            b: {},
          },
        }),
      )
      world.note(viewOf(handled.ref).value)
    },
  },
  {
    name: 'logic hears of its stop by an event of its own',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { invoke: { id: 'logic', src: pong(world), input: 1 }, on: { leave: 'b' } },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      hand.send({ type: 'leave' })
    },
  },
]

function reduce(count: number, event: Ev): number {
  if (event.type === 'inc') return count + 1
  return event.type === 'dec' ? count - 1 : count
}

/** Counts pings from its input on; what it hears is noted, as an effect of the logic itself. */
function pong(world: World): ActorLogic<Counted, Ev, number> {
  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      context: input,
    }),
    start: (snapshot) => world.note('logic starts', snapshot.context),
    transition(snapshot, event, { self }) {
      world.note('logic', event.type)
      if (event.type !== 'ping') return snapshot
      self._parent?.send(numbered('pong', snapshot.context + 1))
      return { ...snapshot, context: snapshot.context + 1 }
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  }
}

function untilThree(): ActorLogic<Snapshot<string> & { context: number }, Ev> {
  return {
    getInitialSnapshot: () => ({
      status: 'active',
      output: undefined,
      error: undefined,
      context: 0,
    }),
    transition(snapshot) {
      const context = snapshot.context + 1
      if (context < 3) return { ...snapshot, context }
      return { status: 'done', output: 'three', error: undefined, context }
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  }
}
