import { raise, stateIn } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, createChart, play, say, told } from './charts-base.ts'

const choices: readonly Script[] = [
  ...[0, 1, 2, 3].map((n) =>
    chartScript(
      `of several always transitions the first that may is taken (${n})`,
      (chart) =>
        chart.createMachine({
          context: ({ input }) => ({ ...context, n: input.n ?? 0 }),
          initial: 'g',
          states: {
            g: { on: { go: 'e' } },
            e: {
              always: [
                { guard: ({ context }) => context.n === 0, target: 'd' },
                { guard: ({ context }) => context.n === 1, target: 'b' },
                { guard: ({ context }) => context.n === 2, target: 'c' },
                'f',
              ],
            },
            b: {},
            c: {},
            d: {},
            f: {},
          },
        }),
      ['go'],
      { n },
    ),
  ),
  chartScript('always transitions are taken before the machine has started', (chart) =>
    chart.createMachine({
      context,
      initial: 'a',
      states: {
        a: { ...told('a'), always: { target: 'b', actions: say('a to b') } },
        b: { ...told('b'), always: 'c' },
        c: told('c'),
      },
    }),
  ),
  chartScript(
    'the actions of all steps run in their order',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { ...told('a'), on: { go: { target: 't', actions: say('go') } } },
          t: { ...told('t'), always: [{ target: 'b', actions: say('always') }] },
          b: told('b'),
        },
      }),
    ['go'],
  ),
]

const queues: readonly Script[] = [
  chartScript(
    'always transitions come before raised events, and these one by one',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: 'b' } },
          b: { entry: raise({ type: 'bar' }), always: 'c', on: { bar: 'wrong' } },
          c: { on: { bar: { target: 'd', actions: raise({ type: 'next' }) } } },
          d: { ...told('d'), always: 'e', on: { next: 'wrong' } },
          e: { on: { next: 'f' } },
          f: {},
          wrong: {},
        },
      }),
    ['go'],
  ),
  chartScript(
    'events raised by two regions are heard one after the other',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            initial: 'a1',
            states: { a1: { on: { e: 'a2' } }, a2: { entry: raise({ type: 'int1' }) } },
          },
          b: {
            initial: 'b1',
            states: { b1: { on: { e: 'b2' } }, b2: { entry: raise({ type: 'int2' }) } },
          },
          c: {
            initial: 'c1',
            states: {
              c1: { on: { int1: 'c2', int2: 'c3' } },
              c2: { on: { int2: 'c4' } },
              c3: { on: { int1: 'c5' } },
              c4: {},
              c5: {},
            },
          },
        },
      }),
    ['e'],
  ),
  chartScript(
    'an always transition is no event: a wildcard does not hear it',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: 'b' } },
          b: { always: { guard: 'never', target: 'a' }, on: { '*': 'fell' } },
          fell: {},
        },
      }),
    ['go', 'anything'],
  ),
  chartScript(
    'an always transition sees the event that led to it',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: 'b', quiet: 'b' } },
          b: {
            always: { guard: ({ event }) => event.type === 'go', target: 'c', actions: 'sayEvent' },
            on: { back: 'a', inner: { actions: raise({ type: 'go', n: 7 }) } },
          },
          c: { entry: 'sayEvent', always: { actions: 'sayEvent', target: 'd' } },
          d: { on: { back: 'a' } },
        },
      }),
    [{ type: 'go', n: 4 }, 'back', 'quiet', 'inner'],
  ),
]

const conditions: readonly Script[] = [
  chartScript(
    'a targetless event with actions makes always transitions be asked again',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'low',
        states: {
          low: { always: { guard: 'isBig', target: 'high' }, on: { up: { actions: 'add' } } },
          high: {},
        },
      }),
    ['up', 'up', 'up'],
  ),
  chartScript(
    'always of the root ends the machine',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'first',
        always: { guard: 'isBig', target: '.success' },
        states: { first: { on: { add: { actions: 'add' } } }, success: { type: 'final' } },
      }),
    ['add', 'add', 'add'],
  ),
  chartScript(
    'a child asks its own always before those of its parents',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'p',
        states: {
          p: {
            initial: 'x',
            always: { guard: 'isBig', target: 'q', actions: say('parent') },
            states: {
              x: {
                always: { guard: 'isBig', target: 'y', actions: say('child') },
                on: { go: { actions: { type: 'set', params: 3 } } },
              },
              y: told('y'),
            },
          },
          q: {},
        },
      }),
    ['go'],
  ),
  chartScript(
    'a targetless always runs its actions as long as its guard says',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { always: { guard: ({ context }) => context.n < 3, actions: ['add', say('more')] } },
        },
      }),
    ['nothing'],
  ),
  chartScript(
    'one region moves on because another has moved',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: { initial: 'a1', states: { a1: { on: { go: 'a2' } }, a2: {} } },
          b: {
            initial: 'b1',
            states: { b1: { always: { guard: stateIn('a.a2'), target: 'b2' } }, b2: {} },
          },
          c: {
            initial: 'c1',
            states: { c1: { always: { guard: stateIn('b.b2'), target: 'c2' } }, c2: {} },
          },
        },
      }),
    ['go'],
  ),
]

const loops: readonly Script[] = [
  chartScript(
    'a loop of always transitions ends as an error at the limit',
    (chart) =>
      chart.createMachine({
        context,
        options: { maxIterations: 10 },
        initial: 'a',
        states: {
          a: { on: { go: 'b' } },
          b: { entry: 'add', always: 'c' },
          c: { always: 'b' },
        },
      }),
    ['go'],
  ),
  chartScript('a loop of raised events at the start ends as an error at the limit', (chart) =>
    chart.createMachine({
      context,
      options: { maxIterations: 6 },
      entry: raise({ type: 'again' }),
      on: { again: { actions: [raise({ type: 'again' }), 'add'] } },
    }),
  ),
  chartScript(
    'work within the limit is no error, and the limit counts anew for each event',
    (chart) =>
      chart.createMachine({
        context,
        options: { maxIterations: 6 },
        on: {
          go: { actions: { type: 'set', params: 0 } },
        },
        always: { guard: ({ context }) => context.n < 4, actions: 'add' },
      }),
    ['go', 'go', 'go'],
  ),
  {
    name: 'observers hear one snapshot for a whole chain',
    run(world) {
      const chart = createChart(world)
      const machine = chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: 'b' } },
          b: { entry: raise({ type: 'on' }), always: 'c' },
          c: { on: { on: 'd' } },
          d: { on: { back: 'a' } },
        },
      })
      const hand = play(world, machine)
      hand.ref.subscribe(({ value }: { value: unknown }) => world.note('next', value))
      for (const type of ['go', 'unknown', 'back']) hand.send({ type })
    },
  },
]

export const transientScripts: readonly Script[] = [...choices, ...queues, ...conditions, ...loops]
