import { raise, type AnyStateMachine } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, say, told } from './charts-base.ts'

const own: readonly Script[] = [
  chartScript(
    'a state that targets itself is left and entered, unless it names its own child',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: {
            ...told('a'),
            initial: { target: 'x', actions: say('initial') },
            on: {
              self: { target: 'a', actions: say('self') },
              hard: { target: 'a', reenter: true },
              child: '.x',
              hardChild: { target: '.x', reenter: true },
              none: { actions: say('none') },
              hardNone: { actions: say('hard none'), reenter: true },
            },
            states: { x: { ...told('x'), on: { move: 'y' } }, y: told('y') },
          },
        },
      }),
    ['move', 'self', 'move', 'hard', 'move', 'child', 'move', 'hardChild', 'none', 'hardNone'],
  ),
  chartScript(
    'an atomic state that targets itself is re-entered only if asked to',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: {
            ...told('a'),
            on: {
              soft: { target: 'a', actions: say('soft') },
              hard: { target: 'a', reenter: true },
            },
          },
        },
      }),
    ['soft', 'hard'],
  ),
  chartScript(
    'transitions of the root start its states anew, with reenter the root itself',
    (chart) =>
      chart.createMachine({
        context,
        id: 'm',
        ...told('root'),
        initial: 'a',
        on: {
          b: '.b',
          byId: '#m.b',
          self: '#m',
          hard: { target: '#m', reenter: true },
          hardB: { target: '.b', reenter: true },
          none: { actions: say('none') },
        },
        states: { a: told('a'), b: told('b') },
      }),
    ['b', 'b', 'self', 'byId', 'hard', 'hardB', 'none'],
  ),
]

const places: readonly Script[] = [
  chartScript(
    'targets by id, by path from an id, by path of siblings and of children',
    (chart) =>
      chart.createMachine({
        context,
        id: 'm',
        initial: 'a',
        states: {
          a: {
            on: {
              id: '#custom',
              idPath: '#custom.inner.deep',
              machinePath: '#m.b.two',
              sibling: 'b.two',
            },
          },
          b: {
            id: 'custom',
            initial: 'one',
            on: { back: 'a', child: '.inner.deep' },
            states: {
              one: {},
              two: { on: { up: '#m.a' } },
              inner: { initial: 'flat', states: { flat: {}, deep: { on: { up: '#custom' } } } },
            },
          },
        },
      }),
    ['id', 'child', 'up', 'back', 'idPath', 'back', 'machinePath', 'up', 'sibling', 'back'],
  ),
  chartScript(
    'keys and ids may hold dots, escaped in targets',
    (chart) =>
      chart.createMachine({
        context,
        id: 'm',
        initial: 'a.b',
        states: {
          'a.b': { on: { go: 'c\\.d', id: '#some\\.id' } },
          'c.d': { id: 'some.id', on: { back: 'a\\.b' } },
        },
      }),
    ['go', 'back', 'id'],
  ),
  chartScript(
    'numbers are names of states, too',
    (chart) =>
      chart.createMachine({
        context,
        initial: '1',
        states: { 1: { ...told('1'), on: { go: '0' } }, 0: { ...told('0'), on: { go: '1' } } },
      }) as unknown as AnyStateMachine,
    ['go', 'go'],
  ),
  chartScript('an initial path of several levels runs initial actions at each of them', (chart) =>
    chart.createMachine({
      context,
      initial: { target: 'a', actions: [say('initial of root'), 'add'] },
      states: {
        a: {
          ...told('a'),
          initial: { target: 'b', actions: [say('initial of a'), raise({ type: 'on' })] },
          states: {
            b: {
              ...told('b'),
              initial: 'c',
              states: { c: { ...told('c'), on: { on: 'd' } }, d: told('d') },
            },
          },
        },
      },
    }),
  ),
]

/** Four levels, as deep as the documents go, with handlers at each. */
const deep = (name: string, events: readonly string[]): Script =>
  chartScript(
    name,
    (chart) =>
      chart.createMachine({
        context,
        id: 'm',
        ...told('root'),
        initial: 'a',
        on: { root: '#m.z', toD: '#d' },
        states: {
          a: {
            ...told('a'),
            initial: 'b',
            on: { atA: { target: 'z', actions: say('at a') }, same: { actions: say('a hears') } },
            states: {
              b: {
                ...told('b'),
                initial: 'c',
                on: {
                  atB: { target: '#d', actions: say('at b') },
                  reB: { target: 'b', reenter: true },
                },
                states: {
                  c: {
                    ...told('c'),
                    initial: 'd',
                    on: { same: { actions: say('c hears') }, atC: '#m.a' },
                    states: {
                      d: { ...told('d'), id: 'd', on: { next: 'e', atD: '#m.a.b.c.e' } },
                      e: { ...told('e'), on: { out: '#m.z' } },
                    },
                  },
                },
              },
            },
          },
          z: { ...told('z'), on: { back: 'a', deep: 'a.b.c.e' } },
        },
      }),
    events,
  )

const depths: readonly Script[] = [
  deep('a leaf may leave all its parents, innermost first', ['next', 'out', 'deep', 'root']),
  deep('a handler of a parent moves to one of its descendants', ['next', 'atB', 'next', 'toD']),
  deep('a handler of an inner state may target an ancestor', ['next', 'atC', 'reB']),
  deep('the innermost handler is the only one that hears', ['same', 'atD', 'same', 'atA', 'back']),
]

const many: readonly Script[] = [
  chartScript(
    'several targets, also at different depths, are entered together',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'simple',
        states: {
          simple: {
            on: {
              initial: { target: ['p'] },
              one: { target: ['p.b.b2'] },
              two: { target: ['p.a.a2', 'p.c.c2', 'p.b.b1'] },
              nested: { target: ['p.d.q.x.x2', 'p.d.q.y.y2'] },
            },
          },
          p: {
            type: 'parallel',
            on: { back: 'simple' },
            states: {
              a: { initial: 'a1', states: { a1: told('a1'), a2: told('a2') } },
              b: { initial: 'b1', states: { b1: told('b1'), b2: told('b2') } },
              c: { initial: 'c1', states: { c1: told('c1'), c2: told('c2') } },
              d: {
                initial: 'n',
                states: {
                  n: told('n'),
                  q: {
                    ...told('q'),
                    type: 'parallel',
                    states: {
                      x: { initial: 'x1', states: { x1: {}, x2: told('x2') } },
                      y: { initial: 'y1', states: { y1: {}, y2: told('y2') } },
                    },
                  },
                },
              },
            },
          },
        },
      }),
    ['initial', 'back', 'one', 'back', 'two', 'back', 'nested'],
  ),
]

export const targetScripts: readonly Script[] = [...own, ...places, ...depths, ...many]
