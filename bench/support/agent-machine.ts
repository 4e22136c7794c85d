import { assign, setup } from 'xstate'
import { z } from 'zod'

/** A ten-state agent with guards, `always`, `after` and assigns: what a step of an ordinary machine costs. */
export const agentMachine = setup({
  types: {
    context: {} as { readonly tries: number; readonly cost: number; readonly last: string },
    events: {} as { type: string; cost?: number; from?: string },
  },
  actions: {
    pay: assign({ cost: ({ context, event }) => context.cost + (event.cost ?? 1) }),
    note: assign({ last: ({ event }) => event.type }),
    again: assign({ tries: ({ context }) => context.tries + 1 }),
    settle: assign({ tries: 0, cost: 0 }),
  },
  guards: {
    isCheap: ({ context }) => context.cost < 40,
    isDone: ({ context }) => context.tries >= 3,
  },
}).createMachine({
  id: 'agent',
  context: { tries: 0, cost: 0, last: '' },
  initial: 'idle',
  states: {
    idle: { on: { start: { target: 'reading', actions: 'settle' } } },
    reading: { entry: 'note', on: { read: { target: 'thinking', actions: 'pay' } } },
    thinking: {
      after: { 60_000: 'idle' },
      on: { thought: { target: 'planning', actions: ['pay', 'note'] }, fail: 'idle' },
    },
    planning: { on: { planned: 'checking' } },
    checking: { always: [{ guard: 'isCheap', target: 'acting' }, { target: 'waiting' }] },
    acting: { entry: 'again', on: { acted: { target: 'reviewing', actions: 'pay' } } },
    waiting: { on: { approved: 'acting', rejected: 'idle' } },
    reviewing: {
      on: {
        good: { target: 'closing', actions: 'note' },
        bad: { target: 'planning', actions: 'again' },
      },
    },
    closing: { always: [{ guard: 'isDone', target: 'closed' }, { target: 'open' }] },
    open: { on: { close: 'closed' } },
    closed: { on: { reopen: 'idle' } },
  },
})

/** One case from opening to closing, ten events long. */
export const agentScript = [
  ...[
    'start',
    'read',
    'thought',
    'planned',
    'acted',
    'good',
    'close',
    'reopen',
    'unknown',
    'start',
  ],
  ...['read', 'fail'],
].map((type) => ({ type, from: 'bench' }))

export const agentEvents = z.object({
  type: z.string().max(40),
  cost: z.number().int().optional(),
  from: z.string().max(40).optional(),
})
