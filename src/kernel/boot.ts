import { childAddress } from './address.ts'
import { takeDown } from './carry-out.ts'
import type { Cell } from './cell.ts'
import { AmbitError } from './errors.ts'
import { isPromise, wait, type MaybePromise } from './maybe.ts'
import type { Message } from './message.ts'
import type { Clock } from './ports/clock.ts'
import type { JournalSession } from './ports/journal.ts'
import type { Logger } from './ports/logger.ts'
import { reasonOf } from './exit.ts'
import type { Lives } from './lives.ts'
import type { Lane } from './mailbox.ts'
import type { SupervisorEnd } from './ports/supervising.ts'
import type { Recovery } from './recovery.ts'
import type { RestWatch } from './rest-watch.ts'
import type { Rounds } from './rounds.ts'
import { startFailure } from './start-failure.ts'
import type { Timers } from './timers.ts'
import type { Branch, Tree } from './tree.ts'

/** The parts of a kernel that a boot brings to life. */
export interface BootParts {
  readonly clock: Clock
  readonly log: Logger
  readonly tree: Tree
  readonly timers: Timers
  readonly recovery: Recovery
  readonly lives: Lives
  readonly rounds: Rounds
  readonly rest: RestWatch
}

export interface BootCalls {
  phase(): Phase
  route(message: Message, lane: Lane): void
  /** Starts the rounds. */
  wake(): void
  /** Whether everything that was done is committed. */
  isCommitted(): boolean
}

export type Phase = 'new' | 'booting' | 'running' | 'stopping' | 'stopped'

const ENDED = new Error('it ended while it started')

/** Timers wait at most this long for what was sent before the last process ended. */
const TIMERS_HELD_MS_MAX = 2000
const TIMERS_HELD_ROUNDS_MAX = 10_000

/** Brings a system up, and goes on where the last owner of its journal ended. */
export class Boot {
  private readonly parts: BootParts
  private readonly calls: BootCalls
  private failure: AmbitError | undefined
  private readonly up = new Set<Branch>()
  private readonly over = new Set<Branch>()
  /** Until what the last owner left is on its way nobody takes anything: what comes now must not overtake it. */
  hasResumed = false

  constructor(parts: BootParts, calls: BootCalls) {
    this.parts = parts
    this.calls = calls
  }

  /** Ends when every fixed actor is up; throws when one of them cannot be started. */
  *steps(session: JournalSession): Generator<Promise<unknown>, void> {
    const { tree, rounds, rest, lives } = this.parts
    yield* this.resume(session)
    for (const top of tree.tops) {
      lives.startSupervisor(top)
      const isDecided = () => this.up.has(top) || this.over.has(top)
      if (rounds.isManual) rounds.drain()
      while (!isDecided()) {
        yield* wait(rest.next())
        if (rounds.isManual) rounds.drain()
      }
      if (this.over.has(top)) throw this.failure ?? startFailure(top.address, ENDED)
    }
    yield* this.wakeTimers()
  }

  /** Loads an actor. While the system boots, a fixed one that cannot be loaded fails the boot. */
  bringUp(cell: Cell, how: { fault?: unknown; isAnew?: boolean } = {}): MaybePromise<void> {
    const { recovery, lives, rest } = this.parts
    const failed = (error: unknown) => {
      if (this.calls.phase() === 'stopped') return
      if (!this.isBooting(cell)) {
        lives.supervision.recoveryFailed(cell, error)
        return
      }
      this.failure ??= error instanceof AmbitError ? error : startFailure(cell.address, error)
      takeDown(cell, error)
      lives.supervision.failed(cell, reasonOf(error))
      rest.rested()
    }
    try {
      if (how.fault !== undefined) throw startFailure(cell.address, how.fault)
      const loaded = recovery.load(cell, how.isAnew)
      if (isPromise(loaded)) return loaded.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  /** An actor failed: in its first start at a boot this is why the boot fails. */
  failedBy(cell: Cell, error: unknown): void {
    if (this.isBooting(cell) && !cell.started) this.failure ??= startFailure(cell.address, error)
  }

  topIsUp(top: Branch): void {
    this.up.add(top)
  }

  topEnded(top: Branch, { failed }: SupervisorEnd): void {
    this.over.add(top)
    if (failed !== undefined)
      this.failure ??= startFailure(childAddress(top.address, failed.id), failed.error)
  }

  /** Takes up the timers and messages that the last owner left. */
  private *resume(session: JournalSession): Generator<Promise<unknown>, void> {
    const { tree, timers, log } = this.parts
    const recovery = yield* wait(session.recover())
    timers.hold()
    for (const { address, id, dueAt } of recovery.timers) timers.set(address, id, dueAt)
    for (const address of recovery.busy) {
      if (tree.cellAt(address) !== undefined) continue
      log.warn({ actor: address }, 'the journal holds a running actor that no supervisor has')
    }
    for (const message of recovery.outbox)
      this.calls.route(message, message.headers.stream?.lane ?? 'user')
    this.hasResumed = true
    this.calls.wake()
  }

  /**
   * What was sent before the last process ended comes before what fell due since: an answer that waits in an outbox is
   * heard before its deadline passes, and a decision that was handed in counts before its case expires.
   */
  private *wakeTimers(): Generator<Promise<unknown>, void> {
    const { clock, recovery, timers } = this.parts
    const latest = clock.elapsed() + TIMERS_HELD_MS_MAX
    const isSettled = () => recovery.isAtRest && this.calls.isCommitted()
    for (let round = 0; !isSettled() && round < TIMERS_HELD_ROUNDS_MAX; round++) {
      if (clock.elapsed() >= latest) break
      yield* wait(new Promise<void>((resolve) => clock.soon(resolve)))
    }
    timers.wake()
  }

  private isBooting(cell: Cell): boolean {
    return (
      this.calls.phase() === 'booting' &&
      this.parts.tree.branchOf(cell.address)?.spec.kind !== 'pool'
    )
  }
}
