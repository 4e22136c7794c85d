import { cancel, createMachine, sendParent, sendTo, setup, stopChild } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { sayEvent, type Ev, viewOf } from './action-kit.ts'

const hearer = (world: World) => createMachine({ on: { '*': { actions: sayEvent(world, 'kid') } } })

/** A parent whose `go` sends late in all the ways there are. */
const late = (world: World) =>
  setup({
    types: { context: {} as { n: number }, events: {} as Ev },
    actors: { kid: hearer(world) },
    delays: { short: 10, byEvent: ({ context, event }) => context.n * (event.n ?? 1) },
  })

export const delayedSendScripts: readonly Script[] = [
  {
    name: 'sendTo waits for a number, a name or an expression',
    run(world) {
      const hand = world.start(
        late(world).createMachine({
          context: { n: 10 },
          invoke: { id: 'kid', src: 'kid' },
          on: {
            go: {
              actions: [
                sendTo('kid', { type: 'number' }, { delay: 20 }),
                sendTo('kid', { type: 'name' }, { delay: 'short' }),
                sendTo('kid', { type: 'expression by name' }, { delay: 'byEvent' }),
                sendTo('kid', ({ event }) => ({ type: 'expression', n: event.n ?? 0 }), {
                  delay: ({ context, event }) => context.n + (event.n ?? 0),
                }),
                sendTo('kid', { type: 'nothing' }, { delay: 0 }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go', n: 3 } as Ev)
      for (const ms of [0, 10, 13, 20, 30]) {
        world.note('until', ms)
        hand.advance(ms === 0 ? 0 : ms === 13 ? 3 : ms === 20 ? 7 : 10)
      }
    },
  },
  {
    name: 'a delayed send is cancelled by its id',
    run(world) {
      const hand = world.start(
        late(world).createMachine({
          context: { n: 0 },
          invoke: { id: 'kid', src: 'kid' },
          entry: [
            sendTo('kid', { type: 'one' }, { delay: 10, id: 'one' }),
            sendTo('kid', { type: 'two' }, { delay: 10, id: 'two' }),
            sendTo('kid', { type: 'three' }, { delay: 10 }),
          ],
          on: { cancel: { actions: [cancel('one'), cancel('three')] } },
        }),
      )
      hand.advance(5)
      hand.send({ type: 'cancel' })
      hand.advance(5)
    },
  },
  {
    name: 'a delayed send to itself is cancelled by its id',
    run(world) {
      const hand = world.start(
        createMachine({
          entry: [
            sendTo(({ self }) => self, { type: 'due', n: 1 }, { delay: 10, id: 'one' }),
            sendTo(({ self }) => self, { type: 'due', n: 2 }, { delay: 20, id: 'two' }),
          ],
          on: { due: { actions: [sayEvent(world, 'took'), cancel('two')] } },
        }),
      )
      hand.advance(30)
    },
  },
  {
    name: 'sendParent waits, and is forgotten when its child is stopped first',
    run(world) {
      const kid = createMachine({
        entry: [
          sendParent({ type: 'soon' }, { delay: 10 }),
          sendParent({ type: 'late' }, { delay: 20 }),
          sendParent({ type: 'never' }, { delay: 5, id: 'never' }),
          cancel('never'),
        ],
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: kid },
          on: { stop: { actions: stopChild('kid') }, '*': { actions: sayEvent(world, 'parent') } },
        }),
      )
      hand.advance(15)
      hand.send({ type: 'stop' })
      hand.advance(15)
    },
  },
  {
    name: 'a delayed send to a child that is stopped by then is lost without harm',
    run(world) {
      const hand = world.start(
        late(world).createMachine({
          context: { n: 0 },
          initial: 'a',
          states: {
            a: {
              invoke: { id: 'kid', src: 'kid' },
              entry: sendTo('kid', { type: 'hello' }, { delay: 10 }),
              on: { leave: 'b' },
            },
            b: {},
          },
        }),
      )
      hand.send({ type: 'leave' })
      hand.advance(10)
      const { status, value } = viewOf(hand)
      world.note(status, value)
    },
  },
  {
    name: 'a finished parent sends nothing any more',
    run(world) {
      const hand = world.start(
        late(world).createMachine({
          context: { n: 0 },
          invoke: { id: 'kid', src: 'kid' },
          entry: sendTo('kid', { type: 'hello' }, { delay: 10 }),
          initial: 'a',
          states: { a: { on: { end: 'z' } }, z: { type: 'final' } },
        }),
      )
      hand.send({ type: 'end' })
      hand.advance(10)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'a delayed send reaches its target in the state that is active then',
    run(world) {
      const kid = createMachine({
        initial: 'a',
        states: {
          a: { on: { knock: { actions: sayEvent(world, 'in a') } }, after: { 10: 'b' } },
          b: { on: { knock: { actions: sayEvent(world, 'in b') } } },
        },
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: kid },
          entry: [5, 15].map((delay) => sendTo('kid', { type: 'knock', n: delay }, { delay })),
        }),
      )
      hand.advance(20)
    },
  },
]
