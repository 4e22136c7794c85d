import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  generateApproverKey,
  governed,
  keyIdOf,
  memory,
  money,
  signStatement,
  supervisor,
  type Json,
} from 'ambit'
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { z } from 'zod'

test('A1 an over-limit refund waits for a human and happens once when approved', async () => {
  const made: string[] = []
  const refund = defineAction({
    name: 'refund',
    input: z.object({ order: z.string(), amount: money() }),
    key: ({ order }) => order,
    amount: ({ amount }) => amount,
    idempotent: true,
    execute: async ({ idempotencyKey }) => {
      made.push(idempotencyKey)
      return { refundId: 'r1' }
    },
  })
  const envelope = defineEnvelope({
    id: 'desk',
    owner: 'head',
    actions: { refund: { atMost: { amount: '500.00 USD' }, windows: [{ amount: '5000.00 USD', per: 'day', timeZone: 'UTC' }] } },
    escalateWhen: [{ confidenceUnder: 0.8 }],
    approval: { by: ['finance'] },
  })
  const desk = setup({
    types: { context: {} as { amount: string }, input: {} as { amount: string } },
    actors: { refund: governed(refund) },
  }).createMachine({
    id: 'desk',
    context: ({ input }) => input,
    initial: 'refunding',
    states: {
      refunding: {
        invoke: {
          src: 'refund',
          input: ({ context }) => ({ args: { order: 'o-1', amount: context.amount }, confidence: 0.9, why: 'asked' }),
          onDone: 'refunded',
          onError: 'declined',
        },
      },
      refunded: { type: 'final' },
      declined: { type: 'final' },
    },
  })
  const system = createSystem({
    journal: memory(),
    root: supervisor({ children: [agent('desk', desk, { envelope, input: { amount: '720.00 USD' } })] }),
  })
  await system.start()
  await system.atRest()
  expect(made).toEqual([])
  const [open] = system.cases()
  expect(open).toMatchObject({ id: 'c-1', status: 'open', rules: ['perAction'] })
  const { privateKey, publicKey } = generateApproverKey()
  await system.addApprover(keyIdOf(publicKey), { person: 'alice', roles: ['finance'], publicKey })
  const signed = signStatement(
    { v: 1, system: system.id, case: 'c-1', digest: open!.digest, verdict: 'approve', person: 'alice', at: 1, nonce: 'n'.repeat(20) },
    privateKey,
  )
  expect(await system.submitDecision(signed)).toMatchObject({ type: 'ambit.approval.accepted', status: 'approved' })
  await system.atRest()
  expect(made.length).toBe(1)
  expect(await system.submitDecision(signed)).toMatchObject({ type: 'ambit.approval.refused' })
  const log = (await system.history({})).flatMap((t) => ((JSON.parse(t.record) as { thoughts?: Json[] }).thoughts ?? []).map((x) => [t.address.slice(0, 24), JSON.stringify(x).slice(0, 150)].join(' ')))
  console.log(log.join('\n'))
  await system.stop()
})
