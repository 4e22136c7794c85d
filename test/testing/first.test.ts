import { expect, test } from 'vitest'
import { check, describeCheck } from 'ambit/testing'
import { simulations } from '../../examples/simulations/index.ts'

test.each(simulations)('Q0 $name', async (simulation) => {
  const result = await check(simulation, { exhaustive: 1, randomMs: 5000 })
  console.log(describeCheck(result).slice(0, 6000))
  expect(result.ok).toBe(true)
})
