import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  money,
  pool,
  supervisor,
} from 'ambit'
import { approver, simulate, tool, type Scenario, type SimulationOptions } from 'ambit/testing'
import { setup } from 'xstate'
import { z } from 'zod'

// Payouts that two people must approve, to a bank that does not know idempotency keys: what nobody knows the end of is
// in doubt, and a human settles it. One of the people amends, one rejects.

const payout = defineAction({
  name: 'payout',
  input: z.object({ to: z.string(), amount: money() }),
  key: ({ to }) => to,
  amount: ({ amount }) => amount,
  idempotent: false,
  execute: () => Promise.reject(new Error('the simulation answers')),
})

const envelope = defineEnvelope({
  id: 'payouts',
  owner: 'treasurer',
  actions: {
    payout: {
      atMost: { amount: '100.00 EUR' },
      windows: [{ amount: '3000.00 EUR', per: 'day', timeZone: 'UTC' }],
    },
  },
  approval: { by: ['treasury'], quorum: 2 },
})

const payerMachine = setup({
  types: {
    context: {} as { to: string },
    input: {} as { to: string },
    events: {} as { type: 'pay' } | { type: 'payout.waiting' },
  },
  actors: { payout: governed(payout, { onWaiting: 'payout.waiting' }) },
}).createMachine({
  id: 'payer',
  context: ({ input }) => input,
  initial: 'idle',
  states: {
    idle: { on: { pay: 'paying' } },
    paying: {
      invoke: {
        src: 'payout',
        input: ({ context: { to } }) => ({
          args: { to, amount: to === 'p-1' ? '90.00 EUR' : '800.00 EUR' },
          why: 'The invoice is due.',
          confidence: 1,
        }),
        onDone: 'paid',
        onError: 'declined',
      },
    },
    paid: {},
    declined: {},
  },
})

/** A decision that each of three people makes by the name of whoever is paid. */
const treasurers = [
  approver('dana', { roles: ['treasury'] }),
  approver('erin', {
    roles: ['treasury'],
    afterMs: 90_000,
    judges: ({ kind, proposal }) => {
      if (kind === 'inDoubt') return undefined
      return (proposal.args as { to: string }).to === 'p-3' ? 'reject' : 'approve'
    },
  }),
  approver('fred', {
    roles: ['treasury'],
    afterMs: 30_000,
    judges: ({ kind, proposal }) => {
      const { to } = proposal.args as { to: string }
      if (kind === 'inDoubt' || to !== 'p-4') return undefined
      return { verdict: 'amend', args: { to, amount: '95.00 EUR' } }
    },
  }),
]

export function payouts(options: Partial<SimulationOptions> = {}): Scenario {
  const payers = pool('payers', agent('payer', payerMachine, { envelope }), {
    inputOf: (to) => ({ to }),
  })
  return simulate({
    name: 'payouts',
    system: (ports) => createSystem({ root: supervisor({ children: [payers] }), ...ports }),
    traffic: [1, 2, 3, 4].map((n) => ({ to: `/payers/p-${n}`, event: { type: 'pay' } })),
    world: { effects: { payout: tool({ honoursKey: false }) }, humans: treasurers },
    ...options,
  })
}
