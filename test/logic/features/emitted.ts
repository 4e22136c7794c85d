import {
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  raise,
  sendTo,
  type Subscribable,
} from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'
import { counting, plain, sayer, sayCount, type Ev, viewOf } from './action-kit.ts'

/** Notes every event of a type that an actor emits. */
const listen = (world: World, { ref }: Pick<Hand, 'ref'>, type: string, who = type) =>
  ref.on(type, (event: Ev) => world.note(who, event))

const machines: readonly Script[] = [
  {
    name: 'an emitted event reaches the listeners of its type and not the machine itself',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: { actions: emit({ type: 'told', text: 'hello' }) },
            told: { actions: sayer(world)('the machine took it') },
          },
        }),
      )
      listen(world, hand, 'told')
      listen(world, hand, 'other')
      hand.send({ type: 'go' })
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an emit expression reads context and event',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 10 },
          on: {
            go: {
              actions: [
                assign({ n: ({ context }) => context.n + 1 }),
                emit(({ context, event }) => ({ type: 'told', n: context.n, text: event.type })),
                assign({ n: ({ context }) => context.n + 1 }),
                emit(({ context }) => ({ type: 'told', n: context.n })),
              ],
            },
          },
        }),
      )
      listen(world, hand, 'told')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'listeners are told in the order they came, those of every type last',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: { go: { actions: [emit({ type: 'told' }), emit({ type: 'else' })] } },
        }),
      )
      listen(world, hand, '*', 'any')
      listen(world, hand, 'told', 'first')
      listen(world, hand, 'told', 'second')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a listener that unsubscribed hears nothing more',
    run(world) {
      const hand = world.start(
        plain.createMachine({ on: { go: { actions: emit({ type: 'told' }) } } }),
      )
      const first = listen(world, hand, 'told', 'first')
      listen(world, hand, 'told', 'second')
      hand.send({ type: 'go' })
      first.unsubscribe()
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a listener reads the snapshot after the whole step',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          states: {
            a: { on: { go: { target: 'b', actions: emit({ type: 'told' }) } } },
            b: { entry: assign({ n: 1 }), always: 'c' },
            c: { entry: assign({ n: 2 }) },
          },
        }),
      )
      hand.ref.on('told', () => {
        const { value, context } = viewOf(hand)
        world.note(value, context)
      })
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'events of several microsteps are emitted in their order, after the actions of the step',
    run(world) {
      const say = sayer(world)
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: {
              exit: [emit({ type: 'exit' }), say('exit a')],
              on: { go: { target: 'b', actions: [emit({ type: 'go' }), raise({ type: 'next' })] } },
            },
            b: {
              entry: [emit({ type: 'entry' }), say('enter b')],
              on: { next: { actions: [say('next'), emit({ type: 'next' })] } },
            },
          },
        }),
      )
      listen(world, hand, '*', 'emitted')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'an event a listener sends is taken after everything that was emitted',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: { actions: [emit({ type: 'one' }), emit({ type: 'two' })] },
            answer: { actions: sayer(world)('answer') },
          },
        }),
      )
      hand.ref.on('one', () => {
        world.note('one')
        hand.ref.send({ type: 'answer' })
      })
      listen(world, hand, 'two')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'enqueueActions emits',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          on: {
            go: {
              actions: enqueueActions(({ enqueue }) => {
                enqueue.emit({ type: 'static', n: 0 })
                enqueue.assign({ n: 5 })
                enqueue.emit(({ context }) => ({ type: 'dynamic', n: context.n }))
                enqueue(emit({ type: 'told' }))
              }),
            },
          },
        }),
      )
      listen(world, hand, '*')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a timer emits when it is due',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          initial: 'a',
          states: {
            a: { after: { 10: { target: 'b', actions: emit({ type: 'due' }) } } },
            b: { entry: emit({ type: 'entered' }) },
          },
        }),
      )
      listen(world, hand, '*')
      hand.advance(9)
      world.note('9 ms')
      hand.advance(1)
    },
  },
  {
    name: 'what the last step emits is heard before the machine completes, and nothing after',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 0 },
          initial: 'a',
          exit: [sayCount(world, 'exit'), emit({ type: 'exit' })],
          states: {
            a: { on: { end: { target: 'z', actions: emit({ type: 'end' }) } } },
            z: { type: 'final', entry: emit({ type: 'entry' }) },
          },
        }),
      )
      listen(world, hand, '*')
      hand.ref.subscribe({ complete: () => world.note('complete') })
      hand.send({ type: 'end' })
      hand.send({ type: 'end' })
    },
  },
  {
    name: 'a stopped machine emits nothing',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          exit: emit({ type: 'exit' }),
          initial: 'a',
          states: { a: { after: { 10: { actions: emit({ type: 'due' }) } } } },
        }),
      )
      listen(world, hand, '*')
      hand.stop()
      hand.advance(20)
      world.note(viewOf(hand).status)
    },
  },
]

const children: readonly Script[] = [
  {
    name: 'what a child emits is heard at the child and not at its parent',
    run(world) {
      const kid = plain.createMachine({
        on: { go: { actions: emit({ type: 'told', text: 'kid' }) } },
      })
      const hand = world.start(
        createMachine({
          invoke: { id: 'kid', src: kid },
          on: {
            go: {
              actions: [emit({ type: 'told', text: 'parent' }), sendTo('kid', { type: 'go' })],
            },
          },
        }),
      )
      const children = viewOf(hand).children
      listen(world, { ref: children['kid']! }, 'told', 'at the kid')
      listen(world, hand, 'told', 'at the parent')
      hand.send({ type: 'go' })
    },
  },
  {
    name: 'a callback emits when it receives and when it is called back',
    run(world) {
      let tell: () => void = () => undefined
      const hand = world.start(
        fromCallback<Ev, undefined, Ev>(({ emit, receive }) => {
          receive((event) => emit({ type: 'received', text: event.type }))
          tell = () => emit({ type: 'called' })
        }),
      )
      listen(world, hand, '*')
      hand.send({ type: 'go' })
      tell()
    },
  },
  {
    name: 'a promise emits before it settles',
    async run(world) {
      const hand = world.start(
        fromPromise<string, undefined, Ev>(async ({ emit }) => {
          await Promise.resolve()
          emit({ type: 'halfway' })
          return 'done'
        }),
      )
      listen(world, hand, 'halfway')
      hand.ref.subscribe({ complete: () => world.note(viewOf(hand).output) })
      await hand.settle()
    },
  },
  {
    name: 'a transition function emits',
    run(world) {
      const hand = world.start(
        fromTransition<number, Ev, never, undefined, Ev>((n, event, { emit }) => {
          if (event.type === 'add') emit({ type: 'added', n: n + 1 })
          return event.type === 'add' ? n + 1 : n
        }, 0),
      )
      listen(world, hand, '*')
      for (const type of ['add', 'other', 'add']) hand.send({ type })
      world.note(viewOf(hand).context)
    },
  },
  {
    name: 'observables of values and of events emit',
    run(world) {
      const tells: (() => void)[] = []
      const silent = { subscribe: () => ({ unsubscribe: () => undefined }) } as Subscribable<never>
      const values = fromObservable<never, undefined, Ev>(({ emit }) => {
        tells.push(() => emit({ type: 'of values' }))
        return silent
      })
      const events = fromEventObservable<never, undefined, Ev>(({ emit }) => {
        tells.push(() => emit({ type: 'of events' }))
        return silent
      })
      for (const logic of [values, events]) listen(world, world.start(logic), '*')
      for (const tell of tells) tell()
    },
  },
]

export const emittedScripts: readonly Script[] = [...machines, ...children]
