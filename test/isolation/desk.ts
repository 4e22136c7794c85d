// An agent's machine and what it may do, as its thread loads them.
import { defineAction, defineEnvelope, governed } from 'ambit'
import { setup } from 'xstate'
import { z } from 'zod'

/** What was paid, in the thread that this module was loaded in. */
export const paid: string[] = []

const pay = defineAction({
  name: 'pay',
  input: z.object({ order: z.string(), minor: z.number() }),
  key: ({ order }) => order,
  amount: ({ minor }) => ({ currency: 'USD', minor }),
  idempotent: true,
  execute({ input }) {
    paid.push(input.order)
    return Promise.resolve({ paid: input.order })
  },
})

export const envelope = defineEnvelope({
  id: 'desk',
  owner: 'head-of-support',
  actions: { pay: { atMost: { amount: '500.00 USD' } } },
  approval: { by: ['finance'] },
})

export const desk = setup({
  types: { input: {} as { minor: number }, context: {} as { minor: number } },
  actors: { pay: governed(pay) },
}).createMachine({
  id: 'desk',
  context: ({ input }) => input,
  initial: 'paying',
  states: {
    paying: {
      invoke: {
        src: 'pay',
        input: ({ context: { minor } }) => ({
          args: { order: `A-${minor}`, minor },
          why: 'The customer was promised so.',
        }),
        onDone: 'paid',
        onError: 'declined',
      },
    },
    paid: { type: 'final' },
    declined: { type: 'final' },
  },
})
