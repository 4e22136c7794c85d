// Actors that pass errands on from one to the next, for processes that are killed, stopped or cut off. Each step of an
// errand leaves a row: it can be seen afterwards which errands were begun, which went all the way, and how often.
import { actor, perform, pool, supervisor } from 'ambit'
import { assign, setup } from 'xstate'

const VISITORS = 40
/** How many take each errand. */
export const STEPS = 4
const desks = ['/a', '/b', '/c', '/d', '/e']

/** Where an errand goes, in order: three desks, at the end a member of a pool. */
export function pathOf(id) {
  const n = Number(/\d+$/.exec(id)?.[0] ?? 0)
  const at = Array.from({ length: STEPS - 1 }, (_, step) => desks[(n * (step + 1) + step) % 5])
  return [...at, `/visitors/v${n % VISITORS}`]
}

export const rowOf = (id, step) => `did:${id}.${step}`

const relay = setup({}).createMachine({
  id: 'relay',
  context: { done: 0 },
  on: {
    errand: {
      actions: [
        assign({ done: ({ context }) => context.done + 1 }),
        perform(({ context, event: { id, step, load } }) => {
          const next = { type: 'errand', id, step: step + 1, load }
          const to = pathOf(id)[step + 1]
          return [
            { kind: 'put', key: rowOf(id, step), value: context.done },
            ...(to === undefined ? [] : [{ kind: 'tell', to, event: next, lane: 'user' }]),
          ]
        }),
      ],
    },
  },
})

/** Everybody an errand can come to. */
export const relays = [...desks, ...Array.from({ length: VISITORS }, (_, n) => `/visitors/v${n}`)]

export function relayRoot() {
  const actors = desks.map((address) => actor(address.slice(1), relay))
  return supervisor({ children: [...actors, pool('visitors', actor('visitor', relay))] })
}
