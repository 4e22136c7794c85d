import type { Cell } from './cell.ts'
import { toErrorRecord } from './errors.ts'
import type { Lane } from './mailbox.ts'
import type { Message } from './message.ts'
import type { PendingCommit, Release } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { CommitResult, Disposal, JournalEntry, JournalSession } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'

export interface CommitterCalls {
  /** Runs what is due; turns made meanwhile are added here. */
  drain(): void
  hasWork(): boolean
  reload(cell: Cell, messages: readonly { message: Message; lane: Lane }[]): void
  /** Called after every round. */
  rested(): void
}

export const COMMIT_RETRY_BASE_MS = 50
export const COMMIT_RETRY_MAX_MS = 5000

interface Submitted {
  readonly cell: Cell
  readonly pending: PendingCommit
  readonly seq: number
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
  private finished = false

  constructor(session: JournalSession, clock: Clock, logger: Logger, calls: CommitterCalls) {
    this.session = session
    this.clock = clock
    this.logger = logger
    this.calls = calls
  }

  add(cell: Cell): void {
    if (cell.spec.durability === 'sync') this.dirty.add(cell)
    else this.releaseEarly(cell)
    this.wake()
  }

  dispose(message: Message, reason: string): void {
    const { stream } = message.headers
    if (stream === undefined) return
    this.disposals.push({
      kind: 'disposal',
      consumed: { ...stream, receiver: message.to },
      deadLetter: message,
      reason,
    })
    this.wake()
  }

  wake(): void {
    if (this.scheduled || this.beating || this.finished) return
    this.scheduled = true
    this.clock.soon(() => void this.beat())
  }

  isAtRest(): boolean {
    return !this.beating && !this.scheduled && this.dirty.size === 0 && this.disposals.length === 0
  }

  /** Resolves once what this actor did so far is durable, or has been thrown away. */
  async committed(cell: Cell): Promise<void> {
    while (this.dirty.has(cell) || (this.beating && cell.pending !== undefined))
      await this.nextBeat()
  }

  /** Commits what is left and stops beating. */
  async finish(): Promise<void> {
    while (this.beating || this.scheduled) await this.nextBeat()
    while (this.dirty.size > 0 || this.disposals.length > 0) {
      const failures = this.failures
      await this.commitAll()
      if (this.failures > failures) break
    }
    this.finished = true
  }

  private nextBeat(): Promise<void> {
    return new Promise((resolve) => this.clock.soon(resolve))
  }

  private async beat(): Promise<void> {
    this.scheduled = false
    this.beating = true
    try {
      this.calls.drain()
      await this.commitAll()
    } catch (error) {
      this.logger.error({ err: toErrorRecord(error) }, 'a round failed')
    } finally {
      this.beating = false
    }
    this.calls.rested()
    if (this.calls.hasWork() || this.dirty.size > 0 || this.disposals.length > 0)
      this.wakeAfterFailures()
  }

  private wakeAfterFailures(): void {
    if (this.failures === 0) return this.wake()
    if (this.scheduled || this.finished) return
    this.scheduled = true
    const delay = Math.min(COMMIT_RETRY_MAX_MS, COMMIT_RETRY_BASE_MS * 2 ** this.failures)
    this.clock.wakeAt(this.clock.now() + delay, () => void this.beat())
  }

  private async commitAll(): Promise<void> {
    if (this.dirty.size === 0 && this.disposals.length === 0) return
    const submitted = [...this.dirty].flatMap((cell): Submitted[] => {
      const { pending } = cell
      return pending === undefined ? [] : [{ cell, pending, seq: cell.seq }]
    })
    const disposals = this.disposals.splice(0)
    this.dirty.clear()
    const entries: JournalEntry[] = [
      ...submitted.map(({ cell, pending }) => cell.toCommit(pending)),
      ...disposals,
    ]
    for (const { cell } of submitted) {
      cell.pending = undefined
      cell.isCommitting = true
    }
    await this.submit(entries, submitted, disposals)
    for (const { cell } of submitted) cell.isCommitting = false
  }

  private async submit(
    entries: readonly JournalEntry[],
    submitted: readonly Submitted[],
    disposals: readonly Disposal[],
  ): Promise<void> {
    let results: readonly CommitResult[]
    try {
      results = await this.session.commit(entries)
      this.failures = 0
    } catch (error) {
      this.failures++
      this.logger.error(
        { err: toErrorRecord(error), entries: entries.length },
        'commit failed or unanswered',
      )
      this.disposals.unshift(...disposals)
      await this.resolveUnknown(submitted)
      return
    }
    submitted.forEach(({ cell, pending }, i) => {
      if (results[i] === 'stored') this.release(cell, pending)
      else this.giveBack(cell, pending)
    })
  }

  /** Nobody knows whether a batch was stored, so the journal is asked about each actor in it. */
  private async resolveUnknown(submitted: readonly Submitted[]): Promise<void> {
    for (const { cell, pending, seq } of submitted) {
      try {
        const stored = await this.session.load(cell.address)
        if (stored !== undefined && stored.seq === seq && cell.spec.durability === 'sync') {
          this.release(cell, pending)
          continue
        }
      } catch (error) {
        this.logger.error(
          { actor: cell.address, err: toErrorRecord(error) },
          'the journal does not answer',
        )
      }
      this.giveBack(cell, pending)
    }
  }

  private giveBack(cell: Cell, pending: PendingCommit): void {
    const later = cell.pending
    cell.pending = undefined
    this.dirty.delete(cell)
    if (cell.spec.durability === 'async') return
    if (cell.life === 'ended') cell.life = 'suspended'
    this.calls.reload(cell, [...pending.taken, ...(later?.taken ?? [])])
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

  private release(cell: Cell, pending: PendingCommit): void {
    this.runAll(cell, pending.releases)
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
