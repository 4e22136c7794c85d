import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Charge } from '../../machines/ledger.ts'
import {
  charges,
  checkingThenRecording,
  DAY,
  HOUR,
  realLedger,
  type Ledger,
  type Settling,
} from '../support/ledgers.ts'
import { refutes } from '../support/refutes.ts'

const SLICE = HOUR / 60
const RESERVED = 'ambit.ledger.reserved'

interface Reserve {
  readonly kind: 'reserve'
  readonly key: string
  readonly minor: number
  readonly charged: readonly Charge[]
}
type Step =
  | Reserve
  | { readonly kind: Settling; readonly key: string }
  | { readonly kind: 'time'; readonly ms: number }

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const reserve = fc.record({
  kind: fc.constant('reserve' as const),
  key,
  minor: fc.integer({ min: 0, max: 70 }),
  charged: fc.subarray([...charges], { minLength: 1 }),
})
const settle = fc.record({
  kind: fc.constantFrom<Settling[]>('commit', 'release', 'inDoubt'),
  key,
})
const time = fc.record({
  kind: fc.constant('time' as const),
  ms: fc.oneof(fc.nat(5 * HOUR), fc.nat(2 * SLICE)),
})
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(reserve, reserve, settle, time), {
  maxLength: 60,
  size: 'max',
})

interface Entry {
  readonly minor: number
  readonly at: number
  readonly charged: readonly Charge[]
  readonly status: 'reserved' | 'released' | Settling
}

/** The oracle: keeps every entry and adds them up anew at each look, by their times alone. */
class NaiveLedger {
  private readonly entries = new Map<string, Entry>()

  /** What counts in a window; a rolling one remembers an amount for the given length. */
  sum({ window, spec }: Charge, now: number, length = HOUR): number {
    const counts = ({ at, status, charged }: Entry) =>
      status !== 'released' &&
      charged.some((each) => each.window === window) &&
      ('per' in spec ? Math.floor(at / DAY) === Math.floor(now / DAY) : now - at < length)
    const counted = [...this.entries.values()].filter(counts)
    return counted.reduce((sum, { minor }) => sum + minor, 0)
  }

  /** Whether the key stands, so that asking again changes nothing. */
  has(key: string): boolean {
    const status = this.entries.get(key)?.status
    return status !== undefined && status !== 'released'
  }

  reserved({ key, minor, charged }: Reserve, at: number): void {
    this.entries.set(key, { minor, charged, at, status: 'reserved' })
  }

  settled(how: Settling, key: string): void {
    const known = this.entries.get(key)
    if (known?.status !== 'reserved' && known?.status !== 'inDoubt') return
    this.entries.set(key, { ...known, status: how === 'release' ? 'released' : how })
  }
}

const agreesWithTheNaiveOne = (make: () => Ledger) =>
  fc.property(steps, (script) => {
    const ledger = make()
    const oracle = new NaiveLedger()
    for (const step of script) {
      if (step.kind === 'time') ledger.now += step.ms
      else if (step.kind === 'reserve') reserveInBoth(ledger, oracle, step)
      else {
        ledger.settle(step.kind, step.key)
        oracle.settled(step.kind, step.key)
      }
      for (const charge of charges) {
        expect(oracle.sum(charge, ledger.now)).toBeLessThanOrEqual(charge.limit ?? Infinity)
      }
    }
  })

function reserveInBoth(ledger: Ledger, oracle: NaiveLedger, step: Reserve): void {
  const { key, minor, charged } = step
  const answer = ledger.reserve(key, minor, charged)
  if (oracle.has(key)) return expect(answer).toBe(RESERVED)
  if (answer === RESERVED) return oracle.reserved(step, ledger.now)
  // A rolling window may remember one slice longer, and no longer: else the refusal was needless.
  const isNecessary = charged.some(
    (charge) => oracle.sum(charge, ledger.now, HOUR + SLICE) + minor > (charge.limit ?? Infinity),
  )
  expect(isNecessary).toBe(true)
}

test('L2 whatever is reserved, settled and waited for, no window is ever above its limit', () => {
  fc.assert(agreesWithTheNaiveOne(realLedger), { numRuns: 300 })
})

test('L2 the ledger property refutes one that checks first and records later', () => {
  expect(refutes(agreesWithTheNaiveOne(checkingThenRecording))).toBe(true)
})

test('L1 the ledger property refutes one that charges a repeated key again', () => {
  const repeating = (): Ledger => {
    const ledger = realLedger()
    let asked = 0
    return changed(ledger, {
      reserve: (key, ...rest) => ledger.reserve(`${key} ${asked++}`, ...rest),
    })
  }
  expect(refutes(agreesWithTheNaiveOne(repeating))).toBe(true)
})

test('L3 the ledger property refutes one that never gives back', () => {
  const greedy = (): Ledger => {
    const ledger = realLedger()
    return changed(ledger, {
      settle(how, key) {
        if (how !== 'release') ledger.settle(how, key)
      },
    })
  }
  expect(refutes(agreesWithTheNaiveOne(greedy))).toBe(true)
})

function changed(ledger: Ledger, change: Partial<Pick<Ledger, 'reserve' | 'settle'>>): Ledger {
  const { reserve, settle } = { ...ledger, ...change }
  return {
    get now() {
      return ledger.now
    },
    set now(at) {
      ledger.now = at
    },
    reserve,
    settle,
  }
}
