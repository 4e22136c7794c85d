import { assign, setup } from 'xstate'
import { reply } from '../../src/logic/actions.ts'
import { controlledEffect } from './controlled-effect.ts'

/** Counts; throws at `boom`; works at `work` until the test says so. */
export function worker(id = 'worker') {
  const { calls, logic } = controlledEffect()
  const machine = setup({
    types: { context: {} as { count: number; done: unknown } },
    actors: { work: logic },
    actions: {
      boom: assign(() => {
        throw new Error('boom')
      }),
    },
  }).createMachine({
    id,
    context: { count: 0, done: null },
    initial: 'idle',
    on: {
      add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      boom: { actions: 'boom' },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context })) },
    },
    states: {
      idle: { on: { work: 'working', end: 'ended' } },
      working: {
        invoke: {
          src: 'work',
          onDone: { target: 'idle', actions: assign({ done: ({ event }) => event.output }) },
          onError: { target: 'idle', actions: assign({ done: 'failed' }) },
        },
      },
      ended: { type: 'final' },
    },
  })
  return { calls, machine }
}
