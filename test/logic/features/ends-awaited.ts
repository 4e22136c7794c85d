import { assign, createMachine, fromPromise, toPromise, waitFor } from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, counting, types } from './actor-views.ts'
import type { View } from './actor-views.ts'

/** XState's own `waitFor` and `toPromise`, given a ref. */
export const endsAwaitedScripts: readonly Script[] = [
  {
    name: 'waitFor gives the present snapshot when it fits already',
    async run(world) {
      const hand = world.start(walker())
      await report(world, reaches(hand.ref, 'a'))
    },
  },
  {
    name: 'waitFor gives the first snapshot that fits',
    async run(world) {
      const hand = world.start(walker())
      const waiting = report(world, reaches(hand.ref, 'b'))
      await hand.settle()
      world.note('not yet')
      hand.send({ type: 'step' })
      hand.send({ type: 'step' })
      await waiting
    },
  },
  {
    name: 'waitFor is met by the very last snapshot',
    async run(world) {
      const hand = world.start(walker())
      const waiting = report(world, reaches(hand.ref, 'c'))
      hand.send({ type: 'step' })
      hand.send({ type: 'step' })
      await waiting
      await report(world, reaches(hand.ref, 'c'))
    },
  },
  {
    name: 'waitFor rejects when the actor ends without meeting it',
    async run(world) {
      const done = world.start(walker())
      const never = report(world, reaches(done.ref, 'nowhere'))
      done.send({ type: 'step' })
      done.send({ type: 'step' })
      await never
      await report(world, reaches(done.ref, 'nowhere'))
      const stopped = world.start(walker())
      const cut = report(world, reaches(stopped.ref, 'c'))
      stopped.stop()
      await cut
    },
  },
  {
    name: 'waitFor rejects with the error of an actor that fails',
    async run(world) {
      const hand = world.start(walker())
      const waiting = report(world, reaches(hand.ref, 'b'))
      hand.send({ type: 'fail' })
      await waiting
      await report(world, reaches(hand.ref, 'b'))
    },
  },
  {
    name: 'waitFor is given up by a signal, before or while it waits',
    async run(world) {
      const hand = world.start(walker())
      const control = new AbortController()
      const waiting = report(world, reaches(hand.ref, 'b', control.signal))
      control.abort(new Error('no time'))
      await waiting
      await report(world, reaches(hand.ref, 'a', control.signal))
      hand.send({ type: 'step' })
      const late = new AbortController()
      await report(world, reaches(hand.ref, 'b', late.signal))
      late.abort()
    },
  },
  {
    name: 'waitFor waits for a child as for a root',
    async run(world) {
      const hand = world.start(createMachine({ types, invoke: { id: 'c', src: walker() } }))
      const child = childOf(hand.ref, 'c')
      const waiting = report(world, reaches(child, 'b'))
      child.send({ type: 'step' })
      await waiting
    },
  },
  {
    name: 'toPromise gives the output, also late',
    async run(world) {
      const hand = world.start(walker())
      const output = outcome(world, toPromise(hand.ref))
      hand.send({ type: 'step' })
      await hand.settle()
      world.note('not yet')
      hand.send({ type: 'step' })
      await output
      await outcome(world, toPromise(hand.ref))
    },
  },
  {
    name: 'toPromise rejects when the actor fails, also late',
    async run(world) {
      const hand = world.start(walker())
      const output = outcome(world, toPromise(hand.ref))
      hand.send({ type: 'fail' })
      await output
      await outcome(world, toPromise(hand.ref))
    },
  },
  {
    name: 'toPromise of a promise that is a root, or a child, gives its value',
    async run(world) {
      const root = world.start(fromPromise(async () => 'root'))
      await outcome(world, toPromise(root.ref))
      const parent = world.start(
        createMachine({
          types,
          invoke: { id: 'p', src: fromPromise(async () => 'child'), onDone: {} },
        }),
      )
      await outcome(world, toPromise(childOf(parent.ref, 'p')))
    },
  },
  {
    name: 'toPromise of a machine that is stopped gives nothing',
    async run(world) {
      const hand = world.start(walker())
      const output = outcome(world, toPromise(hand.ref))
      hand.stop()
      await output
    },
  },
  {
    name: 'toPromise of a machine that ends at once gives its output',
    async run(world) {
      const hand = world.start(
        createMachine({ types, initial: 'end', states: { end: { type: 'final' } }, output: 9 }),
      )
      await outcome(world, toPromise(hand.ref))
    },
  },
]

function reaches(ref: AnyActorRef, value: string, signal?: AbortSignal): Promise<View> {
  const fits = (snapshot: View) => snapshot.value === value
  return waitFor(ref, fits, signal ? { signal } : {}) as Promise<View>
}

async function report(world: World, waiting: Promise<View>): Promise<void> {
  await waiting.then(
    ({ status, value, context }) => world.note('reached', status, value, context),
    (error: unknown) => world.note('rejected', error),
  )
}

async function outcome(world: World, waiting: Promise<unknown>): Promise<void> {
  await waiting.then(
    (output) => world.note('output', output),
    (error: unknown) => world.note('rejected', error),
  )
}

function walker() {
  return createMachine({
    types: counting,
    context: { n: 0 },
    initial: 'a',
    on: {
      fail: {
        actions: () => {
          throw new Error('as asked')
        },
      },
    },
    states: {
      a: { on: { step: { target: 'b', actions: assign({ n: 1 }) } } },
      b: { on: { step: { target: 'c', actions: assign({ n: 2 }) } } },
      c: { type: 'final' },
    },
    output: ({ context }) => ({ n: context.n }),
  })
}
