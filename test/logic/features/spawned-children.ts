import {
  assign,
  createMachine,
  enqueueActions,
  fromCallback,
  fromPromise,
  fromTransition,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childIds, childOf, counting, numbered, says, shows } from './actor-views.ts'
import { tells, types, viewOf } from './actor-views.ts'
import type { Ev } from './actor-views.ts'

interface Scope {
  readonly context: { readonly n: number }
  readonly event: Ev
}

/** Children of `spawnChild`: they live until they are stopped or their parent ends. */
export const spawnedChildrenScripts: readonly Script[] = [
  {
    name: 'a spawned child outlives the state that spawned it',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          on: { ask: { actions: sendTo('w', { type: 'ask' }) } },
          states: {
            a: {
              entry: [spawnChild(worker(world, 'w'), { id: 'w' }), says(world, 'a')],
              on: { go: 'b' },
            },
            b: { on: { finish: 'c' } },
            c: { type: 'final' },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.send({ type: 'ask' })
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
      hand.send({ type: 'finish' })
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'the action after a spawn runs before the child starts',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          on: {
            go: {
              actions: [
                says(world, 'before'),
                spawnChild(worker(world, 'w'), { id: 'w' }),
                sendTo('w', { type: 'ask' }),
                says(world, 'after'),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(childIds(hand.ref), childOf(hand.ref, 'w').id)
    },
  },
  {
    name: 'a spawned child gets its id and its input from what is at hand',
    run(world) {
      const child = createMachine({
        types: {} as { context: { n: number }; input: { n: number } },
        context: ({ input }) => ({ n: input.n }),
        entry: ({ context }) => world.note('child', context),
      })
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 100 },
          on: {
            add: {
              actions: [
                spawnChild(child, {
                  id: ({ event }) => `c${event.n}`,
                  input: ({ context, event }: Scope) => ({ n: context.n + event.n! }),
                }),
                assign({ n: ({ context }) => context.n * 2 }),
              ],
            },
            greet: { actions: sendTo(({ event }) => `c${event.n}`, { type: 'hi' }) },
          },
        }),
      )
      hand.send(numbered('add', 1))
      hand.send(numbered('add', 2))
      hand.send(numbered('greet', 2))
      world.note(childIds(hand.ref), viewOf(childOf(hand.ref, 'c2')).context)
    },
  },
  {
    name: 'stopChild stops by id, by ref and by a function',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          entry: ['a', 'b', 'c', 'd'].map((id) => spawnChild(worker(world, id), { id })),
          on: {
            byId: { actions: stopChild('a') },
            byRef: { actions: stopChild(({ event }) => event.from!) },
            byName: { actions: stopChild(() => 'c') },
          },
        }),
      )
      const b = childOf(hand.ref, 'b')
      hand.send({ type: 'byId' })
      hand.send({ type: 'byRef', from: b } as Ev)
      hand.send({ type: 'byName' })
      world.note(childIds(hand.ref), viewOf(b).status)
      hand.send({ type: 'byId' })
      world.note(viewOf(hand.ref).status)
    },
  },
  {
    name: 'what was sent before stopChild is received, what is sent after it is not',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          entry: spawnChild(worker(world, 'w'), { id: 'w' }),
          on: {
            end: { actions: [sendTo('w', { type: 'ask' }), stopChild('w'), says(world, 'end')] },
          },
        }),
      )
      const w = childOf(hand.ref, 'w')
      hand.send({ type: 'end' })
      w.send({ type: 'ask' })
      world.note(childIds(hand.ref), viewOf(w).status)
    },
  },
  {
    name: 'a child that is stopped by the actions that spawned it never starts',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          on: {
            go: {
              actions: [
                spawnChild(worker(world, 'w'), { id: 'w' }),
                stopChild('w'),
                says(world, 'through'),
              ],
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'an id is free again once its child was stopped',
    run(world) {
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          on: {
            renew: {
              actions: [
                stopChild('w'),
                assign({ n: ({ context }) => context.n + 1 }),
                spawnChild(numberedWorker(world), {
                  id: 'w',
                  input: ({ context }: Scope) => context.n,
                }),
              ],
            },
            ask: { actions: sendTo('w', { type: 'ask' }) },
          },
        }),
      )
      for (const type of ['renew', 'ask', 'renew', 'ask']) hand.send({ type })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'the end of a spawned child is an event of the parent',
    async run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          entry: [
            spawnChild(
              fromPromise(async () => 'value'),
              { id: 'good' },
            ),
            spawnChild(
              fromPromise(() => Promise.reject(new Error('no'))),
              { id: 'bad' },
            ),
          ],
          states: {
            a: { on: { 'xstate.done.actor.good': { target: 'b', actions: tells(world) } } },
            b: { on: { 'xstate.error.actor.bad': { target: 'c', actions: tells(world) } } },
            c: {},
          },
        }),
      )
      await hand.settle()
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'an error of a spawned child that nobody handles fails the parent',
    async run(world) {
      const hand = world.start(
        createMachine({
          types,
          entry: spawnChild(
            fromPromise(() => Promise.reject(new Error('no'))),
            { id: 'p' },
          ),
        }),
      )
      await hand.settle()
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
  {
    name: 'syncSnapshot lets the parent hear of each snapshot of a spawned child',
    run(world) {
      const count = fromTransition<number, Ev, never, undefined>((n) => n + 1, 0)
      const walker = createMachine({
        types,
        initial: 'one',
        states: {
          one: { on: { step: 'two' } },
          two: { on: { step: 'end' } },
          end: { type: 'final' },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          entry: [
            spawnChild(count, { id: 'loud', syncSnapshot: true }),
            spawnChild(count, { id: 'quiet' }),
            spawnChild(walker, { id: 'walker', syncSnapshot: true }),
          ],
          on: {
            step: {
              actions: ['loud', 'quiet', 'walker'].map((id) => sendTo(id, { type: 'step' })),
            },
            'xstate.snapshot.*': { actions: shows(world) as never },
            'xstate.done.actor.*': { actions: tells(world) },
          },
        }),
      )
      hand.send({ type: 'step' })
      hand.send({ type: 'step' })
    },
  },
  {
    name: 'enqueueActions spawns, sends to and stops children',
    run(world) {
      const hand = world.start(
        createMachine({
          types: counting,
          context: { n: 0 },
          on: {
            go: {
              actions: enqueueActions(({ enqueue, context }) => {
                enqueue.spawnChild(worker(world, 'w'), { id: 'w' })
                enqueue.sendTo('w', { type: 'ask' })
                enqueue.assign({ n: context.n + 1 })
                enqueue(says(world, 'enqueued'))
              }),
            },
            end: {
              actions: enqueueActions(({ enqueue, check }) => {
                if (check(({ context }) => context.n === 1)) enqueue.stopChild('w')
              }),
            },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(childIds(hand.ref), viewOf(hand.ref).context)
      hand.send({ type: 'end' })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'spawned machines talk with their parent both ways, and each for itself',
    run(world) {
      const server = createMachine({
        types: counting,
        context: { n: 0 },
        on: {
          ping: {
            actions: [
              assign({ n: ({ context }) => context.n + 1 }),
              sendParent(({ context, self }) => ({ type: `pong.${self.id}`, n: context.n })),
            ],
          },
        },
      })
      const hand = world.start(
        createMachine({
          types,
          entry: [spawnChild(server, { id: 'a' }), spawnChild(server, { id: 'b' })],
          on: {
            one: { actions: sendTo('a', { type: 'ping' }) },
            both: { actions: [sendTo('b', { type: 'ping' }), sendTo('a', { type: 'ping' })] },
            'pong.*': { actions: tells(world) },
          },
        }),
      )
      for (const type of ['one', 'both', 'one']) hand.send({ type })
    },
  },
  {
    name: 'a named logic is spawned by its name',
    run(world) {
      const machine = createMachine({
        types: {} as typeof types & { actors: { src: 'w'; logic: ReturnType<typeof worker> } },
        entry: spawnChild('w', { id: 'x' }),
        on: { ask: { actions: sendTo('x', { type: 'ask' }) } },
      })
      world.start(machine.provide({ actors: { w: worker(world, 'w') } })).send({ type: 'ask' })
    },
  },
]

function worker(world: World, name: string) {
  return fromCallback<Ev>(({ receive }) => {
    world.note(name, 'starts')
    receive((event) => world.note(name, 'received', event.type))
    return () => world.note(name, 'stops')
  })
}

function numberedWorker(world: World) {
  return fromCallback<Ev, number>(({ input, receive }) => {
    world.note('worker', input, 'starts')
    receive((event) => world.note('worker', input, 'received', event.type))
    return () => world.note('worker', input, 'stops')
  })
}
