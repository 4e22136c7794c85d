import { assign, createMachine, fromCallback, raise, sendParent, sendTo, stopChild } from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'
import { counting, plain, sayer, sayEvent, sayValue, type Ev, viewOf } from './action-kit.ts'

const noisy = (world: World, who: string) =>
  fromCallback<Ev>(() => {
    world.note(who, 'starts')
    return () => world.note(who, 'ends')
  })

const initials: readonly Script[] = [
  {
    name: 'actions of an initial transition run between the entries of parent and child',
    run(world) {
      const say = sayer(world)
      const hand = world.start(
        plain.createMachine({
          entry: say('enter root'),
          initial: { target: 'a', actions: say('initial of root') },
          states: {
            a: {
              entry: say('enter a'),
              initial: { target: 'a1', actions: [say('initial of a'), say('and more')] },
              states: { a1: { entry: say('enter a1') }, a2: { entry: say('enter a2') } },
              on: { out: 'b' },
            },
            b: { entry: say('enter b'), on: { back: 'a', deep: 'a.a2' } },
          },
        }),
      )
      for (const type of ['out', 'back', 'out', 'deep']) {
        world.note('send', type)
        hand.send({ type })
      }
    },
  },
  {
    name: 'an initial transition assigns and raises like any other',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: { target: 'a', actions: [assign({ n: 1 }), raise({ type: 'next' })] },
          states: { a: { on: { next: 'b' } }, b: { entry: sayEvent(world, 'enter b by') } },
        }),
      )
      world.note(viewOf(hand).value, viewOf(hand).context)
    },
  },
  {
    name: 'entry actions at the start get the init event, those of an always after it too',
    run(world) {
      world.start(
        plain.createMachine({
          entry: sayEvent(world, 'root'),
          initial: 'a',
          states: {
            a: {
              entry: sayEvent(world, 'a'),
              always: { target: 'b', actions: sayEvent(world, 'to b') },
            },
            b: { entry: sayEvent(world, 'b') },
          },
        }),
      )
    },
  },
]

const ends: readonly Script[] = [
  {
    name: 'a machine that finishes runs all exit actions, inmost first, with its last event',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          exit: sayEvent(world, 'exit root'),
          initial: 'a',
          states: {
            a: {
              exit: sayEvent(world, 'exit a'),
              on: { end: { target: 'z', actions: sayEvent(world, 'end') } },
            },
            z: {
              type: 'final',
              entry: sayEvent(world, 'enter z'),
              exit: sayEvent(world, 'exit z'),
            },
          },
        }),
      )
      hand.send({ type: 'end' })
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'an invoked machine that is final at once exits, and its parent goes on',
    run(world) {
      const kid = plain.createMachine({
        exit: sayEvent(world, 'kid exit'),
        initial: 'a',
        states: { a: { type: 'final', exit: sayEvent(world, 'kid exit a') } },
      })
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: { a: { invoke: { src: kid, onDone: 'z' } }, z: { type: 'final' } },
        }),
      )
      sayValue(world, hand)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'a stopped machine runs no exit actions, named, inline or built in',
    run(world) {
      const hand = world.start(
        createMachine(
          {
            context: { n: 0 },
            exit: ['say', sayer(world)('inline'), assign({ n: 1 })],
            initial: 'a',
            states: { a: { exit: sayer(world)('exit a') } },
          },
          { actions: { say: sayer(world)('named') } },
        ),
      )
      hand.stop()
      const { status, value, context } = viewOf(hand)
      world.note(status, value, context)
    },
  },
  {
    name: 'what a finishing child sends on its exit reaches its parent before its done event',
    run(world) {
      const kid = createMachine({
        initial: 'a',
        states: { a: { on: { end: 'z' } }, z: { type: 'final' } },
        exit: sendParent({ type: 'bye' }),
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: kid, onDone: { actions: sayEvent(world, 'parent') } },
          on: {
            end: { actions: sendTo('kid', { type: 'end' }) },
            bye: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'end' })
    },
  },
  {
    name: 'what a finishing child sends on its exit reaches its own children, a stopped one sends nothing',
    run(world) {
      const grandchild = createMachine({ on: { bye: { actions: sayEvent(world, 'grandchild') } } })
      const kid = createMachine({
        invoke: { id: 'grandchild', src: grandchild },
        initial: 'a',
        states: { a: { on: { end: 'z' } }, z: { type: 'final' } },
        exit: sendTo('grandchild', { type: 'bye' }),
      })
      const parent = createMachine({
        invoke: { id: 'kid', src: kid },
        on: {
          end: { actions: sendTo('kid', { type: 'end' }) },
          stop: { actions: stopChild('kid') },
        },
      })
      for (const type of ['end', 'stop']) {
        world.note(type)
        world.start(parent).send({ type })
      }
    },
  },
]

const selves: readonly Script[] = [
  {
    name: 'an event that an action sends to its own actor is taken after the step',
    run(world) {
      const say = sayer(world)
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              exit: say('exit a'),
              on: {
                go: {
                  target: 'b',
                  actions: [
                    ({ self }) => {
                      self.send({ type: 'one' })
                      self.send({ type: 'two' })
                    },
                    say('go'),
                  ],
                },
              },
            },
            b: { entry: say('enter b'), always: 'c' },
            c: {
              entry: say('enter c'),
              on: {
                one: { actions: sayEvent(world, 'c took') },
                two: { actions: sayEvent(world, 'c took') },
              },
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an event that an entry action sends at the start is taken once the machine is started',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          entry: ({ self }) => {
            self.send({ type: 'go' })
          },
          states: {
            a: {
              entry: sayer(world)('enter a'),
              on: { go: { target: 'b', actions: sayEvent(world, 'a') } },
            },
            b: {},
          },
        }),
      )
      sayValue(world, hand)
    },
  },
  {
    name: 'a machine stopped by its own action finishes its step and drops what was sent meanwhile',
    run(world) {
      let hand: Hand | undefined = undefined as Hand | undefined
      const say = sayer(world)
      hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              exit: say('exit a'),
              on: {
                go: {
                  target: 'b',
                  actions: [
                    ({ self }) => {
                      self.send({ type: 'never' })
                      hand?.stop()
                    },
                    say('go'),
                  ],
                },
              },
            },
            b: { exit: say('exit b'), on: { never: { actions: say('never') } } },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).status)
      sayValue(world, hand)
    },
  },
]

const invokes: readonly Script[] = [
  {
    name: 'reentering a state ends what it invoked and starts it anew',
    run(world) {
      let times = 0
      const kid = fromCallback<Ev>(() => {
        const time = ++times
        world.note('start', time)
        return () => world.note('end', time)
      })
      const hand = world.start(
        createMachine({
          initial: 'off',
          states: {
            off: { on: { on: 'on' } },
            on: { invoke: { id: 'kid', src: kid }, on: { again: { target: 'on', reenter: true } } },
          },
        }),
      )
      for (const type of ['on', 'again']) {
        hand.send({ type })
        world.note(Object.keys(viewOf(hand).children))
      }
    },
  },
  {
    name: 'children start and end after all actions of the step that invokes and leaves them',
    run(world) {
      const say = sayer(world)
      const hand = world.start(
        createMachine({
          initial: 'idle',
          states: {
            idle: { on: { go: 'a' } },
            a: {
              entry: say('enter a'),
              exit: say('exit a'),
              invoke: { src: noisy(world, 'of a') },
              initial: 'a1',
              states: { a1: { entry: say('enter a1'), invoke: { src: noisy(world, 'of a1') } } },
              on: { out: 'b' },
            },
            b: { entry: say('enter b'), invoke: { src: noisy(world, 'of b') } },
          },
        }),
      )
      for (const type of ['go', 'out']) {
        world.note('send', type)
        hand.send({ type })
      }
    },
  },
  {
    name: 'a state passed through at once starts nothing',
    run(world) {
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: { invoke: { id: 'kid', src: noisy(world, 'of b') }, always: 'c' },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      sayValue(world, hand)
      world.note(Object.keys(viewOf(hand).children))
    },
  },
]

export const actionMomentScripts: readonly Script[] = [...initials, ...ends, ...selves, ...invokes]
