import { actor, ask, createSystem, pool, supervisor, thisTurn } from 'ambit'
import { invariant, invariants, simulate } from 'ambit/testing'
import { fromTransition, setup } from 'xstate'

// The shop of shop.mjs, mended: an order asks for a lamp, and the shelf alone decides who gets it.

const shelf = fromTransition(
  (shelf, event) => {
    if (event.type !== 'take') return shelf
    const isThere = shelf.left > 0
    thisTurn().reply({ type: 'answer', isThere })
    return { left: shelf.left - (isThere ? 1 : 0) }
  },
  { left: 1 },
)

const order = setup({
  actors: { take: ask({ to: '/shelf', event: () => ({ type: 'take' }) }) },
}).createMachine({
  id: 'order',
  initial: 'new',
  states: {
    new: { on: { order: 'taking' } },
    taking: {
      invoke: {
        src: 'take',
        onDone: [
          { guard: ({ event }) => event.output.isThere, target: 'sold' },
          { target: 'soldOut' },
        ],
      },
    },
    sold: {},
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
  name: 'shop, mended',
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
