import {
  createMachine,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate'
import type { AnyActorRef } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childOf, numbered, says, tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'
import { valuesOf } from './subscribable.ts'

/** Actors that a whole system knows by a `systemId`. */
export const systemIdScripts: readonly Script[] = [
  {
    name: 'an actor of the system is found by a sibling that has no ref to it',
    run(world) {
      const sender = createMachine({
        types,
        entry: sendTo(({ system }) => get(system, 'receiver')!, { type: 'hello' }),
      })
      world
        .start(
          createMachine({
            types,
            initial: 'a',
            states: { a: { on: { go: 'b' } }, b: { invoke: [hears(world), { src: sender }] } },
          }),
        )
        .send({ type: 'go' })
    },
  },
  {
    name: 'an action finds actors of the system, and those it does not know are not there',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: hears(world),
          on: {
            look: {
              actions: ({ system }) => {
                world.note(get(system, 'receiver')?.id, get(system, 'nobody'))
              },
            },
            send: {
              actions: sendTo(
                ({ system }) => get(system, 'receiver')!,
                ({ event }) => event,
              ),
            },
          },
        }),
      )
      hand.send({ type: 'look' })
      hand.send(numbered('send', 3))
    },
  },
  {
    name: 'the script itself finds actors of the system',
    run(world) {
      const child = createMachine({ types, invoke: hears(world) })
      const hand = world.start(
        createMachine({ types, invoke: { id: 'c', systemId: 'child', src: child } }),
      )
      const receiver = get(hand.ref.system, 'receiver')
      receiver?.send({ type: 'hello' })
      world.note(receiver === childOf(hand.ref, 'c', 'r'))
      world.note(get(hand.ref.system, 'child') === childOf(hand.ref, 'c'))
      world.note(Object.keys(hand.ref.system.getAll()).sort())
    },
  },
  {
    name: 'promises, callbacks, observables and reducers get the system',
    async run(world) {
      const found = (system: unknown) => get(system, 'receiver')?.id
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            hears(world),
            {
              src: fromPromise(async ({ system }) => found(system)),
              onDone: { actions: tells(world, 'promise') },
            },
            { src: fromCallback(({ system }) => world.note('callback', found(system))) },
            {
              src: fromObservable(({ system }) => {
                world.note('observable', found(system))
                return valuesOf(1)
              }),
            },
            {
              src: fromEventObservable(({ system }) => valuesOf({ type: `is.${found(system)}` })),
            },
            {
              id: 'reducer',
              src: fromTransition<unknown, Ev, never, undefined>(
                (_state, _event, { system }) => found(system),
                'none',
              ),
            },
          ],
          on: {
            'is.*': { actions: says(world) },
            go: { actions: sendTo('reducer', { type: 'go' }) },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(childOf(hand.ref, 'reducer')).context)
      await hand.settle()
    },
  },
  {
    name: 'an actor leaves the system with the state that invoked it',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { invoke: hears(world), on: { leave: 'b', finish: 'c' } },
            b: {},
            c: { type: 'final' },
          },
        }),
      )
      world.note(get(hand.ref.system, 'receiver')?.id)
      hand.send({ type: 'leave' })
      world.note(get(hand.ref.system, 'receiver'))
    },
  },
  {
    name: 'an actor leaves the system when it is done',
    async run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: {
            id: 'p',
            systemId: 'promise',
            src: fromPromise(async () => 1),
            onDone: { actions: ({ system }) => world.note('done', get(system, 'promise')) },
          },
        }),
      )
      world.note(get(hand.ref.system, 'promise')?.id)
      await hand.settle()
      world.note(get(hand.ref.system, 'promise'))
    },
  },
  {
    name: 'a spawned actor joins the system, and stopChild takes it out',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          on: {
            join: { actions: spawnChild(listener(world), { id: 'r', systemId: 'receiver' }) },
            hello: { actions: sendTo(({ system }) => get(system, 'receiver')!, { type: 'hello' }) },
            leave: { actions: stopChild('r') },
          },
        }),
      )
      for (const type of ['join', 'hello', 'leave', 'join', 'hello']) hand.send({ type })
      hand.send({ type: 'leave' })
      world.note(get(hand.ref.system, 'receiver'))
    },
  },
  {
    name: 'two actors cannot have the same systemId',
    run(world) {
      const twin = () => ({ systemId: 'twin', src: fromCallback(() => undefined) })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: { a: { on: { go: 'b' } }, b: { invoke: [twin(), twin()] } },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
  {
    name: 'a systemId goes over to the new actor when its state is reentered',
    run(world) {
      let count = 0
      const counted = fromCallback<Ev>(({ receive }) => {
        const mine = ++count
        receive((event) => world.note('listener', mine, event.type))
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: {
              invoke: { systemId: 'listener', src: counted },
              on: { again: { target: 'a', reenter: true } },
            },
          },
        }),
      )
      get(hand.ref.system, 'listener')?.send({ type: 'x' })
      hand.send({ type: 'again' })
      get(hand.ref.system, 'listener')?.send({ type: 'y' })
    },
  },
  {
    name: 'a systemId deep inside goes over as well when a state above is reentered',
    run(world) {
      const grandchild = createMachine({ types, invoke: hears(world) })
      const child = createMachine({ types, invoke: { systemId: 'middle', src: grandchild } })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { invoke: { src: child }, on: { again: { target: 'a', reenter: true } } },
          },
        }),
      )
      hand.send({ type: 'again' })
      get(hand.ref.system, 'receiver')?.send({ type: 'after' })
      world.note(viewOf(hand.ref).status, Object.keys(hand.ref.system.getAll()).sort())
    },
  },
  {
    name: 'an ancestor with a systemId is spoken to from far below',
    run(world) {
      const leaf = createMachine({
        types,
        entry: sendTo(({ system }) => get(system, 'top')!, { type: 'risen' }),
      })
      const top = createMachine({
        types,
        invoke: { src: createMachine({ types, invoke: { src: leaf } }) },
        on: { risen: { actions: says(world) } },
      })
      world.start(createMachine({ types, invoke: { id: 'top', systemId: 'top', src: top } }))
    },
  },
]

function get(system: unknown, systemId: string): AnyActorRef | undefined {
  return (system as { get(id: string): AnyActorRef | undefined }).get(systemId)
}

function listener(world: World) {
  return fromCallback<Ev>(({ receive }) => {
    receive((event) => world.note('received', event))
    return () => world.note('receiver stops')
  })
}

const hears = (world: World) => ({ id: 'r', systemId: 'receiver', src: listener(world) })
