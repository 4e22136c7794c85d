import { randomUUID } from 'node:crypto'
import { isWithin } from '../kernel/address.ts'
import { AmbitError } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import type { MaybePromise } from '../kernel/maybe.ts'
import type { Message } from '../kernel/message.ts'
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
  type StoredTimer,
  type StoredTurn,
  type TurnCommit,
} from '../kernel/ports/journal.ts'

/** A journal that lives and dies with the process: for tests, and for systems that keep nothing. */
export function memoryJournal(): Journal {
  const store: Store = {
    systemId: randomUUID(),
    secret: randomUUID(),
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

interface Kept extends Omit<StoredActor, 'rows' | 'timers'> {
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

class MemorySession implements JournalSession {
  readonly epoch: number
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
      return batch.map((entry) =>
        entry.kind === 'turns' ? this.storeTurns(entry) : this.dispose(entry),
      )
    } catch (error) {
      const message = 'The memory journal did not take the batch.'
      return Promise.reject(new AmbitError('AMBIT_COMMIT_FAILED', message, { cause: error }))
    }
  }

  load(address: string): StoredActor | undefined {
    const kept = this.store.actors.get(address)
    if (kept === undefined) return undefined
    const timers = [...this.store.timers.values()].filter((timer) => timer.address === address)
    return { ...kept, rows: new Map(kept.rows), timers }
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

  private storeTurns(entry: TurnCommit): CommitResult {
    const before = this.store.actors.get(entry.address)
    if ((before?.seq ?? 0) !== entry.expectedSeq) return 'conflict'
    // Whatever can fail comes before the first change, so that an entry is stored whole or not at all.
    const copies = entry.rows.map(([key, value]) => [key, structuredClone(value)] as const)
    const sent = entry.outbox.map(
      (message) => [outboxKey(message), JSON.stringify(message)] as const,
    )
    const rows = before?.rows ?? new Map<string, Json>()
    for (const [key, value] of copies) {
      if (value === null) rows.delete(key)
      else rows.set(key, value)
    }
    const { generation, incarnation, seq, status, snapshot, running } = entry
    this.store.actors.set(entry.address, {
      generation,
      incarnation,
      seq,
      status,
      snapshot,
      running,
      rows,
    })
    entry.records.forEach((record, i) =>
      this.append(entry.address, seq - entry.records.length + 1 + i, record),
    )
    for (const [key, text] of sent) this.store.outbox.set(key, text)
    for (const consumed of entry.consumed) this.store.outbox.delete(consumedKey(consumed))
    for (const id of entry.timersCleared) this.store.timers.delete(`${entry.address} ${id}`)
    for (const timer of entry.timersSet)
      this.store.timers.set(`${timer.address} ${timer.id}`, timer)
    return 'stored'
  }

  private dispose(entry: Disposal): CommitResult {
    this.store.outbox.delete(consumedKey(entry.consumed))
    return 'stored'
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
