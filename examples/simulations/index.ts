import type { Scenario } from 'ambit/testing'
import { burst } from './burst.ts'
import { payouts } from './payouts.ts'
import { refundDesk, withdrawals } from './refund-desk.ts'
import { relay } from './relay.ts'
import { closeCalls, secondThoughts } from './second-thoughts.ts'
import { team } from './team.ts'

/** The simulations of the examples: `npx ambit simulate dist/examples/simulations/index.js`. */
export const simulations: readonly Scenario[] = [
  refundDesk(),
  withdrawals(),
  secondThoughts(),
  closeCalls(),
  payouts(),
  relay(),
  burst(),
  team(),
]
