import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { releaseEverything } from './carry-out.ts'
import { refillDeferred } from './deferred.ts'
import { valueFor } from './effects.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import type { Invocation } from './invocation.ts'
import type { Lane } from './mailbox.ts'
import { isPromise, runMaybe, wait, type MaybePromise } from './maybe.ts'
import { kernelTypes, type Message } from './message.ts'
import type { Clock } from './ports/clock.ts'
import type { End } from './ports/engine.ts'
import type { JournalSession, StoredActor } from './ports/journal.ts'
import { addRestart, type RestartsAt } from './restart-window.ts'
import { parkMessage } from './take.ts'

export interface RecoveryCalls {
  readonly clock: Clock
  session(): JournalSession
  schedule(cell: Cell): void
  /** Resolves once what the actor did so far is durable, or has been thrown away. */
  committed(cell: Cell): MaybePromise<void>
  /** Runs something in the next round of the scheduler. */
  soon(run: () => void): void
  isStopped(): boolean
  /** What was read beside the rounds is there: whoever waits for the system may look again. */
  rested(): void
  /** The time within which an actor's supervisor counts failures. */
  periodOf(cell: Cell): number
  ended(cell: Cell): void
  startEffect(cell: Cell, invocation: Invocation): void
  effectEnded(address: Address, invocation: Invocation, end: End): void
  restarted(cell: Cell): void
  /** Its past is there, and it goes on from it. */
  begun(cell: Cell): void
  /** It is back in memory. */
  resumed(cell: Cell): void
  failed(cell: Cell, error: unknown): void
  /** Whether somebody keeps the actor alive: its supervisor may have ended, or have forgotten it. */
  isKept(cell: Cell): boolean
}

/** Begins something as soon as there is room for it; it says when it is done. */
export type Limited = (begin: (done: () => void) => void) => void

const unlimited: Limited = (begin) => begin(() => undefined)

/**
 * What a restart goes on with: what is stored, or the input again where its spec says so (`restart`); what is stored in
 * any case, after a commit that failed (`reload`); nothing, whatever the spec says (`anew`).
 */
type From = 'restart' | 'reload' | 'anew'

/** A restart that was ordered. */
interface Ordered {
  readonly from: From
}

/** Tries at reading an actor back before it is left to a human. */
export const LOAD_ATTEMPTS_MAX = 5
/** More than a turn's own attempts: what fails may be the journal, and not the message. */
export const REFUSALS_MAX = 5
export const LOAD_RETRY_BASE_MS = 100
/** Messages an actor parks within its supervisor's `periodMs` before each further one is one more failure of it. */
export const PARKED_IN_PERIOD_MAX = 3

/** Brings actors up: for the first time, from an earlier process, or after a failure in this one. */
export class Recovery {
  private loading = 0
  private restarting = new Map<Cell, Ordered>()
  /** When each actor parked messages of late. */
  private readonly parks = new WeakMap<Cell, readonly RestartsAt[]>()
  private readonly calls: RecoveryCalls

  constructor(calls: RecoveryCalls) {
    this.calls = calls
  }

  get isAtRest(): boolean {
    return this.loading === 0 && this.restarting.size === 0
  }

  /**
   * Reads an actor's past, or lets it start without one; with `isAnew` also when it had ended. Throws when there is a
   * past that cannot be read.
   */
  load(cell: Cell, isAnew = false): MaybePromise<void> {
    return runMaybe(this.loadSteps(cell, isAnew))
  }

  /** Starts an actor that has ended, or is left to a human, without its past. */
  startAnew(cell: Cell): void {
    cell.life = 'suspended'
    this.restartLater(cell, unlimited, 'anew')
  }

  /** A new life of one that keeps nothing: it begins at once. */
  beginAnew(cell: Cell): void {
    const { generation, seq } = cell
    cell.restore(undefined)
    cell.generation = generation
    cell.seq = seq
    this.begin(cell)
  }

  /** A new incarnation of an actor that is down; by itself what is stored of it is read first. */
  restartLater(cell: Cell, limited: Limited = unlimited, from: From = 'restart'): void {
    if (this.restarting.has(cell)) return
    const own = { from }
    this.restarting.set(cell, own)
    const begin = (done: () => void) => {
      const over = () => {
        // It may have failed again meanwhile: that is another restart.
        if (this.restarting.get(cell) === own) this.restarting.delete(cell)
        this.calls.rested()
        done()
      }
      const restarted = runMaybe(this.restart(cell, own))
      if (isPromise(restarted)) void restarted.finally(over)
      else over()
    }
    if (cell.isDirect) limited(begin)
    else limited((done) => this.calls.soon(() => begin(done)))
  }

  /** A restart that was ordered is not wanted any more. */
  callOff(cell: Cell): void {
    this.restarting.delete(cell)
  }

  /** After a failed commit: what ran ahead is thrown away and the messages are taken again. */
  reload(cell: Cell, messages: readonly { message: Message; lane: Lane }[], blamed: boolean): void {
    for (const { message, lane } of [...messages].reverse()) {
      cell.mailbox.putBack(blamed ? refusedAgain(message) : message, lane)
    }
    // One that is down comes back when its supervisor says so.
    const isDue = cell.life !== 'suspended' && this.calls.isKept(cell)
    cell.life = 'suspended'
    if (isDue) this.restartLater(cell, unlimited, 'reload')
  }

  private *loadSteps(cell: Cell, isAnew: boolean): Generator<Promise<unknown>, void> {
    this.loading++
    try {
      const stored = yield* this.read(cell)
      const hasEnded = stored !== undefined && stored.status !== 'active'
      if (isAnew && hasEnded) this.bringUpAnew(cell, stored)
      else this.bringUp(cell, stored)
    } finally {
      this.loading--
      this.calls.rested()
    }
  }

  private bringUpAnew(cell: Cell, stored: StoredActor | undefined): void {
    if (cell.hasLeft || cell.life === 'running') return
    const { generation, seq } = cell
    cell.restore(stored === undefined ? undefined : { ...stored, status: 'stopped' })
    if (cell.isDirect) {
      cell.generation = generation
      cell.seq = seq
    }
    cell.status = 'active'
    cell.output = undefined
    this.begin(cell)
  }

  private begin(cell: Cell): void {
    cell.incarnation++
    cell.life = 'running'
    cell.mailbox.putBack(startMessage(cell), 'system')
    this.calls.schedule(cell)
  }

  private bringUp(cell: Cell, stored: StoredActor | undefined): void {
    // Its supervisor did not wait so long, or it is no child any more.
    if (cell.hasLeft || cell.life !== 'loading') return
    // Whoever has a past was born before.
    if (stored !== undefined) cell.bornWith = undefined
    cell.restore(stored)
    cell.incarnation++
    if (cell.status !== 'active' && !cell.beginsAgain()) {
      cell.life = 'ended'
      this.calls.ended(cell)
      return
    }
    cell.life = 'running'
    refillDeferred(cell)
    if (cell.started) {
      this.resume(cell)
      this.calls.resumed(cell)
      this.calls.begun(cell)
    } else cell.mailbox.offer(startMessage(cell), 'system')
    this.calls.schedule(cell)
  }

  /** A new incarnation from the last committed turn; mailbox, address and running effects stay. */
  private *restart(cell: Cell, own: Ordered): Generator<Promise<unknown>, void> {
    const isOff = () => this.restarting.get(cell) !== own || cell.life !== 'suspended'
    if (this.calls.isStopped() || isOff()) return
    try {
      yield* wait(this.calls.committed(cell))
      const stored = yield* this.read(cell)
      if (isOff()) return
      if (own.from === 'anew') {
        this.restarting.delete(cell)
        this.bringUpAnew(cell, stored)
        return
      }
      const { generation, seq } = cell
      // Where nothing is kept, what ran for the life before ends with it.
      if (cell.isDirect) releaseEverything(cell, undefined)
      cell.restore(stored)
      if (cell.isDirect) {
        cell.generation = generation
        cell.seq = seq
      }
      cell.spec.engine.awaken?.(cell)
      cell.beginsAgain()
      cell.incarnation++
      cell.life = 'running'
    } catch (error) {
      this.calls.failed(cell, error)
      return
    }
    this.calls.restarted(cell)
    refillDeferred(cell)
    const failsAgain = parkPoison(cell) && this.parksTooOften(cell)
    // A start that failed is still in the mailbox; a second one is stale by then and does nothing.
    if (!cell.started) cell.mailbox.putBack(startMessage(cell), 'system')
    else if (cell.spec.recover === 'fresh' && own.from === 'restart') {
      // One that fails at once gets its beginning with the next restart.
      if (!failsAgain) cell.mailbox.putBack(freshMessage(cell), 'system')
    } else this.calls.begun(cell)
    // By hand it takes its next message now, and may fail again: that is another restart.
    this.restarting.delete(cell)
    if (failsAgain) failForParking(cell)
    else this.calls.schedule(cell)
  }

  /** Whether what fails is no longer one message or the other, but the actor. */
  private parksTooOften(cell: Cell): boolean {
    const now = this.calls.clock.now()
    const { restarts, exceeded } = addRestart(this.parks.get(cell) ?? [], now, {
      intensity: PARKED_IN_PERIOD_MAX,
      periodMs: this.calls.periodOf(cell),
    })
    this.parks.set(cell, restarts)
    return exceeded
  }

  /** A journal that does not answer is asked again; what it answers is believed. */
  private *read(cell: Cell): Generator<Promise<unknown>, StoredActor | undefined> {
    if (!cell.isDurable) return undefined
    for (let attempt = 1; ; attempt++) {
      try {
        return yield* wait(this.calls.session().load(cell.address))
      } catch (error) {
        const isAnswer = error instanceof AmbitError && error.code === 'AMBIT_JOURNAL_DAMAGED'
        if (isAnswer || attempt >= LOAD_ATTEMPTS_MAX || this.calls.isStopped()) throw error
        yield* wait(this.pause(LOAD_RETRY_BASE_MS * 2 ** attempt))
      }
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.calls.clock.wakeAt(this.calls.clock.now() + ms, resolve)
    })
  }

  /** Effects of an earlier process: idempotent ones run again with the same key, the others are in doubt. */
  private resume(cell: Cell): void {
    cell.spec.engine.awaken?.(cell)
    for (const invocation of [...cell.invocations.values()]) {
      if (invocation.logic.kind !== 'effect') continue
      const again = { ...invocation, attempt: invocation.attempt + 1 }
      if (valueFor(invocation.logic.idempotent, invocation)) {
        cell.addInvocation(again)
        this.calls.startEffect(cell, again)
      } else {
        this.calls.effectEnded(cell.address, invocation, inDoubt(cell, invocation))
      }
    }
  }
}

function refusedAgain(message: Message): Message {
  const refused = (message.headers.refused ?? 0) + 1
  return { ...message, headers: { ...message.headers, refused } }
}

/** Answers whether it has parked one. */
function parkPoison(cell: Cell): boolean {
  // One that keeps nothing starts anew, but the message that brought it down is still there.
  if (!cell.started && !cell.isDirect) return false
  const taken = cell.mailbox.takeTried(cell.spec.attemptsMax, REFUSALS_MAX)
  if (taken === undefined) return false
  if (taken.message.type === kernelTypes.start) {
    cell.mailbox.putBack(taken.message, taken.lane)
    return false
  }
  const { attempt = 0, refused = 0 } = taken.message.headers
  const why = refused > attempt ? `The journal refused ${refused} turns` : `Failed ${attempt} turns`
  const message = `${why}; set aside so that the rest can go on.`
  parkMessage(cell, taken.message, taken.lane, { name: 'Parked', message })
  return true
}

/** The supervisor counts it like any other failure, and escalates when there are too many. */
function failForParking(cell: Cell): void {
  cell.life = 'suspended'
  const message =
    `"${cell.address}" parked more than ${PARKED_IN_PERIOD_MAX} messages within its supervisor's period. ` +
    'Mend the actor, then retry what is parked.'
  cell.host.failed(cell, new AmbitError('AMBIT_PARKED_TOO_OFTEN', message))
}

/** The message with which the kernel starts an actor. */
export function startMessage(cell: Cell): Message {
  const id = `${cell.address}:${cell.generation}.${cell.incarnation}.start`
  return cell.kernelMessage(id, { type: kernelTypes.start })
}

function freshMessage(cell: Cell): Message {
  const id = `${cell.address}:${cell.generation}.${cell.incarnation}.fresh`
  return cell.kernelMessage(id, { type: kernelTypes.start, fresh: true })
}

function inDoubt(cell: Cell, { src }: Invocation): End {
  const message =
    `"${src}" of "${cell.address}" was under way when the process ended; nobody knows whether it happened. ` +
    'Find out at the target, then settle it.'
  return { ok: false, error: toErrorRecord(new AmbitError('AMBIT_EFFECT_IN_DOUBT', message)) }
}
