import type { EffectContext } from '../../src/kernel/ports/engine.ts'
import { effect, type EffectOptions } from '../../src/logic/invocable.ts'

export interface Call {
  readonly input: unknown
  readonly context: EffectContext
  readonly succeed: (output?: unknown) => void
  readonly fail: (error: Error) => void
}

/** An effect whose every call waits until the test ends it. */
export function controlledEffect(options: EffectOptions<unknown> = {}) {
  const calls: Call[] = []
  const logic = effect<unknown, unknown>(
    (input, context) =>
      new Promise((resolve, reject) => {
        calls.push({ input, context, succeed: (output = null) => resolve(output), fail: reject })
      }),
    options,
  )
  return { calls, logic }
}
