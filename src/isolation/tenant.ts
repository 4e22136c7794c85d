import { AmbitError } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import type {
  AwayStep,
  Command,
  EffectContext,
  EffectLogic,
  Engine,
  Invocable,
  Place,
  Step,
} from '../kernel/ports/engine.ts'
import type { Turn } from '../kernel/turn.ts'
import type { WorkerSpec } from './in-worker.ts'
import { Mirror } from './mirror.ts'
import { errorFrom, type Sync, type WireCommand, type WireStep } from './protocol.ts'
import { ActorThread, ThreadLost } from './thread.ts'
import { threads } from './threads.ts'

/** Threads that one step or effect may outlive without having taken any of them down. */
export const THREAD_LIVES_MAX = 3

/** A state that lives in a thread: what the main one knows of it. */
export class AwayState {
  readonly stored: Json
  readonly value: Json
  private readonly restore: (stored: Json) => unknown
  private restored: { readonly state: unknown } | undefined

  constructor(stored: Json, value: Json, restore: (stored: Json) => unknown) {
    this.stored = stored
    this.value = value
    this.restore = restore
  }

  /** The state in this thread, for whoever looks at it; made when it is first asked for. */
  get here(): unknown {
    this.restored ??= { state: this.restore(this.stored) }
    return this.restored.state
  }
}

/** What the main thread keeps of an actor that lives in a thread of its own. */
export class Tenant {
  /** The actor as it would be in this thread: for looking only. */
  readonly mirror: Mirror
  private readonly place: Place
  private readonly engine: Engine
  private readonly spec: WorkerSpec
  private readonly governed: boolean
  private opening: Promise<ActorThread> | undefined
  private thread: ActorThread | undefined
  private hasLeft = false

  constructor(place: Place, engine: Engine, spec: WorkerSpec, governed: boolean) {
    this.place = place
    this.engine = engine
    this.spec = spec
    this.governed = governed
    this.mirror = new Mirror(place, (state) => (state as AwayState | undefined)?.here)
  }

  get hasThread(): boolean {
    return this.thread !== undefined
  }

  restored(stored: Json): AwayState {
    const { engine, mirror } = this
    const here = engine.restore(stored, mirror)
    return this.stateOf(stored, engine.describe(here))
  }

  async step(asked: AwayStep, turn: Turn): Promise<Step> {
    const { now, systemId, generation, seq, message } = turn
    for (let life = 1; ; life++) {
      const thread = await this.open()
      const facts = { now, systemId, generation, seq, message }
      try {
        const made = await thread.step({ asked, turn: facts, ...this.syncFor(thread) })
        return this.received(thread, made)
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error
        if (error.isBlamed || this.hasLeft || life >= THREAD_LIVES_MAX) throw error.cause
      }
    }
  }

  /** What stands at a path: what decides about an effect is asked here, what it does is done in the thread. */
  invocable(state: AwayState, path: string): Invocable | undefined {
    const logic = this.engine.invocable(state.here, path, this.mirror)
    if (logic?.kind !== 'effect') return logic
    const run = (input: never, context: EffectContext) => this.effect(path, logic, input, context)
    return { ...logic, run }
  }

  /** The thread ends, unless it is at work; the next step has another. */
  doze(): boolean {
    if (this.thread?.isIdle === false) return false
    this.thread?.close()
    this.engine.doze?.(this.mirror)
    return true
  }

  /** The actor is down for good. */
  leave(): void {
    this.hasLeft = true
    this.thread?.close()
    if (this.mirror.slot !== undefined) this.engine.quiet?.(this.mirror)
  }

  private async effect(
    path: string,
    logic: EffectLogic,
    input: never,
    { signal, ...context }: EffectContext,
  ): Promise<unknown> {
    for (let { attempt } = context; ; attempt++) {
      const thread = await this.open()
      if (signal.aborted) throw signal.reason
      const about = { ...context, attempt, maybeExecuted: attempt > 1 }
      const asked = { path, src: path, input, context: about, ...this.syncFor(thread) }
      try {
        const end = await thread.effect(asked, signal)
        if (end.ok) return end.output
        throw errorFrom(end.error as never)
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error
        const { idempotent } = logic
        const mayRepeat = typeof idempotent === 'function' ? idempotent(input) : idempotent
        if (!mayRepeat) throw inDoubt(path, this.place.address, error.cause)
        if (this.hasLeft || attempt - context.attempt + 1 >= THREAD_LIVES_MAX) throw error.cause
      }
    }
  }

  private received(thread: ActorThread, made: WireStep): Step {
    const { status, output, value } = made
    const state = this.stateOf(made.state, value)
    thread.known = state
    const commands = made.commands.flatMap((command) => this.fromWire(thread, state, command))
    this.mirror.tell(state, commands)
    return { state, status, commands, ...(output !== undefined && { output }) }
  }

  private fromWire(thread: ActorThread, state: AwayState, command: WireCommand): Command[] {
    if (command.kind === 'observe') {
      const { name, key } = command
      return [{ kind: 'observe', name, run: () => thread.observe(key) }]
    }
    if (command.kind !== 'invoke') return [command]
    const logic = this.invocable(state, command.path)
    return logic === undefined ? [] : [{ ...command, logic }]
  }

  /** A thread that holds another state than the one stored is given that, and what belongs to it. */
  private syncFor(thread: ActorThread): { sync?: Sync } {
    const { state, rows } = this.place
    threads.used(thread)
    if (thread.known === state && state !== undefined) return {}
    thread.known = state
    const own = [...rows].filter(([key]) => !key.startsWith('~'))
    return { sync: { state: (state as AwayState | undefined)?.stored, rows: own } }
  }

  private open(): Promise<ActorThread> {
    this.opening ??= this.begin().catch((error: unknown) => {
      this.opening = undefined
      throw error
    })
    return this.opening
  }

  private async begin(): Promise<ActorThread> {
    const { place, spec, engine, governed } = this
    const { address, authority } = place
    const task = { address, authority, governed }
    const thread = await threads.start(() => {
      const made: ActorThread = new ActorThread(spec, engine, task, {
        posted: ({ target, event, isForeign }) => place.post(target, event, isForeign),
        warned: (error, what) => place.warn(error, what),
        idle: () => threads.freed(made, false),
        over: (error) => this.lost(made, error),
      })
      return made
    })
    this.thread = thread
    return thread
  }

  private lost(thread: ActorThread, error: AmbitError | undefined): void {
    threads.freed(thread, true)
    if (error !== undefined) this.place.warn(error, 'an actor has lost its thread')
    if (this.thread !== thread) return
    this.thread = undefined
    this.opening = undefined
  }

  private stateOf(stored: Json, value: Json): AwayState {
    return new AwayState(stored, value, (from) => this.engine.restore(from, this.mirror))
  }
}

function inDoubt(src: string, address: string, cause: unknown): AmbitError {
  const message =
    `"${src}" of "${address}" was under way when its thread ended; nobody knows whether it happened. ` +
    'Find out at the target, then settle it.'
  return new AmbitError('AMBIT_EFFECT_IN_DOUBT', message, { cause })
}
