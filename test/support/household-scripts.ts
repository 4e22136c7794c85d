import fc from 'fast-check'
import { initialTransition, transition } from 'xstate'
import { supervisorMachine } from '../../machines/supervisor.ts'
import type { Call, Child, Flags, SupervisorContext } from '../../machines/supervisor-context.ts'
import type { ExitReason } from '../../src/kernel/exit.ts'
import { withTurn, type Turn } from '../../src/kernel/turn.ts'
import { aChild, boom, flags, Household, type Steps } from './household.ts'

/** One thing that happens to a household. */
export type Happening =
  | { readonly do: 'crash'; readonly id: string; readonly reason: ExitReason }
  | { readonly do: 'fail'; readonly id: string; readonly starts: number }
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'hear' | 'waits' | 'settle' | 'shutDown' }
  | { readonly do: 'pass'; readonly ms: number }

export interface Script {
  readonly flags: Flags
  readonly children: readonly Child[]
  readonly happenings: readonly Happening[]
}

const ids = ['a', 'b', 'c', 'd'] as const
const id = fc.constantFrom(...ids)
const reason = fc.constantFrom<ExitReason>(boom, { kind: 'killed' }, { kind: 'normal' })

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    call: fc.constantFrom('terminateChild', 'restartChild', 'deleteChild'),
    id,
  }) as fc.Arbitrary<Call>,
  fc.constantFrom<Call>({ call: 'countChildren' }, { call: 'whichChildren' }),
  id.map((each): Call => ({ call: 'startChild', child: aChild(each, { isAdded: true }) })),
)

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash' as const), id, reason }) },
  { weight: 4, arbitrary: fc.constant({ do: 'hear' } as const) },
  { weight: 2, arbitrary: fc.constantFrom({ do: 'waits' } as const, { do: 'settle' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('call' as const), call }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(700) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      id,
      starts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'shutDown' } as const) },
)

const child = fc.record({
  restart: fc.constantFrom('permanent', 'transient', 'temporary'),
  significant: fc.boolean(),
}) as fc.Arbitrary<Pick<Child, 'restart' | 'significant'>>

export const script: fc.Arbitrary<Script> = fc.record({
  flags: fc.record({
    strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    intensity: fc.nat(4),
    periodMs: fc.constant(1000),
    autoShutdown: fc.constantFrom('never', 'any_significant', 'all_significant'),
    backoff: fc.constantFrom(flags.backoff, { baseMs: 100, maxMs: 1000 }),
  }) as fc.Arbitrary<Flags>,
  children: fc
    .array(child, { minLength: 1, maxLength: 4 })
    .map((some) => some.map((more, at) => aChild(ids[at] ?? '', soundOf(more)))),
  happenings: fc.array(happening, { maxLength: 40, size: 'max' }),
})

/** A permanent child is never significant. */
function soundOf({ restart, significant }: Pick<Child, 'restart' | 'significant'>) {
  return { restart, significant: significant && restart !== 'permanent' }
}

export interface Watch {
  /** Called after each step. */
  readonly look: (house: Household) => void
  /** Called when all that was under way is over. */
  readonly atRest?: (house: Household) => void
}

/** Plays a script, and looks at the household after each of its steps. */
export function play({ flags: given, children, happenings }: Script, watch: Watch, steps?: Steps) {
  const house = new Household(given, children, steps)
  house.look = watch.look
  watch.look(house)
  for (const each of happenings) happen(house, each)
  house.settle()
  watch.atRest?.(house)
}

function happen(house: Household, event: Happening): void {
  switch (event.do) {
    case 'crash':
      return house.crash(event.id, event.reason)
    case 'fail':
      house.failing.set(event.id, event.starts)
      return
    case 'call':
      house.call(event.call)
      return
    case 'hear':
      return house.hear()
    case 'waits':
      return house.waitsAreOver()
    case 'settle':
      return house.settle()
    case 'shutDown':
      return house.shutDown()
    case 'pass':
      house.now += event.ms
  }
}

/** The steps as the machine makes them; each state is handed to the test. */
export function machineSteps(seen: (value: unknown, context: SupervisorContext) => void): Steps {
  let [snapshot] = initialTransition(supervisorMachine, { flags, children: [] })
  const told = () => {
    seen(snapshot.value, snapshot.context)
    return snapshot.context
  }
  return {
    begin(given, children) {
      ;[snapshot] = initialTransition(supervisorMachine, { flags: given, children })
      return told()
    },
    take(before, event, { now, random }) {
      // A machine that has ended takes nothing.
      if (snapshot.status !== 'active') return { ...before, orders: [], answers: [] }
      const replyTo = event.type === 'ambit.supervisor.call' ? event.to : undefined
      const turn = { now, random, message: { headers: { replyTo } } } as unknown as Turn
      ;[snapshot] = withTurn(turn, () => transition(supervisorMachine, snapshot, event))
      return told()
    },
  }
}
