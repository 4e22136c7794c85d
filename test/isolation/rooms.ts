// The machines of the tests, as their threads load them.
import { assign, fromPromise, fromTransition, setup } from 'xstate'
import { observe, putRow, reply, tell } from '../../src/logic/actions.ts'
import { ask, effect } from '../../src/logic/invocable.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { isMainThread, threadId } from 'node:worker_threads'

function spin(): never {
  for (let i = 0; ; i++) if (i < 0) throw new Error('never')
}

function hoard(): never {
  const kept: unknown[] = []
  for (;;) kept.push(new Array(10_000).fill(kept.length))
}

/** Does what it is told, in whatever thread it is. */
export const room = setup({
  types: {
    context: {} as { count: number; last: unknown },
    events: {} as { type: string; by?: number; to?: string },
  },
  actors: {
    double: effect(({ by }: { by: number }) => Promise.resolve({ doubled: by * 2, isMainThread })),
    block: effect(({ by }: { by: number }) => {
      const until = performance.now() + by
      while (performance.now() < until);
      return { isMainThread }
    }),
    wait: effect((_: unknown, { signal }) => untilAborted(signal)),
    strange: effect(() => Promise.resolve({ call: () => 1 } as unknown)),
    fails: effect(() => Promise.reject(new Error('the tool says no'))),
    exit: effect(() => process.exit(3)),
    exitOnce: effect(
      (_: unknown, { maybeExecuted, attempt }) =>
        maybeExecuted ? { attempt, maybeExecuted } : process.exit(3),
      { idempotent: true },
    ),
    plain: fromPromise(({ input }: { input: { by: number } }) =>
      Promise.resolve({ doubled: input.by, isMainThread }),
    ),
    question: ask<{ to: string }>({ to: ({ to }) => to, event: () => ({ type: 'get' }) }),
    nested: setup({}).createMachine({
      initial: 'a',
      states: { a: { after: { 5: 'b' } }, b: { type: 'final' } },
    }),
  },
}).createMachine({
  id: 'room',
  context: { count: 0, last: null },
  initial: 'idle',
  on: {
    add: { actions: assign({ count: ({ context, event }) => context.count + (event.by ?? 1) }) },
    get: {
      actions: reply(({ context }) => ({ type: 'got', value: { ...context, isMainThread } })),
    },
    thread: { actions: reply(() => ({ type: 'got', value: threadId })) },
    turn: {
      actions: reply(() => {
        const { address, seq, now, systemId, rows } = thisTurn()
        const row = rows.get('noted') ?? null
        return { type: 'got', value: { address, seq, now, systemId, row } }
      }),
    },
    seen: { actions: reply(() => ({ type: 'got', value: seenHere() })) },
    note: { actions: putRow('noted', ({ event }) => event.by ?? 0) },
    tell: { actions: tell(({ event }) => String(event.to), { type: 'add' }) },
    boom: {
      actions: assign(() => {
        throw new Error('boom')
      }),
    },
    loop: { actions: assign(() => spin()) },
    hoard: { actions: assign(() => hoard()) },
    forbidden: {
      actions: [
        assign({ count: ({ context }) => context.count + 100 }),
        tell('/other', { type: 'ambit.forbidden' }),
      ],
    },
    odd: { actions: assign({ last: () => new Map() }) },
    look: { actions: observe(({ event }) => seen.push(event.by)) },
  },
  states: {
    idle: {
      on: {
        double: 'doubling',
        block: 'blocking',
        wait: 'waiting',
        strange: 'strange',
        fails: 'failing',
        exit: 'exiting',
        exitOnce: 'exitingOnce',
        plain: 'plain',
        question: 'asking',
        nested: 'nesting',
        end: 'ended',
      },
    },
    doubling: {
      invoke: { src: 'double', input: ({ event }) => ({ by: event.by ?? 0 }), ...ends() },
    },
    blocking: {
      invoke: { src: 'block', input: ({ event }) => ({ by: event.by ?? 0 }), ...ends() },
    },
    waiting: { invoke: { src: 'wait', ...ends() }, on: { leave: 'idle' } },
    strange: { invoke: { src: 'strange', ...ends() } },
    failing: { invoke: { src: 'fails', ...ends() } },
    exiting: { invoke: { src: 'exit', ...ends() } },
    exitingOnce: { invoke: { src: 'exitOnce', ...ends() } },
    plain: { invoke: { src: 'plain', input: ({ event }) => ({ by: event.by ?? 0 }), ...ends() } },
    asking: {
      invoke: { src: 'question', input: ({ event }) => ({ to: String(event.to) }), ...ends() },
    },
    nesting: { invoke: { src: 'nested', onDone: 'idle' } },
    ended: { type: 'final' },
  },
})

function ends() {
  return {
    onDone: {
      target: 'idle',
      actions: assign({
        last: ({ event }: { event: { output?: unknown } }) => event.output ?? null,
      }),
    },
    onError: {
      target: 'idle',
      actions: assign({
        last: ({ event }: { event: { error?: unknown } }) => event.error ?? null,
      }),
    },
  } as never as object
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      seen.push('aborted')
      reject(new Error('aborted'))
    })
  })
}

/** What happened in this thread beside the turns. */
const seen: unknown[] = []

function seenHere(): readonly unknown[] {
  return seen
}

export const reducer = fromTransition(
  (state: { n: number }, event: { type: string }) => {
    if (event.type === 'add') return { n: state.n + 1 }
    if (event.type === 'get') thisTurn().reply({ type: 'got', value: { ...state, isMainThread } })
    return state
  },
  { n: 0 },
)

export const other = setup({}).createMachine({ id: 'other', initial: 'x', states: { x: {} } })
export const notAMachine = { hello: 1 }
