import { Cron } from 'croner'
import { assign, setup } from 'xstate'
import type { Event } from '../src/kernel/message.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { tell } from '../src/logic/actions.ts'

/** When something is due, and what is then sent to whom. */
export interface SchedulePlan {
  readonly cron: string
  /** An IANA time zone. */
  readonly timeZone: string
  /** An address or a registered name. */
  readonly to: string
  readonly event: Event
  /** What becomes of a time that passed while nothing ran: nothing, or one event for all of them. */
  readonly missed: 'skip' | 'once'
}

interface ScheduleContext {
  /** When it is due next; null when it never is again. */
  readonly dueAt: number | null
  /** What that follows from. */
  readonly rule: string
}

/** What comes later than this was missed. */
export const MISSED_AFTER_MS = 60_000
/** Looks at its plan at least so often, so that a changed one counts before the old one is due. */
export const SCHEDULE_LOOK_MS = 3_600_000

/** The first time after an instant, in milliseconds since the epoch; null when there is none. Pure. */
export function nextDue(
  { cron, timeZone }: Pick<SchedulePlan, 'cron' | 'timeZone'>,
  after: number,
): number | null {
  return new Cron(cron, { timezone: timeZone }).nextRun(new Date(after))?.getTime() ?? null
}

/**
 * Sends an event at the times of a cron line. The time it is due stands in its committed state, and the event and the
 * next time are one turn: whatever is killed when, each time counts once.
 */
export function createSchedule(plan: SchedulePlan) {
  const rule = `${plan.cron} ${plan.timeZone}`
  const planned = (after: number): ScheduleContext => ({ dueAt: nextDue(plan, after), rule })
  return setup({
    types: { context: {} as ScheduleContext },
    delays: {
      untilNext: ({ context: { dueAt } }) =>
        Math.min(SCHEDULE_LOOK_MS, Math.max(0, (dueAt ?? Infinity) - thisTurn().now)),
    },
    guards: {
      isChanged: ({ context }) => context.rule !== rule,
      isOver: ({ context }) => context.dueAt === null,
      isEarly: ({ context: { dueAt } }) => dueAt !== null && dueAt > thisTurn().now,
      isSkipped: ({ context: { dueAt } }) =>
        plan.missed === 'skip' && thisTurn().now - (dueAt ?? 0) > MISSED_AFTER_MS,
    },
    actions: {
      plan: assign(() => planned(thisTurn().now)),
      // Not before the time that was due: a clock that was set back must not bring it about again.
      planNext: assign(({ context: { dueAt } }) => planned(Math.max(thisTurn().now, dueAt ?? 0))),
      send: tell(plan.to, ({ context: { dueAt } }) => ({ ...plan.event, dueAt })),
    },
  }).createMachine({
    id: 'schedule',
    version: '1',
    context: () => planned(thisTurn().now),
    initial: 'waiting',
    states: {
      waiting: {
        always: { guard: 'isOver', target: 'over' },
        after: {
          untilNext: [
            { guard: 'isChanged', target: 'waiting', reenter: true, actions: 'plan' },
            { guard: 'isEarly', target: 'waiting', reenter: true },
            { guard: 'isSkipped', target: 'waiting', reenter: true, actions: 'planNext' },
            { target: 'waiting', reenter: true, actions: ['send', 'planNext'] },
          ],
        },
      },
      over: { type: 'final' },
    },
  })
}
