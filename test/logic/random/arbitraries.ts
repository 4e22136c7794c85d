import fc from 'fast-check'
import type { MachinePlan, Step } from './plan.ts'
import { rawMachineArbitrary } from './raw-plan.ts'
import { settlePlan } from './settle-plan.ts'

/** Machines of every kind of state, transition, action and child; a smaller one has less of each. */
export const planArbitrary: fc.Arbitrary<MachinePlan> = rawMachineArbitrary.map(settlePlan)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      send: fc.constantFrom(
        'a',
        'b',
        'c',
        'p.q',
        'a',
        'b',
        'a',
        'b',
        'c',
        'p.q',
        'p.r',
        'r',
        'unknown',
      ),
      v: fc.nat({ max: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ advance: fc.constantFrom(5, 10, 25, 60) }) },
  { weight: 3, arbitrary: fc.record({ resolve: fc.nat({ max: 3 }), value: fc.nat({ max: 9 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ reject: fc.nat({ max: 3 }), error: fc.constantFrom('no', 'never') }),
  },
)

const end: fc.Arbitrary<readonly Step[]> = fc.constantFrom([], [], [], [{ stop: true as const }])

const short = fc.array(step, { minLength: 1, maxLength: 6 })
const long = fc.array(step, { minLength: 6, maxLength: 18, size: 'max' })

/** What is done to a machine, now and then with a stop at last; most are long, and shrink to short. */
export const stepsArbitrary: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.oneof(
      { withCrossShrink: true },
      { weight: 1, arbitrary: short },
      { weight: 9, arbitrary: long },
    ),
    end,
  )
  .map(([steps, last]) => [...steps, ...last])
