import { assign, createMachine, emit } from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { counting, says, types, viewOf } from './actor-views.ts'
import type { View } from './actor-views.ts'

/** Who watches the root: `subscribe` and `on`, early and late. */
export const observerScripts: readonly Script[] = [
  {
    name: 'an observer is told of each event that is taken, not of the present state',
    run(world) {
      const hand = world.start(walker(world))
      hand.ref.subscribe((snapshot: View) => world.note('seen', snapshot.value, snapshot.context))
      world.note('subscribed')
      for (const type of ['step', 'count', 'step']) hand.send({ type })
    },
  },
  {
    name: 'an observer is told also when an event changes nothing',
    run(world) {
      const hand = world.start(walker(world))
      const seen: View[] = []
      hand.ref.subscribe((snapshot: View) => void seen.push(snapshot))
      for (const type of ['unknown', 'noted', 'step']) hand.send({ type })
      world.note(seen.map(({ value }) => value))
    },
  },
  {
    name: 'eventless and raised steps are one notice to an observer',
    run(world) {
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: { entry: assign({ n: 1 }), always: 'c' },
            c: { entry: assign({ n: ({ context }) => context.n + 1 }), always: 'd' },
            d: {},
          },
        }),
      )
      watch(world, hand.ref, 'root')
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).context)
    },
  },
  {
    name: 'observers are told after the actions, in the order they came',
    run(world) {
      const hand = world.start(walker(world))
      watch(world, hand.ref, 'one')
      watch(world, hand.ref, 'two')
      hand.send({ type: 'noted' })
      hand.send({ type: 'step' })
    },
  },
  {
    name: 'the last snapshot comes first and then the end',
    run(world) {
      const hand = world.start(walker(world))
      watch(world, hand.ref, 'root')
      for (const type of ['step', 'finish', 'step']) hand.send({ type })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).output)
    },
  },
  {
    name: 'stopping is an end to observers, and what is sent later is ignored',
    run(world) {
      const hand = world.start(walker(world))
      watch(world, hand.ref, 'root')
      hand.send({ type: 'count' })
      hand.stop()
      hand.send({ type: 'count' })
      hand.stop()
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).context)
    },
  },
  {
    name: 'a failure is told to each observer, and is no end',
    run(world) {
      const hand = world.start(walker(world))
      watch(world, hand.ref, 'one')
      watch(world, hand.ref, 'two')
      hand.send({ type: 'fail' })
      hand.send({ type: 'step' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
  {
    name: 'who subscribes to what has ended is told of the end at once',
    run(world) {
      const done = world.start(walker(world))
      done.send({ type: 'step' })
      done.send({ type: 'finish' })
      watch(world, done.ref, 'done')
      const failed = world.start(walker(world))
      failed.send({ type: 'fail' })
      watch(world, failed.ref, 'failed')
      const stopped = world.start(walker(world))
      stopped.stop()
      watch(world, stopped.ref, 'stopped')
      world.note('through')
    },
  },
  {
    name: 'who unsubscribes is told no more, also within a notice',
    run(world) {
      const hand = world.start(walker(world))
      const first = hand.ref.subscribe(() => world.note('first'))
      const second = hand.ref.subscribe(() => {
        world.note('second')
        second.unsubscribe()
      })
      hand.send({ type: 'count' })
      hand.send({ type: 'count' })
      first.unsubscribe()
      first.unsubscribe()
      hand.send({ type: 'count' })
      world.note(viewOf(hand.ref).context)
    },
  },
  {
    name: 'observers may be given as functions in a row',
    run(world) {
      const subscribe = (ref: AnyActorRef, name: string) => {
        ref.subscribe(
          () => world.note(name, 'next'),
          (error: unknown) => world.note(name, 'error', error),
          () => world.note(name, 'complete'),
        )
      }
      const done = world.start(walker(world))
      subscribe(done.ref, 'done')
      done.send({ type: 'step' })
      done.send({ type: 'finish' })
      const failed = world.start(walker(world))
      subscribe(failed.ref, 'failed')
      failed.send({ type: 'fail' })
    },
  },
  {
    name: 'an observer that sends is answered by a further notice',
    run(world) {
      const hand = world.start(walker(world))
      hand.ref.subscribe((snapshot: View) => {
        const { n } = snapshot.context as { n: number }
        world.note('seen', n)
        if (n < 3) hand.ref.send({ type: 'count' })
      })
      hand.send({ type: 'count' })
      world.note(viewOf(hand.ref).context)
    },
  },
  {
    name: 'emitted events are heard by type and by all, until the listener leaves',
    run(world) {
      const hand = world.start(walker(world))
      const heard = hand.ref.on('counted', (event: unknown) => world.note('counted', event))
      hand.ref.on('*', (event: unknown) => world.note('any', event))
      hand.ref.on('other', () => world.note('other'))
      hand.send({ type: 'count' })
      heard.unsubscribe()
      hand.send({ type: 'count' })
      hand.send({ type: 'step' })
    },
  },
  {
    name: 'emitted events are heard before observers are told, and not after a stop',
    run(world) {
      const hand = world.start(walker(world))
      hand.ref.on('counted', () => world.note('emitted', viewOf(hand.ref).context))
      hand.ref.subscribe(() => world.note('seen'))
      hand.send({ type: 'count' })
      hand.stop()
      hand.send({ type: 'count' })
    },
  },
  {
    name: 'a machine that ends at once ends its observers, early or late',
    run(world) {
      const hand = world.start(
        createMachine({ types, initial: 'end', states: { end: { type: 'final' } }, output: 5 }),
      )
      watch(world, hand.ref, 'late')
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).output)
    },
  },
  {
    name: 'select tells only of what changed',
    run(world) {
      const hand = world.start(walker(world))
      const count = hand.ref.select((snapshot: View) => (snapshot.context as { n: number }).n)
      count.subscribe((n: number) => world.note('count', n))
      for (const type of ['step', 'count', 'noted', 'count']) hand.send({ type })
      world.note(count.get())
    },
  },
]

function watch(world: World, ref: AnyActorRef, name: string): void {
  ref.subscribe({
    next: (snapshot: View) => world.note(name, 'next', snapshot.status, snapshot.value),
    error: (error: unknown) => world.note(name, 'error', error),
    complete: () => world.note(name, 'complete'),
  })
}

function walker(world: World) {
  return createMachine({
    types: counting,
    context: { n: 0 },
    initial: 'a',
    on: {
      noted: { actions: says(world, 'walker') },
      count: {
        actions: [
          assign({ n: ({ context }) => context.n + 1 }),
          emit(({ context }) => ({ type: 'counted', n: context.n })),
        ],
      },
      fail: {
        actions: () => {
          throw new Error('as asked')
        },
      },
    },
    states: {
      a: { on: { step: 'b' } },
      b: { on: { step: 'a', finish: 'c' } },
      c: { type: 'final' },
    },
    output: ({ context }) => ({ n: context.n }),
  })
}
