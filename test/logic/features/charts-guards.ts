import { and, enqueueActions, not, or, raise, setup, stateIn } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, say, type Ctx, type Ev } from './charts-base.ts'

const boom = (what: string) => (): boolean => {
  throw new Error(what)
}

const chosen: readonly Script[] = [
  chartScript(
    'the first transition whose guard passes is taken',
    (chart) =>
      chart.createMachine({
        context: ({ input }) => ({ ...context, n: input.n ?? 0 }),
        on: {
          go: [
            { guard: 'never', actions: say('never') },
            { guard: 'isOne', actions: say('one') },
            { guard: ({ event }) => event.n === 1, actions: say('one, too late') },
            { guard: { type: 'isOver', params: { limit: 1 } }, actions: say('over 1') },
            { guard: 'isBig', actions: say('big, too late') },
          ],
        },
      }),
    [{ type: 'go', n: 1 }, 'go', { type: 'go', n: 2 }],
    { n: 5 },
  ),
  chartScript(
    'if no guard passes, nothing happens, unless a parent has a handler',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        on: { up: { actions: say('parent') } },
        states: {
          a: {
            on: {
              go: [
                { guard: 'never', target: 'b' },
                { guard: 'isOne', target: 'b' },
              ],
              up: { guard: 'isOne', target: 'b' },
            },
          },
          b: {},
        },
      }),
    ['go', 'up', { type: 'up', n: 1 }],
  ),
  chartScript(
    'params are given or worked out from context and event',
    (chart) =>
      chart.createMachine({
        context: { n: 3, seen: [] },
        on: {
          given: [
            { guard: { type: 'isOver', params: { limit: 3 } }, actions: say('over 3') },
            { guard: { type: 'isOver', params: { limit: 2 } }, actions: say('over 2') },
          ],
          dynamic: [
            {
              guard: { type: 'isOver', params: ({ event }) => ({ limit: event.n ?? 0 }) },
              actions: say('over the limit of the event'),
            },
            {
              guard: { type: 'isOver', params: ({ context }) => ({ limit: context.n - 1 }) },
              actions: say('over the limit of the context'),
            },
          ],
        },
      }),
    ['given', { type: 'dynamic', n: 2 }, { type: 'dynamic', n: 3 }],
  ),
  chartScript(
    'guards read the context as it was before the actions',
    (chart) =>
      chart.createMachine({
        context,
        on: {
          go: [
            { guard: ({ context }) => context.n > 0, actions: [say('later'), 'add'] },
            { actions: ['add', say('first')] },
          ],
        },
      }),
    ['go', 'go'],
  ),
  chartScript(
    'a guard of a raised event reads the context of its own step',
    (chart) =>
      chart.createMachine({
        context,
        on: {
          go: { actions: ['add', raise({ type: 'on' }), 'add', 'add'] },
          on: [{ guard: 'isBig', actions: say('three') }, { actions: say('fewer') }],
        },
      }),
    ['go'],
  ),
]

/** `n` of the event decides which of the two named guards pass: 1 and 3 the left, 2 and 3 the right. */
const logic = setup({
  types: { context: {} as Ctx, events: {} as Ev },
  guards: {
    left: ({ event }) => ((event.n ?? 0) & 1) > 0,
    right: ({ event }) => ((event.n ?? 0) & 2) > 0,
    over: ({ event }, params: { readonly limit: number }) => (event.n ?? 0) > params.limit,
    both: and(['left', 'right']),
    neither: not(or(['left', 'right'])),
    bare: (_, params: unknown) => params === undefined,
    boom: boom('a guard threw'),
  },
})

const all = [0, 1, 2, 3].map((n) => ({ type: 'go', n }))

const combined: readonly Script[] = [
  chartScript(
    'and, or and not combine named, parametrised and inline guards',
    (_, world) => {
      const note = (what: string) => () => world.note(what)
      return logic.createMachine({
        context,
        type: 'parallel',
        states: {
          and: { on: { go: { guard: and(['left', 'right']), actions: note('and') } } },
          or: { on: { go: { guard: or(['left', 'right']), actions: note('or') } } },
          not: { on: { go: { guard: not('left'), actions: note('not') } } },
          mixed: {
            on: {
              go: {
                guard: or([and([not('left'), 'right']), ({ event }) => event.n === 0]),
                actions: note('mixed'),
              },
            },
          },
          params: {
            on: {
              go: {
                guard: and([{ type: 'over', params: { limit: 1 } }, not('left')]),
                actions: note('params'),
              },
            },
          },
          empty: {
            on: {
              go: [
                { guard: or([]), actions: note('an empty or') },
                { guard: and([]), actions: note('an empty and') },
              ],
            },
          },
        },
      })
    },
    all,
  ),
  chartScript(
    'a combined guard may have a name',
    (_, world) =>
      logic.createMachine({
        context,
        on: {
          go: [
            { guard: 'both', actions: () => world.note('both') },
            { guard: 'neither', actions: () => world.note('neither') },
            { guard: not('neither'), actions: () => world.note('one') },
          ],
        },
      }),
    all,
  ),
  chartScript(
    'and and or stop at the first answer, so a later guard that throws is not asked',
    (_, world) =>
      logic.createMachine({
        context,
        on: {
          go: [
            { guard: and(['left', 'boom']), actions: () => world.note('never') },
            { guard: or([not('left'), 'boom']), actions: () => world.note('or') },
          ],
        },
      }),
    [
      { type: 'go', n: 0 },
      { type: 'go', n: 1 },
    ],
  ),
  chartScript(
    'a guard named without params gets none',
    (_, world) =>
      logic.createMachine({
        context,
        on: { go: { guard: 'bare', actions: () => world.note('no params') } },
      }),
    ['go'],
  ),
  chartScript(
    'check in enqueueActions asks named, parametrised and combined guards',
    (_, world) =>
      logic.createMachine({
        context,
        on: {
          go: {
            actions: enqueueActions(({ enqueue, check }) => {
              if (check('left')) enqueue(() => world.note('left'))
              if (check({ type: 'over', params: { limit: 2 } })) enqueue(() => world.note('over'))
              if (check(and([not('left'), 'right']))) enqueue(() => world.note('right only'))
            }),
          },
        },
      }),
    all,
  ),
]

const inStates: readonly Script[] = [
  chartScript(
    'stateIn asks for a value, a path or an id',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          light: {
            initial: 'green',
            states: {
              green: { on: { next: 'red' } },
              red: {
                id: 'red',
                initial: 'walk',
                on: { next: '.stop' },
                states: { walk: {}, stop: { id: 'stop' } },
              },
            },
          },
          asked: {
            on: {
              ask: [
                { guard: stateIn('#stop'), actions: say('by id of the child') },
                { guard: stateIn({ light: { red: 'walk' } }), actions: say('by value') },
                { guard: stateIn('light.red'), actions: say('by path') },
                { guard: and([not(stateIn('#red')), stateIn('light')]), actions: say('not red') },
              ],
            },
          },
        },
      }),
    ['ask', 'next', 'ask', 'next', 'ask'],
  ),
  chartScript(
    'stateIn sees the states in between',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            initial: 'a2',
            states: {
              a2: { on: { go: 'a3' } },
              a3: { always: 'a4' },
              a4: { always: 'a5' },
              a5: {},
            },
          },
          b: {
            initial: 'b0',
            states: { b0: { always: { guard: stateIn('a.a4'), target: 'b4' } }, b4: {} },
          },
        },
      }),
    ['go'],
  ),
]

const broken: readonly Script[] = [
  chartScript(
    'a guard that is not there fails the machine',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'foo',
        states: { foo: { on: { bad: { guard: 'doesNotExist' as never } } } },
      }),
    ['other', 'bad'],
  ),
  chartScript(
    'a named guard that throws fails the machine and says where',
    () => logic.createMachine({ id: 'm', context, on: { go: { guard: 'boom' } } }),
    ['go'],
  ),
  chartScript(
    'an inline guard that throws fails the machine and says where',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'a',
        states: { a: { on: { go: { guard: boom('inline'), target: 'b' } } }, b: {} },
      }),
    ['go'],
  ),
  chartScript(
    'a guard of an always transition that throws fails the machine',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'a',
        states: { a: { on: { go: 'b' } }, b: { always: { guard: boom('always'), target: 'a' } } },
      }),
    ['go'],
  ),
  chartScript('a guard that throws at the start fails the machine at the start', (chart) =>
    chart.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: { a: { always: { guard: boom('at once'), target: 'b' } }, b: {} },
    }),
  ),
  chartScript(
    'params that throw fail the machine',
    (chart) =>
      chart.createMachine({
        context,
        on: {
          go: {
            guard: {
              type: 'isOver',
              params: () => {
                throw new Error('no params')
              },
            },
          },
        },
      }),
    ['go'],
  ),
]

export const guardScripts: readonly Script[] = [...chosen, ...combined, ...inStates, ...broken]
