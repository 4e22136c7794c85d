import fc from 'fast-check'
import type { Durability } from '../../kernel/child-spec.ts'
import type { RestartType } from '../../kernel/restart-plan.ts'
import type { RestartLimit } from '../../kernel/restart-window.ts'

/** A supervisor as plain data; ids are unique among siblings, and the root's is `root`. */
export interface SupervisorPlan extends RestartLimit {
  readonly kind: 'supervisor'
  readonly id: string
  readonly children: readonly TreePlan[]
}

export interface ChildPlan {
  readonly kind: 'child'
  readonly id: string
  /** Which of the members it runs, from 0. */
  readonly member: number
  readonly restart: RestartType
  readonly durability: Durability
}

export type TreePlan = SupervisorPlan | ChildPlan

export interface TreesOptions {
  /** How many kinds of child there are to choose from; at least 1. */
  readonly members: number
  /** Levels of supervisors, the root's included. Default 3. */
  readonly depthMax?: number
  /** Children of each supervisor. Default 4. */
  readonly childrenMax?: number
}

const plain = { noNullPrototype: true } as const

type Unnamed = Omit<ChildPlan, 'id'> | UnnamedSupervisor
interface UnnamedSupervisor extends RestartLimit {
  readonly kind: 'supervisor'
  readonly children: readonly Unnamed[]
}

/**
 * Supervision trees as plain data, which a caller turns into `supervisor(...)` and `agent(...)`. At most
 * `childrenMax ** depthMax` children; shrinks to a root without any.
 */
export function trees(options: TreesOptions): fc.Arbitrary<SupervisorPlan> {
  const { members, depthMax = 3, childrenMax = 4 } = options
  const child = fc.record(
    {
      kind: fc.constant('child' as const),
      member: fc.nat({ max: members - 1 }),
      restart: fc.constantFrom<RestartType>('transient', 'permanent', 'temporary'),
      durability: fc.constantFrom<Durability>('sync', 'async', 'none'),
    },
    plain,
  )
  const supervisorOf = (part: fc.Arbitrary<Unnamed>): fc.Arbitrary<UnnamedSupervisor> =>
    fc.record(
      {
        kind: fc.constant('supervisor' as const),
        intensity: fc.nat({ max: 5 }),
        periodMs: fc.constantFrom(60_000, 1000, 5000),
        children: fc.array(part, { maxLength: childrenMax, size: 'max' }),
      },
      plain,
    )
  let part: fc.Arbitrary<Unnamed> = child
  for (let level = 1; level < depthMax; level++) {
    part = fc.oneof(
      { withCrossShrink: true },
      { weight: 2, arbitrary: child },
      { weight: 1, arbitrary: supervisorOf(part) },
    )
  }
  return supervisorOf(part).map((root) => nameSupervisor(root, 'root'))
}

function nameSupervisor(plan: UnnamedSupervisor, id: string): SupervisorPlan {
  const children = plan.children.map((part, i): TreePlan =>
    part.kind === 'child' ? { ...part, id: `c${i}` } : nameSupervisor(part, `s${i}`),
  )
  return { ...plan, id, children }
}
