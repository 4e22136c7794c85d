import { assign, createMachine, fromCallback, sendTo, setup, spawnChild, stopChild } from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'
import { counting, sayEvent, type Ev, viewOf } from './action-kit.ts'

/** A callback that notes its start, what it receives and its end. */
const noisy = (world: World) =>
  fromCallback<Ev, { who: string } | undefined>(({ input, receive }) => {
    const who = input?.who ?? 'kid'
    world.note(who, 'starts')
    receive((event) => world.note(who, event.type))
    return () => world.note(who, 'ends')
  })

const kit = (world: World) =>
  setup({
    types: { context: {} as { n: number }, events: {} as Ev },
    actors: { kid: noisy(world) },
  })

const childIds = (world: World, hand: Hand) =>
  world.note('children', Object.keys(viewOf(hand).children))

export const childActionScripts: readonly Script[] = [
  {
    name: 'spawnChild starts a child and stopChild stops it by id',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 0 },
          on: {
            spawn: { actions: spawnChild('kid', { id: 'kid' }) },
            stop: { actions: stopChild('kid') },
            say: { actions: sendTo('kid', { type: 'hello' }) },
          },
        }),
      )
      for (const type of ['spawn', 'say', 'stop']) {
        hand.send({ type })
        childIds(world, hand)
      }
    },
  },
  {
    name: 'spawnChild works its input out of context and event',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 0 },
          on: {
            spawn: {
              actions: [
                assign({ n: ({ context }) => context.n + 1 }),
                spawnChild('kid', {
                  id: 'one',
                  input: ({ context, event }) => ({ who: `${event.type} ${context.n}` }),
                }),
                spawnChild('kid', { id: 'two', input: { who: 'static' } }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'spawn' })
    },
  },
  {
    name: 'spawnChild takes logic that has no name',
    run(world) {
      const hand = world.start(
        createMachine({ entry: spawnChild(noisy(world), { id: 'kid', input: { who: 'inline' } }) }),
      )
      childIds(world, hand)
    },
  },
  {
    name: 'the id of a spawned child may be worked out of context and event',
    run(world) {
      const hand = world.start(
        setup({
          types: { context: {} as { n: number }, events: {} as Ev },
          actors: { kid: noisy(world) },
        }).createMachine({
          context: { n: 0 },
          on: {
            spawn: {
              actions: [
                assign({ n: ({ context }) => context.n + 1 }),
                spawnChild('kid', { id: ({ context }) => `kid ${context.n}` }),
              ],
            },
            stop: { actions: stopChild(({ event }) => `kid ${event.n ?? 0}`) },
          },
        }),
      )
      hand.send({ type: 'spawn' })
      hand.send({ type: 'spawn' })
      childIds(world, hand)
      hand.send({ type: 'stop', n: 1 } as Ev)
      childIds(world, hand)
    },
  },
  {
    name: 'stopChild takes a ref, and an unknown id does nothing',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 0 },
          entry: spawnChild('kid', { id: 'kid', systemId: 'the kid' }),
          on: {
            unknown: { actions: stopChild('nobody') },
            stop: { actions: stopChild(({ system }) => system.get('the kid') as AnyActorRef) },
          },
        }),
      )
      hand.send({ type: 'unknown' })
      world.note(viewOf(hand).status)
      hand.send({ type: 'stop' })
      childIds(world, hand)
    },
  },
  {
    name: 'a stopped id may be spawned again in the same step',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 1 },
          entry: spawnChild('kid', { id: 'kid', input: { who: 'first' } }),
          on: {
            renew: {
              actions: [
                stopChild('kid'),
                spawnChild('kid', { id: 'kid', input: { who: 'second' } }),
                sendTo('kid', { type: 'hello' }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'renew' })
      childIds(world, hand)
    },
  },
  {
    name: 'a child stopped in the step that spawned it never starts',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 0 },
          on: { go: { actions: [spawnChild('kid', { id: 'kid' }), stopChild('kid')] } },
        }),
      )
      hand.send({ type: 'go' })
      childIds(world, hand)
    },
  },
  {
    name: 'events sent to a child before its stop are taken, those after it fail the parent',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          id: 'm',
          context: { n: 0 },
          entry: spawnChild('kid', { id: 'kid' }),
          on: {
            stop: { actions: [sendTo('kid', { type: 'bye' }), stopChild('kid')] },
            late: { actions: sendTo('kid', { type: 'late' }) },
          },
        }),
      )
      hand.send({ type: 'stop' })
      hand.send({ type: 'late' })
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'a stopped machine child runs no exit actions, and its own children stop',
    run(world) {
      const kid = createMachine({
        exit: sayEvent(world, 'exit'),
        initial: 'a',
        states: { a: { exit: sayEvent(world, 'exit a'), invoke: { src: noisy(world) } } },
      })
      const hand = world.start(
        createMachine({
          entry: spawnChild(kid, { id: 'kid' }),
          on: { stop: { actions: stopChild('kid') } },
        }),
      )
      const { kid: ref } = viewOf(hand).children
      hand.send({ type: 'stop' })
      world.note(viewOf({ ref: ref! }).status)
    },
  },
  {
    name: 'a spawned child lives through the states of its parent',
    run(world) {
      const hand = world.start(
        kit(world).createMachine({
          context: { n: 0 },
          initial: 'a',
          on: { say: { actions: sendTo('kid', { type: 'hello' }) } },
          states: {
            a: { entry: spawnChild('kid', { id: 'kid' }), on: { go: 'b' } },
            b: { on: { end: 'z' } },
            z: { type: 'final' },
          },
        }),
      )
      for (const type of ['say', 'go', 'say', 'end']) hand.send({ type })
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'the done and error events of spawned children are ordinary events',
    run(world) {
      const child = counting.createMachine({
        context: { n: 7 },
        initial: 'a',
        states: {
          a: {
            on: { end: 'z', fail: { actions: assign(() => ({ n: JSON.parse('{') as number })) } },
          },
          z: { type: 'final' },
        },
        output: ({ context }) => context.n,
      })
      const hand = world.start(
        createMachine({
          entry: [spawnChild(child, { id: 'one' }), spawnChild(child, { id: 'two' })],
          on: {
            end: { actions: sendTo('one', { type: 'end' }) },
            fail: { actions: sendTo('two', { type: 'fail' }) },
            'xstate.done.actor.one': {
              actions: ({ event }: { event: Ev }) => world.note(event.output),
            },
            'xstate.error.actor.two': {
              actions: ({ event }: { event: Ev }) => world.note(event.type),
            },
          },
        }),
      )
      for (const type of ['end', 'fail']) hand.send({ type })
      world.note(viewOf(hand).status)
    },
  },
]
