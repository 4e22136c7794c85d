import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import type { ExitReason } from './exit.ts'
import type { Json } from './json.ts'
import { isPromise, runMaybe, wait, type MaybePromise } from './maybe.ts'
import type { JournalSession } from './ports/journal.ts'
import type { Tree } from './tree.ts'

/** What a monitor hears, once: the generation it watched is over. */
export interface Down {
  readonly address: Address
  readonly reason: ExitReason
}

export interface MonitorCalls {
  /** Brings the notice to an actor. */
  tell(watcher: Address, down: Down): void
  /** Whether the journal holds an actor that has not ended. */
  isStored(address: Address): MaybePromise<boolean>
}

const PREFIX = '~monitor:'

export function monitorKey(target: Address): string {
  return `${PREFIX}${target}`
}

/** What an actor keeps of a monitor: with `pact` it fails when it does not handle the notice. */
export interface MonitorRow {
  readonly pact: boolean
}

/**
 * Who wants to hear that an actor's generation is over (OTP monitor). A monitor is a row of the watching actor, which
 * goes in the turn that takes the notice: so there is exactly one, whatever crashes. This is only the index.
 */
export class Monitors {
  private watchers = new Map<Address, Set<Address>>()
  private outside = new Map<Address, Set<(down: Down) => void>>()
  private readonly tree: Tree
  private readonly calls: MonitorCalls

  constructor(tree: Tree, calls: MonitorCalls) {
    this.tree = tree
    this.calls = calls
  }

  watch(watcher: Address, target: Address): void {
    const watchers = this.watchers.get(target)
    if (watchers === undefined) this.watchers.set(target, new Set([watcher]))
    else watchers.add(watcher)
    this.lookAt(target)
  }

  unwatch(watcher: Address, target: Address): void {
    const watchers = this.watchers.get(target)
    watchers?.delete(watcher)
    if (watchers?.size === 0) this.watchers.delete(target)
  }

  /** For somebody outside; the answer ends it. */
  watchFromOutside(target: Address, hear: (down: Down) => void): () => void {
    const hearers = this.outside.get(target) ?? new Set()
    this.outside.set(target, hearers.add(hear))
    this.lookAt(target)
    return () => void hearers.delete(hear)
  }

  /** An actor is back in memory: what it watched may have ended meanwhile. */
  resumed(cell: Cell): void {
    for (const key of cell.rows.keys())
      if (key.startsWith(PREFIX)) this.watch(cell.address, key.slice(PREFIX.length))
  }

  /** A generation is over: everybody who watched it hears so, once. */
  down(address: Address, reason: ExitReason): void {
    const watchers = this.watchers.get(address)
    const outside = this.outside.get(address)
    if (watchers === undefined && outside === undefined) return
    this.watchers.delete(address)
    this.outside.delete(address)
    for (const watcher of watchers ?? []) this.calls.tell(watcher, { address, reason })
    for (const hear of outside ?? []) hear({ address, reason })
  }

  /** Whoever is not there is told of at once. */
  private lookAt(target: Address): void {
    const cell = this.tree.peek(target)
    if (cell !== undefined) {
      // An end that is not stored yet is none so far: it is told when it is.
      if (cell.pending !== undefined || cell.isCommitting) return
      if (cell.life === 'ended' || cell.life === 'quarantined') this.down(target, endOf(cell))
      return
    }
    if (this.tree.specAt(target)?.durability !== 'sync') return this.down(target, NOBODY)
    // A member of a pool that only waits need not be in memory.
    const isStored = this.calls.isStored(target)
    const heard = (stored: boolean) => {
      if (!stored && this.tree.peek(target) === undefined) this.down(target, NOBODY)
    }
    if (isPromise(isStored)) void isStored.then(heard)
    else heard(isStored)
  }
}

const NOBODY: ExitReason = { kind: 'noproc' }

function endOf(cell: Cell): ExitReason {
  if (cell.status === 'done') return { kind: 'normal' }
  return NOBODY
}

/** Whether the journal holds an actor that has not ended. */
export function isStored(session: JournalSession, address: Address): MaybePromise<boolean> {
  return runMaybe(look(session, address))
}

function* look(session: JournalSession, address: Address): Generator<Promise<unknown>, boolean> {
  const stored = yield* wait(session.load(address))
  return stored?.status === 'active'
}

/** What a stored row says of a monitor. */
export function monitorIn(row: Json | undefined): MonitorRow | undefined {
  return row === undefined || row === null ? undefined : (row as unknown as MonitorRow)
}
