import { createMachine, fromPromise } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childIds, childOf, says, tells, types, viewOf } from './actor-views.ts'
import { createDeferred } from './deferred.ts'

/** Promises whose state is left before they settle. */
export const promiseAbortScripts: readonly Script[] = [
  {
    name: 'leaving the state aborts the signal, and the late value is not heard of',
    async run(world) {
      const work = createDeferred<string>()
      const hand = world.start(
        watched(
          world,
          fromPromise<string>(({ signal }) => {
            signal.addEventListener('abort', () => world.note('aborted'))
            return work.promise
          }),
        ),
      )
      const promise = childOf(hand.ref, 'p')
      hand.send({ type: 'leave' })
      world.note(viewOf(hand.ref).value, viewOf(promise).status, childIds(hand.ref))
      work.resolve('too late')
      await hand.settle()
      world.note(viewOf(hand.ref).value, viewOf(promise).status)
    },
  },
  {
    name: 'a rejection after the state was left harms nobody',
    async run(world) {
      const work = createDeferred<string>()
      const hand = world.start(
        watched(
          world,
          fromPromise<string>(() => work.promise),
        ),
      )
      hand.send({ type: 'leave' })
      work.reject(new Error('too late'))
      await hand.settle()
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).status)
    },
  },
  {
    name: 'stopping the machine aborts its promise, and a value does not',
    async run(world) {
      const work = createDeferred<string>()
      const watching = fromPromise<string>(({ signal }) => {
        signal.addEventListener('abort', () => world.note('aborted'))
        return work.promise
      })
      const stopped = world.start(watched(world, watching))
      stopped.stop()
      world.note('stopped')
      const fulfilled = world.start(watched(world, watching))
      work.resolve('in time')
      await fulfilled.settle()
      fulfilled.send({ type: 'leave' })
      fulfilled.stop()
      world.note(viewOf(stopped.ref).status, viewOf(fulfilled.ref).status)
    },
  },
  {
    name: 'reentering the state aborts the promise and asks again',
    async run(world) {
      let calls = 0
      const works = [createDeferred<string>(), createDeferred<string>()]
      const machine = createMachine({
        types,
        initial: 'busy',
        states: {
          busy: {
            invoke: {
              id: 'p',
              src: fromPromise(({ signal }) => {
                const mine = calls++
                signal.addEventListener('abort', () => world.note('aborted', mine))
                world.note('asked', mine)
                return works[mine]!.promise
              }),
              onDone: { actions: tells(world) },
            },
            on: { retry: { target: 'busy', reenter: true } },
          },
        },
      })
      const hand = world.start(machine)
      hand.send({ type: 'retry' })
      works[0]!.resolve('first')
      await hand.settle()
      works[1]!.resolve('second')
      await hand.settle()
    },
  },
  {
    name: 'of two promises that race, the first to settle decides and the other is aborted',
    async run(world) {
      const runners = ['tortoise', 'hare'].map((id) => ({ id, work: createDeferred<string>() }))
      const machine = createMachine({
        types,
        initial: 'racing',
        states: {
          racing: {
            invoke: runners.map(({ id, work }) => ({
              id,
              src: fromPromise<string>(({ signal }) => {
                signal.addEventListener('abort', () => world.note(id, 'aborted'))
                return work.promise
              }),
              onDone: { target: 'over', actions: tells(world) },
            })),
          },
          over: { entry: says(world, 'over') },
        },
      })
      const hand = world.start(machine)
      runners[1]!.work.resolve('first')
      runners[0]!.work.resolve('second')
      await hand.settle()
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'a delay that is over before the promise leaves the state and aborts it',
    async run(world) {
      const work = createDeferred<string>()
      const machine = createMachine({
        types,
        initial: 'busy',
        states: {
          busy: {
            invoke: {
              id: 'p',
              src: fromPromise<string>(({ signal }) => {
                signal.addEventListener('abort', () => world.note('aborted'))
                return work.promise
              }),
              onDone: 'inTime',
            },
            after: { 100: { target: 'tooLate', actions: says(world) } },
          },
          inTime: {},
          tooLate: {},
        },
      })
      const hand = world.start(machine)
      hand.advance(99)
      world.note(viewOf(hand.ref).value)
      hand.advance(1)
      work.resolve('value')
      await hand.settle()
      world.note(viewOf(hand.ref).value)
    },
  },
]

/** Runs the actor "p" until it is left, and hears everything else. */
function watched(world: World, src: ReturnType<typeof fromPromise<string>>) {
  return createMachine({
    types,
    initial: 'busy',
    on: { '*': { actions: tells(world, 'other') } },
    states: {
      busy: { invoke: { id: 'p', src, onDone: { actions: tells(world) } }, on: { leave: 'idle' } },
      idle: { entry: says(world, 'idle') },
    },
  })
}
