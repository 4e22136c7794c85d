import { and, assign, cancel, enqueueActions, not, or, raise, setup } from 'xstate'
import { base, context, note, send, type Ev, type Scenario } from './scenario.ts'

/** Machines that stand alone. */
export const machineScenarios: readonly Scenario[] = [
  {
    name: 'assign and input',
    machine: setup({
      types: { context: {} as { n: number }, input: {} as { n: number }, events: {} as Ev },
    }).createMachine({
      id: 'm',
      context: ({ input }) => ({ n: input.n }),
      on: { add: { actions: assign({ n: ({ context, event }) => context.n + (event.n ?? 0) }) } },
    }),
    input: { n: 40 },
    steps: [{ send: 'add', n: 2 }, { send: 'unknown' }, { send: 'add' }],
  },
  {
    name: 'guards with and, or, not, in the order of their transitions',
    machine: base.createMachine({
      id: 'm',
      context,
      on: {
        go: [
          { guard: and(['isOne', 'isEmpty']), actions: note('one and empty') },
          { guard: or(['isBig', 'isOne']), actions: note('big or one') },
          { guard: not('isEmpty'), actions: note('not empty') },
          { actions: note('none of these') },
        ],
      },
    }),
    steps: [{ send: 'go' }, { send: 'go', n: 1 }, { send: 'go', n: 11 }, { send: 'go', n: 2 }],
  },
  {
    name: 'a guard decides before the actions of its transition',
    machine: base.createMachine({
      id: 'm',
      context,
      on: { go: [{ guard: 'isEmpty', actions: note('first') }, { actions: note('later') }] },
    }),
    steps: send('go', 'go'),
  },
  {
    name: 'entry, exit, transition and initial actions in their order',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      entry: note('enter root'),
      states: {
        a: {
          entry: note('enter a'),
          exit: note('exit a'),
          initial: 'a1',
          on: { out: { target: 'b', actions: note('a to b') } },
          states: {
            a1: {
              entry: note('enter a1'),
              exit: note('exit a1'),
              on: {
                in: { target: 'a2', actions: note('a1 to a2') },
                again: { target: 'a1', reenter: true },
              },
            },
            a2: { entry: note('enter a2'), exit: note('exit a2') },
          },
        },
        b: { entry: note('enter b'), on: { back: 'a.a2' } },
      },
    }),
    steps: send('again', 'in', 'out', 'back'),
  },
  {
    name: 'always transitions after every change',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: { on: { go: { target: 'b', actions: note('go') } } },
        b: {
          always: [
            { guard: 'isEmpty', target: 'a' },
            { target: 'c', actions: note('always') },
          ],
        },
        c: {
          always: { guard: ({ context }) => context.log.length > 2, target: 'd' },
          on: { more: { actions: note('more') } },
        },
        d: {},
      },
    }),
    steps: send('go', 'more'),
  },
  {
    name: 'raised events before anything from outside',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: {
          on: {
            go: { actions: [raise({ type: 'x' }), raise({ type: 'y' }), note('go')] },
            x: { target: 'b', actions: note('x') },
          },
        },
        b: { on: { y: { actions: note('y in b') }, go: 'a' } },
      },
    }),
    steps: send('go', 'go', 'go'),
  },
  {
    name: 'delayed transitions, left and fired',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: { after: { 50: { target: 'b', actions: note('after') } }, on: { skip: 'b' } },
        b: { on: { back: 'a' }, after: { 10: { guard: 'isEmpty', target: 'a' } } },
      },
    }),
    steps: [
      { send: 'skip' },
      { wait: 10, due: ['xstate.after.10.m.b'] },
      { wait: 50, due: ['xstate.after.50.m.a'] },
      { send: 'back' },
      { wait: 50, due: ['xstate.after.50.m.a'] },
    ],
  },
  {
    name: 'a delayed raise, cancelled and not',
    machine: base.createMachine({
      id: 'm',
      context,
      on: {
        start: {
          actions: [
            raise({ type: 'ring' }, { delay: 20, id: 'alarm' }),
            raise({ type: 'other' }, { delay: 30, id: 'o' }),
          ],
        },
        stop: { actions: cancel('alarm') },
        ring: { actions: note('ring') },
        other: { actions: note('other') },
      },
    }),
    steps: [
      { send: 'start' },
      { send: 'stop' },
      { wait: 30, due: ['o'] },
      { send: 'start' },
      { wait: 30, due: ['alarm', 'o'] },
    ],
  },
  {
    name: 'parallel regions that hear the same event',
    machine: base.createMachine({
      id: 'm',
      context,
      type: 'parallel',
      states: {
        left: { initial: 'off', states: { off: { on: { flip: 'on' } }, on: { type: 'final' } } },
        right: {
          initial: 'off',
          states: {
            off: { on: { flip: { target: 'half', actions: note('half') } } },
            half: { on: { flip: 'on' } },
            on: { type: 'final' },
          },
          onDone: { actions: note('right is done') },
        },
      },
    }),
    steps: send('flip', 'flip', 'flip'),
  },
  {
    name: 'shallow and deep history',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'on',
      states: {
        on: {
          initial: 'one',
          on: { off: 'off' },
          states: {
            one: { on: { next: 'two' } },
            two: { initial: 'x', states: { x: { on: { deeper: 'y' } }, y: {} } },
            shallow: { type: 'history' },
            deep: { type: 'history', history: 'deep' },
          },
        },
        off: { on: { shallow: 'on.shallow', deep: 'on.deep' } },
      },
    }),
    steps: send('next', 'deeper', 'off', 'deep', 'off', 'shallow'),
  },
  {
    name: 'a final state with output, after which nothing is heard',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: { on: { end: { target: 'z', actions: note('end') }, go: { actions: note('go') } } },
        z: { type: 'final' },
      },
      output: ({ context }) => ({ log: context.log }),
    }),
    steps: send('go', 'end', 'go'),
  },
  {
    name: 'a compound state that is done inside',
    machine: base.createMachine({
      id: 'm',
      context,
      initial: 'a',
      states: {
        a: {
          initial: 'x',
          states: { x: { on: { go: 'y' } }, y: { type: 'final', output: { won: true } } },
          onDone: { target: 'b', actions: 'noteEvent' },
        },
        b: {},
      },
    }),
    steps: send('go'),
  },
  {
    name: 'enqueueActions with a check, and wildcards',
    machine: base.createMachine({
      id: 'm',
      context,
      on: {
        go: {
          actions: enqueueActions(({ enqueue, check }) => {
            if (check('isEmpty')) enqueue(note('was empty'))
            else enqueue.raise({ type: 'was.full' })
          }),
        },
        'was.*': { actions: note('partly') },
        '*': { actions: note('anything') },
      },
    }),
    steps: send('go', 'go', 'else'),
  },
]
