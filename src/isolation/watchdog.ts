import { url as debuggerUrl } from 'node:inspector'
import { Worker } from 'node:worker_threads'
import type { Stall, Watchdog } from '../kernel/ports/watchdog.ts'
import { wordsFor } from '../kernel/stall.ts'
import { ownerNow } from '../kernel/stray-errors.ts'
import { turnUnderWay } from '../kernel/turn.ts'
import {
  watchFromOutside,
  type StallReport,
  type UnderWay,
  type WatchdogTask,
} from './watchdog-thread.ts'

/** How long the event loop may stand still. */
export const BLOCKED_MS = 1000
/** Less would be a busy machine, more no watch at all. */
export const BLOCKED_MS_LEAST = 20
export const BLOCKED_MS_MAX = 3_600_000
/** Beats and looks within that time. */
const LOOKS_MAX = 4
const STACK_FRAMES_MAX = 30
const QUESTION = Symbol.for('ambit.underWay')

export interface WatchdogOptions {
  /** How long the event loop may stand still before its actor is named. Default 1,000. */
  readonly limitMs?: number
}

/**
 * Watches the event loop from a thread of its own. While it stands still, the thread writes to stderr whose turn or
 * effect it is and where in the code; afterwards `told` hears of it. Costs a timer that runs four times within the
 * limit, and nothing for a message.
 *
 * The thread starts with the first beat, so that a program which ends before never pays for it; it holds up no exit.
 * While a debugger is attached a loop that stands still means nothing, and nobody is told.
 */
export function createWatchdog(options: WatchdogOptions = {}): Watchdog {
  const { limitMs = BLOCKED_MS } = options
  return {
    watch(told) {
      const guard = guards.get(limitMs) ?? new Guard(limitMs)
      return guard.add(told)
    },
  }
}

/** One for all systems of this process that have the same limit: there is one event loop. */
const guards = new Map<number, Guard>()

class Guard {
  private readonly limitMs: number
  private readonly listeners = new Set<(stall: Stall) => void>()
  private readonly beats = new Int32Array(new SharedArrayBuffer(8))
  private readonly heart: NodeJS.Timeout
  private thread: Worker | undefined
  private isBroken = false

  constructor(limitMs: number) {
    this.limitMs = limitMs
    this.heart = setInterval(() => this.beat(), limitMs / LOOKS_MAX).unref()
    guards.set(limitMs, this)
    Object.assign(globalThis, { [QUESTION]: underWay })
  }

  add(told: (stall: Stall) => void): () => void {
    // The same function twice is two listeners.
    const hear = (stall: Stall) => told(stall)
    this.listeners.add(hear)
    return () => {
      if (this.listeners.delete(hear) && this.listeners.size === 0) this.end()
    }
  }

  private beat(): void {
    Atomics.add(this.beats, 0, 1)
    Atomics.store(this.beats, 1, debuggerUrl() === undefined ? 0 : 1)
    if (!this.isBroken) this.thread ??= this.startThread()
  }

  private startThread(): Worker {
    const task: WatchdogTask = {
      shared: this.beats.buffer,
      lookMs: this.limitMs / LOOKS_MAX,
      looksMax: LOOKS_MAX,
      question: `globalThis[Symbol.for("${String(QUESTION.description)}")]?.()`,
    }
    const text = `(${watchFromOutside.toString()})(process.getBuiltinModule('node:worker_threads').workerData)`
    const thread = new Worker(text, { eval: true, workerData: task, execArgv: [], name: 'ambit' })
    thread.on('message', (report: StallReport) => {
      const { work: _, ...stall } = report
      for (const told of this.listeners) told(stall)
    })
    thread.on('error', (error) => {
      this.isBroken = true
      process.emitWarning(`The watchdog has ended: ${error.message}`, 'AmbitWarning')
    })
    // After its listeners, which hold up the exit again.
    thread.unref()
    return thread
  }

  private end(): void {
    clearInterval(this.heart)
    void this.thread?.terminate()
    guards.delete(this.limitMs)
    if (guards.size === 0) Reflect.deleteProperty(globalThis, QUESTION)
  }
}

/** Who is at work in this thread at this moment. Called by the watching thread, in the middle of whatever goes on. */
function underWay(): UnderWay {
  const stack = stackBelow(underWay)
  const turn = turnUnderWay()
  if (turn === undefined) {
    const { work = {} } = ownerNow() ?? {}
    return { ...work, work: wordsFor(work), stack }
  }
  const { address, systemId } = turn
  const message = { type: turn.message.type, id: turn.message.id }
  return { address, systemId, message, work: wordsFor({ address, message }), stack }
}

function stackBelow(caller: () => unknown): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = STACK_FRAMES_MAX
  const at: { stack?: string } = {}
  Error.captureStackTrace(at, caller)
  Error.stackTraceLimit = before
  // The first two lines are the error's name and the question itself.
  return (at.stack ?? '').split('\n').slice(2).join('\n')
}
