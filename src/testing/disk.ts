import { memoryJournal } from '../embedded/memory-journal.ts'
import { inGroups, recordsOf } from '../embedded/batch.ts'
import { sha256 } from '../kernel/json.ts'
import { isPromise, type MaybePromise } from '../kernel/maybe.ts'
import {
  HISTORY_PAGE_MAX,
  type CommitResult,
  type Journal,
  type JournalEntry,
  type JournalSession,
  type StoredActor,
  type StoredTurn,
  type TurnCommit,
} from '../kernel/ports/journal.ts'
import type { Choices } from './choices.ts'
import { faultsAt, type FaultName } from './faults.ts'
import { SimulatedFault } from './simulated-fault.ts'
import type { Trace, TurnRecord } from './trace.ts'

export interface DiskCalls {
  readonly choices: Choices
  readonly trace: Trace
  readonly faults: readonly FaultName[]
  /** The process ends at once. */
  readonly crash: () => void
}

/** The name of every simulated system: action keys and signatures follow from it. */
export const SIMULATED_SYSTEM = 'simulated'

/** Commits in a row that a full disk refuses. */
const DISK_FULL_COMMITS = 3

/**
 * The disk under a simulated system: the memory journal, through the journal's contract, with what can happen to a real
 * one. It outlives the processes.
 */
export class Disk {
  private readonly calls: DiskCalls
  private readonly storesGroups: boolean
  private readonly inner: Journal
  private session: JournalSession | undefined
  private refusals = 0

  constructor(calls: DiskCalls, storesGroups: boolean) {
    this.calls = calls
    this.storesGroups = storesGroups
    this.inner = memoryJournal({ systemId: SIMULATED_SYSTEM, secret: 'known to its owners' })
  }

  /** The journal as one process sees it. */
  journalFor(process: { readonly isDead: boolean }): Journal {
    return {
      open: () => {
        this.fail(process, 'the opening of the journal')
        if (process.isDead) return never()
        const opened = this.inner.open()
        if (!isPromise(opened)) return this.wrap(opened, process)
        return opened.then((session) => this.wrap(session, process))
      },
    }
  }

  /** The owner is gone, and with it its hold. */
  release(): void {
    void this.session?.close()
    this.session = undefined
  }

  /** What is stored, whoever owns it. */
  get stored(): JournalSession | undefined {
    return this.session
  }

  /** The whole log, however many looks it takes. */
  async history(): Promise<readonly StoredTurn[]> {
    const turns: StoredTurn[] = []
    for (;;) {
      const page =
        (await this.session?.history({ afterPosition: turns.at(-1)?.position ?? 0 })) ?? []
      turns.push(...page)
      if (page.length < HISTORY_PAGE_MAX) return turns
    }
  }

  private wrap(inner: JournalSession, process: { readonly isDead: boolean }): JournalSession {
    this.session = inner
    return {
      epoch: inner.epoch,
      systemId: inner.systemId,
      secret: inner.secret,
      storesGroups: this.storesGroups,
      commit: (batch) => (process.isDead ? never() : this.commit(inner, batch)),
      load: (address): MaybePromise<StoredActor | undefined> => {
        this.fail(process, `the reading of ${address}`)
        return process.isDead ? never() : inner.load(address)
      },
      parked: (limit) => (process.isDead ? never() : inner.parked(limit)),
      recover: () => {
        this.fail(process, 'the look at what was left')
        return process.isDead ? never() : inner.recover()
      },
      history: (query) => (process.isDead ? never() : inner.history(query)),
      head: () => (process.isDead ? never() : inner.head()),
      close: () => (process.isDead ? Promise.resolve() : inner.close()),
    }
  }

  /** A process that dies while it takes things up, or cannot read them at once. */
  private fail(process: { readonly isDead: boolean }, where: string): void {
    if (process.isDead) return
    const { choices, trace, crash, faults } = this.calls
    const fault = choices.fault('recovery', faultsAt('recovery', faults))
    if (fault === undefined) return
    trace.add({ kind: 'fault', fault, where })
    if (fault === 'crashInRecovery') crash()
    else throw new SimulatedFault('the journal cannot be read')
  }

  private commit(
    inner: JournalSession,
    batch: readonly JournalEntry[],
  ): MaybePromise<readonly CommitResult[]> {
    const { choices, trace, crash, faults } = this.calls
    if (this.refusals > 0) {
      this.refusals--
      return full()
    }
    const possible = [...faultsAt('commit', faults), ...faultsAt('lie', faults)]
    const fault = choices.fault('commit', possible)
    if (fault !== undefined) trace.add({ kind: 'fault', fault, where: this.describe(batch) })
    if (fault === undefined) return this.store(inner, batch)
    if (fault === 'fsyncLost') return batch.map(() => 'stored')
    if (fault === 'diskFull') {
      this.refusals = DISK_FULL_COMMITS - 1
      return full()
    }
    if (fault === 'lostAnswer' || fault === 'crashAfterCommit') void this.store(inner, batch)
    if (fault === 'tornBatch') {
      const groups = inGroups(batch)
      // All but the last, or fewer.
      const kept = groups.length - 1 - choices.choose('commit', groups.length)
      void this.store(inner, groups.slice(0, kept).flat())
    }
    if (fault === 'lostAnswer')
      return Promise.reject(new SimulatedFault('the answer to a commit got lost'))
    crash()
    return never()
  }

  private store(
    inner: JournalSession,
    batch: readonly JournalEntry[],
  ): MaybePromise<readonly CommitResult[]> {
    // The memory journal answers at once, or rejects.
    const results = inner.commit(batch)
    if (isPromise(results)) return results
    const stored = batch.filter(
      (entry, i): entry is TurnCommit => entry.kind === 'turns' && results[i] === 'stored',
    )
    const rows = new Map(stored.map((entry) => [entry.address, entry.rows]))
    const snapshots = new Map(
      stored.map(({ address, seq, snapshot }) => [`${address} ${seq}`, snapshot]),
    )
    for (const { address, seq, record } of recordsOf(stored)) {
      const changed = rows.get(address) ?? []
      // All rows of a commit belong to its first turn here: nobody sees them in between.
      rows.delete(address)
      const told = JSON.parse(record) as TurnRecord
      // Envelopes are put in force by a record that is no turn of an actor.
      if (!('generation' in told)) continue
      const snapshot = snapshots.get(`${address} ${seq}`)
      const whole = snapshot === undefined ? {} : { whole: sha256(JSON.stringify(snapshot)) }
      this.calls.trace.add({ kind: 'turn', record: told, rows: changed, ...whole })
    }
    return results
  }

  private describe(batch: readonly JournalEntry[]): string {
    const turns = batch.flatMap((entry) => (entry.kind === 'turns' ? [entry.address] : []))
    return `the commit of ${turns.join(', ') || 'dead letters'}`
  }
}

function full(): Promise<never> {
  return Promise.reject(new SimulatedFault('the disk is full'))
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}
