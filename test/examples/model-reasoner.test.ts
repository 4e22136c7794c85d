import { MockLanguageModelV3 } from 'ai/test'
import { expect, test } from 'vitest'
import { createModelReasoner } from '../../examples/refund-desk/model-reasoner.ts'

/** A model that answers with the given text, whatever it is asked. */
function answering(text: string): MockLanguageModelV3 {
  return new MockLanguageModelV3({
    doGenerate: async () => ({
      content: [{ type: 'text', text }],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: {
        inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
        outputTokens: { total: 1, text: 1, reasoning: undefined },
      },
      warnings: [],
    }),
  })
}

const { signal } = new AbortController()
const said = { wantsRefund: true, confidence: 0.9, category: 'fee', why: 'They say so.' }

test('X5 a model states what the message says, and an amount only together with its currency', async () => {
  const model = answering(JSON.stringify({ ...said, amount: '12.50', currency: 'usd' }))
  const reasoner = await createModelReasoner(model)
  expect(await reasoner.propose({ text: 'Refund the fee of $12.50' }, { signal })).toEqual({
    ...said,
    amount: '12.50',
    currency: 'USD',
  })
  const without = await createModelReasoner(
    answering(JSON.stringify({ ...said, amount: '12.50', currency: null })),
  )
  expect(await without.propose({ text: 'x' }, { signal })).toEqual(said)
})

test('X5 an answer outside the schema is an error, so that a human decides', async () => {
  const reasoner = await createModelReasoner(answering('{"wantsRefund":"maybe"}'))
  await expect(reasoner.propose({ text: 'x' }, { signal })).rejects.toThrow()
})
