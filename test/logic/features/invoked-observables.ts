import { assign, createMachine, fromEventObservable, fromObservable, sendTo } from 'xstate'
import type { Script } from '../worlds.ts'
import { childOf, counting, numbered, says, shows, tells, types, viewOf } from './actor-views.ts'
import type { Ev, View } from './actor-views.ts'
import { createSource, valuesOf } from './subscribable.ts'

/** Observables as children: their values, their events and how they end. */
export const invokedObservableScripts: readonly Script[] = [
  {
    name: 'each value of an observable is a snapshot that onSnapshot hears of',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          initial: 'counting',
          states: {
            counting: {
              invoke: {
                id: 'o',
                src: fromObservable(() => source),
                onSnapshot: {
                  actions: [assign({ n: ({ event }) => valueIn(event) }), shows(world)],
                },
              },
              always: { guard: ({ context }) => context.n === 3, target: 'counted' },
            },
            counted: { entry: says(world, 'counted') },
          },
        }),
      )
      const child = childOf(hand.ref, 'o')
      for (const n of [1, 2, 3, 4]) source.next(n)
      world.note(viewOf(hand.ref).value, viewOf(child).status, viewOf(child).context)
    },
  },
  {
    name: 'an observable that completes is done without output',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          initial: 'counting',
          states: {
            counting: {
              invoke: {
                id: 'o',
                src: fromObservable(() => source),
                onSnapshot: { actions: assign({ n: ({ event }) => valueIn(event) }) },
                onDone: {
                  guard: ({ context }) => context.n === 2,
                  target: 'counted',
                  actions: tells(world),
                },
              },
            },
            counted: {},
          },
        }),
      )
      const child = childOf(hand.ref, 'o')
      source.next(1)
      source.next(2)
      source.complete()
      world.note(viewOf(hand.ref).value, viewOf(child).status, viewOf(child).context)
    },
  },
  {
    name: 'an observable that errs gives its error to onError',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({
          types,
          initial: 'counting',
          states: {
            counting: {
              invoke: {
                id: 'o',
                src: fromObservable(() => source),
                onError: { target: 'failed', actions: tells(world) },
              },
            },
            failed: {},
          },
        }),
      )
      const child = childOf(hand.ref, 'o')
      source.next(1)
      source.error(new Error('dried up'))
      source.next(2)
      world.note(viewOf(hand.ref).value, viewOf(child).status, viewOf(child).context)
    },
  },
  {
    name: 'an error of an observable that nobody handles fails the parent',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({ types, invoke: { id: 'o', src: fromObservable(() => source) } }),
      )
      source.error(new Error('dried up'))
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
  {
    name: 'values given while subscribing all arrive, then the end',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: {
                id: 'o',
                src: fromObservable(({ input }: { input: number }) => valuesOf(input, input + 1)),
                input: 42,
                onSnapshot: {
                  actions: shows(world),
                },
                onDone: { target: 'b', actions: tells(world) },
              },
            },
            b: {},
          },
        }),
      )
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'leaving the state unsubscribes, and nothing more is heard',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { '*': { actions: says(world, 'other') } },
          states: {
            a: {
              invoke: {
                id: 'o',
                src: fromObservable(() => source),
                onSnapshot: { actions: says(world, 'a') },
              },
              on: { leave: 'b' },
            },
            b: { entry: says(world, 'b') },
          },
        }),
      )
      const child = childOf(hand.ref, 'o')
      source.next(1)
      hand.send({ type: 'leave' })
      source.next(2)
      source.complete()
      world.note(viewOf(child).status, viewOf(child).context)
    },
  },
  {
    name: 'an event observable sends its events to the parent as they are',
    run(world) {
      const source = createSource<Ev>(world, 'source')
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          initial: 'counting',
          states: {
            counting: {
              invoke: { id: 'o', src: fromEventObservable(() => source) },
              on: {
                count: { actions: [assign({ n: ({ event }) => event.n! }), tells(world)] },
              },
              always: { guard: ({ context }) => context.n === 2, target: 'counted' },
            },
            counted: {},
          },
        }),
      )
      const child = childOf(hand.ref, 'o')
      for (const n of [0, 1, 2, 3]) source.next(numbered('count', n))
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).context, viewOf(child).status)
    },
  },
  {
    name: 'an event observable ends as other observables do',
    run(world) {
      const sources = [createSource<Ev>(world, 'good'), createSource<Ev>(world, 'bad')] as const
      const hand = world.start(
        createMachine({
          types,
          type: 'parallel',
          states: {
            good: {
              initial: 'a',
              states: {
                a: {
                  invoke: {
                    id: 'good',
                    src: fromEventObservable(() => sources[0]),
                    onDone: { target: 'b', actions: tells(world) },
                  },
                },
                b: {},
              },
            },
            bad: {
              initial: 'a',
              states: {
                a: {
                  invoke: {
                    id: 'bad',
                    src: fromEventObservable(() => sources[1]),
                    onError: { target: 'b', actions: tells(world) },
                  },
                },
                b: {},
              },
            },
          },
        }),
      )
      sources[0].complete()
      sources[1].error('dried up')
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'an event observable gets input, and may send at once',
    run(world) {
      world.start(
        createMachine({
          types,
          invoke: {
            id: 'o',
            src: fromEventObservable(({ input }: { input: number }) =>
              valuesOf(numbered('seen', input), numbered('seen', input + 1)),
            ),
            input: 42,
          },
          on: { '*': { actions: tells(world) } },
        }),
      )
    },
  },
  {
    name: 'what is sent to an observable changes nothing',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'o', src: fromObservable(() => source) },
          on: { go: { actions: sendTo('o', { type: 'x' }) } },
        }),
      )
      source.next(7)
      hand.send({ type: 'go' })
      const { status, context } = viewOf(childOf(hand.ref, 'o'))
      world.note(status, context)
      hand.stop()
    },
  },
]

/** The value that a snapshot of an observable of numbers shows; none yet is 0. */
function valueIn({ snapshot }: { snapshot: unknown }): number {
  return ((snapshot as View).context as number | undefined) ?? 0
}
