import { assign, sendParent, sendTo, type AnyStateMachine } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, createChart, look, say, told, type Chart } from './charts-base.ts'

const roots: readonly Script[] = [
  chartScript(
    'a root that is final is done at once; its output hears of its own end',
    (chart) =>
      chart.createMachine({ id: 'm', context, type: 'final', output: ({ event }) => event }),
    [],
    { n: 1 },
  ),
  chartScript(
    'the output of the final state reaches the output of the root',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'a',
        states: {
          a: { on: { end: { target: 'z', actions: 'add' } } },
          z: {
            type: 'final',
            entry: 'add',
            output: ({ context, event }) => ({ n: context.n, by: event.type }),
          },
        },
        output: ({ context, event }) => ({ n: context.n, event }),
      }),
    ['end'],
  ),
  chartScript(
    'a root without output is done without',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: { a: { on: { end: 'z' } }, z: { type: 'final', output: 'lost' } },
      }),
    ['end'],
  ),
  chartScript(
    'null is an output',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: { a: { on: { end: 'z' } }, z: { type: 'final', output: null } },
        output: ({ event }) => ({ got: event.output }),
      }),
    ['end'],
  ),
  chartScript('a parallel root is done when each region is', (chart) =>
    chart.createMachine({
      id: 'm',
      context,
      type: 'parallel',
      states: {
        a: { type: 'final' },
        b: { type: 'parallel', states: { c: { initial: 'd', states: { d: { type: 'final' } } } } },
      },
      output: ({ event }) => event,
    }),
  ),
  chartScript(
    'a parallel root with one region done goes on',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: { type: 'final' },
          b: { initial: 'b1', states: { b1: { on: { end: 'b2' } }, b2: { type: 'final' } } },
        },
        output: 'both',
      }),
    ['end'],
  ),
  chartScript(
    'when the root is done all states are left in reverse order',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        ...told('root'),
        states: {
          a: {
            ...told('a'),
            initial: 'a1',
            states: {
              a1: { ...told('a1'), on: { one: 'a2' } },
              a2: { ...told('a2'), type: 'final' },
            },
          },
          b: {
            ...told('b'),
            initial: 'b1',
            states: {
              b1: { ...told('b1'), on: { two: 'b2' } },
              b2: { ...told('b2'), type: 'final' },
            },
          },
        },
      }),
    ['two', 'one'],
  ),
  chartScript(
    'an exit action of a root that is done still changes the context',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        exit: ['add', say('exit root')],
        states: {
          a: { on: { end: { target: 'z', actions: 'add' } } },
          z: { type: 'final', exit: 'add' },
        },
        output: ({ context }) => context.n,
      }),
    ['end'],
  ),
]

const levels: readonly Script[] = [
  chartScript(
    'a compound state is done with the output of its final child',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'secret',
        states: {
          secret: {
            initial: 'wait',
            states: {
              wait: { on: { show: 'shown' } },
              shown: {
                type: 'final',
                entry: 'add',
                output: ({ context, event }) => ({ n: context.n, by: event.type }),
              },
            },
            onDone: { target: 'open', actions: ['sayEvent', assign({ n: 40 })] },
          },
          open: {},
        },
      }),
    ['show'],
  ),
  chartScript('ends go up from the inside: each onDone after the entry below it', (chart) =>
    chart.createMachine({
      id: 'm',
      context,
      initial: 'foo',
      states: {
        foo: {
          initial: 'bar',
          onDone: { target: 'end', actions: 'sayEvent' },
          states: {
            bar: {
              initial: 'baz',
              onDone: { target: 'barEnd', actions: 'sayEvent' },
              states: { baz: { type: 'final', entry: say('baz'), output: 1 } },
            },
            barEnd: { type: 'final', entry: say('barEnd'), output: 2 },
          },
        },
        end: { type: 'final', entry: say('end') },
      },
    }),
  ),
  chartScript(
    'a parallel state is done once, when its last region is, and without output',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'p',
        states: {
          p: {
            type: 'parallel',
            onDone: { target: 'q', actions: 'sayEvent' },
            states: {
              a: {
                initial: 'a1',
                states: { a1: { on: { one: 'a2', all: 'a2' } }, a2: { type: 'final', output: 1 } },
                onDone: { actions: 'sayEvent' },
              },
              b: {
                initial: 'b1',
                states: { b1: { on: { two: 'b2', all: 'b2' } }, b2: { type: 'final', output: 2 } },
                onDone: { actions: 'sayEvent' },
              },
            },
          },
          q: { on: { again: 'p' } },
        },
      }),
    ['one', 'two', 'again', 'all'],
  ),
  chartScript(
    'a parallel state inside a parallel state is done in whatever order',
    (chart) => nestedRegions(chart),
    ['beta', 'one', 'two', 'again', 'one', 'two', 'beta'],
  ),
  chartScript(
    'onDone of a parallel state is heard once though its regions are final at once',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'p',
        states: {
          p: {
            type: 'parallel',
            onDone: { actions: ['sayEvent', 'add'] },
            states: {
              a: { type: 'final', output: 'not asked for' },
              b: { type: 'final' },
              c: { type: 'parallel', states: { d: { type: 'final' } } },
            },
          },
        },
      }),
    ['nothing'],
  ),
  chartScript('a done root leaves what it has raised unheard', (chart) =>
    chart.createMachine({
      id: 'm',
      context,
      type: 'parallel',
      onDone: { actions: say('root onDone') },
      states: {
        a: {
          initial: 'b',
          states: { b: { type: 'final' } },
          onDone: { actions: say('region onDone') },
        },
      },
    }),
  ),
  chartScript(
    'a guard may refuse an end, and the state stays in its final child',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'work',
        states: {
          work: {
            initial: 'doing',
            states: { doing: { on: { end: 'ended' } }, ended: { type: 'final' } },
            onDone: [
              { guard: 'isBig', target: 'good' },
              { guard: 'isOne', target: 'bad' },
            ],
            on: { retry: { target: '.doing', actions: { type: 'set', params: 3 } } },
          },
          good: {},
          bad: {},
        },
      }),
    [{ type: 'end', n: 1 }, 'retry', 'end'],
  ),
]

function nestedRegions(chart: Chart): AnyStateMachine {
  const region = (event: string) => ({
    initial: 'busy',
    states: { busy: { on: { [event]: 'idle' } }, idle: { type: 'final' as const } },
  })
  return chart.createMachine({
    id: 'm',
    context,
    initial: 'p',
    states: {
      p: {
        type: 'parallel',
        onDone: 'end',
        states: {
          alpha: {
            type: 'parallel',
            states: { one: region('one'), two: region('two') },
            onDone: { actions: 'sayEvent' },
          },
          beta: { ...region('beta'), onDone: { actions: 'sayEvent' } },
        },
      },
      end: { on: { again: 'p' } },
    },
  })
}

/** A child that tells its parent as it ends: from its final state or as the root is left. */
const ending = (chart: Chart, from: 'entry' | 'exit') =>
  chart.createMachine({
    id: 'child',
    context,
    initial: 'a',
    exit:
      from === 'exit' ? [sendParent({ type: 'cancelled' }), say('exit child')] : say('exit child'),
    states: {
      a: { on: { cancel: 'z' } },
      z: { type: 'final', entry: from === 'entry' ? sendParent({ type: 'cancelled' }) : [] },
    },
  })

const lastWords = (from: 'entry' | 'exit'): Script =>
  chartScript(
    `a child's last words from its ${from} come before its end`,
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: {
            invoke: { id: 'child', src: ending(chart, from), onDone: 'completed' } as never,
            on: {
              cancel: { actions: sendTo('child', { type: 'cancel' }) },
              cancelled: 'cancelled',
            },
          },
          cancelled: told('cancelled'),
          completed: told('completed'),
        },
      }),
    ['cancel'],
  )

const observed: Script = {
  name: 'observers hear the last snapshot and then the end',
  run(world) {
    const machine = createChart(world).createMachine({
      context,
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { on: { end: 'c' } }, c: { type: 'final' } },
      output: { well: true },
    })
    const hand = world.start(machine)
    hand.ref.subscribe({
      next: ({ status, value }: { status: string; value: unknown }) =>
        world.note('next', status, value),
      complete: () => world.note('complete'),
    })
    hand.send({ type: 'go' })
    hand.send({ type: 'end' })
    look(world, hand, 'after')
    hand.ref.subscribe({ complete: () => world.note('late complete') })
  },
}

export const finalScripts: readonly Script[] = [
  ...roots,
  ...levels,
  lastWords('entry'),
  lastWords('exit'),
  observed,
]
