import {
  generateApproverKey,
  keyIdOf,
  memory,
  signStatement,
  type Journal,
  type Message,
} from 'ambit'
import { describe, expect, test } from 'vitest'
import { turn } from '../support/journal-entries.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { refundSystem, World } from '../support/refund-world.ts'
import { rounds, until } from '../support/running.ts'
const HOUR_MS = 3_600_000

/** A refund that waits for a human, whose process ends; who decides has a key. */
async function waitingCase(journal: Journal, clock: ManualClock) {
  const world = new World()
  const make = () => refundSystem(world, { journal, clock, amount: '720.00 USD' })
  const first = make()
  await first.start()
  await until(() => first.cases().length === 1)
  const { privateKey, publicKey } = generateApproverKey()
  await first.addApprover(keyIdOf(publicKey), { person: 'alice', roles: ['finance'], publicKey })
  const [found] = first.cases()
  const system = first.id
  const sign = (at: number) => {
    const about = { v: 1, system, case: 'c-1', digest: found?.digest ?? '' } as const
    const nonce = `alice-${at}-0123456789`
    const said = { ...about, verdict: 'approve', person: 'alice', at, nonce } as const
    return signStatement(said, privateKey)
  }
  await first.stop({ graceMs: 0 })
  return { world, make, sign }
}

describe('after the expiry', () => {
  test('A10 a decision handed in after the expiry does not count', async () => {
    const [journal, clock] = [memory(), createManualClock()]
    const { world, make, sign } = await waitingCase(journal, clock)
    const signed = sign(clock.now())
    clock.turnTo(clock.now() + 5 * HOUR_MS)
    const system = make()
    await system.start()
    expect((await system.submitDecision(signed)).type).toBe('ambit.approval.refused')
    await rounds(5)
    clock.advance(1)
    await until(() => system.cases()[0]?.status === 'expired')
    expect(world.refunds).toBe(0)
    await system.stop({ graceMs: 0 })
  })

  test.each([
    ['after the expiry does not count', 4.5, 'expired', 0],
    ['before the expiry counts', 3, 'approved', 1],
  ])(
    'A12 a decision that waited in the journal and was signed %s',
    async (_, hours, to, refunds) => {
      const [journal, clock] = [memory(), createManualClock()]
      const { world, make, sign } = await waitingCase(journal, clock)
      const sender = '/~cli/1'
      const body = { type: 'ambit.approval.submit', signed: sign(clock.now() + hours * HOUR_MS) }
      const stream = { sender, generation: 1, lane: 'user', number: 1 } as const
      const headers = { from: sender, privileged: true, stream }
      const handedIn = { id: 'x', type: body.type, to: '/system/approvals', body, headers }
      const session = await journal.open()
      await session.commit([
        turn(sender, 1, { status: 'done', outbox: [handedIn as unknown as Message] }),
      ])
      await session.close()
      clock.turnTo(clock.now() + 5 * HOUR_MS)
      const system = make()
      await system.start()
      await rounds(50)
      clock.advance(1)
      await until(() => system.cases()[0]?.status === to)
      await until(() => world.refunds === refunds)
      await system.stop({ graceMs: 0 })
    },
  )
})
