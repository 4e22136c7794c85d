import {
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
} from 'xstate'
import type { ActorLogic, AnyActorRef, Snapshot, Subscription } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { numbered, viewOf } from './actor-views.ts'
import type { Ev, View } from './actor-views.ts'
import { createDeferred } from './deferred.ts'
import { createSource, valuesOf } from './subscribable.ts'

/** Logic that is no machine, started as the root of its own system. */
export const rootLogicScripts: readonly Script[] = [
  {
    name: 'a promise as root is active, then done with its value as output',
    async run(world) {
      const work = createDeferred<number>()
      const hand = world.start(
        fromPromise<number, { n: number }>(async ({ input }) => (await work.promise) + input.n),
        { input: { n: 2 } },
      )
      watch(world, hand.ref)
      hand.send({ type: 'ignored' })
      show(world, hand.ref)
      work.resolve(40)
      await hand.settle()
      show(world, hand.ref)
    },
  },
  {
    name: 'a promise as root that rejects fails the root',
    async run(world) {
      const hand = world.start(fromPromise(() => Promise.reject(new Error('no'))))
      watch(world, hand.ref)
      await hand.settle()
      show(world, hand.ref)
    },
  },
  {
    name: 'a promise as root whose creator throws fails while it starts',
    run(world) {
      const hand = world.start(
        fromPromise(() => {
          throw new Error('no creator')
        }),
      )
      show(world, hand.ref)
      watch(world, hand.ref)
    },
  },
  {
    name: 'stopping a promise that is a root aborts it, and its value is not heard of',
    async run(world) {
      const work = createDeferred<number>()
      const hand = world.start(
        fromPromise(({ signal, self, system }) => {
          world.note(typeof self.send, typeof system.get, signal.aborted)
          signal.addEventListener('abort', () => world.note('aborted'))
          return work.promise
        }),
      )
      watch(world, hand.ref)
      hand.stop()
      work.resolve(1)
      await hand.settle()
      show(world, hand.ref)
    },
  },
  {
    name: 'a reducer as root counts and tells its observers',
    run(world) {
      const hand = world.start(
        fromTransition<{ n: number }, Ev, never, { n: number }>(
          (state, event) => (event.type === 'add' ? { n: state.n + event.n! } : state),
          ({ input }) => ({ n: input.n }),
        ),
        { input: { n: 10 } },
      )
      const watching = watch(world, hand.ref)
      hand.send(numbered('add', 5))
      hand.send({ type: 'other' })
      show(world, hand.ref)
      watching.unsubscribe()
      hand.send(numbered('add', 5))
      world.note(viewOf(hand.ref).context)
      hand.stop()
    },
  },
  {
    name: 'a reducer as root that throws fails with the last state kept',
    run(world) {
      const hand = world.start(
        fromTransition<number, Ev, never, undefined>((n, event) => {
          if (event.type === 'bad') throw new Error('bad')
          return n + 1
        }, 0),
      )
      for (const type of ['good', 'bad', 'good']) hand.send({ type })
      show(world, hand.ref)
    },
  },
  {
    name: 'a reducer sends itself events and emits them',
    run(world) {
      const hand = world.start(
        fromTransition<readonly string[], Ev, never, undefined>((seen, event, { self, emit }) => {
          if (event.type === 'go') (self as AnyActorRef).send({ type: 'went' })
          ;(emit as unknown as (event: Ev) => void)({ type: `emitted.${event.type}` })
          return [...seen, event.type]
        }, []),
      )
      hand.ref.on('*', (event: unknown) => world.note(event))
      hand.send({ type: 'go' })
      hand.send({ type: 'end' })
      show(world, hand.ref)
    },
  },
  {
    name: 'a callback as root receives, emits and is cleaned up on stop',
    run(world) {
      const hand = world.start(
        fromCallback<Ev, { word: string }>(({ receive, input, emit, sendBack }) => {
          world.note('starts with', input)
          sendBack({ type: 'to nobody' })
          receive((event) => {
            world.note('received', event)
            emit({ type: 'heard' })
          })
          return () => world.note('cleaned')
        }),
        { input: { word: 'hi' } },
      )
      hand.ref.on('heard', () => world.note('heard'))
      watch(world, hand.ref)
      hand.send(numbered('x', 1))
      world.note(viewOf(hand.ref).status)
      hand.stop()
      hand.send(numbered('x', 2))
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'a callback as root that throws, at once or on an event, fails the root',
    run(world) {
      const atOnce = world.start(
        fromCallback(() => {
          throw new Error('at once')
        }),
      )
      show(world, atOnce.ref)
      const later = world.start(
        fromCallback(({ receive }) => {
          receive(() => {
            throw new Error('on an event')
          })
        }),
      )
      world.note(viewOf(later.ref).status)
      later.send({ type: 'x' })
      show(world, later.ref)
    },
  },
  {
    name: 'an observable as root shows each value as context, and is done',
    run(world) {
      const source = createSource<number>(world, 'source')
      const hand = world.start(fromObservable(() => source))
      watch(world, hand.ref)
      show(world, hand.ref)
      source.next(1)
      source.next(2)
      hand.send({ type: 'ignored' })
      source.complete()
      show(world, hand.ref)
    },
  },
  {
    name: 'an observable as root that errs fails the root, and one that is stopped unsubscribes',
    run(world) {
      const bad = createSource<number>(world, 'bad')
      const failed = world.start(fromObservable(() => bad))
      bad.error('dried up')
      show(world, failed.ref)
      const endless = createSource<number>(world, 'endless')
      const stopped = world.start(fromObservable(() => endless))
      endless.next(1)
      stopped.stop()
      endless.next(2)
      show(world, stopped.ref)
    },
  },
  {
    name: 'an observable as root that gives all at once is done when it has started',
    run(world) {
      const hand = world.start(
        fromObservable(({ input }: { input: number }) => valuesOf(input, input + 1)),
        { input: 3 },
      )
      show(world, hand.ref)
      watch(world, hand.ref)
    },
  },
  {
    name: 'an event observable as root has nobody to tell, and ends with its source',
    run(world) {
      const source = createSource<Ev>(world, 'source')
      const hand = world.start(fromEventObservable(() => source))
      watch(world, hand.ref)
      source.next({ type: 'x' })
      show(world, hand.ref)
      source.complete()
      show(world, hand.ref)
    },
  },
  {
    name: 'logic written by hand as root starts, steps and is done with its output',
    run(world) {
      const hand = world.start(countsDown(world), { input: 2 })
      watch(world, hand.ref)
      for (const type of ['x', 'x', 'x']) hand.send({ type })
      show(world, hand.ref)
    },
  },
]

function watch(world: World, ref: AnyActorRef): Subscription {
  return ref.subscribe({
    next: ({ status, context, output }: View) => world.note('next', status, context, output),
    error: (error: unknown) => world.note('error', error),
    complete: () => world.note('complete'),
  })
}

function show(world: World, ref: AnyActorRef): void {
  const { status, context, output, error } = viewOf(ref)
  world.note(status, context, output, error)
}

function countsDown(
  world: World,
): ActorLogic<Snapshot<string> & { readonly context: number }, Ev, number> {
  return {
    getInitialSnapshot: (_, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      context: input,
    }),
    start: ({ context }) => world.note('starts at', context),
    transition(snapshot) {
      const context = snapshot.context - 1
      if (context > 0) return { ...snapshot, context }
      return { status: 'done', output: 'down', error: undefined, context }
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  }
}
