import {
  assign,
  createMachine,
  emit,
  fromCallback,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  type AnyActorRef,
} from 'xstate'
import type { Script, World } from '../worlds.ts'
import { counting, plain, sayCount, sayer, sayEvent, sayValue, type Ev } from './action-kit.ts'

/** What XState does and nobody promises: these tell a difference, they do not forbid it. */
const timers: readonly Script[] = [
  {
    name: 'a second delayed event under one id comes beside the first, and cancel takes the second',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: {
              actions: raise(({ event }) => ({ type: 'due', n: event.n ?? 0 }), {
                delay: 10,
                id: 'one',
              }),
            },
            cancel: { actions: plain.cancel('one') },
            due: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      for (const n of [1, 2]) hand.send({ type: 'go', n } as Ev)
      hand.advance(10)
      for (const n of [3, 4]) hand.send({ type: 'go', n } as Ev)
      hand.send({ type: 'cancel' })
      hand.advance(10)
    },
  },
  {
    name: 'sendTo nobody at all is sent to the sender',
    run(world) {
      const hand = world.start(
        createMachine({
          on: {
            go: { actions: sendTo(() => undefined as unknown as AnyActorRef, { type: 'back' }) },
            back: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
]

const moments: readonly Script[] = [
  {
    name: 'an action that looks at its own actor sees the state before the step',
    run(world) {
      const look = ({ self }: { self: AnyActorRef }) =>
        world.note((self.getSnapshot() as { value: string }).value)
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: { a: { on: { go: { target: 'b', actions: look } } }, b: { entry: look } },
        }),
      )
      hand.send({ type: 'go' })
      sayValue(world, hand)
    },
  },
  {
    name: 'actions before a throwing assign of their step have run',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: [
                sayCount(world, 'before'),
                assign(() => {
                  throw new Error('no number')
                }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'what a step emits before one of its actions throws is not heard',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: {
              actions: [
                emit({ type: 'told' }),
                () => {
                  throw new Error('no action')
                },
              ],
            },
          },
        }),
      )
      hand.ref.on('told', () => world.note('told'))
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'at the start children start before the entry actions of their machine run',
    run(world) {
      const kid = fromCallback<Ev>(() => world.note('child starts'))
      const say = sayer(world)
      world.start(
        createMachine({
          entry: say('enter root'),
          invoke: { src: kid },
          initial: 'a',
          states: {
            a: { entry: [say('enter a'), spawnChild(kid, { id: 'kid' }), say('and more')] },
          },
        }),
      )
    },
  },
]

/** Passes every `ball` on to its sibling through a ref in the event. */
const player = (world: World, who: string) =>
  createMachine({
    on: {
      ball: {
        actions: [
          sayEvent(world, who),
          sendTo(({ system }) => system.get('two') as AnyActorRef, { type: 'passed' }),
          sendParent({ type: 'played', n: 1 }),
        ],
      },
      passed: { actions: sayEvent(world, who) },
    },
  })

const flows: readonly Script[] = [
  {
    name: 'sends go depth first: what the first receiver sends comes before the second send',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: [
            { id: 'one', systemId: 'one', src: player(world, 'one') },
            { id: 'two', systemId: 'two', src: player(world, 'two') },
          ],
          on: {
            go: { actions: [sendTo('one', { type: 'ball' }), sendTo('two', { type: 'ball' })] },
            played: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: "a child takes what its parent sends at once before the parent takes the child's first word",
    run(world) {
      const kid = createMachine({
        entry: sendParent({ type: 'born' }),
        on: { hello: { actions: sayEvent(world, 'kid') } },
      })
      const hand = world.start(
        createMachine({
          on: {
            go: { actions: [spawnChild(kid, { id: 'kid' }), sendTo('kid', { type: 'hello' })] },
            born: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a child that an action sends to by its ref takes the event between two actions',
    run(world) {
      const kid = createMachine({ on: { hello: { actions: sayEvent(world, 'kid') } } })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', systemId: 'kid', src: kid },
          on: {
            go: {
              actions: [
                sayer(world)('before'),
                ({ system }) => (system.get('kid') as AnyActorRef).send({ type: 'hello' }),
                sayer(world)('after'),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an action may listen to a child spawned just before it and hears its start',
    run(world) {
      const kid = plain.createMachine({ entry: emit({ type: 'told', text: 'started' }) })
      const hand = world.start(
        createMachine({
          on: {
            go: {
              actions: [
                spawnChild(kid, { id: 'kid', systemId: 'kid' }),
                ({ system }) => {
                  const ref = system.get('kid') as AnyActorRef
                  ref.on('told', (event: Ev) => world.note(event))
                },
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
]

export const actionQuirkScripts: readonly Script[] = [...timers, ...moments, ...flows]
