import { assign, fromCallback, raise, setup } from 'xstate'
import type { Script } from '../worlds.ts'
import {
  counting,
  plain,
  sayCount,
  sayer,
  sayEvent,
  sayValue,
  type Ev,
  viewOf,
} from './action-kit.ts'

const within: readonly Script[] = [
  {
    name: 'a raised event is taken in the state its step has reached',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              on: {
                go: { target: 'b', actions: raise({ type: 'up' }) },
                up: { actions: sayer(world)('taken in a') },
              },
            },
            b: { on: { up: { target: 'c', actions: sayEvent(world, 'taken in b') } } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      sayValue(world, hand)
    },
  },
  {
    name: 'an entry action raises an event that its own state takes, also at the start',
    run(world) {
      const machine = plain.createMachine({
        initial: 'a',
        states: {
          a: { entry: raise({ type: 'on' }), on: { on: 'b' } },
          b: { on: { go: 'c' } },
          c: { entry: raise({ type: 'on' }), on: { on: 'd' } },
          d: { type: 'final' },
        },
      })
      const hand = world.start(machine)
      sayValue(world, hand)
      hand.send({ type: 'go' })
      sayValue(world, hand)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'raised events are taken in order, each with what it raises put last',
    run(world) {
      const say = sayEvent(world, 'took')
      const hand = world.start(
        plain.createMachine({
          on: {
            go: { actions: [raise({ type: 'a' }), raise({ type: 'b' }), say] },
            a: { actions: [raise({ type: 'c' }), say] },
            b: { actions: say },
            c: { actions: say },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'always transitions go before raised events, raised events before events from outside',
    run(world) {
      const say = sayEvent(world, 'with')
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              on: {
                go: {
                  target: 'b',
                  actions: [({ self }) => self.send({ type: 'sent' }), raise({ type: 'raised' })],
                },
              },
            },
            b: { entry: say, always: { target: 'c', actions: say } },
            c: {
              entry: say,
              on: { raised: { actions: say }, sent: { target: 'd', actions: say } },
            },
            d: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      sayValue(world, hand)
    },
  },
  {
    name: 'a raise expression reads context, event and what was assigned before it',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          on: {
            go: {
              actions: [
                assign({ n: ({ event }) => event.n ?? 0 }),
                raise(({ context, event }) => ({
                  type: `${event.type}-${context.n}`,
                  n: context.n,
                })),
                assign({ n: 100 }),
              ],
            },
            '*': { actions: [sayEvent(world, 'took'), sayCount(world, 'with')] },
          },
        }),
      )
      hand.send({ type: 'go', n: 4 } as Ev)
    },
  },
  {
    name: 'actions, assigns and inputs see the raised event that brought them',
    run(world) {
      const kid = fromCallback<Ev, { by: string }>(({ input }) => world.note('input', input.by))
      const hand = world.start(
        setup({
          types: { context: {} as { by: string }, events: {} as Ev },
          actors: { kid },
        }).createMachine({
          context: { by: '' },
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: {
              entry: [sayEvent(world, 'entry'), raise({ type: 'raised' })],
              on: { raised: { target: 'c', actions: assign({ by: ({ event }) => event.type }) } },
            },
            c: {
              entry: sayEvent(world, 'entry'),
              invoke: { src: 'kid', input: ({ event }) => ({ by: event.type }) },
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'an action that takes an event raised at the start gets it and the assigned context',
    run(world) {
      world.start(
        counting.createMachine({
          context: { n: 0 },
          entry: [assign({ n: 42 }), raise({ type: 'hello' })],
          on: { hello: { actions: [sayEvent(world, 'took'), sayCount(world, 'with')] } },
        }),
      )
    },
  },
  {
    name: 'a raised event nobody takes is gone',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: { on: { go: { actions: raise({ type: 'up' }) }, on: 'b' } },
            b: { on: { up: { actions: sayer(world)('up') } } },
          },
        }),
      )
      for (const type of ['go', 'on']) hand.send({ type })
      sayValue(world, hand)
    },
  },
  {
    name: 'raise refuses a string and says what to write',
    run(world) {
      const hand = world.start(plain.createMachine({ entry: raise('go' as unknown as Ev) }))
      world.note(viewOf(hand).status)
    },
  },
]

/** Delays by name: a number, and one that is worked out. */
const late = setup({
  types: { context: {} as { readonly n: number }, events: {} as Ev },
  delays: { short: 10, byEvent: ({ context, event }) => context.n * (event.n ?? 1) },
})

const go = { type: 'go', n: 3 } as Ev

const delayed: readonly Script[] = [
  {
    name: 'a delay is a number, a name or an expression, worked out when it is raised',
    run(world) {
      const machine = late.createMachine({
        context: { n: 10 },
        on: {
          go: {
            actions: [
              raise({ type: 'due', text: 'number' }, { delay: 20 }),
              raise({ type: 'due', text: 'name' }, { delay: 'short' }),
              raise({ type: 'due', text: 'named expression' }, { delay: 'byEvent' }),
              raise({ type: 'due' }, { delay: ({ context, event }) => context.n + (event.n ?? 0) }),
              assign({ n: 1 }),
            ],
          },
          due: { actions: ({ event }) => world.note(event) },
        },
      })
      const hand = world.start(machine)
      hand.send(go)
      for (let ms = 5; ms <= 40; ms += 5) {
        hand.advance(5)
        world.note(ms, 'ms')
      }
    },
  },
  {
    name: 'a delay of nothing still waits for the clock',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: { a: { entry: raise({ type: 'due' }, { delay: 0 }), on: { due: 'b' } }, b: {} },
        }),
      )
      sayValue(world, hand)
      hand.advance(0)
      sayValue(world, hand)
    },
  },
  {
    name: 'a delayed event outlives its state and is taken by the one that is active',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              entry: raise({ type: 'due', n: 1 }, { delay: 10 }),
              on: { go: 'b', due: { actions: sayer(world)('in a') } },
            },
            b: { on: { due: { target: 'c', actions: sayEvent(world, 'in b') } } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.advance(10)
      sayValue(world, hand)
    },
  },
  {
    name: 'delayed events fall due by time, and in the order they were raised at one time',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          entry: [
            raise({ type: 'due', n: 1 }, { delay: 20 }),
            raise({ type: 'due', n: 2 }, { delay: 10 }),
            raise({ type: 'due', n: 3 }, { delay: 20 }),
          ],
          on: {
            due: { actions: sayEvent(world, 'took') },
            more: { actions: raise({ type: 'due', n: 4 }, { delay: 10 }) },
          },
        }),
      )
      hand.advance(10)
      hand.send({ type: 'more' })
      hand.advance(10)
    },
  },
  {
    name: 'a delayed event raises the next one, like a clock',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          entry: raise({ type: 'tick' }, { delay: 100 }),
          on: {
            tick: {
              actions: [
                assign({ n: ({ context }) => context.n + 1 }),
                sayCount(world, 'tick'),
                raise({ type: 'tick' }, { delay: ({ context }) => context.n * 100 }),
              ],
            },
          },
        }),
      )
      hand.advance(1000)
    },
  },
  {
    name: 'what a stopped or finished machine raised late never falls due',
    run(world) {
      const machine = plain.createMachine({
        initial: 'a',
        entry: raise({ type: 'due' }, { delay: 10 }),
        on: { due: { actions: sayer(world)('due') } },
        states: { a: { on: { end: 'z' } }, z: { type: 'final' } },
      })
      const [stopped, finished] = [world.start(machine), world.start(machine)]
      stopped.stop()
      finished.send({ type: 'end' })
      for (const hand of [stopped, finished]) {
        hand.advance(10)
        world.note(viewOf(hand).status)
      }
    },
  },
]

export const raiseScripts: readonly Script[] = [...within, ...delayed]
