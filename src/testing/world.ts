import { createRealClock } from '../kernel/clock.ts'
import type { Json } from '../kernel/json.ts'
import { isPromise } from '../kernel/maybe.ts'
import type { EffectCall } from '../kernel/ports/effect-host.ts'
import type { Choices } from './choices.ts'
import { faultsAt, type FaultName } from './faults.ts'
import { beside } from './outside-calls.ts'
import { SimulatedFault } from './simulated-fault.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What stands in the world for an effect, by the action's name or the `src` of what a machine invokes. */
export interface SimulatedEffect {
  /** What it answers. */
  readonly answer: (call: EffectCall) => Json
  /** What the target says when it is asked whether it happened. Default: true. */
  readonly verify?: (call: EffectCall) => boolean
  /** Whether it changes the world; otherwise it only answers, and happens as often as one asks. */
  readonly changesWorld: boolean
  /** Whether the target does the same idempotency key once. */
  readonly honoursKey: boolean
}

export interface ToolOptions {
  /** What it answers. Default: `null`. */
  readonly answer?: (call: EffectCall) => Json
  /** What it says when it is asked whether it happened. Default: that it did. */
  readonly verify?: (call: EffectCall) => boolean
  /** Whether it does the same idempotency key once. Default: true. */
  readonly honoursKey?: boolean
}

/** A target of actions in the simulated world: what it is asked to do, it does at once and remembers. */
export function tool(options: ToolOptions = {}): SimulatedEffect {
  const { answer = () => null, honoursKey = true, verify } = options
  return { answer, honoursKey, changesWorld: true, ...(verify !== undefined && { verify }) }
}

/** Answers in place of a reasoner, or of anything else that only looks. */
export function answers(answer: (call: EffectCall) => Json): SimulatedEffect {
  return { answer, changesWorld: false, honoursKey: true }
}

export type SimulatedEffects = Readonly<Record<string, SimulatedEffect>>

export interface WorldCalls {
  readonly choices: Choices
  readonly trace: Trace
  readonly time: VirtualTime
  readonly faults: readonly FaultName[]
  readonly effects: SimulatedEffects
  /** Lets something happen when its turn comes. */
  ready(owner: object, label: string, run: () => void): void
}

/** How long after its deadline a late effect ends. */
const LATE_MS = 1000

/** Own code that takes longer than this, in real milliseconds, is not waited for. */
const OWN_CODE_MS = 1000
const realClock = createRealClock()

/** Runs effects in the world: what they change there outlives every process. */
export class World {
  /** What targets answered, by what was done: a key that is honoured is done once. */
  private readonly done = new Map<string, Json>()
  private readonly calls: WorldCalls
  /** When own code was last begun, in real milliseconds. */
  private begunAt = 0
  private readonly open = new Set<PromiseLike<unknown>>()

  constructor(calls: WorldCalls) {
    this.calls = calls
  }

  /** The host of one process. */
  run(owner: object, call: EffectCall, own: () => unknown): unknown {
    const { effects } = this.calls
    const effect = Object.hasOwn(effects, call.name) ? effects[call.name] : undefined
    // What the world has no answer for runs its own code, and is as reproducible as that.
    return effect === undefined ? this.runOwn(own) : this.perform(owner, call, effect)
  }

  /** Whether own code is on its way: virtual time would pass it by. */
  get isWaiting(): boolean {
    return this.open.size > 0 && realClock.elapsed() - this.begunAt < OWN_CODE_MS
  }

  /** Own code that takes this long is not waited for. */
  waitNoLonger(): void {
    this.open.clear()
  }

  private runOwn(own: () => unknown): unknown {
    const result = own()
    if (!isPromise(result)) return result
    const over = () => this.open.delete(result)
    this.open.add(result)
    this.begunAt = beside(() => realClock.elapsed())
    result.then(over, over)
    return result
  }

  private perform(owner: object, call: EffectCall, effect: SimulatedEffect): Promise<Json> {
    const { choices, trace, time, faults } = this.calls
    trace.add({ kind: 'effectBegun', ...about(call) })
    const canRepeat = effect.honoursKey || !effect.changesWorld
    const possible = faultsAt('effect', faults).filter(
      (fault) => fault !== 'effectTwice' || canRepeat,
    )
    const fault = choices.fault('effect', possible)
    if (fault !== undefined)
      trace.add({ kind: 'fault', fault, where: `${call.name} ${call.phase}` })
    if (fault === 'effectError') return this.fail(owner, call, 'it did nothing')
    const answer = this.happen(call, effect)
    if (fault === 'effectAnswerLost') return this.fail(owner, call, 'its answer got lost')
    if (fault === 'effectTwice') this.happen(call, effect)
    if (fault === 'effectTimeout') return new Promise(() => undefined)
    if (fault !== 'effectLate') return this.end(owner, call, (resolve) => resolve(answer))
    return new Promise((resolve) => {
      const lateMs = call.context.deadline - time.now + LATE_MS
      time.after(owner, lateMs, `late end of ${call.name}`, () => resolve(answer))
    })
  }

  /** The target does what it is asked, or says what it said before. */
  private happen(call: EffectCall, effect: SimulatedEffect): Json {
    if (call.phase === 'verify') return effect.verify?.(call) ?? true
    const key = `${call.name} ${call.phase} ${call.context.idempotencyKey}`
    const known = this.done.get(key)
    if (effect.changesWorld && effect.honoursKey && known !== undefined) return known
    const answer = effect.answer(call)
    if (!effect.changesWorld) return answer
    this.done.set(key, answer)
    this.calls.trace.add({ kind: 'effectHappened', ...about(call) })
    return answer
  }

  private fail(owner: object, call: EffectCall, how: string): Promise<never> {
    const error = new SimulatedFault(`${call.name} failed, ${how}`)
    return this.end(owner, call, (_, reject) => reject(error))
  }

  private end<T>(
    owner: object,
    { name, phase }: EffectCall,
    settle: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.calls.ready(owner, `the end of ${name} ${phase}`, () => settle(resolve, reject))
    })
  }
}

function about({ name, phase, input, context }: EffectCall) {
  const { idempotencyKey: key, attempt } = context
  return { name, phase, key, attempt, input: input as Json }
}
