import { raise, stateIn } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, say, told } from './charts-base.ts'

const moving: readonly Script[] = [
  chartScript('regions are entered in the order of the document', (chart) =>
    chart.createMachine({
      context,
      type: 'parallel',
      ...told('root'),
      states: {
        b: { ...told('b'), initial: 'b1', states: { b1: told('b1') } },
        a: { ...told('a'), initial: 'a1', states: { a1: told('a1') } },
      },
    }),
  ),
  chartScript(
    'one event moves several regions: exits backwards, actions, then entries forwards',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            initial: 'a1',
            states: {
              a1: { ...told('a1'), on: { go: { target: 'a2', actions: say('a') } } },
              a2: told('a2'),
            },
          },
          b: {
            initial: 'b1',
            states: {
              b1: { ...told('b1'), on: { go: { target: 'b2', actions: say('b') } } },
              b2: told('b2'),
            },
          },
          c: { initial: 'c1', states: { c1: { ...told('c1'), on: { go: 'c1' } } } },
        },
      }),
    ['go', 'go', 'nothing'],
  ),
  chartScript(
    'a region without states has an empty value',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          bare: { on: { e: { actions: say('bare hears') } } },
          full: { initial: 'one', states: { one: { on: { e: 'two' } }, two: {} } },
        },
      }),
    ['e', 'e'],
  ),
  chartScript(
    'what one region raises every region hears',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          speaker: {
            initial: 'mute',
            states: {
              mute: { entry: raise({ type: 'clear' }), on: { loud: 'loud' } },
              loud: { entry: raise({ type: 'sound' }), on: { mute: 'mute' } },
            },
          },
          ears: {
            type: 'parallel',
            states: {
              left: { initial: 'on', states: { on: { on: { clear: 'off' } }, off: {} } },
              right: {
                initial: 'off',
                states: { on: { on: { clear: 'off' } }, off: { on: { sound: 'on' } } },
              },
            },
          },
        },
      }),
    ['loud', 'mute', 'loud'],
  ),
  chartScript(
    'one event enters a parallel state in each of two regions',
    (chart) => {
      const inner = (name: string) => ({
        ...told(name),
        type: 'parallel' as const,
        states: {
          x: { initial: 'x1', states: { x1: { on: { x: 'x2' } }, x2: {} } },
          y: { initial: 'y1', states: { y1: {}, y2: {} } },
        },
      })
      return chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: { initial: 'off', states: { off: { on: { go: 'on' } }, on: inner('a.on') } },
          b: { initial: 'off', states: { off: { on: { go: 'on' } }, on: inner('b.on') } },
        },
      })
    },
    ['go', 'x'],
  ),
]

const leaving: readonly Script[] = [
  chartScript(
    'a handler of the parallel state is used only if no region takes the event',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'p',
        states: {
          p: {
            type: 'parallel',
            on: { go: 'out', both: { actions: say('parent') } },
            states: {
              a: { initial: 'a1', states: { a1: { on: { both: { actions: say('a') } } } } },
              b: { initial: 'b1', states: { b1: { on: { go: 'b2' } }, b2: {} } },
            },
          },
          out: {},
        },
      }),
    ['both', 'go', 'go'],
  ),
  chartScript(
    'of two regions that leave, the first in the document wins',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'p',
        states: {
          p: {
            ...told('p'),
            type: 'parallel',
            states: {
              a: {
                initial: 'a1',
                states: { a1: { on: { go: { target: '#x', actions: say('a leaves') } } } },
              },
              b: {
                initial: 'b1',
                states: { b1: { on: { go: { target: '#y', actions: say('b leaves') } } } },
              },
            },
          },
          x: { id: 'x' },
          y: { id: 'y' },
        },
      }),
    ['go'],
  ),
  chartScript(
    'a region that leaves preempts a later region that moves inside',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'p',
        states: {
          p: {
            type: 'parallel',
            states: {
              a: { initial: 'a1', states: { a1: { on: { go: '#x', back: 'a2' } }, a2: {} } },
              b: {
                initial: 'b1',
                states: { b1: { ...told('b1'), on: { go: 'b2', back: '#x' } }, b2: told('b2') },
              },
            },
          },
          x: { id: 'x', on: { again: 'p' } },
        },
      }),
    ['go', 'again', 'back'],
  ),
  chartScript(
    'a region that targets another region re-enters the whole parallel state',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            ...told('a'),
            initial: 'a1',
            states: { a1: { ...told('a1'), on: { cross: '#b2', on: 'a2' } }, a2: told('a2') },
          },
          b: {
            ...told('b'),
            initial: 'b1',
            states: { b1: told('b1'), b2: { ...told('b2'), id: 'b2' } },
          },
          c: { initial: 'c1', states: { c1: { on: { on: 'c2' } }, c2: told('c2') } },
        },
      }),
    ['cross', 'on'],
  ),
  chartScript(
    'a transition of the root to itself without reenter re-enters its regions only',
    (chart) =>
      chart.createMachine({
        context,
        id: 'word',
        type: 'parallel',
        ...told('root'),
        on: { reset: '#word', hard: { target: '#word', reenter: true } },
        states: {
          bold: { initial: 'off', states: { off: { on: { b: 'on' } }, on: told('bold') } },
          list: { initial: 'none', states: { none: { on: { l: 'dots' } }, dots: told('dots') } },
        },
      }),
    ['b', 'l', 'reset', 'b', 'hard'],
  ),
]

const targeting: readonly Script[] = [
  chartScript(
    'several targets choose a state in each region, the others start as usual',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'out',
        states: {
          out: {
            on: {
              two: { target: ['#a2', '#c2'], actions: say('two') },
              one: '#b2',
              deep: { target: ['p.a.a2', 'p.b.b2', 'p.c.c2'] },
            },
          },
          p: {
            ...told('p'),
            type: 'parallel',
            on: { out: 'out', inside: { target: ['.a.a2', '.c.c2'] } },
            states: {
              a: { initial: 'a1', states: { a1: told('a1'), a2: { ...told('a2'), id: 'a2' } } },
              b: { initial: 'b1', states: { b1: told('b1'), b2: { ...told('b2'), id: 'b2' } } },
              c: { initial: 'c1', states: { c1: told('c1'), c2: { ...told('c2'), id: 'c2' } } },
            },
          },
        },
      }),
    ['two', 'out', 'one', 'out', 'deep', 'out', 'one', 'inside'],
  ),
  chartScript(
    'a region moves its own child by a relative target and leaves its sibling alone',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            ...told('a'),
            initial: 'a1',
            on: { go: '.a2', hard: { target: '.a2', reenter: true } },
            states: { a1: told('a1'), a2: told('a2') },
          },
          b: { ...told('b'), initial: 'b1', states: { b1: told('b1') } },
        },
      }),
    ['go', 'go', 'hard'],
  ),
  chartScript(
    'a reentering parallel source starts all its regions anew',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'p',
        states: {
          p: {
            ...told('p'),
            type: 'parallel',
            on: { again: { target: 'p', reenter: true }, soft: 'p' },
            states: {
              a: { initial: 'a1', states: { a1: { on: { go: 'a2' } }, a2: told('a2') } },
              b: { initial: 'b1', states: { b1: { on: { go: 'b2' } }, b2: told('b2') } },
            },
          },
        },
      }),
    ['go', 'soft', 'go', 'again'],
  ),
  chartScript(
    'regions that wait for each other go on step by step',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          a: {
            initial: 'a1',
            states: {
              a1: { on: { go: 'a2' } },
              a2: { ...told('a2'), always: 'a3' },
              a3: { ...told('a3'), always: { guard: stateIn({ b: 'b3' }), target: 'a4' } },
              a4: told('a4'),
            },
          },
          b: {
            initial: 'b1',
            states: {
              b1: { on: { go: 'b2' } },
              b2: { ...told('b2'), always: { guard: stateIn({ a: 'a2' }), target: 'b3' } },
              b3: { ...told('b3'), always: { guard: stateIn({ a: 'a3' }), target: 'b4' } },
              b4: told('b4'),
            },
          },
        },
      }),
    ['go'],
  ),
  chartScript(
    'a targetless handler in one region does not stop another from moving',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          edit: { on: { change: { actions: 'add' } } },
          check: {
            initial: 'bad',
            states: { bad: told('bad'), good: told('good') },
            on: { change: [{ guard: 'isBig', target: '.bad' }, { target: '.good' }] },
          },
        },
      }),
    ['change', 'change', 'change', 'change'],
  ),
]

export const parallelScripts: readonly Script[] = [...moving, ...leaving, ...targeting]
