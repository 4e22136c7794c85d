import { assign, emit, setup } from 'xstate'
import { observe, reply, tell } from '../../src/logic/actions.ts'
import { ask, effect } from '../../src/logic/invocable.ts'

export const boom = () => {
  throw new Error('not my day')
}

/** Does everything of which somebody may be told. */
export const busy = () => {
  const calls: string[] = []
  const machine = setup({
    types: { context: {} as { count: number; ticks: number } },
    actors: {
      work: effect(() => Promise.reject(new Error('refused'))),
      question: ask({ to: '/nobody', event: () => ({ type: 'x' }), timeoutMs: 50 }),
    },
    actions: { fail: assign(boom) },
  }).createMachine({
    id: 'busy',
    context: { count: 0, ticks: 0 },
    initial: 'up',
    on: {
      add: {
        actions: [
          assign({ count: ({ context }) => context.count + 1 }),
          emit({ type: 'added' } as never),
          observe(() => void calls.push('observed')),
          tell('/nobody', { type: 'hello' }),
          reply({ type: 'nobody asked' }),
        ],
      },
      fail: { actions: 'fail' },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
    },
    states: {
      up: { on: { work: 'working', question: 'asking', end: 'over' }, after: { 100: 'ticked' } },
      ticked: { entry: assign({ ticks: ({ context }) => context.ticks + 1 }), always: 'up' },
      working: { invoke: { src: 'work', onDone: 'up', onError: 'up' } },
      asking: { invoke: { src: 'question', onDone: 'up', onError: 'up' } },
      over: { type: 'final' },
    },
  })
  return { calls, machine }
}
