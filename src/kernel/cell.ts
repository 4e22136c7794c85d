import type { Address } from './address.ts'
import type { ActorSpec } from './child-spec.ts'
import { AmbitError, type ErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import type { CellTimer, Invocation, StoredSnapshot } from './invocation.ts'
import type { Json } from './json.ts'
import { Mailbox, type Lane } from './mailbox.ts'
import type { Event, Message } from './message.ts'
import { PendingCommit } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { ActorStatus, StoredActor, TurnCommit } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'
import type { TurnReport } from './ports/observer.ts'
import type { Registry } from './registry.ts'
import type { RowsView } from './turn.ts'

/** What a cell needs of its system. */
export interface CellHost {
  readonly clock: Clock
  readonly registry: Registry
  readonly systemId: string
  logger(address: Address): Logger
  /** Puts a cell on the run queue. */
  schedule(cell: Cell): void
  /** A cell has something to commit. */
  changed(cell: Cell): void
  route(message: Message, lane: Lane): void
  /** A lane has room again. */
  freed(cell: Cell): void
  startEffect(cell: Cell, invocation: Invocation): void
  abortEffect(cell: Cell, ref: string): void
  /** Tells a machine that what it invoked was refused before it began. */
  refuseInvocation(cell: Cell, invocation: Invocation, error: ErrorRecord): void
  setTimer(address: Address, id: string, dueAt: number): void
  clearTimer(address: Address, id: string): void
  failed(cell: Cell, error: unknown): void
  ended(cell: Cell, reason: ExitReason): void
  deadLetter(message: Message, reason: 'expired' | 'staleReply' | 'stopped', detail?: string): void
  /** A message with a caller's own id was taken, now or before. */
  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void
  /** Takes a numbered message out of its sender's outbox without a turn. */
  dispose(message: Message): void
  reported(report: TurnReport): void
}

/**
 * `loading`: its state is on the way. `running`: takes messages. `suspended`: failed, waits for its supervisor.
 * `quarantined`: cannot be recovered, a human must look. `ended`: done or stopped, for good.
 */
export type CellLife = 'loading' | 'running' | 'suspended' | 'quarantined' | 'ended'

/** One actor's place in memory: its mailbox, its state, and what it did that is not yet durable. */
export class Cell {
  readonly address: Address
  readonly spec: ActorSpec
  readonly input: unknown
  readonly authority: readonly Json[]
  readonly host: CellHost
  readonly mailbox: Mailbox
  readonly rows = new Map<string, Json>()
  /** What the current turn wrote, for its report. */
  turnRows: (readonly [key: string, value: Json])[] = []
  readonly rowsView: RowsView
  readonly invocations = new Map<string, Invocation>()
  readonly timers = new Map<string, CellTimer>()
  /** Numbered messages for which the mailbox has no room: they wait in their senders' outboxes. */
  readonly held: Partial<Record<Lane, Message[]>> = {}
  life: CellLife = 'loading'
  started = false
  status: ActorStatus = 'active'
  generation = 0
  incarnation = 0
  seq = 0
  lastNow = 0
  state: unknown
  output: Json | undefined
  queued = false
  /** Whether what it did is with the journal and not yet answered. */
  isCommitting = false
  /** The seq that the journal was last seen to hold, after a commit that was not answered. */
  pendingSeq: number | undefined
  pending: PendingCommit | undefined

  constructor(
    address: Address,
    spec: ActorSpec,
    input: unknown,
    authority: readonly Json[],
    host: CellHost,
  ) {
    this.address = address
    this.spec = spec
    this.input = input
    this.authority = authority
    this.host = host
    this.mailbox = new Mailbox(spec.mailbox)
    this.rowsView = { get: (key) => this.rows.get(key), has: (key) => this.rows.has(key) }
  }

  /** Whether turns of this actor go to the journal. */
  get isDurable(): boolean {
    return this.spec.durability !== 'none'
  }

  /** Whether nothing is lost when it leaves memory: all it is stands in the journal, and nothing is under way. */
  get isPassive(): boolean {
    return (
      this.spec.durability === 'sync' &&
      this.life === 'running' &&
      this.started &&
      this.pending === undefined &&
      !this.isCommitting &&
      this.mailbox.length === 0 &&
      Object.values(this.held).every((messages) => messages.length === 0) &&
      this.runningEffects() === 0
    )
  }

  /** The commit under construction; made at the first turn of a drain. */
  get commit(): PendingCommit {
    return (this.pending ??= new PendingCommit(this.seq))
  }

  /** Takes over a stored past, or starts without one. */
  restore(stored: StoredActor | undefined): void {
    this.forget()
    if (stored === undefined) return
    this.generation = stored.generation
    this.incarnation = Math.max(this.incarnation, stored.incarnation)
    this.seq = stored.seq
    this.status = stored.status
    for (const [key, value] of stored.rows) this.rows.set(key, value)
    const snapshot = JSON.parse(stored.snapshot) as StoredSnapshot
    this.lastNow = snapshot.lastNow
    this.output = snapshot.output
    if (stored.status !== 'active') return
    this.refuseOtherMachine(snapshot)
    this.state = this.spec.engine.restore(snapshot.state)
    this.started = true
    for (const timer of snapshot.timers) this.timers.set(timer.id, timer)
    for (const saved of snapshot.invocations) this.restoreInvocation(saved)
  }

  /** Whether an actor that has finished starts anew, as a permanent one does; then its end is forgotten. */
  beginsAgain(): boolean {
    if (this.status !== 'done' || this.spec.restart !== 'permanent') return false
    this.status = 'active'
    this.output = undefined
    return true
  }

  /** The state as the journal keeps it. */
  snapshot(): string {
    const { id, version, hash } = this.spec.engine
    const stored: StoredSnapshot = {
      machine: { id, version, hash },
      state: this.status === 'active' ? this.spec.engine.persist(this.state) : null,
      lastNow: this.lastNow,
      invocations: [...this.invocations.values()].map(({ logic: _, ...saved }) => saved),
      timers: [...this.timers.values()],
      ...(this.output !== undefined && { output: this.output }),
    }
    return JSON.stringify(stored)
  }

  toCommit(pending: PendingCommit): TurnCommit {
    return {
      kind: 'turns',
      address: this.address,
      generation: this.generation,
      incarnation: this.incarnation,
      expectedSeq: pending.expectedSeq,
      seq: this.seq,
      status: this.status,
      snapshot: this.snapshot(),
      records: pending.records,
      running: this.runningEffects(),
      rows: [...pending.rows],
      outbox: pending.outbox,
      consumed: pending.consumed,
      timersSet: [...pending.timersSet.values()],
      timersCleared: [...pending.timersCleared],
      deadLetters: pending.deadLetters,
    }
  }

  putRow(key: string, value: Json): void {
    if (value === null) this.rows.delete(key)
    else this.rows.set(key, value)
    this.commit.rows.set(key, value)
    if (!key.startsWith('~')) this.turnRows.push([key, value])
  }

  /** A message from the kernel itself to this actor. */
  kernelMessage(id: string, body: Event): Message {
    return { id, type: body.type, to: this.address, body, headers: { privileged: true } }
  }

  private runningEffects(): number {
    let running = 0
    for (const invocation of this.invocations.values()) if (invocation.kind === 'effect') running++
    return running
  }

  private restoreInvocation(saved: Omit<Invocation, 'logic'>): void {
    const logic = this.spec.engine.invocable(this.state, saved.path)
    if (logic === undefined) {
      throw new AmbitError(
        'AMBIT_MACHINE_CHANGED',
        `"${this.address}" waits for "${saved.src}", which its machine no longer has. ` +
          'Bring the invocation back, or start with another journal.',
      )
    }
    this.invocations.set(saved.path, { ...saved, logic })
  }

  private refuseOtherMachine(snapshot: StoredSnapshot): void {
    const { id, hash } = this.spec.engine
    const stored = snapshot.machine
    if (stored.id === id && stored.hash === hash) return
    throw new AmbitError(
      'AMBIT_MACHINE_CHANGED',
      `"${this.address}" was stored by machine "${stored.id}" with structure ${stored.hash.slice(0, 12)}, ` +
        `but its spec has "${id}" with structure ${hash.slice(0, 12)}. ` +
        'Run the machine that stored it, or start with another journal.',
    )
  }

  private forget(): void {
    this.rows.clear()
    this.invocations.clear()
    this.timers.clear()
    this.pending = undefined
    this.state = undefined
    this.started = false
    this.status = 'active'
    this.generation = 0
    this.seq = 0
  }
}
