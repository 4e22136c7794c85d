import type { Address } from '../address.ts'
import type { Json } from '../json.ts'
import type { MaybePromise } from '../maybe.ts'
import type { Message, StreamPosition } from '../message.ts'

/** The durable record of turns. Implementations: memory, SQLite; JetStream to come. */
export interface Journal {
  /** Takes ownership. Throws `AMBIT_JOURNAL_OWNED` when another process has it. */
  open(): MaybePromise<JournalSession>
}

/**
 * One owner's hold on a journal. Every commit carries its epoch; an older epoch is refused. A journal in this process
 * may answer at once; what fails is a promise that rejects.
 */
export interface JournalSession {
  readonly epoch: number
  /** Names the system for ever: part of action keys and of signed statements. */
  readonly systemId: string
  /** Known to the owners of this journal alone; authorisations are minted with it. */
  readonly secret: string
  /** Whether it stores the entries of a group all or none; otherwise every message waits for its commit. */
  readonly storesGroups: boolean
  /**
   * Stores each entry whole or not at all, under one fsync, and answers in the same order; the entries of a group all
   * or none. `conflict` means that the actor's stored seq was not `expectedSeq`, or that of another entry of its
   * group: nothing of that entry was stored.
   * A throw means that nobody knows: reload.
   */
  commit(batch: readonly JournalEntry[]): MaybePromise<readonly CommitResult[]>
  load(address: Address): MaybePromise<StoredActor | undefined>
  /** The rows of parked messages (`~parked:...`) of all actors, at most so many. */
  parked(limit: number): MaybePromise<readonly StoredRow[]>
  /** What a fresh owner must attend to at once. */
  recover(): MaybePromise<Recovery>
  history(query: HistoryQuery): Promise<readonly StoredTurn[]>
  head(): Promise<Head>
  close(): Promise<void>
}

export type CommitResult = 'stored' | 'conflict'
export type JournalEntry = TurnCommit | Disposal

export type ActorStatus = 'active' | 'done' | 'stopped'

/** All that one actor did in one drain: a single atomic write under compare-and-set on (seq, epoch). */
export interface TurnCommit {
  readonly kind: 'turns'
  readonly address: Address
  readonly generation: number
  readonly incarnation: number
  readonly expectedSeq: number
  readonly seq: number
  readonly status: ActorStatus
  /** The state. What the journal keeps of it must not change with the object. */
  readonly snapshot: Json
  /** One JSON text per turn: the thought log's bytes. */
  readonly records: readonly string[]
  /** Where each record belongs among those of its batch. Absent: after the records of the entries before. */
  readonly places?: readonly number[]
  /** Entries of one batch with the same group are stored all or none. They stand side by side. */
  readonly group?: number
  /** How many effects run: a fresh owner must see to such an actor at once. */
  readonly running: number
  readonly rows: readonly (readonly [key: string, value: Json])[]
  readonly outbox: readonly Message[]
  /** Messages taken for good: their outbox entries go. */
  readonly consumed: readonly Consumed[]
  readonly timersSet: readonly StoredTimer[]
  readonly timersCleared: readonly string[]
  readonly deadLetters: readonly Message[]
}

/** Takes a message that no actor can take out of its outbox. */
export interface Disposal {
  readonly kind: 'disposal'
  readonly consumed: Consumed
  readonly deadLetter: Message
  readonly reason: string
}

export interface Consumed extends StreamPosition {
  readonly receiver: Address
}

export interface StoredTimer {
  readonly address: Address
  readonly id: string
  readonly dueAt: number
  /** What the actor keeps of it beside that. */
  readonly body: Json
}

/** When an actor must be woken. */
export type Wake = Pick<StoredTimer, 'address' | 'id' | 'dueAt'>

export interface StoredActor {
  readonly generation: number
  readonly incarnation: number
  readonly seq: number
  readonly status: ActorStatus
  readonly snapshot: Json
  readonly rows: ReadonlyMap<string, Json>
  readonly timers: readonly StoredTimer[]
}

export interface StoredRow {
  readonly address: Address
  readonly key: string
  readonly value: Json
}

export interface Recovery {
  /** Actors whose effects ran when the last owner ended. */
  readonly busy: readonly Address[]
  readonly timers: readonly Wake[]
  /** Committed messages whose receivers have not committed them, in order within each stream. */
  readonly outbox: readonly Message[]
}

/** A turn's record with its place in the hash chain: `hash = sha256(previous + record)`. */
export interface StoredTurn {
  readonly position: number
  readonly address: Address
  readonly seq: number
  readonly record: string
  readonly previous: string
  readonly hash: string
}

export interface Head {
  readonly position: number
  readonly hash: string
}

export interface HistoryQuery {
  readonly address?: Address
  /** Everything at or under this address. */
  readonly under?: Address
  readonly afterPosition?: number
  /** Default and most: 5,000. */
  readonly limit?: number
}

/** Most turns that one look into the history gives. */
export const HISTORY_PAGE_MAX = 5000

/** The hash before the first record. */
export const CHAIN_START = '0'.repeat(64)
