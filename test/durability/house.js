// What the told worker runs: relays, bells that ring after a while, and agents that spend within an envelope.
import {
  actor,
  agent,
  defineAction,
  defineEnvelope,
  governed,
  pool,
  putRow,
  supervisor,
} from 'ambit'
import { thisTurn } from 'ambit'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { relayRoot } from './relay.js'

/** Rings once for each time it is set, and leaves a row of it. */
const bell = setup({ delays: { wait: ({ context }) => context.waitMs } }).createMachine({
  id: 'bell',
  context: { waitMs: 0, rings: 0 },
  initial: 'silent',
  states: {
    silent: {
      on: {
        set: { target: 'set', actions: assign({ waitMs: ({ event }) => event.waitMs }) },
      },
    },
    set: { after: { wait: 'ringing' } },
    ringing: {
      entry: [
        assign({ rings: ({ context }) => context.rings + 1 }),
        putRow(
          ({ context }) => `ring:${context.rings}`,
          () => thisTurn().now,
        ),
      ],
      always: 'silent',
    },
  },
})

/** 100 USD within any twelve hours; what is more waits for a human. */
const envelope = defineEnvelope({
  id: 'purse',
  owner: 'head',
  actions: { spend: { windows: [{ amount: '100.00 USD', within: '12h' }] } },
  approval: { by: ['finance'] },
})

const spend = defineAction({
  name: 'spend',
  input: z.object({ order: z.string(), minor: z.number() }),
  key: ({ order }) => order,
  amount: ({ minor }) => ({ currency: 'USD', minor }),
  idempotent: true,
  execute: () => Promise.resolve(null),
})

const spender = setup({
  actors: { spend: governed(spend, { onWaiting: 'asked' }) },
}).createMachine({
  id: 'spender',
  context: { args: null },
  initial: 'idle',
  states: {
    idle: {
      on: { spend: { target: 'spending', actions: assign({ args: ({ event }) => event.args }) } },
    },
    spending: {
      invoke: {
        src: 'spend',
        input: ({ context: { args } }) => ({ args, why: 'it was told to', confidence: 1 }),
        onDone: 'spent',
        onError: 'refused',
      },
      on: { asked: '.asking' },
      initial: 'proposing',
      states: { proposing: {}, asking: {} },
    },
    spent: {},
    refused: {},
  },
})

export function houseRoot() {
  const { children } = relayRoot()
  const purses = pool('purses', agent('purse', spender), { envelope })
  return supervisor({ children: [...children, pool('bells', actor('bell', bell)), purses] })
}
