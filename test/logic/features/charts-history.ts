import { fromCallback } from 'xstate'
import type { Script, World } from '../worlds.ts'
import { chartScript, context, say, told } from './charts-base.ts'

/** A player with a shallow and a deep memory, and defaults if asked for. */
const remembering = (
  name: string,
  events: readonly string[],
  defaults: { readonly shallow?: string; readonly deep?: string } = {},
): Script =>
  chartScript(
    name,
    (chart) =>
      chart.createMachine({
        context,
        initial: 'off',
        states: {
          off: { on: { shallow: 'on.shallow', deep: 'on.deep', start: 'on' } },
          on: {
            ...told('on'),
            initial: { target: 'one', actions: say('initial of on') },
            on: { off: 'off' },
            states: {
              one: { ...told('one'), on: { next: 'two' } },
              two: {
                ...told('two'),
                initial: { target: 'x', actions: say('initial of two') },
                states: {
                  x: { ...told('x'), on: { next: 'y' } },
                  y: {
                    ...told('y'),
                    initial: 'p',
                    states: { p: { on: { next: 'q' } }, q: told('q') },
                  },
                },
              },
              shallow: { type: 'history', target: defaults.shallow },
              deep: { type: 'history', history: 'deep', target: defaults.deep },
            },
          },
        },
      }),
    events,
  )

const simple: readonly Script[] = [
  remembering('a shallow history returns to the last child and its initial states', [
    'start',
    'next',
    'next',
    'off',
    'shallow',
  ]),
  remembering('a deep history returns to the last states at every level', [
    'start',
    'next',
    'next',
    'next',
    'off',
    'deep',
    'off',
    'shallow',
  ]),
  remembering('a history never filled takes the initial state with its actions', [
    'shallow',
    'off',
    'start',
  ]),
  remembering('a deep history never filled takes the initial state too', ['deep', 'next']),
  remembering(
    'a history never filled takes its default and no initial actions',
    ['shallow', 'next', 'off', 'shallow'],
    { shallow: 'two' },
  ),
  remembering('a deep history never filled takes a default deep inside', ['deep'], {
    deep: 'two.y.q',
  }),
  remembering(
    'a history once filled forgets its default',
    ['start', 'off', 'shallow', 'off', 'deep'],
    { shallow: 'two', deep: 'two.y' },
  ),
]

const nested: readonly Script[] = [
  chartScript(
    'a history that is the initial state leads to its default',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'foo',
        states: {
          foo: { type: 'history', target: 'bar' },
          bar: {
            on: { go: 'inner' },
          },
          inner: {
            initial: { target: 'memory', actions: say('initial of inner') },
            on: { out: 'bar' },
            states: {
              memory: { type: 'history', target: 'b' },
              a: told('a'),
              b: { ...told('b'), on: { next: 'a' } },
            },
          },
        },
      }),
    ['go', 'next', 'out', 'go'],
  ),
  chartScript(
    'a reentering transition to a history comes back to where it was',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: {
            ...told('a'),
            initial: 'a1',
            on: { hard: { target: '#memory', reenter: true }, soft: '#memory' },
            states: {
              a1: { on: { next: 'a2' } },
              a2: told('a2'),
              a3: { type: 'history', id: 'memory' },
            },
          },
        },
      }),
    ['next', 'hard', 'soft'],
  ),
  chartScript(
    'an always transition on the way counts as visited',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'idle',
        states: {
          idle: {
            initial: 'absent',
            states: {
              absent: { on: { deploy: '#deploy' } },
              present: { on: { deploy: '#deploy', destroy: '#destroy' } },
              memory: { type: 'history' },
            },
          },
          deploy: { id: 'deploy', on: { good: 'idle.present', bad: 'idle.memory' } },
          destroy: { id: 'destroy', always: 'idle.absent' },
        },
      }),
    ['deploy', 'good', 'destroy', 'deploy', 'bad'],
  ),
]

const regions = (events: readonly string[], name: string, deep: boolean): Script =>
  chartScript(
    name,
    (chart) =>
      chart.createMachine({
        context,
        initial: 'off',
        states: {
          off: {
            on: {
              start: 'on',
              whole: 'on.whole',
              both: { target: ['on.a.own', 'on.b.own'] },
              one: 'on.b.own',
            },
          },
          on: {
            ...told('on'),
            type: 'parallel',
            on: { off: 'off' },
            states: {
              whole: { type: 'history', history: deep ? 'deep' : 'shallow' },
              a: {
                initial: 'a1',
                states: {
                  a1: { on: { next: 'a2' } },
                  a2: {
                    initial: 'x',
                    states: { x: { on: { more: 'y' } }, y: told('y') },
                  },
                  own: { type: 'history', history: deep ? 'deep' : 'shallow' },
                },
              },
              b: {
                initial: 'b1',
                states: {
                  b1: { on: { next: 'b2' } },
                  b2: told('b2'),
                  own: { type: 'history' },
                },
              },
            },
          },
        },
      }),
    events,
  )

const walk = ['start', 'next', 'more', 'off']

const parallel: readonly Script[] = [
  regions([...walk, 'whole'], 'a deep history of a parallel state restores all regions', true),
  regions([...walk, 'whole'], 'a shallow history of a parallel state restarts its regions', false),
  regions([...walk, 'both', 'off', 'whole'], 'two histories of two regions are targets', true),
  regions([...walk, 'one'], 'a history of one region lets the other start anew', false),
  regions(['whole', 'next'], 'a history of a parallel state never filled enters it', true),
  regions(['both', 'next'], 'histories of regions never filled enter their initial states', false),
]

/** A callback that tells when it starts and stops, as an invocation. */
const pulse = (world: World) =>
  ({
    id: 'pulse',
    src: fromCallback(() => {
      world.note('started')
      return () => world.note('stopped')
    }),
  }) as never

const others: readonly Script[] = [
  chartScript(
    'a history that leads to the active state enters it once more without an exit',
    (chart, world) =>
      chart.createMachine({
        context,
        initial: 'running',
        states: {
          running: {
            ...told('running'),
            invoke: { id: 'pulse', src: fromCallback(() => world.note('started')) } as never,
            on: { ping: 'memory' },
          },
          memory: { type: 'history' },
        },
      }),
    ['ping'],
  ),
  chartScript(
    'a default of several targets fills the regions of a parallel state',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'off',
        states: {
          off: { on: { go: 'on.memory' } },
          on: {
            type: 'parallel',
            on: { off: 'off' },
            states: {
              memory: { type: 'history', target: ['a.a2', 'b.b2'] as never },
              a: { initial: 'a1', states: { a1: told('a1'), a2: told('a2') } },
              b: { initial: 'b1', states: { b1: told('b1'), b2: told('b2') } },
            },
          },
        },
      }),
    ['go', 'off', 'go'],
  ),
  chartScript(
    'a state that comes back by history starts its callback anew',
    (chart, world) =>
      chart.createMachine({
        context,
        initial: 'running',
        states: {
          running: { invoke: pulse(world), on: { ping: { target: 'memory', reenter: true } } },
          memory: { type: 'history' },
        },
      }),
    ['ping', 'ping'],
  ),
]

export const historyScripts: readonly Script[] = [...simple, ...nested, ...parallel, ...others]
