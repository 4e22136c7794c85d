/** Valid values of a zod schema; throws `AMBIT_ARBITRARY_IMPOSSIBLE` where there are none. */
export { fromZod, type FromZodOptions } from './from-zod.ts'
/** Values that a zod schema all but accepts, and strange JSON for what has no schema; each says what is wrong. */
export { hostile, hostileJson, type Hostile, type HostileValue } from './hostile.ts'
/** Sequences of up to 20 events for a machine, along its chart. */
export { eventsOf, type EventsOfOptions } from './events-of.ts'
/** Envelopes of authority, and next versions of one that allow no more. */
export { envelopes, narrower } from './envelopes.ts'
/** Supervision trees as plain data, up to three levels of four. */
export {
  trees,
  type ChildPlan,
  type SupervisorPlan,
  type TreePlan,
  type TreesOptions,
} from './trees.ts'
/** Lists of up to 100 faults for the steps of a run: 0 is none, most are. */
export { schedules, type SchedulesOptions } from './schedules.ts'
