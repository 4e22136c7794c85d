import { assign, sendParent, sendTo, setup, spawnChild, stopChild } from 'xstate'
import { base, context, fail, send, type Ctx, type Ev, type Scenario } from './scenario.ts'

const echo = setup({
  types: { context: {} as { heard: number }, events: {} as Ev, input: {} as { from: number } },
}).createMachine({
  id: 'echo',
  context: ({ input }) => ({ heard: input.from }),
  initial: 'listening',
  entry: sendParent({ type: 'child.ready' }),
  states: {
    listening: {
      on: {
        ping: {
          actions: [
            assign({ heard: ({ context }) => context.heard + 1 }),
            sendParent(({ context }) => ({ type: 'pong', n: context.heard })),
          ],
        },
        finish: 'finished',
        fail: { actions: assign(fail) },
        rest: 'resting',
      },
    },
    resting: { after: { 100: { target: 'listening', actions: sendParent({ type: 'rested' }) } } },
    finished: { type: 'final' },
  },
  output: ({ context }) => ({ heard: context.heard }),
})

const parent = setup({
  types: { context: {} as Ctx, events: {} as Ev },
  actors: { echo },
  actions: {
    note: assign(({ context, event }) => ({
      log: [...context.log, `${event.type} ${JSON.stringify(event.output ?? event.n ?? null)}`],
    })),
  },
}).createMachine({
  id: 'parent',
  context,
  initial: 'alone',
  on: { '*': { actions: 'note' } },
  states: {
    alone: { on: { begin: 'together' } },
    together: {
      invoke: {
        id: 'echo',
        src: 'echo',
        input: { from: 5 },
        onDone: { target: 'alone', actions: 'note' },
        onError: { target: 'alone', actions: 'note' },
      },
      on: {
        leave: 'alone',
        ping: { actions: sendTo('echo', { type: 'ping' }) },
        finish: { actions: sendTo('echo', { type: 'finish' }) },
        fail: { actions: sendTo('echo', { type: 'fail' }) },
        rest: { actions: sendTo('echo', { type: 'rest' }) },
      },
    },
  },
})

/** Machines that invoke promises and other machines. */
export const childScenarios: readonly Scenario[] = [
  {
    name: 'an invoked promise that is fulfilled',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: {
          invoke: {
            id: 'w',
            src: 'work',
            onDone: { target: 'a', actions: 'noteEvent' },
            onError: { target: 'a', actions: 'noteError' },
          },
          on: { leave: 'a' },
        },
      },
    }),
    steps: [
      { send: 'go' },
      { resolve: 'w', output: { paid: 3 } },
      { send: 'go' },
      { reject: 'w', error: 'refused' },
      { send: 'go' },
      { send: 'leave' },
      { send: 'go' },
      { resolve: 'w', output: 'last' },
    ],
  },
  {
    name: 'two invoked promises of one state',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: {
          invoke: [
            { id: 'one', src: 'work', onDone: { actions: 'noteEvent' } },
            { id: 'two', src: 'work', onDone: { target: 'b', actions: 'noteEvent' } },
          ],
        },
        b: {},
      },
    }),
    steps: [
      { resolve: 'one', output: 1 },
      { resolve: 'two', output: 2 },
    ],
  },
  {
    name: 'an invoked machine that answers its parent and is done with output',
    machine: parent,
    steps: send('begin', 'ping', 'ping', 'finish', 'ping', 'begin', 'ping'),
  },
  {
    name: 'an invoked machine that fails',
    machine: parent,
    steps: send('begin', 'ping', 'fail', 'begin', 'ping'),
  },
  {
    name: 'an invoked machine that is left and begins anew',
    machine: parent,
    steps: send('begin', 'ping', 'leave', 'ping', 'begin', 'ping'),
  },
  {
    name: 'a delay inside an invoked machine',
    machine: parent,
    steps: [
      ...send('begin', 'rest', 'ping'),
      { wait: 100, due: ['xstate.after.100.echo.resting'] },
      ...send('ping'),
    ],
  },
  {
    name: 'spawnChild and stopChild',
    machine: setup({
      types: { context: {} as Ctx, events: {} as Ev },
      actors: { echo },
      actions: {
        note: assign(({ context, event }) => ({
          log: [...context.log, `${event.type} ${event.n ?? ''}`],
        })),
      },
    }).createMachine({
      id: 'm',
      context,
      on: {
        spawn: { actions: spawnChild('echo', { id: 'spawned', input: { from: 1 } }) },
        ping: { actions: sendTo('spawned', { type: 'ping' }) },
        stop: { actions: stopChild('spawned') },
        '*': { actions: 'note' },
      },
    }),
    steps: send('spawn', 'ping', 'ping', 'stop', 'spawn', 'ping'),
  },
]
