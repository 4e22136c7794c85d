import {
  assign,
  forwardTo,
  fromCallback,
  fromPromise,
  fromTransition,
  sendParent,
  setup,
  type AnyActorLogic,
} from 'xstate'
import { describeEvent, fail, type Ev, type Kit } from './parts.ts'
import type { ActorPlan } from './plan.ts'

type Plan<Kind extends ActorPlan['kind']> = Extract<ActorPlan, { kind: Kind }>

interface Input {
  readonly n: number
}

/** Every actor but a machine of its own plan, which `buildMachine` makes. */
export function buildActor(plan: Exclude<ActorPlan, Plan<'machine'>>, kit: Kit): AnyActorLogic {
  switch (plan.kind) {
    case 'promise':
      return buildPromise(plan, kit)
    case 'callback':
      return buildCallback(plan, kit)
    case 'transition':
      return buildTransition(plan)
    case 'family':
      return buildFamily(kit)
  }
}

/** Notes that it was given up only below the root: a failed child leaves its promises alone. */
function buildPromise({ ends }: Plan<'promise'>, { note, doors, isChild }: Kit): AnyActorLogic {
  return fromPromise<unknown, Input>(({ input, signal }) => {
    doors.use()
    note('promise', ends, input)
    if (!isChild) signal.addEventListener('abort', () => note('given up', ends, input))
    switch (ends) {
      case 'by script':
        return doors.open()
      case 'well':
        return Promise.resolve({ from: input.n })
      case 'badly':
        return Promise.reject(new Error(`rejected ${input.n}`))
      case 'throws':
        return fail('a promise threw')
    }
  }) as AnyActorLogic
}

function buildCallback({ sends, answers, fails }: Plan<'callback'>, { note }: Kit): AnyActorLogic {
  return fromCallback<Ev, Input>(({ input, sendBack, receive }) => {
    note('callback', input)
    if (sends !== undefined) sendBack({ type: sends, v: input.n })
    if (fails === 'start') fail('a callback threw')
    receive((event) => {
      note('received', describeEvent(event))
      if (fails === 'receive') fail('a receiver threw')
      if (answers !== undefined) sendBack({ type: answers, v: 1 })
    })
    // What becomes of a failed callback's cleanup is nowhere promised.
    return fails === undefined ? () => note('cleaned up', input) : undefined
  }) as unknown as AnyActorLogic
}

function buildTransition({ fails }: Plan<'transition'>): AnyActorLogic {
  return fromTransition(
    (state: { readonly count: number; readonly last: string }, event: Ev) => {
      if (event.type === fails) fail('a transition threw')
      return { count: state.count + 1, last: event.type }
    },
    ({ input }: { input: Input }) => ({ count: input.n, last: '' }),
  ) as unknown as AnyActorLogic
}

/** Ends when its own machine does, on `c`; tells its parent on `a`; its callback hears `b`. */
function buildFamily({ note }: Kit): AnyActorLogic {
  const leaf = setup({
    types: { context: {} as { heard: number }, events: {} as Ev, output: {} as number },
  }).createMachine({
    id: 'leaf',
    context: { heard: 0 },
    initial: 'open',
    entry: () => note('leaf'),
    on: { '*': { actions: assign({ heard: ({ context }) => context.heard + 1 }) } },
    states: { open: { on: { c: 'shut' } }, shut: { type: 'final', entry: () => note('shut') } },
    output: ({ context }) => context.heard,
  })
  const pulse = fromCallback<Ev>(({ sendBack, receive }) => {
    note('pulse')
    receive(() => sendBack({ type: 'pulsed' }))
    return () => note('no pulse')
  })
  return setup({
    types: { context: {} as { pulses: number }, events: {} as Ev },
    actors: { leaf, pulse },
  }).createMachine({
    id: 'family',
    context: { pulses: 0 },
    initial: 'home',
    exit: () => note('exit family'),
    states: {
      home: {
        invoke: [
          {
            id: 'leaf',
            src: 'leaf',
            onDone: { target: 'gone', actions: sendParent({ type: 'p.r' }) },
          },
          { id: 'pulse', src: 'pulse' },
        ],
        on: {
          a: { actions: sendParent({ type: 's' }) },
          b: { actions: forwardTo('pulse') },
          pulsed: { actions: assign({ pulses: ({ context }) => context.pulses + 1 }) },
          '*': { actions: forwardTo('leaf') },
        },
      },
      gone: { type: 'final' },
    },
    output: ({ context }) => context.pulses,
  }) as unknown as AnyActorLogic
}
