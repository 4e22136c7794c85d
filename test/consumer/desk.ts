import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  memory,
  money,
  supervisor,
} from 'ambit'
import { setup } from 'xstate'
import { z } from 'zod'

const refund = defineAction({
  name: 'refund',
  input: z.object({ order: z.string(), amount: money() }),
  key: ({ order }) => order,
  amount: ({ amount }) => amount,
  idempotent: true,
  execute: ({ idempotencyKey }) => Promise.resolve({ refundId: idempotencyKey }),
})

const envelope = defineEnvelope({
  id: 'desk',
  owner: 'head-of-support',
  actions: { refund: { atMost: { amount: '500.00 USD' } } },
  approval: { by: ['finance'] },
})

const desk = setup({ actors: { refund: governed(refund) } }).createMachine({
  initial: 'idle',
  states: {
    idle: { on: { 'refund.wanted': 'refunding' } },
    refunding: {
      invoke: {
        src: 'refund',
        input: { args: { order: 'A-1', amount: '5.00 USD' }, why: 'The cup came broken.' },
      },
    },
  },
})

const system = createSystem({
  journal: memory(),
  root: supervisor({ id: 'root', children: [agent('desk', desk, { envelope })] }),
})
await system.start()

// The types arrive in the consumer, and are not `any`.
// @ts-expect-error: an id is a string.
export const id: number = system.id

await system.atRest()
await system.stop()
process.stdout.write('started and stopped\n')
