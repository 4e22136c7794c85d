import type { Cell } from './cell.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Lane } from './mailbox.ts'
import { isPromise, type MaybePromise } from './maybe.ts'
import { groupsOf, type Group, type Submitted } from './commit-group.ts'
import { forgetSending, type Message } from './message.ts'
import { inOrder, type PendingCommit, type PlacedRelease } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { CommitResult, Disposal, JournalEntry, JournalSession } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'

export interface CommitterCalls {
  /** Runs what is due; turns made meanwhile are added here. `isCareful`: one turn of each actor. */
  drain(isCareful: boolean): void
  hasWork(): boolean
  /** Gives an actor its messages back; `blamed` when its own entry, and no other, was what the journal did not take. */
  reload(cell: Cell, messages: readonly { message: Message; lane: Lane }[], blamed: boolean): void
  /** Whether an actor came into memory for what was not stored and for nobody else: then it has left again. */
  wasNeverBorn(cell: Cell, taken: PendingCommit['taken']): boolean
  /** Takes back messages that were offered before they were stored, and never will be. */
  retract(messages: Iterable<Message>): void
  /** Called after every round. */
  rested(): void
}

export const COMMIT_RETRY_BASE_MS = 50
export const COMMIT_RETRY_MAX_MS = 5000
/** Rounds that one call of `drain()` makes before it says that the actors never come to rest. */
export const ROUNDS_AT_ONCE_MAX = 1_000_000
/** Rounds after a failed commit in which each turn is stored by itself, so that the one at fault shows. */
export const CAREFUL_ROUNDS = 16

/**
 * The heartbeat: drain the run queue, commit all turns made in that drain under one fsync, then release what they
 * did. Nothing leaves an actor before its commit; a commit that failed is never followed by a release.
 */
export class Committer {
  readonly session: JournalSession
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly calls: CommitterCalls
  private dirty = new Set<Cell>()
  private disposals: Disposal[] = []
  private beating = false
  private scheduled = false
  private failures = 0
  private carefulRounds = 0
  /** Whether a commit is with the journal and not answered. */
  private isAwaiting = false
  private finishing = false

  /** `isManual`: rounds are made by `drainNow` alone. */
  private readonly isManual: boolean

  constructor(
    session: JournalSession,
    clock: Clock,
    logger: Logger,
    calls: CommitterCalls,
    isManual = false,
  ) {
    this.isManual = isManual
    this.session = session
    this.clock = clock
    this.logger = logger
    this.calls = calls
  }

  add(cell: Cell): void {
    if (cell.isDirect) return
    if (cell.spec.durability === 'sync') this.dirty.add(cell)
    else this.releaseEarly(cell)
    this.wake()
  }

  dispose(message: Message, reason: string): void {
    const { stream } = message.headers
    if (stream === undefined) return
    const consumed = { ...stream, receiver: message.to }
    this.disposals.push({ kind: 'disposal', consumed, deadLetter: message, reason })
    this.wake()
  }

  /** Beats soon; after a failed commit only once its pause is over, so that a full disk is not hammered. */
  wake(): void {
    if (this.scheduled || this.beating || this.finishing || this.isManual) return
    this.scheduled = true
    const beat = () => void this.beat()
    if (this.failures < 2) this.clock.soon(beat)
    else this.clock.wakeAt(this.clock.now() + this.pauseMs(), beat)
  }

  /** Whether messages may be taken before they are stored, by turns that are stored with them. */
  get mayRunAhead(): boolean {
    return this.session.storesGroups && !this.isCareful
  }

  /** After a failed commit every actor makes one turn a commit, so that it shows which one cannot be stored. */
  private get isCareful(): boolean {
    return this.carefulRounds > 0 || this.failures > 0
  }

  isAtRest(): boolean {
    const isIdle = !this.beating && !this.scheduled
    return isIdle && this.dirty.size === 0 && this.disposals.length === 0
  }

  /** Resolves once what this actor did so far is durable, or has been thrown away. */
  committed(cell: Cell): MaybePromise<void> {
    if (this.isUnsettled(cell)) return this.awaitCommit(cell)
  }

  /** Makes rounds until nothing is due, or until the journal takes its time: then the rest is for the next call. */
  drainNow(): void {
    for (let round = 0; round < ROUNDS_AT_ONCE_MAX; round++) {
      if (this.beating || this.finishing || isPromise(this.beat())) return
      if (!this.hasWork()) return
    }
    throw new AmbitError(
      'AMBIT_LOOP_LIMIT',
      `drain() made ${ROUNDS_AT_ONCE_MAX} rounds and there is still work. ` +
        'Actors keep each other busy: break the cycle.',
    )
  }

  /** Takes what is due once more, commits what is left, and beats no more. */
  async finish(): Promise<void> {
    this.finishing = true
    while (this.beating) await this.nextBeat()
    this.calls.drain(this.isCareful)
    for (let failures = this.failures; this.failures === failures;) {
      if (this.dirty.size === 0 && this.disposals.length === 0) return
      await this.commitAll()
    }
  }

  private async awaitCommit(cell: Cell): Promise<void> {
    while (this.isUnsettled(cell)) await this.nextBeat()
  }

  /** What it was sent may still be taken back while the journal has not answered. */
  private isUnsettled(cell: Cell): boolean {
    return this.dirty.has(cell) || this.isAwaiting
  }

  private hasWork(): boolean {
    return this.calls.hasWork() || this.dirty.size > 0 || this.disposals.length > 0
  }

  private nextBeat(): Promise<void> {
    return new Promise((resolve) => this.clock.soon(resolve))
  }

  private beat(): MaybePromise<void> {
    this.scheduled = false
    if (this.finishing) return
    this.beating = true
    if (this.carefulRounds > 0) this.carefulRounds--
    try {
      this.calls.drain(this.isCareful)
      const committed = this.commitAll()
      if (isPromise(committed)) return committed.then(this.roundIsOver, this.roundFailed)
    } catch (error) {
      this.roundFailed(error)
      return
    }
    this.roundIsOver()
  }

  private readonly roundFailed = (error: unknown): void => {
    this.logger.error({ err: toErrorRecord(error) }, 'a round failed')
    this.roundIsOver()
  }

  private readonly roundIsOver = (): void => {
    this.beating = false
    this.calls.rested()
    if (this.hasWork()) this.wake()
  }

  private pauseMs(): number {
    return Math.min(COMMIT_RETRY_MAX_MS, COMMIT_RETRY_BASE_MS * 2 ** Math.min(this.failures, 10))
  }

  private commitAll(): MaybePromise<void> {
    if (this.dirty.size === 0 && this.disposals.length === 0) return
    const groups = groupsOf(this.dirty)
    this.dirty.clear()
    const batch = groups.flatMap((cells, i) => {
      const made = this.prepare(cells, cells.length > 1 ? i : undefined)
      return made === undefined ? [] : [made]
    })
    const disposals = this.disposals.splice(0)
    for (const { cell } of batch.flat()) cell.pending = undefined
    const submitted = this.submit(batch, disposals)
    if (!isPromise(submitted)) return
    for (const { cell } of batch.flat()) cell.isCommitting = true
    this.isAwaiting = true
    return submitted.finally(() => {
      for (const { cell } of batch.flat()) cell.isCommitting = false
      this.isAwaiting = false
    })
  }

  /** One actor whose state cannot be written must not keep its neighbours from being stored. */
  private prepare(cells: readonly Cell[], group: number | undefined): Group | undefined {
    const made: Submitted[] = []
    for (const cell of cells) {
      const { pending } = cell
      if (pending === undefined) continue
      try {
        made.push({ cell, pending, seq: cell.seq, entry: cell.toCommit(pending, group) })
      } catch (error) {
        const { address: actor } = cell
        this.logger.error({ actor, err: toErrorRecord(error) }, 'a state cannot be written')
        for (const { pending: lost } of cells)
          if (lost !== undefined) this.calls.retract(lost.outbox.keys())
        this.giveBack(cells, cells.length === 1)
        return undefined
      }
    }
    return made
  }

  private submit(batch: readonly Group[], disposals: readonly Disposal[]): MaybePromise<void> {
    const entries = batch.flatMap((group) => group.map(({ entry }) => entry))
    const results = this.tryCommit([...entries, ...disposals])
    if (isPromise(results)) return results.then((answer) => this.answered(batch, disposals, answer))
    return this.answered(batch, disposals, results)
  }

  private answered(
    batch: readonly Group[],
    disposals: readonly Disposal[],
    results: readonly CommitResult[] | undefined,
  ): MaybePromise<void> {
    if (results === undefined) return this.submitSingly(batch, disposals)
    this.failures = 0
    let first = 0
    const stored: Submitted[] = []
    const refused: Group[] = []
    for (const group of batch) {
      if (group.every((_, i) => results[first + i] === 'stored')) stored.push(...group)
      else refused.push(group)
      first += group.length
    }
    for (const { pending } of stored) pending.isStored = true
    this.giveBackGroups(refused, false)
    this.releaseAll(stored)
  }

  /**
   * After a batch that failed or was not answered, each group is offered alone: one may have been stored already, and
   * one that the journal cannot take must not hold up its neighbours.
   */
  private async submitSingly(
    batch: readonly Group[],
    disposals: readonly Disposal[],
  ): Promise<void> {
    const refused: Group[] = []
    const stored: Submitted[] = []
    for (const group of batch) {
      const alone = await this.tryCommit(group.map(({ entry }) => entry))
      const isTaken = alone?.every((result) => result === 'stored') === true
      if (isTaken || (await this.areStored(group))) stored.push(...group)
      else refused.push(group)
    }
    const areDisposed = disposals.length === 0 || (await this.tryCommit(disposals)) !== undefined
    if (!areDisposed) this.disposals.unshift(...disposals)
    this.failures = refused.length === 0 && areDisposed ? 0 : this.failures + 1
    const othersStored = refused.length < batch.length
    // What was offered and is not stored is taken back before anything else happens.
    for (const { pending } of stored) pending.isStored = true
    this.giveBackGroups(refused, othersStored)
    this.releaseAll(stored)
  }

  private tryCommit(
    entries: readonly JournalEntry[],
  ): MaybePromise<readonly CommitResult[] | undefined> {
    try {
      const answer = this.session.commit(entries)
      return isPromise(answer) ? answer.catch(this.commitFailed) : answer
    } catch (error) {
      this.commitFailed(error)
      return undefined
    }
  }

  private readonly commitFailed = (error: unknown): undefined => {
    // Powers of two: a disk that stays full must not be filled with lines about it.
    const isTold = (this.failures & (this.failures - 1)) === 0
    const { failures } = this
    if (isTold)
      this.logger.error({ err: toErrorRecord(error), failures }, 'commit failed or unanswered')
    return undefined
  }

  private async areStored(group: Group): Promise<boolean> {
    // All of them are, or none; but each is asked for what the journal holds of it.
    let all = true
    for (const each of group) if (!(await this.isStored(each))) all = false
    return all
  }

  /** Whether the journal holds these turns after all. It is asked until it answers: a guess loses or repeats them. */
  private async isStored({ cell, seq }: Submitted): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        const stored = await this.session.load(cell.address)
        cell.pendingSeq = stored?.seq ?? 0
        return stored?.seq === seq
      } catch (error) {
        if (this.finishing) return false
        this.logger.error(
          { actor: cell.address, attempt, err: toErrorRecord(error) },
          'the journal does not answer',
        )
        await this.pause(
          Math.min(COMMIT_RETRY_MAX_MS, COMMIT_RETRY_BASE_MS * 2 ** Math.min(attempt, 10)),
        )
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.wakeAt(this.clock.now() + ms, resolve)
    })
  }

  /** `othersStored`: so that one which was refused alone is at fault itself. */
  private giveBackGroups(groups: readonly Group[], othersStored: boolean): void {
    // What any of them sent is taken back before anybody is looked at.
    for (const { cell, pending } of groups.flat()) {
      this.calls.retract(pending.outbox.keys())
      if (cell.pending !== undefined) this.calls.retract(cell.pending.outbox.keys())
    }
    for (const group of groups) {
      for (const { cell, pending } of group) {
        cell.pending = pending.followedBy(cell.pending, cell.pendingSeq ?? pending.expectedSeq)
        cell.pendingSeq = undefined
      }
      const cells = group.map(({ cell }) => cell)
      this.giveBack(cells, othersStored && group.length === 1)
    }
  }

  /** What they did is thrown away, and what they took is taken again; for a while each of them is stored alone. */
  private giveBack(cells: readonly Cell[], blamed: boolean): void {
    this.carefulRounds = CAREFUL_ROUNDS
    for (const cell of cells) {
      const { pending } = cell
      this.dirty.delete(cell)
      if (pending === undefined) continue
      if (cell.spec.durability === 'async') {
        // What was released cannot be taken back: it is written with the next turns.
        this.dirty.add(cell)
        continue
      }
      cell.pending = undefined
      if (pending.expectedSeq === 0 && this.calls.wasNeverBorn(cell, pending.taken)) continue
      if (cell.life === 'quarantined') continue
      this.calls.reload(cell, pending.taken, blamed)
    }
  }

  /** `none` and `async` do not wait for the journal. */
  private releaseEarly(cell: Cell): void {
    const { pending } = cell
    if (pending === undefined) return
    const releases = pending.releases.splice(0)
    if (cell.spec.durability === 'async') this.dirty.add(cell)
    else cell.pending = undefined
    this.runAll(releases)
  }

  private releaseAll(stored: Group): void {
    if (stored.length === 0) return
    for (const { cell, pending } of stored) {
      cell.bornWith = undefined
      cell.pendingSeq = undefined
      for (const message of pending.outbox.keys()) forgetSending(message)
    }
    this.runAll(inOrder(stored.map(({ pending }) => pending.releases)))
  }

  /** One release that fails must not keep the others of a committed turn from happening. */
  private runAll(releases: readonly PlacedRelease[]): void {
    for (const { actor, run } of releases) {
      try {
        run()
      } catch (error) {
        this.logger.error({ actor, err: toErrorRecord(error) }, 'a release failed')
      }
    }
  }
}
