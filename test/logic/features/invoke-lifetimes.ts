import { assign, createMachine, fromCallback, raise, sendParent, sendTo } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { childIds, childOf, counting, says, types, viewOf } from './actor-views.ts'

/** When an invoked actor starts and stops, as its state is entered and left. */
export const invokeLifetimeScripts: readonly Script[] = [
  {
    name: 'an actor starts after the entry actions and stops after the exit actions',
    run(world) {
      const parent = createMachine({
        types,
        initial: 'idle',
        states: {
          idle: { on: { go: 'busy' } },
          busy: {
            entry: says(world, 'entry'),
            exit: says(world, 'exit'),
            invoke: { id: 'w', src: numberedWorker(world) },
            initial: 'inner',
            states: {
              inner: { entry: says(world, 'inner entry'), exit: says(world, 'inner exit') },
            },
            on: { leave: { target: 'idle', actions: says(world, 'transition') } },
          },
        },
      })
      const hand = world.start(parent)
      hand.send({ type: 'go' })
      world.note(childIds(hand.ref))
      hand.send({ type: 'leave' })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'a transition that stays inside leaves the actor alone, reentering starts it anew',
    run(world) {
      const parent = createMachine({
        types,
        initial: 'busy',
        states: {
          busy: {
            invoke: { id: 'w', src: numberedWorker(world) },
            on: {
              stay: { actions: says(world, 'busy') },
              inward: { target: '.inner', actions: says(world, 'busy') },
              again: { target: 'busy', reenter: true, actions: says(world, 'busy') },
              self: { target: 'busy', actions: says(world, 'busy') },
            },
            initial: 'inner',
            states: { inner: {} },
          },
        },
      })
      const hand = world.start(parent)
      for (const type of ['stay', 'inward', 'self', 'again', 'stay']) hand.send({ type })
    },
  },
  {
    name: 'an actor of the root lives through all transitions but the reentering one',
    run(world) {
      const parent = createMachine({
        id: 'root',
        types,
        entry: says(world, 'entry'),
        invoke: { id: 'w', src: numberedWorker(world) },
        initial: 'one',
        on: {
          update: { actions: says(world, 'update') },
          move: '.two',
          anew: { target: '#two', reenter: true },
        },
        states: { one: {}, two: { id: 'two', entry: says(world, 'two') } },
      })
      const hand = world.start(parent)
      for (const type of ['update', 'move', 'anew', 'update']) hand.send({ type })
    },
  },
  {
    name: 'an actor whose state is left in the same macrostep never starts',
    run(world) {
      const leaf = createMachine({
        types,
        initial: 'active',
        states: {
          active: { invoke: { id: 'w', src: numberedWorker(world) }, always: 'inactive' },
          inactive: { entry: says(world, 'inactive') },
        },
      })
      const nested = createMachine({
        types,
        initial: 'outer',
        states: {
          outer: {
            invoke: { id: 'w', src: numberedWorker(world) },
            initial: 'first',
            states: { first: { always: 'second' }, second: { always: '#away' } },
          },
          away: { id: 'away', entry: says(world, 'away') },
        },
      })
      for (const machine of [leaf, nested]) world.note(childIds(world.start(machine).ref))
    },
  },
  {
    name: 'an actor whose state is left by a raised event never starts',
    run(world) {
      const parent = createMachine({
        types,
        initial: 'idle',
        states: {
          idle: { on: { go: 'busy' } },
          busy: {
            entry: raise({ type: 'leave' }),
            invoke: { id: 'w', src: numberedWorker(world) },
            on: { leave: 'idle' },
          },
        },
      })
      const hand = world.start(parent)
      hand.send({ type: 'go' })
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'an actor starts once when its state is left and entered again in one macrostep',
    run(world) {
      const parent = createMachine({
        types: counting,
        context: { n: 0 },
        initial: 'active',
        states: {
          active: {
            invoke: { id: 'w', src: numberedWorker(world) },
            always: { guard: ({ context }) => context.n === 0, target: 'inactive' },
            on: { away: 'bounce' },
          },
          inactive: { entry: assign({ n: ({ context }) => context.n + 1 }), always: 'active' },
          bounce: { entry: says(world, 'bounce'), always: 'active' },
        },
      })
      const hand = world.start(parent)
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
      hand.send({ type: 'away' })
    },
  },
  {
    name: 'several actors of one state start and stop in the order written',
    run(world) {
      const parent = createMachine({
        types,
        initial: 'busy',
        states: {
          busy: {
            invoke: [
              { id: 'a', src: worker(world, 'a') },
              { id: 'b', src: worker(world, 'b') },
              { id: 'c', src: worker(world, 'c') },
            ],
            on: { leave: 'idle' },
          },
          idle: { entry: says(world, 'idle') },
        },
      })
      const hand = world.start(parent)
      world.note(childIds(hand.ref))
      hand.send({ type: 'leave' })
      world.note(childIds(hand.ref))
    },
  },
  {
    name: 'actors of parent state, child state and regions start from outside in',
    run(world) {
      const parent = createMachine({
        types,
        initial: 'outer',
        invoke: { id: 'root', src: worker(world, 'root') },
        states: {
          outer: {
            type: 'parallel',
            invoke: { id: 'outer', src: worker(world, 'outer') },
            states: {
              left: { invoke: { id: 'left', src: worker(world, 'left') } },
              right: { invoke: { id: 'right', src: worker(world, 'right') } },
            },
            on: { leave: 'end' },
          },
          end: { type: 'final' },
        },
      })
      const hand = world.start(parent)
      hand.send({ type: 'leave' })
      world.note(viewOf(hand.ref).status, childIds(hand.ref))
    },
  },
  {
    name: 'one region stops its actor while another region starts one',
    run(world) {
      const parent = createMachine({
        types,
        type: 'parallel',
        states: {
          one: {
            initial: 'active',
            on: { stopOne: '.idle' },
            states: {
              idle: {},
              active: {
                invoke: { id: 'one', src: worker(world, 'one') },
                on: { next: { actions: raise({ type: 'stopOne' }) } },
              },
            },
          },
          two: {
            initial: 'idle',
            on: { next: '.active' },
            states: { idle: {}, active: { invoke: { id: 'two', src: worker(world, 'two') } } },
          },
        },
      })
      const hand = world.start(parent)
      hand.send({ type: 'next' })
      world.note(viewOf(hand.ref).value, childIds(hand.ref))
    },
  },
  {
    name: 'what an exit action sends reaches the child before it stops',
    run(world) {
      const child = createMachine({
        types,
        on: { last: { actions: [says(world, 'child'), sendParent({ type: 'heard' })] } },
        exit: says(world, 'child exit'),
        invoke: { src: worker(world, 'grandchild') },
      })
      const parent = createMachine({
        types,
        initial: 'busy',
        on: { heard: { actions: says(world, 'parent') } },
        states: {
          busy: {
            invoke: { id: 'c', src: child },
            exit: sendTo('c', { type: 'last' }),
            on: { leave: 'idle' },
          },
          idle: { entry: says(world, 'idle') },
        },
      })
      world.start(parent).send({ type: 'leave' })
    },
  },
  {
    name: 'stopping the parent stops children and grandchildren and runs no exit action',
    run(world) {
      const child = createMachine({
        types,
        exit: says(world, 'child exit'),
        invoke: [
          { id: 'x', src: worker(world, 'x') },
          { id: 'y', src: worker(world, 'y') },
        ],
      })
      const parent = createMachine({
        types,
        exit: says(world, 'parent exit'),
        invoke: [
          { id: 'c', src: child },
          { id: 'w', src: worker(world, 'w') },
        ],
      })
      const hand = world.start(parent)
      const inner = childOf(hand.ref, 'c')
      const innermost = childOf(hand.ref, 'c', 'x')
      hand.stop()
      world.note(viewOf(hand.ref).status, viewOf(inner).status, viewOf(innermost).status)
    },
  },
  {
    name: 'reaching the final state stops the actors of the root, however deep',
    run(world) {
      const child = createMachine({ types, invoke: { id: 'x', src: worker(world, 'x') } })
      const parent = createMachine({
        types,
        initial: 'a',
        invoke: [
          { id: 'w', src: worker(world, 'w') },
          { id: 'c', src: child },
        ],
        states: { a: { on: { finish: 'b' } }, b: { type: 'final', entry: says(world, 'b') } },
      })
      const hand = world.start(parent)
      const inner = childOf(hand.ref, 'c')
      hand.ref.subscribe({ complete: () => world.note('complete') })
      hand.send({ type: 'finish' })
      world.note(viewOf(hand.ref).status, childIds(hand.ref), viewOf(inner).status)
    },
  },
]

function worker(world: World, name: string) {
  return fromCallback(() => {
    world.note(name, 'starts')
    return () => world.note(name, 'stops')
  })
}

/** Each actor of this logic says which one it is. */
function numberedWorker(world: World) {
  let count = 0
  return fromCallback(() => {
    const mine = ++count
    world.note('worker', mine, 'starts')
    return () => world.note('worker', mine, 'stops')
  })
}
