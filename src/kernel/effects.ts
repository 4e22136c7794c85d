import type { Address } from './address.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from './errors.ts'
import type { Invocation } from './invocation.ts'
import { findNonJson } from './json.ts'
import type { Clock } from './ports/clock.ts'
import type { EffectHost } from './ports/effect-host.ts'
import type { EffectContext, EffectLogic, End } from './ports/engine.ts'
import { runOwned } from './stray-errors.ts'

export const EFFECT_TIMEOUT_MS = 60_000

/** The actor whose effect it is. */
export interface EffectOwner {
  readonly address: Address
  /** Whether the effect's end is stored, and so must be JSON. */
  readonly isDurable: boolean
  readonly spec: { readonly privileged: boolean }
}

interface Running {
  readonly controller: AbortController
  readonly cancelTimeout: () => void
  /** Fulfilled when its own code has ended, however. */
  readonly settled: Promise<void>
}

/**
 * Runs effects, after their turns are committed. Each ends exactly once in this process: with what it returned, what it
 * threw, or a timeout. An aborted effect may go on working; what it still says is nobody's any more.
 */
export class Effects {
  private running = new Map<string, Running>()
  /** Aborted effects that have not ended yet, and whose they are. */
  private unsettled = new Map<Promise<void>, Address>()
  /** Turns whose steps are made elsewhere: they are waited for like effects. */
  readonly away = new Set<object>()
  private readonly clock: Clock
  private readonly ended: (address: Address, invocation: Invocation, end: End) => void

  /** A promise that an effect forgot has rejected after the effect was over. */
  private readonly strayed: (address: Address, error: unknown) => void

  private readonly host: EffectHost | undefined

  constructor(
    clock: Clock,
    ended: (address: Address, invocation: Invocation, end: End) => void,
    strayed: (address: Address, error: unknown) => void,
    host?: EffectHost,
  ) {
    this.clock = clock
    this.host = host
    this.ended = ended
    this.strayed = strayed
  }

  get size(): number {
    return this.running.size + this.away.size
  }

  start(owner: EffectOwner, invocation: Invocation, logic: EffectLogic): void {
    const { address, isDurable: isKept } = owner
    const key = keyOf(address, invocation.ref)
    if (this.running.has(key)) return
    const controller = new AbortController()
    const timeoutMs = timeoutOf(logic, invocation)
    const deadline = this.clock.now() + timeoutMs
    const finish = (end: End) => {
      if (this.running.get(key)?.controller !== controller) return
      this.forget(key)
      this.ended(address, invocation, end)
    }
    const cancelTimeout = this.clock.wakeAt(deadline, () => {
      finish({ ok: false, error: timeoutError(address, invocation, timeoutMs) })
      controller.abort(new Error('deadline'))
    })
    let settle: () => void = () => undefined
    const settled = new Promise<void>((resolve) => (settle = resolve))
    this.running.set(key, { controller, cancelTimeout, settled })
    const failed = (error: unknown) =>
      finish({ ok: false, error: isKept ? toErrorRecord(error) : error })
    const { attempt } = invocation
    const input = invocation.input as never
    try {
      const isOver = () => this.running.get(key)?.controller !== controller
      const strayed = (error: unknown) => {
        if (isOver()) this.strayed(address, error)
        else failed(error)
      }
      const context: EffectContext = {
        signal: controller.signal,
        idempotencyKey: logic.key?.(input) ?? key,
        deadline,
        attempt,
        maybeExecuted: attempt > 1,
      }
      const own = () => logic.run(input, context)
      const { host } = this
      const call = { name: invocation.src, phase: 'run', address, input, context } as const
      // Ambit's own actors hand what they do in the world to the host themselves, once it is authorised.
      const isHosted = host !== undefined && !owner.spec.privileged
      const work = { address, effect: invocation.src }
      const working = runOwned({ work, strayed }, () => (isHosted ? host.run(call, own) : own()))
      // One step for either end: which of two effects ended first must not hang on how it ended.
      const over = Promise.resolve(working)
      over.then(settle, settle)
      over.then(
        (output) => finish(isKept ? endOf(output, invocation) : { ok: true, output }),
        failed,
      )
    } catch (error) {
      // A synchronous throw is a failed effect, not a failed release.
      settle()
      failed(error)
    }
  }

  abort(address: Address, ref: string): void {
    const key = keyOf(address, ref)
    const running = this.running.get(key)
    if (running === undefined) return
    this.forget(key)
    this.unsettled.set(running.settled, address)
    void running.settled.then(() => this.unsettled.delete(running.settled))
    running.controller.abort(new Error('stopped'))
  }

  /** Calls back once no aborted effect of an actor is at work any more; at once when none is. */
  whenSettled(address: Address, run: () => void): void {
    const own = [...this.unsettled].filter(([, each]) => each === address)
    if (own.length === 0) run()
    else void Promise.all(own.map(([settled]) => settled)).then(run)
  }

  abortAll(): void {
    for (const [key, running] of [...this.running]) {
      this.forget(key)
      running.controller.abort(new Error('shutdown'))
    }
  }

  private forget(key: string): void {
    this.running.get(key)?.cancelTimeout()
    this.running.delete(key)
  }
}

/** Some properties of an effect depend on its input. */
export function valueFor<T>(value: T | ((input: never) => T), { input }: Invocation): T {
  return typeof value === 'function' ? (value as (input: never) => T)(input as never) : value
}

/** A timeout that cannot be worked out is the default one: the effect itself will meet what is wrong. */
function timeoutOf(logic: EffectLogic, invocation: Invocation): number {
  try {
    return valueFor(logic.timeoutMs, invocation)
  } catch {
    return EFFECT_TIMEOUT_MS
  }
}

/** How an effect ended that answered this: only JSON can be stored. */
export function endOf(output: unknown, invocation: { readonly src: string }): End {
  const finding = findNonJson(output, 'output')
  if (finding === undefined) return { ok: true, output }
  const message =
    `Effect "${invocation.src}" must answer plain JSON, but ${finding}. ` +
    'Return only what the machine needs.'
  return { ok: false, error: toErrorRecord(new AmbitError('AMBIT_OUTPUT_INVALID', message)) }
}

function timeoutError(address: Address, invocation: Invocation, timeoutMs: number): ErrorRecord {
  return toErrorRecord(
    new AmbitError(
      'AMBIT_EFFECT_TIMEOUT',
      `Effect "${invocation.src}" of "${address}" did not end within ${timeoutMs} ms. ` +
        'It may still happen; raise timeoutMs, or make the effect heed its signal.',
    ),
  )
}

function keyOf(address: Address, ref: string): string {
  return `${address}#${ref}`
}
