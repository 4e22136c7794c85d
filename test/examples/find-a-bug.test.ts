import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { check, describeFailure, type Scenario } from 'ambit/testing'

const folder = new URL('../../examples/find-a-bug/', import.meta.url)

async function shopIn(file: string): Promise<Scenario> {
  const { shop } = (await import(new URL(file, folder).href)) as { shop: Scenario }
  return shop
}

test('V4 the planted bug of the guide is found as the guide says, and its mending holds', async () => {
  const guide = readFileSync(new URL('README.md', folder), 'utf8')
  const { failure } = await check(await shopIn('shop.mjs'), { randomRuns: 50 })
  if (failure === undefined) throw new Error('the planted bug was not found')
  const { invariant, sentence, replay, shrunk } = failure
  expect(guide).toContain(`${invariant} is broken: ${sentence}`)
  expect(guide).toContain(`shop.mjs '${replay}' --simulation 'shop'`)
  expect(guide).toContain(
    `${shrunk.from} found, ${shrunk.to} needed (${shrunk.runs} runs to find out)`,
  )
  expect(describeFailure(failure)).toContain('sequenceDiagram')
  const mended = await check(await shopIn('shop-mended.mjs'), { randomRuns: 50 })
  expect(mended).toMatchObject({ ok: true, failure: undefined })
})
