import {
  assign,
  createMachine,
  forwardTo,
  fromCallback,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  type AnyActorRef,
  type EventObject,
} from 'xstate'
import type { Script, World } from '../worlds.ts'
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

/** A child that notes every event it takes. */
const hearer = (world: World, who = 'kid') =>
  createMachine({ on: { '*': { actions: sayEvent(world, who) } } })

const targets: readonly Script[] = [
  {
    name: 'sendTo finds its target by id, by an expression for the id and by ref',
    run(world) {
      const kids = { kid: hearer(world, 'kid'), other: hearer(world, 'other') }
      const hand = world.start(
        setup({
          types: { events: {} as Ev },
          actors: kids,
        }).createMachine({
          entry: [
            spawnChild('kid', { id: 'kid', systemId: 'the kid' }),
            spawnChild('other', { id: 'other' }),
          ],
          on: {
            byId: { actions: sendTo('kid', { type: 'a' }) },
            byName: { actions: sendTo(({ event }) => event.text ?? '', { type: 'b' }) },
            byRef: {
              actions: sendTo(({ system }) => system.get('the kid') as AnyActorRef, { type: 'c' }),
            },
          },
        }),
      )
      hand.send({ type: 'byId' })
      hand.send({ type: 'byName', text: 'other' } as Ev)
      hand.send({ type: 'byRef' })
    },
  },
  {
    name: 'a sendTo expression reads context and event at its place among the assigns',
    run(world) {
      const hand = world.start(
        setup({
          types: { context: {} as { n: number }, events: {} as Ev },
          actors: { kid: hearer(world) },
        }).createMachine({
          context: { n: 1 },
          invoke: { id: 'kid', src: 'kid' },
          on: {
            go: {
              actions: [
                assign({ n: ({ context, event }) => context.n + (event.n ?? 0) }),
                sendTo('kid', ({ context, event }) => ({ type: `of ${event.type}`, n: context.n })),
                assign({ n: 0 }),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go', n: 4 } as Ev)
    },
  },
  {
    name: 'sendTo refuses a string and says what to write',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: fromCallback(() => undefined) },
          entry: sendTo('kid', 'hello' as unknown as EventObject),
        }),
      )
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'sendTo an unknown id fails the machine and names both',
    run(world) {
      const hand = world.start(
        createMachine({ id: 'm', on: { go: { actions: sendTo('nobody', { type: 'hello' }) } } }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'sendTo its own actor arrives after the raised events of the step',
    run(world) {
      const say = sayEvent(world, 'took')
      const hand = world.start(
        createMachine({
          on: {
            go: {
              actions: [sendTo(({ self }) => self, { type: 'sent' }), raise({ type: 'raised' })],
            },
            sent: { actions: say },
            raised: { actions: say },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'events sent to one child arrive in the order they were sent',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: hearer(world) },
          on: {
            go: {
              actions: [1, 2, 3].map((n) => sendTo('kid', { type: 'count', n })),
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an answer goes to the actor whose ref came with the question',
    run(world) {
      type Asked = { type: string; from: AnyActorRef }
      const kid = setup({ types: { events: {} as Asked } }).createMachine({
        on: { ask: { actions: sendTo(({ event }) => event.from, { type: 'answer', n: 42 }) } },
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: kid },
          on: {
            go: { actions: sendTo('kid', ({ self }) => ({ type: 'ask', from: self })) },
            answer: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
]

const invoked: readonly Script[] = [
  {
    name: 'entry actions send to the actor their state invokes, also at the start',
    run(world) {
      const ponger = createMachine({ on: { ping: { actions: sendParent({ type: 'pong' }) } } })
      const hand = world.start(
        createMachine({
          initial: 'a',
          states: {
            a: {
              entry: sendTo('ponger', { type: 'ping' }),
              invoke: { id: 'ponger', src: ponger },
              on: { pong: 'b' },
            },
            b: { on: { go: 'c' } },
            c: {
              entry: sendTo('kid', { type: 'knock' }),
              invoke: { id: 'kid', src: hearer(world) },
            },
          },
        }),
      )
      sayValue(world, hand)
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'exit actions still reach the actor their state invoked',
    run(world) {
      const kid = fromCallback<Ev>(({ receive }) => {
        receive((event) => world.note('kid', event))
        return () => world.note('kid stopped')
      })
      const hand = world.start(
        createMachine({
          initial: 'on',
          states: {
            on: {
              invoke: { id: 'kid', src: kid },
              exit: sendTo('kid', { type: 'bye' }),
              on: { toggle: 'off' },
            },
            off: {},
          },
        }),
      )
      hand.send({ type: 'toggle' })
    },
  },
  {
    name: 'a parent reads the new state of a child that has just sent to it',
    run(world) {
      const child = createMachine({
        initial: 'a',
        states: { a: { after: { 10: 'b' } }, b: { entry: sendParent({ type: 'moved' }) } },
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: child },
          on: {
            moved: {
              actions: ({ self }) => {
                const { children } = self.getSnapshot() as { children: Record<string, AnyActorRef> }
                world.note('kid in', (children['kid']!.getSnapshot() as { value: string }).value)
              },
            },
          },
        }),
      )
      hand.advance(10)
    },
  },
]

const parents: readonly Script[] = [
  {
    name: 'sendParent reads the context and the event of the child',
    run(world) {
      const child = counting.createMachine({
        context: { n: 1 },
        on: {
          add: {
            actions: [
              assign({ n: ({ context, event }) => context.n + (event.n ?? 0) }),
              sendParent(({ context, event }) => ({ type: `${event.type}ed`, n: context.n })),
            ],
          },
        },
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: child },
          on: {
            go: { actions: sendTo('kid', { type: 'add', n: 2 }) },
            added: { actions: sayEvent(world, 'parent') },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'sendParent without a parent fails the machine',
    run(world) {
      const hand = world.start(
        createMachine({ id: 'm', on: { go: { actions: sendParent({ type: 'hello' }) } } }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'forwardTo passes the event on as it came, to an id or a ref',
    run(world) {
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', systemId: 'the kid', src: hearer(world) },
          on: {
            one: { actions: forwardTo('kid') },
            two: { actions: forwardTo(({ system }) => system.get('the kid') as AnyActorRef) },
          },
        }),
      )
      hand.send({ type: 'one', n: 1 } as Ev)
      hand.send({ type: 'two', n: 2 } as Ev)
    },
  },
  {
    name: 'forwardTo nobody fails instead of looping',
    run(world) {
      const hand = world.start(
        createMachine({ on: { '*': { actions: forwardTo(undefined as unknown as string) } } }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand).status)
    },
  },
]

const logs: readonly Script[] = [
  {
    name: 'log writes a text, an expression and, without either, context and event',
    run(world) {
      const { log } = counting
      const hand = world.start(
        counting.createMachine({
          context: { n: 42 },
          entry: [log('text', 'label'), log(({ context }) => `n is ${context.n}`)],
          on: { go: { actions: [log(undefined, 'all'), log(({ event }) => event)] } },
        }),
      )
      hand.send({ type: 'go', n: 1 } as Ev)
    },
  },
  {
    name: 'log keeps its place among the actions and sees the assigns before it',
    run(world) {
      const logCount = counting.log(({ context }) => context.n)
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          on: {
            go: {
              actions: [
                sayer(world)('before'),
                logCount,
                assign({ n: 1 }),
                logCount,
                sayCount(world, 'after'),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a child logs with the logger of its system',
    run(world) {
      world.start(
        createMachine({ invoke: { src: plain.createMachine({ entry: plain.log('kid') }) } }),
      )
    },
  },
]

export const sendScripts: readonly Script[] = [...targets, ...invoked, ...parents, ...logs]
