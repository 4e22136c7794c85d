import type { Address } from './address.ts'
import type { AwayTurn } from './away.ts'
import { carryOutAtOnce } from './carry-out.ts'
import type { ActorSpec } from './child-spec.ts'
import type { CellHost } from './cell-host.ts'
import {
  storedInvocation,
  type CellTimer,
  type Invocation,
  type StoredSnapshot,
} from './invocation.ts'
import { migrated, refuseUnheard, revived } from './revival.ts'
import type { Json } from './json.ts'
import { Mailbox, type Lane } from './mailbox.ts'
import {
  kernelTypes,
  sentWith,
  setHeaders,
  type Event,
  type Message,
  type Sending,
} from './message.ts'
import { postOwn } from './post-own.ts'
import { PendingCommit, type Release } from './pending-commit.ts'
import type { Command, End, Outcome, Place } from './ports/engine.ts'
import type { ActorStatus, StoredActor, TurnCommit } from './ports/journal.ts'
import { Rows } from './rows.ts'
import type { RowsView, Turn } from './turn.ts'

/**
 * `loading`: its state is on the way. `running`: takes messages. `suspended`: failed, waits for its supervisor.
 * `asleep`: idle, and known to the journal alone until something comes for it. `quarantined`: cannot be recovered, a
 * human must look. `ended`: done or stopped, for good.
 */
export type CellLife = 'loading' | 'running' | 'suspended' | 'asleep' | 'quarantined' | 'ended'

const NO_ROWS: ReadonlyMap<string, Json> = new Map()
const NO_INVOCATIONS: ReadonlyMap<string, Invocation> = new Map()
const NO_TIMERS: ReadonlyMap<string, CellTimer> = new Map()
const NONE: readonly never[] = []

/**
 * One actor's place in memory: its mailbox, its state, and what it did that is not yet durable. Most actors idle, so
 * whatever may stay empty is made when it is first needed.
 */
export class Cell implements Place {
  readonly address: Address
  readonly spec: ActorSpec
  /** What it starts with; a supervisor is given its children of today at each start. */
  input: unknown
  readonly authority: readonly Json[]
  readonly host: CellHost
  readonly mailbox: Mailbox
  /** Numbered messages for which the mailbox has no room: they wait in their senders' outboxes. */
  held: Partial<Record<Lane, Message[]>> | undefined
  life: CellLife = 'loading'
  started = false
  status: ActorStatus = 'active'
  generation = 0
  incarnation = 0
  seq = 0
  lastNow = 0
  state: unknown
  output: Json | undefined
  /** What took it down for good. */
  failure: { readonly error: unknown } | undefined
  queued = false
  isAhead = false
  /** The commit that brought it into memory, as long as that is not stored: without it this one was never there. */
  bornWith: Sending | undefined
  /** Whether two of its delayed events ever had the same id. */
  hasAliases = false
  /** Whether it is no longer in memory: what holds it must look again. */
  hasLeft = false
  /** Whether what it did is with the journal and not yet answered. */
  isCommitting = false
  /** The seq that the journal was last seen to hold, after a commit that was not answered. */
  pendingSeq: number | undefined
  pending: PendingCommit | undefined
  /** The turn whose step is made elsewhere. */
  away: AwayTurn | undefined
  /** The turn under way, in a cell whose commands are carried out at once. */
  turn: Turn | undefined
  /** How many commands of that turn have been carried out. */
  performed = 0
  slot: unknown
  private ownRows: Rows | undefined
  private ownInvocations: Map<string, Invocation> | undefined
  private ownTimers: Map<string, CellTimer> | undefined
  private written: (readonly [key: string, value: Json])[] | undefined

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
  }

  get rows(): ReadonlyMap<string, Json> {
    return this.ownRows?.all ?? NO_ROWS
  }

  get rowsView(): RowsView {
    return this.rows
  }

  get invocations(): ReadonlyMap<string, Invocation> {
    return this.ownInvocations ?? NO_INVOCATIONS
  }

  get timers(): ReadonlyMap<string, CellTimer> {
    return this.ownTimers ?? NO_TIMERS
  }

  /** What the current turn wrote, for its report. */
  get turnRows(): readonly (readonly [key: string, value: Json])[] {
    return this.written ?? NONE
  }

  /** Whether turns of this actor go to the journal. */
  get isDurable(): boolean {
    return this.spec.durability !== 'none'
  }

  get isDirect(): boolean {
    return this.spec.durability === 'none'
  }

  get isInTurn(): boolean {
    return this.turn !== undefined
  }

  get isByHand(): boolean {
    return this.host.isByHand
  }

  get outcome(): Outcome | undefined {
    if (this.failure !== undefined) return { status: 'error', error: this.failure.error }
    if (this.status === 'active') return undefined
    return this.status === 'done' ? { status: 'done', output: this.output } : { status: 'stopped' }
  }

  /** Whether nothing is lost when it leaves memory: all it is stands in the journal, and nothing is under way. */
  get isPassive(): boolean {
    const isKept = this.spec.durability === 'sync'
    return isKept && this.isAtRest && this.spec.engine.isLively?.(this) !== true
  }

  /** The same, whatever runs beside its steps. */
  get isAtRest(): boolean {
    return (
      this.isDurable &&
      this.life === 'running' &&
      this.started &&
      this.pending === undefined &&
      !this.isCommitting &&
      this.mailbox.length === 0 &&
      Object.values(this.held ?? {}).every((messages) => messages.length === 0) &&
      this.runningEffects() === 0
    )
  }

  /** The commit under construction; made at the first turn of a drain. */
  get commit(): PendingCommit {
    return (this.pending ??= new PendingCommit(this.address, this.seq, this.host.order))
  }

  /** Something that may happen once the turn is durable; where nothing is, at once. */
  release(run: Release): void {
    if (!this.isDirect) {
      this.commit.release(run)
      return
    }
    try {
      run()
    } catch (error) {
      this.warn(error, 'a release failed')
    }
  }

  perform(command: Command): void {
    if (this.isDirect && this.turn !== undefined) carryOutAtOnce(this, command, this.turn)
  }

  get home(): unknown {
    return this.host
  }

  post(target: string, event: Event, isForeign = false): void {
    if (isForeign) this.host.postForeign(this, target, event)
    else postOwn(this, target, event)
  }

  end(target: string, end: End): void {
    this.host.postTo(this, { type: kernelTypes.ended, target, end }, 'reply')
  }

  warn(error: unknown, what: string): void {
    this.host.logger(this.address).warn({ err: error }, what)
  }

  /** Takes over a stored past, or starts without one. */
  restore(stored: StoredActor | undefined): void {
    this.forget()
    if (stored === undefined) return
    this.generation = stored.generation
    this.incarnation = Math.max(this.incarnation, stored.incarnation)
    this.seq = stored.seq
    this.status = stored.status
    const snapshot = stored.snapshot as unknown as StoredSnapshot
    this.ownRows = Rows.restored(stored.rows, snapshot.streams)
    this.lastNow = snapshot.lastNow
    this.output = snapshot.output
    if (stored.status !== 'active') return
    const state = migrated(this, snapshot)
    this.state = this.spec.engine.restore(state, this)
    this.started = true
    for (const { id, dueAt, body } of stored.timers)
      this.addTimer({ ...(body as unknown as CellTimer), id, dueAt })
    if (state !== snapshot.state) refuseUnheard(this)
    for (const saved of snapshot.invocations ?? []) this.addInvocation(revived(this, saved))
  }

  /** What it is stands in the journal alone from now on. */
  fallAsleep(): void {
    this.forget()
    this.life = 'asleep'
  }

  /** Whether an actor that has finished starts anew, as a permanent one does; then its end is forgotten. */
  beginsAgain(): boolean {
    if (this.status !== 'done' || this.spec.restart !== 'permanent') return false
    this.status = 'active'
    this.output = undefined
    return true
  }

  /** The state as the journal keeps it. */
  snapshot(): Json {
    const { id, version, hash } = this.spec.engine
    const stored: StoredSnapshot = {
      machine: { id, version, hash },
      state: this.status === 'active' ? this.spec.engine.persist(this.state) : null,
      lastNow: this.lastNow,
      ...(this.invocations.size > 0 && {
        invocations: [...this.invocations.values()].map(storedInvocation),
      }),
      ...this.ownRows?.inSnapshot(),
      ...(this.output !== undefined && { output: this.output }),
    }
    return stored as unknown as Json
  }

  /** What the journal is given: from now on nobody takes what was sent before it is stored. */
  toCommit(pending: PendingCommit, group: number | undefined): TurnCommit {
    pending.isSealed = true
    for (const [message, lane] of pending.outbox)
      if (message.headers.stream === undefined) this.number(message, lane)
    return {
      kind: 'turns',
      address: this.address,
      generation: this.generation,
      incarnation: this.incarnation,
      expectedSeq: pending.expectedSeq,
      seq: this.seq,
      status: this.status,
      snapshot: this.snapshot(),
      records: pending.records.map(({ text }) => text),
      places: pending.records.map(({ place }) => place),
      running: this.runningEffects(),
      rows: [...pending.rows],
      outbox: [...pending.outbox.keys()],
      consumed: pending.consumed,
      timersSet: [...pending.timersSet.values()],
      timersCleared: [...pending.timersCleared],
      deadLetters: pending.deadLetters,
      ...(group !== undefined && { group }),
    }
  }

  beginTurn(): void {
    this.seq++
    this.written = undefined
  }

  putRow(key: string, value: Json): void {
    this.ownRows ??= new Rows()
    const written = this.ownRows.put(key, value, this.isDirect ? undefined : this.commit.rows)
    if (!written) return
    this.written ??= []
    this.written.push([key, value])
  }

  addInvocation(invocation: Invocation): void {
    this.ownInvocations ??= new Map()
    this.ownInvocations.set(invocation.path, invocation)
  }

  dropInvocation(path: string): void {
    this.ownInvocations?.delete(path)
  }

  addTimer(timer: CellTimer): void {
    this.ownTimers ??= new Map()
    this.ownTimers.set(timer.id, timer)
    if (timer.alias !== undefined) this.hasAliases = true
  }

  dropTimer(id: string): boolean {
    return this.ownTimers?.delete(id) ?? false
  }

  /** A message from the kernel itself to this actor. */
  kernelMessage(id: string, body: Event): Message {
    const { address: to, bornWith } = this
    const headers = { privileged: true }
    if (bornWith === undefined) return { id, type: body.type, to, body, headers }
    // Its start is stored with what it was started for.
    return { id, type: body.type, to, body, headers, [sentWith]: bornWith }
  }

  /** What nobody took within its own commit has a place in a stream. */
  private number(message: Message, lane: Lane): void {
    const key = `~out:${message.to}|${lane}`
    const last = this.rows.get(key)
    const number = (typeof last === 'number' ? last : 0) + 1
    this.putRow(key, number)
    const { address: sender, generation } = this
    setHeaders(message, { ...message.headers, stream: { sender, generation, lane, number } })
  }

  private runningEffects(): number {
    let running = 0
    for (const invocation of this.invocations.values()) if (invocation.kind === 'effect') running++
    return running
  }

  private forget(): void {
    this.ownRows = undefined
    this.ownInvocations = undefined
    this.ownTimers = undefined
    this.pending = undefined
    this.away = undefined
    this.state = undefined
    this.failure = undefined
    this.started = false
    this.status = 'active'
    this.generation = 0
    this.seq = 0
  }
}
