import { ledgerMachine, type Charge } from '../../machines/ledger.ts'
import { createInterpreter } from '../../src/logic/interpreted.ts'
import { Stepper } from './stepper.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** Two envelopes above one agent: a day of each, and an hour of the nearer. */
export const charges: readonly Charge[] = [
  {
    window: 'top/day',
    spec: { amount: '1.20 USD', per: 'day', timeZone: 'UTC' },
    limit: 120,
  },
  {
    window: 'desk/day',
    spec: { amount: '1.00 USD', per: 'day', timeZone: 'UTC' },
    limit: 100,
  },
  { window: 'desk/hour', spec: { amount: '0.60 USD', within: '1h' }, limit: 60 },
]

export type Settling = 'commit' | 'release' | 'inDoubt'

export interface Ledger {
  now: number
  /** The type of the answer. */
  readonly reserve: (key: string, minor: number, charged?: readonly Charge[]) => string
  readonly settle: (how: Settling, key: string) => void
}

export function realLedger(): Ledger & { readonly stepper: Stepper } {
  const stepper = new Stepper(createInterpreter(ledgerMachine)).start()
  return {
    stepper,
    get now() {
      return stepper.now
    },
    set now(at) {
      stepper.now = at
    },
    reserve(key, minor, charged = charges) {
      const reservation = { key, account: 'desk', minor, currency: 'USD', charges: charged }
      stepper.send({ type: 'ambit.ledger.reserve', reservation })
      return stepper.told('reply')[0]?.type ?? ''
    },
    settle: (how, key) => void stepper.send({ type: `ambit.ledger.${how}`, key }),
  }
}

/** Broken on purpose: checks a limit when asked, and records the amount when it is done. */
export function checkingThenRecording(): Ledger {
  const asked = new Map<string, number>()
  const recorded = new Map<string, number>()
  return {
    now: 0,
    reserve(key, minor, charged = charges) {
      const used = [...recorded.values()].reduce((sum, each) => sum + each, 0)
      if (charged.some(({ limit }) => used + minor > (limit ?? Infinity))) {
        return 'ambit.ledger.refused'
      }
      asked.set(key, minor)
      return 'ambit.ledger.reserved'
    },
    settle(how, key) {
      const minor = asked.get(key)
      if (how === 'commit' && minor !== undefined) recorded.set(key, minor)
    },
  }
}
