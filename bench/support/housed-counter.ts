import { reply } from 'ambit'
import { assign, setup } from 'xstate'

/** Counts, answers, and at `loop` never comes back. */
export const counter = setup({
  types: { context: {} as { count: number }, events: {} as { type: 'add' | 'get' | 'loop' } },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    get: { actions: reply(({ context }) => ({ type: 'got', count: context.count })) },
    loop: {
      actions: assign(() => {
        for (let i = 0; ; i++) if (i < 0) return {}
      }),
    },
  },
})
