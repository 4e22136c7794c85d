import { assign, createMachine, fromCallback, fromPromise, sendParent, sendTo } from 'xstate'
import type { AnyActorLogic } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childIds, childOf, counting, says, tells, types, viewOf } from './actor-views.ts'

/** How an error below finds the state that handles it, or the root. */
export const childErrorScripts: readonly Script[] = [
  {
    name: 'a child whose action throws fails, and onError gets the error',
    run(world) {
      const hand = world.start(parentOf(world, fragile(world)))
      const child = childOf(hand.ref, 'c')
      hand.send({ type: 'act' })
      world.note(viewOf(hand.ref).value, viewOf(hand.ref).status, childIds(hand.ref))
      world.note(viewOf(child).status, viewOf(child).value, viewOf(child).error)
    },
  },
  {
    name: 'a child whose assign throws fails before any later action',
    run(world) {
      const hand = world.start(parentOf(world, fragile(world)))
      hand.send({ type: 'assign' })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a child whose guard throws fails with an error that names the guard',
    run(world) {
      const hand = world.start(parentOf(world, fragile(world)))
      hand.send({ type: 'guard' })
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a child whose entry action throws fails on entering',
    run(world) {
      const hand = world.start(parentOf(world, fragile(world)))
      const child = childOf(hand.ref, 'c')
      hand.send({ type: 'enter' })
      world.note(viewOf(hand.ref).value, viewOf(child).value)
    },
  },
  {
    name: 'a child whose first entry action throws does not run the next',
    run(world) {
      const child = createMachine({
        types,
        entry: [
          says(world, 'one'),
          () => {
            throw new Error('two')
          },
          says(world, 'three'),
        ],
      })
      const hand = world.start(parentOf(world, child))
      world.note(viewOf(hand.ref).value)
    },
  },
  {
    name: 'a child whose context or first assign throws fails its parent only through onError',
    run(world) {
      const noContext = createMachine({
        types: counting,
        context: () => {
          throw new Error('no context')
        },
      })
      const noEntry = createMachine({
        types: counting,
        context: { n: 0 },
        entry: assign(() => {
          throw new Error('no entry')
        }),
      })
      for (const child of [noContext, noEntry]) {
        const hand = world.start(parentOf(world, child))
        world.note(viewOf(hand.ref).value, viewOf(hand.ref).status)
      }
    },
  },
  {
    name: 'an error that nobody handles rises through all levels to the root',
    async run(world) {
      const leaf = fromPromise(() => Promise.reject(new Error('at the bottom')))
      const two = createMachine({ types, invoke: { id: 'leaf', src: leaf } })
      const one = createMachine({ types, invoke: { id: 'two', src: two } })
      const hand = world.start(createMachine({ types, invoke: { id: 'one', src: one } }))
      const refs = [['one'], ['one', 'two'], ['one', 'two', 'leaf']].map((path) =>
        childOf(hand.ref, ...path),
      )
      await hand.settle()
      for (const ref of [hand.ref, ...refs]) world.note(viewOf(ref).status, viewOf(ref).error)
    },
  },
  {
    name: 'an error is handled by the first level that can, and does not rise further',
    async run(world) {
      const leaf = fromPromise(() => Promise.reject(new Error('at the bottom')))
      const two = createMachine({ types, invoke: { id: 'leaf', src: leaf } })
      const one = createMachine({
        types,
        initial: 'a',
        states: {
          a: { invoke: { id: 'two', src: two, onError: { target: 'b', actions: tells(world) } } },
          b: { entry: says(world, 'b') },
        },
      })
      const hand = world.start(createMachine({ types, invoke: { id: 'one', src: one } }))
      await hand.settle()
      world.note(viewOf(hand.ref).status, viewOf(childOf(hand.ref, 'one')).value)
    },
  },
  {
    name: 'an onError whose guard refuses leaves the error unhandled',
    run(world) {
      const broken = fromCallback(() => {
        throw new Error('broken')
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: { invoke: { src: broken, onError: { guard: () => false, target: 'c' } } },
            c: {},
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).value, viewOf(hand.ref).error)
    },
  },
  {
    name: 'an error handled by type, or by a wildcard, is handled',
    run(world) {
      const broken = fromCallback(() => {
        throw new Error('broken')
      })
      for (const type of ['xstate.error.actor.c', 'xstate.error.*', '*']) {
        const hand = world.start(
          createMachine({
            types,
            invoke: { id: 'c', src: broken },
            on: { [type]: { actions: tells(world, type) } },
          }),
        )
        world.note(viewOf(hand.ref).status)
      }
    },
  },
  {
    name: 'siblings of a failed child live on when its error is handled',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          type: 'parallel',
          on: { act: { actions: sendTo('c', { type: 'act' }) } },
          states: {
            one: {
              initial: 'a',
              states: {
                a: {
                  invoke: {
                    id: 'c',
                    src: fragile(world),
                    onError: { target: 'b', actions: says(world) },
                  },
                },
                b: {},
              },
            },
            two: { invoke: { id: 'w', src: worker(world) } },
          },
        }),
      )
      hand.send({ type: 'act' })
      world.note(childIds(hand.ref), viewOf(childOf(hand.ref, 'w')).status)
      hand.stop()
    },
  },
  {
    name: 'an unhandled error of one child stops the other children',
    async run(world) {
      const hand = world.start(
        createMachine({
          types,
          invoke: [
            { id: 'w', src: worker(world) },
            { id: 'p', src: fromPromise(() => Promise.reject(new Error('no'))) },
          ],
        }),
      )
      const sibling = childOf(hand.ref, 'w')
      await hand.settle()
      world.note(viewOf(hand.ref).status, viewOf(sibling).status)
    },
  },
  {
    name: 'a failed machine ignores what it is sent',
    run(world) {
      const hand = world.start(fragile(world))
      hand.send({ type: 'act' })
      hand.send({ type: 'fine' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).value)
    },
  },
  {
    name: 'a child that fails is invoked again by a state that retries',
    run(world) {
      const hand = world.start(
        createMachine({
          types,
          initial: 'busy',
          on: { act: { actions: sendTo('c', { type: 'act' }) } },
          states: {
            busy: {
              invoke: {
                id: 'c',
                src: fragile(world),
                onError: { target: 'resting', actions: says(world) },
              },
            },
            resting: { on: { retry: 'busy' } },
          },
        }),
      )
      for (const type of ['act', 'retry', 'act', 'retry']) hand.send({ type })
      world.note(viewOf(hand.ref).value, viewOf(childOf(hand.ref, 'c')).status)
    },
  },
  {
    name: 'an error thrown while an error is handled fails the parent',
    run(world) {
      const broken = fromCallback(() => {
        throw new Error('first')
      })
      const hand = world.start(
        createMachine({
          types,
          initial: 'a',
          states: {
            a: { on: { go: 'b' } },
            b: {
              invoke: {
                src: broken,
                onError: {
                  target: 'c',
                  actions: [
                    tells(world),
                    () => {
                      throw new Error('second')
                    },
                  ],
                },
              },
            },
            c: { entry: says(world, 'c') },
          },
        }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).value, viewOf(hand.ref).error)
    },
  },
  {
    name: 'sending to a child that is not there fails the machine',
    run(world) {
      const hand = world.start(
        createMachine({ id: 'm', types, on: { go: { actions: sendTo('nobody', { type: 'x' }) } } }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
  {
    name: 'sending to a parent fails a machine that has none',
    run(world) {
      const hand = world.start(
        createMachine({ id: 'm', types, on: { go: { actions: sendParent({ type: 'x' }) } } }),
      )
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).status, viewOf(hand.ref).error)
    },
  },
]

function parentOf(world: World, child: AnyActorLogic) {
  return createMachine({
    types,
    initial: 'a',
    on: { '*': { actions: sendTo('c', ({ event }) => event) } },
    states: {
      a: { invoke: { id: 'c', src: child, onError: { target: 'b', actions: tells(world) } } },
      b: { entry: says(world, 'b') },
    },
  })
}

/** Fails in the way that an event asks for. */
function fragile(world: World) {
  const fail = (why: string) => () => {
    throw new Error(why)
  }
  return createMachine({
    id: 'fragile',
    types: counting,
    context: { n: 0 },
    initial: 'whole',
    states: {
      whole: {
        on: {
          act: { actions: [says(world, 'before'), fail('action'), says(world, 'after')] },
          assign: {
            actions: [assign({ n: fail('assign') as () => number }), says(world, 'after')],
          },
          guard: { guard: fail('guard') as () => boolean, actions: says(world, 'after') },
          enter: { target: 'broken', actions: says(world, 'on the way') },
          fine: { actions: says(world, 'fine') },
        },
      },
      broken: { entry: [fail('entry'), says(world, 'entered')] },
    },
  })
}

function worker(world: World) {
  return fromCallback(() => {
    world.note('worker starts')
    return () => world.note('worker stops')
  })
}
