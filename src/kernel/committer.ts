import type { Cell } from './cell.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Lane } from './mailbox.ts'
import { isPromise, type MaybePromise } from './maybe.ts'
import type { Message } from './message.ts'
import type { PendingCommit, Release } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type {
  CommitResult,
  Disposal,
  JournalEntry,
  JournalSession,
  TurnCommit,
} from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'

export interface CommitterCalls {
  /** Runs what is due; turns made meanwhile are added here. */
  drain(): void
  hasWork(): boolean
  /** Gives an actor its messages back; `blamed` when its own entry, and no other, was what the journal did not take. */
  reload(cell: Cell, messages: readonly { message: Message; lane: Lane }[], blamed: boolean): void
  /** Called after every round. */
  rested(): void
}

export const COMMIT_RETRY_BASE_MS = 50
export const COMMIT_RETRY_MAX_MS = 5000
/** Rounds that one call of `drain()` makes before it says that the actors never come to rest. */
export const ROUNDS_AT_ONCE_MAX = 1_000_000

interface Submitted {
  readonly cell: Cell
  readonly pending: PendingCommit
  readonly seq: number
  readonly entry: TurnCommit
}

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

  isAtRest(): boolean {
    const isIdle = !this.beating && !this.scheduled
    return isIdle && this.dirty.size === 0 && this.disposals.length === 0
  }

  /** Resolves once what this actor did so far is durable, or has been thrown away. */
  committed(cell: Cell): MaybePromise<void> {
    if (this.dirty.has(cell) || cell.isCommitting) return this.awaitCommit(cell)
  }

  /** Makes rounds until nothing is due, or until the journal takes its time: then the rest is for the next call. */
  drainNow(): void {
    for (let round = 0; round < ROUNDS_AT_ONCE_MAX; round++) {
      if (this.beating || isPromise(this.beat())) return
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
    this.calls.drain()
    for (let failures = this.failures; this.failures === failures;) {
      if (this.dirty.size === 0 && this.disposals.length === 0) return
      await this.commitAll()
    }
  }

  private async awaitCommit(cell: Cell): Promise<void> {
    while (this.dirty.has(cell) || cell.isCommitting) await this.nextBeat()
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
    try {
      this.calls.drain()
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
    const cells = [...this.dirty]
    this.dirty.clear()
    const batch = cells.flatMap((cell) => this.prepare(cell) ?? [])
    const disposals = this.disposals.splice(0)
    for (const { cell } of batch) {
      cell.pending = undefined
      cell.isCommitting = true
    }
    const submitted = this.submit(batch, disposals)
    const over = () => {
      for (const { cell } of batch) cell.isCommitting = false
    }
    if (isPromise(submitted)) return submitted.finally(over)
    over()
  }

  /** One actor whose state cannot be written must not keep its neighbours from being stored. */
  private prepare(cell: Cell): Submitted | undefined {
    const { pending } = cell
    if (pending === undefined) return undefined
    try {
      return { cell, pending, seq: cell.seq, entry: cell.toCommit(pending) }
    } catch (error) {
      this.logger.error(
        { actor: cell.address, err: toErrorRecord(error) },
        'a state cannot be written',
      )
      this.giveBack(cell, pending, true)
      return undefined
    }
  }

  private submit(batch: readonly Submitted[], disposals: readonly Disposal[]): MaybePromise<void> {
    const results = this.tryCommit([...batch.map(({ entry }) => entry), ...disposals])
    if (isPromise(results)) return results.then((answer) => this.answered(batch, disposals, answer))
    return this.answered(batch, disposals, results)
  }

  private answered(
    batch: readonly Submitted[],
    disposals: readonly Disposal[],
    results: readonly CommitResult[] | undefined,
  ): MaybePromise<void> {
    if (results === undefined) return this.submitSingly(batch, disposals)
    this.failures = 0
    for (const [i, { cell, pending }] of batch.entries()) {
      if (results[i] === 'stored') this.runAll(cell, pending.releases)
      else this.giveBack(cell, pending, false)
    }
  }

  /**
   * After a group that failed or was not answered, each entry is offered alone: one may have been stored already, and
   * one that the journal cannot take must not hold up its neighbours.
   */
  private async submitSingly(
    batch: readonly Submitted[],
    disposals: readonly Disposal[],
  ): Promise<void> {
    const refused: Submitted[] = []
    for (const each of batch) {
      const alone = await this.tryCommit([each.entry])
      if (alone?.[0] === 'stored' || (await this.isStored(each))) {
        this.runAll(each.cell, each.pending.releases)
      } else refused.push(each)
    }
    const areDisposed = disposals.length === 0 || (await this.tryCommit(disposals)) !== undefined
    if (!areDisposed) this.disposals.unshift(...disposals)
    this.failures = refused.length === 0 && areDisposed ? 0 : this.failures + 1
    const othersStored = refused.length < batch.length
    for (const { cell, pending } of refused) this.giveBack(cell, pending, othersStored)
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

  private giveBack(cell: Cell, pending: PendingCommit, blamed: boolean): void {
    const later = cell.pending
    this.dirty.delete(cell)
    if (cell.spec.durability === 'async') {
      // What was released cannot be taken back: it is written with the next turns.
      cell.pending = pending.followedBy(later, cell.pendingSeq ?? pending.expectedSeq)
      this.dirty.add(cell)
      return
    }
    cell.pending = undefined
    if (cell.life === 'quarantined') return
    this.calls.reload(cell, [...pending.taken, ...(later?.taken ?? [])], blamed)
  }

  /** `none` and `async` do not wait for the journal. */
  private releaseEarly(cell: Cell): void {
    const { pending } = cell
    if (pending === undefined) return
    const releases = pending.releases.splice(0)
    if (cell.spec.durability === 'async') this.dirty.add(cell)
    else cell.pending = undefined
    this.runAll(cell, releases)
  }

  /** One release that fails must not keep the others of a committed turn from happening. */
  private runAll(cell: Cell, releases: readonly Release[]): void {
    for (const run of releases) {
      try {
        run()
      } catch (error) {
        this.logger.error({ actor: cell.address, err: toErrorRecord(error) }, 'a release failed')
      }
    }
  }
}
