// A 720.00 refund is over its envelope: it waits for a human, and the process dies. Run it, decide, run it again.
// You will see: `c-1 open: perAction`; then, after `ambit approvals approve c-1`: `refunded A-7`.
import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  money,
  sqlite,
  supervisor,
} from 'ambit'
import { setup } from 'xstate'
import { z } from 'zod'

const refund = defineAction({
  name: 'refund',
  input: z.object({ order: z.string(), amount: money() }),
  key: ({ order }) => order, // one refund per order, whatever crashes
  amount: ({ amount }) => amount,
  idempotent: true,
  execute: async ({ input }) => console.log(`refunded ${input.order}`),
})
const envelope = defineEnvelope({
  id: 'refund-desk',
  owner: 'head-of-support',
  actions: { refund: { atMost: { amount: '500.00 USD' } } },
  approval: { by: ['finance'] },
})
const input = { args: { order: 'A-7', amount: '720.00 USD' }, why: 'arrived broken' }
const desk = setup({ actors: { refund: governed(refund) } }).createMachine({
  initial: 'refunding',
  states: {
    refunding: { invoke: { src: 'refund', input, onDone: 'refunded', onError: 'declined' } },
    refunded: { type: 'final' },
    declined: { type: 'final' },
  },
})
const root = supervisor({ children: [agent('desk', desk, { envelope })] })
const system = createSystem({ root, journal: sqlite(process.argv[2] ?? '.ambit/first') })
await system.start()
await system.atRest()
for (const { id, status, rules } of system.cases())
  console.log(`${id} ${status}: ${rules.join(', ')}`)
process.kill(process.pid, 'SIGKILL') // the crash
