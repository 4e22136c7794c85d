import {
  assign,
  createMachine,
  emit,
  fromCallback,
  fromPromise,
  fromTransition,
  sendTo,
} from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, counting, says, tells, types, viewOf } from './actor-views.ts'
import type { Ev, View } from './actor-views.ts'
import { createDeferred } from './deferred.ts'

/** Who watches a child of a machine from outside. */
export const childObserverScripts: readonly Script[] = [
  {
    name: 'an observer of a child machine sees its steps and its end, and then the parent goes on',
    run(world) {
      const hand = world.start(parent(world))
      watch(world, childOf(hand.ref, 'c'), 'child')
      watch(world, hand.ref, 'parent')
      for (const type of ['count', 'finish']) hand.send({ type })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'an observer of a child that its parent stops sees the end',
    run(world) {
      const hand = world.start(parent(world))
      const child = childOf(hand.ref, 'c')
      watch(world, child, 'child')
      hand.send({ type: 'leave' })
      world.note(viewOf(child).status)
      watch(world, child, 'late')
    },
  },
  {
    name: 'an observer of a child that fails sees the error before the parent handles it',
    run(world) {
      const hand = world.start(parent(world))
      const child = childOf(hand.ref, 'c')
      watch(world, child, 'child')
      hand.send({ type: 'fail' })
      watch(world, child, 'late')
      world.note(viewOf(hand.ref).value, viewOf(child).status)
    },
  },
  {
    name: 'an observer of an invoked promise sees its value and its end',
    async run(world) {
      const work = createDeferred<number>()
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: {
                id: 'p',
                src: fromPromise(() => work.promise),
                onDone: { target: 'b', actions: tells(world) },
              },
            },
            b: {},
          },
        }),
      )
      const promise = childOf(hand.ref, 'p')
      promise.subscribe({
        next: ({ status, output }: View) => world.note('next', status, output),
        complete: () => world.note('complete'),
      })
      work.resolve(4)
      await hand.settle()
      world.note(viewOf(promise).output)
      promise.subscribe({ complete: () => world.note('late') })
    },
  },
  {
    name: 'an observer of a reducer sees each state',
    run(world) {
      const count = fromTransition<number, Ev, never, undefined>((n) => n + 1, 0)
      const hand = world.start(
        createMachine({
          types,
          invoke: { id: 'count', src: count },
          on: { step: { actions: sendTo('count', { type: 'x' }) } },
        }),
      )
      childOf(hand.ref, 'count').subscribe((snapshot: View) => world.note('seen', snapshot.context))
      hand.send({ type: 'step' })
      hand.send({ type: 'step' })
    },
  },
  {
    name: 'what a child emits is heard at the child, not at its parent',
    async run(world) {
      const shouting = fromCallback<Ev, undefined, Ev>(({ emit, receive }) => {
        receive((event) => emit({ type: 'echo', output: event.type }))
      })
      const working = fromPromise(async ({ emit }) => {
        await Promise.resolve()
        emit({ type: 'halfway' })
        await Promise.resolve()
        return 1
      })
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            { id: 'callback', src: shouting },
            { id: 'promise', src: working },
            { id: 'machine', src: counter() },
          ],
          on: { count: { actions: sendTo('machine', { type: 'count' }) } },
        }),
      )
      hand.ref.on('*', () => world.note('parent'))
      for (const id of ['callback', 'promise', 'machine']) {
        childOf(hand.ref, id).on('*', (event: unknown) => world.note(id, event))
      }
      childOf(hand.ref, 'callback').send({ type: 'hi' })
      hand.send({ type: 'count' })
      await hand.settle()
    },
  },
  {
    name: 'a listener to a child hears nothing more once the child is stopped',
    run(world) {
      const hand = world.start(parent(world))
      const child = childOf(hand.ref, 'c')
      child.on('counted', (event: unknown) => world.note('heard', event))
      hand.send({ type: 'count' })
      hand.send({ type: 'leave' })
      child.send({ type: 'count' })
    },
  },
  {
    name: 'an observer of a grandchild sees it stop with the root',
    run(world) {
      const middle = createMachine({ types, invoke: { id: 'inner', src: counter() } })
      const hand = world.start(createMachine({ types, invoke: { id: 'middle', src: middle } }))
      watch(world, childOf(hand.ref, 'middle', 'inner'), 'inner')
      watch(world, childOf(hand.ref, 'middle'), 'middle')
      watch(world, hand.ref, 'root')
      childOf(hand.ref, 'middle', 'inner').send({ type: 'count' })
      hand.stop()
    },
  },
]

function watch(world: World, ref: AnyActorRef, name: string): void {
  ref.subscribe({
    next: ({ status, value, context }: View) => world.note(name, 'next', status, value, context),
    error: (error: unknown) => world.note(name, 'error', error),
    complete: () => world.note(name, 'complete'),
  })
}

function counter() {
  return createMachine({
    types: counting,
    context: { n: 0 },
    initial: 'counting',
    states: {
      counting: {
        on: {
          count: {
            actions: [
              assign({ n: ({ context }) => context.n + 1 }),
              emit(({ context }) => ({ type: 'counted', n: context.n })),
            ],
          },
          finish: 'end',
          fail: {
            actions: () => {
              throw new Error('as asked')
            },
          },
        },
      },
      end: { type: 'final' },
    },
    output: ({ context }) => context.n,
  })
}

function parent(world: World) {
  const forward = { actions: sendTo('c', ({ event }: { event: Ev }) => event) }
  return createMachine({
    types,
    initial: 'a',
    states: {
      a: {
        invoke: {
          id: 'c',
          src: counter(),
          onDone: { target: 'b', actions: tells(world) },
          onError: { target: 'b', actions: tells(world) },
        },
        on: { count: forward, finish: forward, fail: forward, leave: 'b' },
      },
      b: { entry: says(world, 'b') },
    },
  })
}
