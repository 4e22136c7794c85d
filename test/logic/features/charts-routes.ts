import { raise } from 'xstate'
import type { Script } from '../worlds.ts'
import { chartScript, context, say, told } from './charts-base.ts'

const to = (id: string) => ({ type: 'xstate.route', to: id })

/** States that are reached from anywhere by an event `xstate.route` that names their id. */
export const routeScripts: readonly Script[] = [
  chartScript(
    'a state with a route and an id is reached from anywhere',
    (chart) =>
      chart.createMachine({
        context,
        id: 'm',
        initial: 'a',
        states: {
          a: { ...told('a'), id: 'a', route: {} },
          b: {
            ...told('b'),
            initial: 'c',
            states: { c: told('c'), d: { ...told('d'), id: 'd', route: {} } },
          },
          e: { ...told('e'), route: {} },
          f: { ...told('f'), id: 'f' },
        },
      }),
    [to('#d'), to('#f'), to('#e'), to('#nowhere'), to('#a'), to('#a')],
  ),
  chartScript(
    'a route may have a guard and actions',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        on: { add: { actions: 'add' } },
        states: {
          a: {},
          b: { id: 'b', route: { guard: 'isBig', actions: say('routed to b') } },
          c: { id: 'c', route: { guard: ({ context }) => context.n > 0, actions: 'sayEvent' } },
        },
      }),
    [to('#b'), to('#c'), 'add', to('#c'), 'add', 'add', to('#b')],
  ),
  chartScript(
    'a route into one region enters the others anew',
    (chart) =>
      chart.createMachine({
        context,
        type: 'parallel',
        states: {
          todo: {
            initial: 'new',
            states: { new: { on: { edit: 'editing' } }, editing: told('e') },
          },
          filter: {
            initial: 'all',
            states: {
              all: { id: 'filter-all', route: {} },
              done: { ...told('done'), id: 'filter-done', route: {} },
            },
          },
        },
      }),
    ['edit', to('#filter-done'), to('#filter-all')],
  ),
  chartScript(
    'a raised route is taken in the same step',
    (chart) =>
      chart.createMachine({
        context,
        initial: 'a',
        states: {
          a: { on: { go: { actions: raise({ type: 'xstate.route', to: '#c' }) } } },
          b: {
            initial: 'c',
            states: { c: { ...told('c'), id: 'c', route: { reenter: true } as object } },
          },
        },
      }),
    ['go', to('#c')],
  ),
]
