import { randomUUID } from 'node:crypto'
import { isWithin } from '../kernel/address.ts'
import { AmbitError } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { MaybePromise } from '../kernel/maybe.ts'
import type { Message } from '../kernel/message.ts'
import { PARKED_ROWS } from '../kernel/parked.ts'
import { inGroups, recordsOf } from './batch.ts'
import {
  CHAIN_START,
  HISTORY_PAGE_MAX,
  type CommitResult,
  type Consumed,
  type Disposal,
  type Head,
  type HistoryQuery,
  type Journal,
  type JournalEntry,
  type JournalSession,
  type Recovery,
  type StoredActor,
  type StoredRow,
  type StoredTimer,
  type StoredTurn,
  type TurnCommit,
} from '../kernel/ports/journal.ts'

export interface MemoryJournalOptions {
  /** Names the system. Default: a fresh UUID. */
  readonly systemId?: string
  /** What authorisations are minted with. Default: a fresh UUID. */
  readonly secret?: string
}

/** A journal that lives and dies with the process: for tests, and for systems that keep nothing. */
export function memoryJournal(options: MemoryJournalOptions = {}): Journal {
  const { systemId = randomUUID(), secret = randomUUID() } = options
  const store: Store = {
    systemId,
    secret,
    epoch: 0,
    owned: false,
    actors: new Map(),
    turns: [],
    outbox: new Map(),
    timers: new Map(),
  }
  return {
    open() {
      if (store.owned) {
        return Promise.reject(
          new AmbitError(
            'AMBIT_JOURNAL_OWNED',
            'Another system owns this memory journal. Stop it first.',
          ),
        )
      }
      store.owned = true
      return new MemorySession(store, ++store.epoch)
    },
  }
}

interface Kept extends Omit<StoredActor, 'rows' | 'timers' | 'snapshot'> {
  readonly text: string
  readonly rows: Map<string, Json>
  readonly running: number
}

interface Store {
  readonly systemId: string
  readonly secret: string
  epoch: number
  owned: boolean
  readonly actors: Map<string, Kept>
  readonly turns: StoredTurn[]
  readonly outbox: Map<string, string>
  readonly timers: Map<string, StoredTimer>
}

/** What an entry says, as it was when it came. */
interface Copies {
  readonly changes: readonly (readonly [key: string, value: Json])[]
  readonly sent: readonly (readonly [key: string, text: string])[]
  readonly timers: readonly StoredTimer[]
  readonly text: string
}

class MemorySession implements JournalSession {
  readonly epoch: number
  readonly storesGroups = true
  readonly systemId: string
  readonly secret: string
  private readonly store: Store

  constructor(store: Store, epoch: number) {
    this.store = store
    this.epoch = epoch
    this.systemId = store.systemId
    this.secret = store.secret
  }

  commit(batch: readonly JournalEntry[]): MaybePromise<readonly CommitResult[]> {
    if (!this.store.owned || this.epoch !== this.store.epoch) {
      const message = `Epoch ${this.epoch} no longer owns the journal.`
      return Promise.reject(new AmbitError('AMBIT_COMMIT_FAILED', message))
    }
    try {
      return this.storeAll(batch)
    } catch (error) {
      const message = 'The memory journal did not take the batch.'
      return Promise.reject(new AmbitError('AMBIT_COMMIT_FAILED', message, { cause: error }))
    }
  }

  load(address: string): StoredActor | undefined {
    const kept = this.store.actors.get(address)
    if (kept === undefined) return undefined
    const timers = [...this.store.timers.values()].filter((timer) => timer.address === address)
    const { text, running: _, ...rest } = kept
    const snapshot = JSON.parse(text) as Json
    return { ...rest, snapshot, rows: new Map(kept.rows), timers }
  }

  parked(limit: number): readonly StoredRow[] {
    const found: StoredRow[] = []
    for (const [address, { rows }] of this.store.actors)
      for (const [key, value] of rows)
        if (key.startsWith(PARKED_ROWS)) found.push({ address, key, value: structuredClone(value) })
    return found.slice(0, limit)
  }

  recover(): Recovery {
    return {
      busy: [...this.store.actors]
        .filter(([, { running, status }]) => running > 0 && status === 'active')
        .map(([a]) => a),
      timers: [...this.store.timers.values()].map(({ address, id, dueAt }) => ({
        address,
        id,
        dueAt,
      })),
      outbox: [...this.store.outbox.values()].map((text) => JSON.parse(text) as Message),
    }
  }

  async history(query: HistoryQuery): Promise<readonly StoredTurn[]> {
    await Promise.resolve()
    const { address, under, afterPosition = 0, limit = HISTORY_PAGE_MAX } = query
    return this.store.turns
      .filter((turn) => turn.position > afterPosition)
      .filter((turn) => address === undefined || turn.address === address)
      .filter((turn) => under === undefined || isWithin(turn.address, under))
      .slice(0, Math.min(limit, HISTORY_PAGE_MAX))
  }

  head(): Promise<Head> {
    const last = this.store.turns.at(-1)
    return Promise.resolve({ position: last?.position ?? 0, hash: last?.hash ?? CHAIN_START })
  }

  close(): Promise<void> {
    this.store.owned = false
    return Promise.resolve()
  }

  private storeAll(batch: readonly JournalEntry[]): CommitResult[] {
    const stored: TurnCommit[] = []
    try {
      return inGroups(batch).flatMap((group): CommitResult[] => {
        // Whatever can fail comes before the first change, so that a group is stored whole or not at all.
        const writes = group.map((entry) =>
          entry.kind === 'turns' ? this.prepareTurns(entry) : () => this.dispose(entry),
        )
        if (writes.includes(undefined)) return group.map(() => 'conflict')
        for (const write of writes) write?.()
        for (const entry of group) if (entry.kind === 'turns') stored.push(entry)
        return group.map(() => 'stored')
      })
    } finally {
      for (const { address, seq, record } of recordsOf(stored)) this.append(address, seq, record)
    }
  }

  /** What storing an entry does; undefined when it is a conflict. */
  private prepareTurns(entry: TurnCommit): (() => void) | undefined {
    const before = this.store.actors.get(entry.address)
    if ((before?.seq ?? 0) !== entry.expectedSeq) return undefined
    const copies = entry.rows.map(([key, value]) => [key, structuredClone(value)] as const)
    const sent = entry.outbox.map(
      (message) => [outboxKey(message), JSON.stringify(message)] as const,
    )
    const timers = entry.timersSet.map((timer) => structuredClone(timer))
    const text = JSON.stringify(entry.snapshot)
    const rows = before?.rows ?? new Map<string, Json>()
    return () => this.write(entry, rows, { changes: copies, sent, timers, text })
  }

  private write(entry: TurnCommit, rows: Map<string, Json>, copies: Copies): void {
    const { changes, sent, timers, text } = copies
    for (const [key, value] of changes) {
      if (value === null) rows.delete(key)
      else rows.set(key, value)
    }
    const { address, generation, incarnation, seq, status, running } = entry
    const kept = { generation, incarnation, seq, status, running, rows, text }
    this.store.actors.set(address, kept)
    for (const [key, text] of sent) this.store.outbox.set(key, text)
    for (const consumed of entry.consumed) this.store.outbox.delete(consumedKey(consumed))
    for (const id of entry.timersCleared) this.store.timers.delete(`${address} ${id}`)
    for (const timer of timers) this.store.timers.set(`${timer.address} ${timer.id}`, timer)
  }

  private dispose(entry: Disposal): void {
    this.store.outbox.delete(consumedKey(entry.consumed))
  }

  private append(address: string, seq: number, record: string): void {
    const previous = this.store.turns.at(-1)?.hash ?? CHAIN_START
    const position = this.store.turns.length + 1
    this.store.turns.push({
      position,
      address,
      seq,
      record,
      previous,
      hash: sha256(previous, record),
    })
  }
}

function outboxKey(message: Message): string {
  const { stream } = message.headers
  if (stream === undefined) throw new Error(`message ${message.id} in an outbox has no stream`)
  return consumedKey({ ...stream, receiver: message.to })
}

function consumedKey({ sender, generation, receiver, lane, number }: Consumed): string {
  return `${sender} ${generation} ${receiver} ${lane} ${number}`
}
