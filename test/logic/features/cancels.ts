import { cancel, createMachine, raise, sendTo } from 'xstate'
import type { Hand, Script, World } from '../worlds.ts'
import { counting, plain, sayer, sayEvent, type Ev, viewOf } from './action-kit.ts'

/** Two children that both raise `due` under the id `same` and may cancel it. */
function siblings(world: World, cancelled: string): Hand {
  const kid = (who: string) =>
    plain.createMachine({
      entry: raise({ type: 'due' }, { id: 'same', delay: 100 }),
      on: {
        due: { actions: sayer(world)(`${who} due`) },
        cancel: { actions: cancel('same') },
      },
    })
  return world.start(
    createMachine({
      invoke: [
        { id: 'one', src: kid('one') },
        { id: 'other', src: kid('other') },
      ],
      on: { cancel: { actions: sendTo(cancelled, { type: 'cancel' }) } },
    }),
  )
}

export const cancelScripts: readonly Script[] = [
  {
    name: 'cancel takes back a delayed event by its id, and that one only',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: {
              actions: [
                raise({ type: 'due', n: 1 }, { delay: 10, id: 'one' }),
                raise({ type: 'due', n: 2 }, { delay: 10, id: 'two' }),
              ],
            },
            cancel: { actions: cancel('one') },
            due: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'go' })
      hand.advance(9)
      hand.send({ type: 'cancel' })
      hand.advance(9)
    },
  },
  {
    name: 'cancel does nothing before an event is raised, after it fell due or for an unknown id',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            go: { actions: raise({ type: 'due' }, { delay: 10, id: 'one' }) },
            cancel: { actions: [cancel('one'), cancel('nobody')] },
            due: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'cancel' })
      hand.send({ type: 'go' })
      hand.advance(10)
      hand.send({ type: 'cancel' })
      hand.send({ type: 'go' })
      hand.advance(10)
      world.note(viewOf(hand).status)
    },
  },
  {
    name: 'an event raised without an id is not cancelled by its type',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          entry: raise({ type: 'due' }, { delay: 10 }),
          on: { cancel: { actions: cancel('due') }, due: { actions: sayEvent(world, 'took') } },
        }),
      )
      hand.send({ type: 'cancel' })
      hand.advance(10)
    },
  },
  {
    name: 'an id to cancel may be worked out of context and event',
    run(world) {
      const hand = world.start(
        counting.createMachine({
          context: { n: 1 },
          entry: [1, 2, 3].map((n) =>
            counting.raise({ type: 'due', n }, { delay: 10, id: `timer ${n}` }),
          ),
          on: {
            byContext: { actions: cancel(({ context }) => `timer ${context.n}`) },
            byEvent: { actions: cancel(({ event }) => `timer ${event.n ?? 0}`) },
            due: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'byContext' })
      hand.send({ type: 'byEvent', n: 3 } as Ev)
      hand.advance(10)
    },
  },
  {
    name: 'an event raised and cancelled in one step never comes, raised again after it does',
    run(world) {
      const later = (n: number) => plain.raise({ type: 'due', n }, { delay: 10, id: 'one' })
      const hand = world.start(
        plain.createMachine({
          on: {
            both: { actions: [later(1), cancel('one')] },
            again: { actions: [later(2), cancel('one'), later(3)] },
            due: { actions: sayEvent(world, 'took') },
          },
        }),
      )
      hand.send({ type: 'both' })
      hand.advance(10)
      world.note('both')
      hand.send({ type: 'again' })
      hand.advance(10)
    },
  },
  {
    name: 'typing again puts the search off',
    run(world) {
      const hand = world.start(
        plain.createMachine({
          on: {
            type: {
              actions: [
                cancel('search'),
                raise(({ event }) => ({ type: 'search', text: event.text ?? '' }), {
                  delay: 300,
                  id: 'search',
                }),
              ],
            },
            search: { actions: ({ event }) => world.note(event) },
          },
        }),
      )
      for (const text of ['a', 'ab', 'abc']) {
        hand.send({ type: 'type', text } as Ev)
        hand.advance(200)
      }
      world.note('600 ms')
      hand.advance(100)
      hand.advance(1000)
    },
  },
  ...['one', 'other'].map((kid): Script => ({
    name: `${kid} of two actors cancels an id of its own and not its sibling's`,
    run(world) {
      const hand = siblings(world, kid)
      hand.advance(50)
      hand.send({ type: 'cancel' })
      hand.advance(50)
    },
  })),
]
