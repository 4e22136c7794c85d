import { createSchedule, nextDue, type SchedulePlan } from '../machines/schedule.ts'
import { isTimeZone } from '../src/envelope/windows.ts'
import type { ActorSpec } from '../src/kernel/child-spec.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import { assertJson } from '../src/kernel/json.ts'
import { isReservedType } from '../src/kernel/message.ts'
import { anObject, aText, checkOptions, oneOf, requireOption } from '../src/kernel/spec-check.ts'
import { actor } from './actor.ts'

export interface ScheduleOptions extends Omit<SchedulePlan, 'timeZone' | 'missed'> {
  /** Five fields as in cron, or six with seconds first. */
  readonly cron: string
  /** Default "UTC". */
  readonly timeZone?: string
  /** Default `once`: a time that passed while nothing ran is made up for by one event, however many there were. */
  readonly missed?: 'skip' | 'once'
}

/**
 * A child that sends an event to an actor at the times of a cron line, durably: each time once, whatever is killed.
 * The event is told its time as `dueAt`. A plan that was changed counts within an hour of the next start.
 *
 * @example
 * schedule('nightly', { cron: '0 2 * * *', timeZone: 'Europe/Berlin', to: '/reports', event: { type: 'report.due' } })
 */
export function schedule(id: string, options: ScheduleOptions): ActorSpec {
  const who = `Schedule "${id}"`
  checkOptions(who, options, {
    cron: aText,
    timeZone: aText,
    to: aText,
    event: anObject,
    missed: oneOf('skip', 'once'),
  })
  for (const name of ['cron', 'to', 'event']) requireOption(who, options, name)
  const { timeZone = 'UTC', missed = 'once', cron, to, event } = options
  if (!isTimeZone(timeZone))
    throw invalid(`${who} expects "timeZone" to be one such as "Europe/Berlin", got "${timeZone}".`)
  const { type } = event as { readonly type?: unknown }
  if (typeof type !== 'string' || type === '' || isReservedType(type))
    throw invalid(`${who} expects an event with a "type" of its own, got ${JSON.stringify(type)}.`)
  assertJson(event, 'event')
  try {
    nextDue({ cron, timeZone }, 0)
  } catch (error) {
    const message = `${who} expects "cron" to be a line such as "0 2 * * *", got "${cron}".`
    throw new AmbitError('AMBIT_SPEC_INVALID', message, { cause: error })
  }
  return actor(id, createSchedule({ cron, timeZone, to, event, missed }))
}

function invalid(message: string): AmbitError {
  return new AmbitError('AMBIT_SPEC_INVALID', message)
}
