import { Worker } from 'node:worker_threads'
import { createRealClock } from '../kernel/clock.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from '../kernel/errors.ts'
import type { End } from '../kernel/ports/engine.ts'
import type { WorkerSpec } from './in-worker.ts'
import {
  BEATS,
  errorFrom,
  STEP,
  type Report,
  type Request,
  type ThreadTask,
  type WireStep,
} from './protocol.ts'

/** How long a thread may take to load its module. */
export const THREAD_START_MS_MAX = 30_000
/** Looks at a thread within the time that a turn may take. */
const LOOKS_MAX = 4

/** The thread is gone. Whoever waited may ask another one, unless it was what it was asked that took it down. */
export class ThreadLost extends Error {
  readonly isBlamed: boolean

  constructor(cause: AmbitError, isBlamed: boolean) {
    super(cause.message, { cause })
    this.isBlamed = isBlamed
  }
}

export interface ThreadCalls {
  posted(report: Extract<Report, { kind: 'post' }>): void
  warned(error: ErrorRecord, what: string): void
  /** Nothing is asked of it any more. */
  idle(): void
  /** It has ended, for whatever reason. */
  over(error: AmbitError | undefined): void
}

/** What a thread's definition must be, for the same actor in both places. */
export interface Identity {
  readonly id: string
  readonly hash: string
}

interface Waiting {
  readonly kind: 'step' | 'effect'
  readonly done: (value: never) => void
  readonly failed: (error: Error) => void
  isAborted: boolean
}

type Asked<K extends Request['kind']> = Omit<Extract<Request, { kind: K }>, 'id' | 'kind'>

/**
 * One actor's own thread, seen from the main one. It is watched while something is asked of it: one whose event loop
 * stands still for longer than a turn may take is killed.
 */
export class ActorThread {
  /** The state that the thread holds. */
  known: unknown
  private readonly spec: WorkerSpec
  private readonly identity: Identity
  private readonly calls: ThreadCalls
  private readonly worker: Worker
  private readonly shared = new Int32Array(new SharedArrayBuffer(8))
  private readonly waiting = new Map<number, Waiting>()
  private readonly clock = createRealClock()
  private readonly lookMs: number
  private ids = 0
  private isReady = false
  private isOver = false
  private startLooks = 0
  private stillLooks = 0
  private lastBeat = -1
  private cancelLook: (() => void) | undefined

  constructor(
    spec: WorkerSpec,
    identity: Identity,
    task: Pick<ThreadTask, 'address' | 'authority' | 'governed'>,
    calls: ThreadCalls,
  ) {
    this.spec = spec
    this.identity = identity
    this.calls = calls
    this.lookMs = Math.ceil(spec.turnTimeoutMs / LOOKS_MAX)
    const { module, export: name, maxHeapMb, nodeOptions } = spec
    const { buffer: shared } = this.shared
    const workerData: ThreadTask = {
      ...task,
      module,
      export: name,
      shared,
      beatMs: Math.ceil(this.lookMs / 3),
    }
    // The file beside this one: as it is built, or as it is written where the process can load that.
    const entry = import.meta.url.replace(/[^/]*(\.[jt]s)$/, 'thread-entry$1')
    try {
      this.worker = new Worker(new URL(entry), {
        workerData,
        name: task.address,
        resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
        ...(nodeOptions !== undefined && { execArgv: [...nodeOptions] }),
      })
    } catch (error) {
      const message = `inWorker("${module}") cannot have a thread: ${toErrorRecord(error).message}. Mend nodeOptions.`
      throw new AmbitError('AMBIT_WORKER_INVALID', message, { cause: error })
    }
    this.worker.on('message', (report: Report) => this.reported(report))
    this.worker.on('error', (error) => this.lost(this.crashed(error)))
    this.worker.on('exit', (code) => this.lost(this.crashed(new Error(`it exited with ${code}`))))
    // After its listeners, which hold up the exit of the process again.
    this.worker.unref()
  }

  get isIdle(): boolean {
    return this.waiting.size === 0
  }

  step(asked: Asked<'step'>): Promise<WireStep> {
    return this.ask('step', (id) => ({ kind: 'step', id, ...asked }))
  }

  effect(asked: Asked<'effect'>, signal: AbortSignal): Promise<End> {
    const id = this.ids + 1
    const aborted = () => {
      const waiting = this.waiting.get(id)
      if (waiting === undefined) return
      waiting.isAborted = true
      this.send({ kind: 'abort', id, reason: (signal.reason as Error).message })
    }
    signal.addEventListener('abort', aborted, { once: true })
    const answer = this.ask<End>('effect', (own) => ({ kind: 'effect', id: own, ...asked }))
    return answer.finally(() => signal.removeEventListener('abort', aborted))
  }

  observe(key: string): void {
    this.send({ kind: 'observe', key })
  }

  /** Ends it; what it still does is nobody's any more. */
  close(): void {
    this.lost(undefined)
  }

  private ask<T>(kind: Waiting['kind'], request: (id: number) => Request): Promise<T> {
    const id = ++this.ids
    return new Promise<T>((done, failed) => {
      if (this.isOver) return failed(new ThreadLost(this.crashed(new Error('it has ended')), false))
      if (this.waiting.size === 0) this.worker.ref()
      this.waiting.set(id, { kind, done, failed, isAborted: false })
      this.look()
      this.send(request(id))
    })
  }

  private send(request: Request): void {
    if (!this.isOver) this.worker.postMessage(request)
  }

  private reported(report: Report): void {
    if (this.isOver) return
    switch (report.kind) {
      case 'ready':
        return this.ready(report)
      case 'broken':
        return this.lost(new AmbitError('AMBIT_WORKER_INVALID', report.error.message), true)
      case 'stepped':
        return this.answered(report.id, ({ done }) => done(report.step as never))
      case 'failed':
        return this.answered(report.id, ({ failed }) => failed(errorFrom(report.error)))
      case 'effectEnded':
        return this.answered(report.id, ({ done }) => done(report.end as never))
      case 'post':
        return this.calls.posted(report)
      case 'warn':
        return this.calls.warned(report.error, report.what)
    }
  }

  private ready({ id, hash }: Identity): void {
    this.isReady = true
    const { identity, spec } = this
    if (id === identity.id && hash === identity.hash) return
    const message =
      `inWorker("${spec.module}") exports as "${spec.export}" the machine "${id}", which is not the one ` +
      `given to its actor ("${identity.id}"). Name the export that the actor is made of.`
    this.lost(new AmbitError('AMBIT_WORKER_INVALID', message), true)
  }

  private answered(id: number, tell: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id)
    if (waiting === undefined) return
    this.waiting.delete(id)
    tell(waiting)
    if (this.waiting.size > 0) return
    this.worker.unref()
    this.stopLooking()
    this.calls.idle()
  }

  /** Looks again and again, as long as anybody waits, whether the thread's event loop goes on. */
  private look(): void {
    this.cancelLook ??= this.clock.wakeAt(this.clock.now() + this.lookMs, () => {
      this.cancelLook = undefined
      if (this.isOver || this.waiting.size === 0) return
      const error = this.isReady ? this.judgeTurn() : this.judgeStart()
      if (error === undefined) this.look()
      else this.lost(error)
    })
  }

  private judgeStart(): AmbitError | undefined {
    this.startLooks++
    if (this.startLooks * this.lookMs < THREAD_START_MS_MAX) return undefined
    const message =
      `inWorker("${this.spec.module}") was not loaded within ${THREAD_START_MS_MAX} ms. ` +
      'Let the module do less while it is loaded.'
    return new AmbitError('AMBIT_WORKER_INVALID', message)
  }

  private judgeTurn(): AmbitError | undefined {
    const beat = Atomics.load(this.shared, BEATS)
    const isStill = beat === this.lastBeat
    this.lastBeat = beat
    const isStep = Atomics.load(this.shared, STEP) !== 0
    // A tool that blocks its own thread has the time that its effect has.
    const isAtWork = [...this.waiting.values()].some(
      (one) => one.kind === 'effect' && !one.isAborted,
    )
    this.stillLooks = isStill && (isStep || !isAtWork) ? this.stillLooks + 1 : 0
    if (this.stillLooks < LOOKS_MAX) return undefined
    const { turnTimeoutMs } = this.spec
    const what = isStep ? 'Its turn' : 'What it left behind'
    const message =
      `${what} kept its thread busy for more than ${turnTimeoutMs} ms and was killed. ` +
      'Mend the endless loop, or raise turnTimeoutMs.'
    return new AmbitError('AMBIT_TURN_TIMEOUT', message)
  }

  private crashed(error: unknown): AmbitError {
    const { maxHeapMb } = this.spec
    const { code, message } = toErrorRecord(error)
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const text = `It needed more than ${maxHeapMb} MB and was killed. Let it hold less, or raise maxHeapMb.`
      return new AmbitError('AMBIT_HEAP_LIMIT', text, { cause: error })
    }
    const text = `Its thread has ended: ${message}. Look at what ended it.`
    return new AmbitError('AMBIT_THREAD_LOST', text, { cause: error })
  }

  /** `isCertain`: no other thread would do better. */
  private lost(error: AmbitError | undefined, isCertain = false): void {
    if (this.isOver) return
    this.isOver = true
    this.stopLooking()
    const stepped = Atomics.load(this.shared, STEP)
    void this.worker.terminate()
    this.calls.over(error)
    const cause = error ?? new AmbitError('AMBIT_STOPPED', 'Its thread was stopped.')
    for (const [id, { failed }] of this.waiting)
      failed(new ThreadLost(cause, isCertain || id === stepped))
    this.waiting.clear()
  }

  private stopLooking(): void {
    this.cancelLook?.()
    this.cancelLook = undefined
    this.stillLooks = 0
    this.lastBeat = -1
  }
}
