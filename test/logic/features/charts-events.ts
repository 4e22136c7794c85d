import { raise } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, say, told } from './charts-base.ts'

/** Which events wildcards hear, and in which order they are asked. */
export const eventScripts: readonly Script[] = [
  chartScript(
    'a wildcard hears what nothing else hears',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: { a: { on: { foo: 'b', '*': 'c' } }, b: { on: { '*': 'a' } }, c: {} },
      }),
    ['foo', 'foo', 'other', 'more'],
  ),
  chartScript(
    'a wildcard of a child comes before an exact handler of its parent',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        on: { next: '.parent' },
        states: { a: { on: { '*': 'child' } }, child: {}, parent: {} },
      }),
    ['next', 'next'],
  ),
  chartScript(
    'a partial wildcard hears the whole of its words, also none after them',
    (chart) =>
      chart.createMachine({
        context,
        on: {
          'mouse.*': { actions: [say('mouse'), 'sayEvent'] },
          'mouse.click.*': { actions: say('click') },
          'mouse.click.left': { actions: say('left') },
          '*': { actions: say('anything') },
        },
      }),
    ['mouse', 'mouse.click', 'mouse.click.left', 'mouse.click.right.twice', 'mouse.move', 'mousey'],
  ),
  chartScript(
    'a guarded narrow handler gives way to a wider one',
    (chart) =>
      chart.createMachine({
        context,
        on: {
          '*': { actions: say('star') },
          'a.*': { guard: 'isOne', actions: say('a.*') },
          'a.b.*': { guard: 'never', actions: say('a.b.*') },
          'a.b': { guard: 'never', actions: say('a.b') },
        },
      }),
    ['a.b', { type: 'a.b', n: 1 }, { type: 'a.b.c', n: 1 }, 'z'],
  ),
  chartScript(
    'a forbidden event stops before the parent and before the wildcard',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        on: { go: { actions: say('parent') }, stay: { actions: say('parent stays') } },
        states: {
          a: { on: { go: undefined, stay: {}, next: 'b' } },
          b: { on: { stay: { actions: [] }, '*': { actions: say('star of b') } } },
        },
      }),
    ['go', 'stay', 'next', 'go', 'stay'],
  ),
  chartScript(
    'wildcards hear raised events and the ends of states',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'a',
        states: {
          a: { on: { go: { target: 'b', actions: raise({ type: 'inner' }) } } },
          b: {
            initial: 'x',
            states: { x: { on: { inner: 'y' } }, y: { type: 'final', output: 5 } },
            on: { '*': { actions: 'sayEvent' } },
          },
        },
      }),
    ['go', 'go'],
  ),
  chartScript(
    'partial wildcards hear the ends of states, too',
    (chart) =>
      chart.createMachine({
        id: 'm',
        context,
        initial: 'b',
        states: {
          b: {
            initial: 'x',
            states: { x: { on: { go: 'y' } }, y: { type: 'final', output: 5 } },
            on: { 'xstate.done.*': { target: 'c', actions: 'sayEvent' } },
          },
          c: told('c'),
        },
      }),
    ['go'],
  ),
  chartScript(
    'of several handlers of one event each has its own guard',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: {
            on: {
              'job.*': [
                { guard: 'isOne', target: 'one' },
                { guard: ({ event }) => event.type === 'job.two', target: 'two' },
              ],
              '*': 'other',
            },
          },
          one: { on: { back: 'a' } },
          two: { on: { back: 'a' } },
          other: { on: { back: 'a' } },
        },
      }),
    [{ type: 'job.x', n: 1 }, 'back', 'job.two', 'back', 'job.three'],
  ),
  chartScript(
    'a raised event called star fails the machine',
    (chart) =>
      chart.createMachine({
        context,
        on: { go: { actions: raise({ type: '*' }) }, '*': { actions: say('star') } },
      }),
    ['x', 'go'],
  ),
]
