import { setup } from 'xstate'
import type { LedgerView } from '../src/envelope/decide.ts'
import { bucketsAt } from '../src/envelope/windows.ts'
import type { WindowLimit } from '../src/envelope/envelope.ts'
import type { Json } from '../src/kernel/json.ts'
import type { Command } from '../src/kernel/ports/engine.ts'
import { lookAt, thisTurn, type RowsView } from '../src/kernel/turn.ts'
import { commands } from '../src/logic/actions.ts'

/** One window that a reservation counts against. */
export interface Charge {
  readonly window: string
  readonly spec: WindowLimit
  /** In minor units; null for an account that only counts. */
  readonly limit: number | null
}

export interface Reservation {
  /** The action's key: the same key is reserved once. */
  readonly key: string
  /** Whose authority pays: an envelope's id, or `approver/NAME`. */
  readonly account: string
  readonly minor: number
  readonly currency: string
  readonly charges: readonly Charge[]
}

export type LedgerEvent =
  | { type: 'ambit.ledger.view'; charges: readonly Charge[] }
  | { type: 'ambit.ledger.reserve'; reservation: Reservation }
  | { type: 'ambit.ledger.commit'; key: string }
  | { type: 'ambit.ledger.release'; key: string }
  | { type: 'ambit.ledger.inDoubt'; key: string }

type EntryStatus = 'reserved' | 'committed' | 'released' | 'inDoubt'

/** A ledger entry as it stands in its row. */
export interface LedgerEntry {
  readonly status: EntryStatus
  readonly account: string
  readonly minor: number
  readonly currency: string
  /** The bucket of each window in which it counts: those of the moment it was reserved, for good. */
  readonly counted: readonly { readonly window: string; readonly bucket: string }[]
  readonly at: number
}

type Args<T extends LedgerEvent['type']> = { event: Extract<LedgerEvent, { type: T }> }

/**
 * The single writer of cumulative limits. Reserve before the effect, then commit, release or leave in doubt: a limit
 * that is checked and later recorded is broken by the second agent. Entries and sums are keyed rows, so that a turn
 * costs the same with ten known keys and with a hundred thousand.
 */
export const ledgerMachine = setup({
  types: { events: {} as LedgerEvent, context: {} as Record<string, never> },
}).createMachine({
  id: 'ledger',
  version: '1',
  context: {},
  initial: 'open',
  states: {
    open: {
      on: {
        'ambit.ledger.view': { actions: commands(({ event }) => view(event.charges)) },
        'ambit.ledger.reserve': { actions: commands(({ event }) => reserve(event.reservation)) },
        'ambit.ledger.commit': { actions: commands((args) => settle(args, 'committed')) },
        'ambit.ledger.release': { actions: commands((args) => settle(args, 'released')) },
        'ambit.ledger.inDoubt': { actions: commands((args) => settle(args, 'inDoubt')) },
      },
    },
  },
})

/** What the ledger at an address would answer now; undefined where it is out of sight and must be asked. */
export function viewFrom(address: string, charges: readonly Charge[]): LedgerView | undefined {
  const ledger = lookAt(address)
  return ledger && { used: usedNow(ledger.rows, charges, ledger.now), at: ledger.now }
}

function view(charges: readonly Charge[]): Command[] {
  const { now, rows } = thisTurn()
  const used = usedNow(rows, charges, now)
  return [{ kind: 'reply', event: { type: 'ambit.ledger.viewed', used, at: now } }]
}

/** All or nothing over every window of every envelope; the same key again gets the same answer. */
function reserve(reservation: Reservation): Command[] {
  const { now, rows } = thisTurn()
  const { key, account, minor, currency, charges } = reservation
  const used = usedNow(rows, charges, now)
  const known = entryOf(key)
  if (known !== undefined && known.status !== 'released') {
    return [{ kind: 'reply', event: { type: 'ambit.ledger.reserved', used, at: now, again: true } }]
  }
  const full = charges.filter(
    ({ window, limit }) => limit !== null && (used[window] ?? 0) + minor > limit,
  )
  const fits = full.length === 0 && Number.isSafeInteger(minor) && minor >= 0
  const seen = charges.map(({ window, limit }) => ({ window, limit, used: used[window] ?? 0 }))
  const thought: Command = {
    kind: 'think',
    thought: {
      kind: 'reserve',
      key,
      account,
      minor,
      currency,
      windows: seen,
      outcome: fits ? 'reserved' : 'refused',
    },
  }
  if (!fits)
    return [thought, { kind: 'reply', event: { type: 'ambit.ledger.refused', used, at: now } }]
  const counted = charges.map(({ window, spec }) => ({
    window,
    bucket: bucketsAt(spec, now).current,
  }))
  const entry: LedgerEntry = { status: 'reserved', account, minor, currency, counted, at: now }
  return [
    thought,
    ...put(key, entry),
    ...addToSums(entry, minor),
    { kind: 'reply', event: { type: 'ambit.ledger.reserved', used, at: now, again: false } },
  ]
}

/** An unknown outcome stays charged; only proof that nothing happened gives the amount back. */
function settle(
  { event }: Args<'ambit.ledger.commit' | 'ambit.ledger.release' | 'ambit.ledger.inDoubt'>,
  to: EntryStatus,
): Command[] {
  const { key } = event
  const entry = entryOf(key)
  if (entry === undefined || entry.status === to || entry.status === 'released') return []
  if (entry.status === 'committed') return []
  const { account, minor, currency } = entry
  return [
    { kind: 'think', thought: { kind: to, key, account, minor, currency } },
    ...put(key, { ...entry, status: to }),
    ...(to === 'released' ? addToSums(entry, -minor) : []),
  ]
}

function usedNow(rows: RowsView, charges: readonly Charge[], now: number): Record<string, number> {
  const used: Record<string, number> = {}
  for (const { window, spec } of charges) {
    used[window] = bucketsAt(spec, now).counted.reduce(
      (sum, bucket) => sum + sumOf(rows, window, bucket),
      0,
    )
  }
  return used
}

function addToSums(entry: LedgerEntry, change: number): Command[] {
  const { rows } = thisTurn()
  return entry.counted.map(({ window, bucket }) => ({
    kind: 'put',
    key: sumKey(window, bucket),
    value: sumOf(rows, window, bucket) + change,
  }))
}

function put(key: string, entry: LedgerEntry): Command[] {
  return [{ kind: 'put', key: `entry:${key}`, value: entry as unknown as Json }]
}

function entryOf(key: string): LedgerEntry | undefined {
  return thisTurn().rows.get(`entry:${key}`) as LedgerEntry | undefined
}

function sumOf(rows: RowsView, window: string, bucket: string): number {
  const sum = rows.get(sumKey(window, bucket))
  return typeof sum === 'number' ? sum : 0
}

function sumKey(window: string, bucket: string): string {
  return `sum:${window}:${bucket}`
}
