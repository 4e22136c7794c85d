import { expect, test } from 'vitest'
import { describeEntry, fromChance, fromList, playRun } from 'ambit/testing'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { refundDesk } from '../../examples/simulations/refund-desk.ts'

test('Q0 first', async () => {
  const run = await playRun(refundDesk(), fromList([]))
  for (const e of run.trace.entries) console.log(e.step, e.elapsedMs, describeEntry(e))
  console.log(run.breach, run.steps, run.choices.taken.length)
  expect(run.breach).toBeUndefined()
})
test('Q0 random', async () => {
  const s = refundDesk()
  const t = performance.now()
  let bad = 0, entries = 0, turns = 0
  const by: Record<string, number> = {}
  for (let i = 0; i < 300; i++) {
    const run = await playRun(s, fromChance(createSeededRandom(`r${i}`)))
    entries += run.trace.entries.length
    turns += run.trace.entries.filter((e) => e.kind === 'turn').length
    if (run.breach) { bad++; by[run.breach.invariant] = (by[run.breach.invariant] ?? 0) + 1
      if (by[run.breach.invariant] === 1) { console.log(i, run.breach, run.choices.faults.join()); 
       for (const e of run.trace.entries.slice(-25)) console.log(e.step, e.elapsedMs, describeEntry(e)) }
    }
  }
  console.log(bad, by, entries, turns, performance.now() - t)
})
