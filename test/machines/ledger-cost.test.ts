import { expect, test } from 'vitest'
import { ledgerMachine, type Reservation } from '../../machines/ledger.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { actorSpec } from '../../src/kernel/child-spec.ts'
import type { Journal, TurnCommit } from '../../src/kernel/ports/journal.ts'
import { Kernel } from '../../src/kernel/system.ts'
import { createInterpreter } from '../../src/logic/interpreted.ts'

/** A journal that notes how much each commit of the ledger writes. */
function measuring(written: { rows: number; bytes: number }[]): Journal {
  const inner = memoryJournal()
  return {
    async open() {
      const session = await inner.open()
      const commit: typeof session.commit = (batch) => {
        for (const entry of batch) if (entry.kind === 'turns') written.push(sizeOf(entry))
        return session.commit(batch)
      }
      return new Proxy(session, {
        get: (target, key) => (key === 'commit' ? commit : bound(target, key)),
      })
    },
  }
}

function bound(target: object, key: string | symbol): unknown {
  const value = Reflect.get(target, key) as unknown
  return typeof value === 'function' ? (value.bind(target) as unknown) : value
}

function sizeOf({ rows, snapshot, records }: TurnCommit) {
  return { rows: rows.length, bytes: JSON.stringify(snapshot).length + records.join('').length }
}

test('J10 a ledger turn writes the same with ten known keys as with five thousand', async () => {
  const written: { rows: number; bytes: number }[] = []
  const root = supervisor({
    children: [actorSpec('ledger', createInterpreter(ledgerMachine), { privileged: true })],
  })
  const kernel = new Kernel({ root, journal: measuring(written) })
  await kernel.start()
  const reserve = (i: number) => {
    const key = `key-${String(i).padStart(6, '0')}`
    const charges = [
      {
        window: 'w',
        spec: { amount: '90000.00 USD', per: 'day', timeZone: 'UTC' } as const,
        limit: 9_000_000,
      },
    ]
    const reservation: Reservation = { key, account: 'desk', minor: 100, currency: 'USD', charges }
    return kernel.askPrivileged(
      '/ledger',
      { type: 'ambit.ledger.reserve', reservation },
      { timeoutMs: 60_000 },
    )
  }
  for (let i = 0; i < 10; i++) await reserve(i)
  const few = written.at(-1)
  for (let i = 10; i < 5000; i += 499)
    await Promise.all(Array.from({ length: 499 }, (_, j) => reserve(i + j)))
  await reserve(999_999)
  const many = written.at(-1)
  expect(many?.rows).toBe(few?.rows)
  // The sums and sequence numbers have a few more digits by then, and nothing else.
  expect(many?.bytes).toBeLessThan((few?.bytes ?? 0) + 60)
  await kernel.stop()
})
