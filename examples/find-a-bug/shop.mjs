import { actor, ask, createSystem, pool, supervisor, tell, thisTurn } from 'ambit'
import { invariant, invariants, simulate } from 'ambit/testing'
import { fromTransition, setup } from 'xstate'

// A shop with one lamp left. Each order looks whether there is one, and takes it. Something is wrong with that.

const shelf = fromTransition(
  (shelf, event) => {
    if (event.type === 'look') thisTurn().reply({ type: 'left', left: shelf.left })
    if (event.type === 'take') return { left: shelf.left - 1 }
    return shelf
  },
  { left: 1 },
)

const order = setup({
  actors: { look: ask({ to: '/shelf', event: () => ({ type: 'look' }) }) },
}).createMachine({
  id: 'order',
  initial: 'new',
  states: {
    new: { on: { order: 'looking' } },
    looking: {
      invoke: {
        src: 'look',
        onDone: [
          { guard: ({ event }) => event.output.left > 0, target: 'sold' },
          { target: 'soldOut' },
        ],
      },
    },
    sold: { entry: tell('/shelf', { type: 'take' }) },
    soldOut: {},
  },
})

const neverOversold = invariant('neverOversold', ({ snapshotOf }) => ({
  atEnd() {
    const { left } = snapshotOf('/shelf').context
    return left < 0 ? `${-left} more lamps were sold than there were.` : undefined
  },
}))

export const shop = simulate({
  name: 'shop',
  system: (ports) =>
    createSystem({
      root: supervisor({
        children: [actor('shelf', shelf), pool('orders', actor('order', order))],
      }),
      ...ports,
    }),
  traffic: [
    { to: '/orders/ann', event: { type: 'order' } },
    { to: '/orders/ben', event: { type: 'order' } },
  ],
  invariants: [...invariants, neverOversold],
})
