import fc from 'fast-check'
import type { Recover, RestartType, Strategy } from '../../src/kernel/restart-plan.ts'
import type { AutoShutdown } from '../../src/kernel/supervisor-spec.ts'
import type { Start } from './family.ts'

/** A worker as plain data. */
export interface WorkerPlan {
  readonly kind: 'worker'
  readonly durability: 'none' | 'sync'
  readonly restart: RestartType
  readonly recover: Recover
  readonly isSignificant: boolean
  readonly attemptsMax: number
  readonly stopping: 'deaf' | 'ends' | 'lingers'
  readonly shutdownMs: number | 'kill'
  readonly ready: 'started' | 'told'
  /** How its first starts go. */
  readonly starts: readonly Start[]
}

interface FamilyPlan {
  readonly restart: RestartType
  readonly intensity: number
  readonly hasBackoff: boolean
}

export interface PoolPlan extends FamilyPlan {
  readonly kind: 'pool'
  readonly budget: 'shared' | 'each'
  readonly member: WorkerPlan
}

export interface SupervisorPlan extends FamilyPlan {
  readonly kind: 'supervisor'
  readonly strategy: Strategy
  readonly autoShutdown: AutoShutdown
  readonly shutdownMs: number | 'infinity'
  readonly children: readonly Plan[]
}

export type Plan = WorkerPlan | PoolPlan | SupervisorPlan

/** One thing that happens to a running tree. Whom it happens to is a number: the test has so many to choose from. */
export type Happening =
  | { readonly do: 'send'; readonly to: number; readonly types: readonly string[] }
  | { readonly do: 'starts'; readonly of: number; readonly how: readonly Start[] }
  | { readonly do: 'kill'; readonly whom: number }
  | {
      readonly do: 'call'
      readonly call: 'terminateChild' | 'restartChild' | 'deleteChild'
      readonly on: number
    }
  | { readonly do: 'add'; readonly to: number; readonly child: WorkerPlan }
  | { readonly do: 'pass'; readonly ms: number }

/** A tree, what happens to it, and how long it is given to stop. */
export interface Grove {
  readonly root: SupervisorPlan
  readonly happenings: readonly Happening[]
  readonly graceMs: number
}

const some = fc.constantFrom
const start = some<Start>('ok', 'fail', 'ignore', 'hang')
const anyone = fc.nat(30)

const worker: fc.Arbitrary<WorkerPlan> = fc
  .record({
    kind: fc.constant('worker' as const),
    durability: some('none' as const, 'sync' as const),
    restart: some<RestartType>('permanent', 'transient', 'temporary'),
    recover: some<Recover>('resume', 'resume', 'fresh', 'stop', 'escalate'),
    isSignificant: fc.boolean(),
    attemptsMax: fc.integer({ min: 1, max: 2 }),
    stopping: some('deaf' as const, 'ends' as const, 'lingers' as const),
    shutdownMs: some(0, 100, 300, 'kill' as const),
    ready: some('started' as const, 'started' as const, 'told' as const),
    starts: fc.array(some<Start>('ok', 'ok', 'fail', 'ignore', 'hang'), { maxLength: 2 }),
  })
  .map((plan) => ({ ...plan, starts: ['ok' as const, ...plan.starts] }))

const family = {
  restart: some<RestartType>('permanent', 'transient', 'temporary'),
  intensity: fc.nat(3),
  hasBackoff: fc.boolean(),
}

const pool: fc.Arbitrary<PoolPlan> = fc.record({
  kind: fc.constant('pool' as const),
  ...family,
  budget: some('shared' as const, 'each' as const),
  member: worker,
})

const supervisorOf = (children: fc.Arbitrary<readonly Plan[]>): fc.Arbitrary<SupervisorPlan> =>
  fc.record({
    kind: fc.constant('supervisor' as const),
    ...family,
    strategy: some<Strategy>('one_for_one', 'one_for_all', 'rest_for_one'),
    autoShutdown: some<AutoShutdown>('never', 'never', 'any_significant', 'all_significant'),
    shutdownMs: some(50, 500, 'infinity' as const, 'infinity' as const),
    children,
  })

/** Supervisors under supervisors, three levels at most. */
const tree = [1, 2, 3].reduce<fc.Arbitrary<SupervisorPlan> | undefined>((below) => {
  const leaves = [
    { weight: 4, arbitrary: worker as fc.Arbitrary<Plan> },
    { weight: 1, arbitrary: pool as fc.Arbitrary<Plan> },
  ]
  const part = below === undefined ? leaves : [...leaves, { weight: 4, arbitrary: below }]
  return supervisorOf(fc.array(fc.oneof(...part), { minLength: 1, maxLength: 3 }))
}, undefined) as fc.Arbitrary<SupervisorPlan>

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      to: anyone,
      types: fc.array(some('boom', 'boom', 'boom', 'add', 'end', 'go', 'finish'), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('starts' as const),
      of: anyone,
      how: fc.array(start, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), whom: anyone }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      call: some('terminateChild' as const, 'restartChild' as const, 'deleteChild' as const),
      on: anyone,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('add' as const), to: anyone, child: worker }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(700) }) },
)

/** Small trees and short scripts first; what fails shrinks to the least of both. */
export const groves: fc.Arbitrary<Grove> = fc.record({
  root: tree,
  happenings: fc.array(happening, { maxLength: 25, size: 'max' }),
  graceMs: some(0, 100, 5000),
})
