import { assign, setup } from 'xstate'
import type { Command } from '../src/kernel/ports/engine.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { commands } from '../src/logic/actions.ts'
import { begin, take } from './supervisor-steps.ts'
import type {
  Child,
  Flags,
  SupervisorContext,
  SupervisorEvent,
  Work,
  Moment,
  Outgoing,
} from './supervisor-context.ts'

/** What a supervisor starts with. */
export interface SupervisorInput {
  readonly flags: Flags
  /** In start order. */
  readonly children: readonly Child[]
}

const step = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    input: {} as SupervisorInput,
  },
  actions: {
    take: assign(({ context, event }) => take(context, withCaller(event), moment())),
    act: commands(({ context }) => commandsOf(context)),
  },
  guards: {
    isStarting: isAt('starting'),
    isRollingBack: isAt('rollingBack'),
    isRestarting: isAt('restarting'),
    isChanging: isAt('changing'),
    isStopping: isAt('stopping'),
    isSteady: ({ context }) => context.work === null && context.end === null,
    isUp: ({ context }) => context.isUp,
    isOver: ({ context }) => context.end !== null,
  },
})

const toSteady = { guard: 'isSteady', target: 'steady' } as const
const isOver = { guard: 'isOver', target: '#supervisor.ended' } as const
const isStopping = { guard: 'isStopping', target: '#supervisor.stopping' } as const

/**
 * Keeps children alive by OTP's rules. One piece of work at a time: starting, a restart, a call that starts or stops a
 * child, stopping; what comes meanwhile waits. While a child only waits for its next start the supervisor is steady,
 * and answers. The steps decide (`supervisor-steps.ts`), the chart shows where it is.
 */
export const supervisorMachine = step.createMachine({
  id: 'supervisor',
  version: '1',
  context: ({ input }) => begin(input.flags, input.children),
  initial: 'starting',
  entry: 'act',
  on: { '*': { actions: ['take', 'act'] } },
  states: {
    starting: {
      always: [
        isOver,
        isStopping,
        { guard: 'isRollingBack', target: 'rollingBack' },
        { guard: 'isUp', target: 'supervising' },
      ],
    },
    /** A child could not be started: those that were are stopped again. */
    rollingBack: { always: [isOver, isStopping] },
    supervising: {
      initial: 'steady',
      always: [isOver, isStopping],
      states: {
        steady: {
          always: [
            { guard: 'isRestarting', target: 'restarting' },
            { guard: 'isChanging', target: 'changing' },
          ],
        },
        restarting: { always: [toSteady, { guard: 'isChanging', target: 'changing' }] },
        changing: { always: [toSteady, { guard: 'isRestarting', target: 'restarting' }] },
      },
    },
    stopping: { always: isOver },
    ended: { type: 'final' },
  },
  output: ({ context }) => context.end,
})

function isAt(kind: Work['kind']) {
  return ({ context }: { context: SupervisorContext }) => context.work?.kind === kind
}

/** The time and the chance of this turn. */
export function moment(): Moment {
  const turn = thisTurn()
  return { now: turn.now, random: () => turn.random() }
}

/** A call may be answered in a later turn: it remembers who called. */
function withCaller(event: SupervisorEvent): SupervisorEvent {
  if (event.type !== 'ambit.supervisor.call') return event
  return { ...event, to: thisTurn().message.headers.replyTo }
}

/** What a turn wants done, as commands. */
export function commandsOf({ orders, answers }: Outgoing): readonly Command[] {
  return [
    ...orders.map((order): Command => ({ kind: 'supervise', order })),
    ...answers.map(({ to, event }): Command => ({ kind: 'reply', to, event })),
  ]
}
