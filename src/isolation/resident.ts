import { toErrorRecord } from '../kernel/errors.ts'
import { endOf } from '../kernel/effects.ts'
import { assertJson, type Json } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { Command, End, Engine, Invocable, Place, Step } from '../kernel/ports/engine.ts'
import { runOwned } from '../kernel/stray-errors.ts'
import { CellTurn, enterTurn } from '../kernel/turn.ts'
import {
  STEP,
  type Report,
  type Request,
  type Sync,
  type ThreadTask,
  type TurnFacts,
  type WireCommand,
  type WireStep,
} from './protocol.ts'

/** Author's actions that wait for their commit; of more, the oldest are forgotten. */
const OBSERVED_MAX = 10_000

/** An actor in its own thread: makes its steps and runs its effects. What it holds is a copy of what is stored. */
export class Resident implements Place {
  readonly address: string
  readonly authority: readonly Json[]
  readonly isDirect = false
  readonly isByHand = false
  readonly outcome = undefined
  readonly home = this
  rows = new Map<string, Json>()
  /** Nothing is stored here. */
  readonly pending = undefined
  state: unknown
  slot: unknown
  isInTurn = false
  generation = 0
  seq = 0
  lastNow = 0
  host = { systemId: '', clock: NO_CLOCK, lookAt: () => undefined }
  private readonly engine: Engine
  private readonly shared: Int32Array
  private readonly report: (report: Report) => void
  private readonly invoked = new Map<string, Invocable>()
  private readonly observed = new Map<string, () => unknown>()
  private readonly running = new Map<number, AbortController>()

  constructor(task: ThreadTask, engine: Engine, report: (report: Report) => void) {
    this.address = task.address
    this.authority = task.authority
    this.shared = new Int32Array(task.shared)
    this.engine = engine
    this.report = report
  }

  take(request: Request): void {
    switch (request.kind) {
      case 'step':
        return this.step(request)
      case 'effect':
        return void this.effect(request)
      case 'abort':
        return this.running.get(request.id)?.abort(new Error(request.reason))
      case 'observe':
        return this.observe(request.key)
    }
  }

  // What the engine asks of an actor's place.

  perform(): void {
    // Nothing is carried out before it is committed.
  }

  post(target: string, event: Event, isForeign = false): void {
    this.report({ kind: 'post', target, event, isForeign })
  }

  end(): void {
    // Only callbacks and observables end so, and those have no thread of their own.
  }

  warn(error: unknown, what: string): void {
    this.report({ kind: 'warn', error: toErrorRecord(error), what })
  }

  private step({ id, sync, asked, turn: facts }: Extract<Request, { kind: 'step' }>): void {
    try {
      this.hold(sync)
      const { step, commands } = this.inTurn(id, facts, () =>
        asked.kind === 'start'
          ? this.engine.start(asked.input, this)
          : this.engine.step(this.state, asked.incoming, this),
      )
      const made: WireStep = {
        state: this.engine.persist(step.state),
        value: this.engine.describe(step.state),
        status: step.status === 'done' ? 'done' : 'active',
        output: step.output,
        commands: commands.map((command, index) => this.onWire(command, `${id}.${index}`)),
      }
      this.send({ kind: 'stepped', id, step: made })
      this.state = step.state
      for (const command of commands)
        if (command.kind === 'put') this.rows.set(command.key, command.value)
    } catch (error) {
      this.report({ kind: 'failed', id, error: toErrorRecord(error) })
    }
  }

  private inTurn(id: number, facts: TurnFacts, make: () => Step) {
    const { now, systemId, generation, seq, message } = facts
    Object.assign(this, { generation, seq: seq - 1, lastNow: now })
    this.host = { systemId, clock: NO_CLOCK, lookAt: () => undefined }
    const turn = new CellTurn(this, message, now)
    const outer = enterTurn(turn)
    this.isInTurn = true
    Atomics.store(this.shared, STEP, id)
    try {
      const step = make()
      if (step.status === 'error') throw step.error
      return { step, commands: [...step.commands, ...(turn.wanted ?? [])] }
    } finally {
      Atomics.store(this.shared, STEP, 0)
      this.isInTurn = false
      enterTurn(outer)
    }
  }

  /** What cannot leave the thread is named by its path, as it is where nothing needs to. */
  private send(report: Extract<Report, { kind: 'stepped' }>): void {
    try {
      this.report(report)
    } catch (error) {
      const { output, commands } = report.step
      assertJson(output, 'output')
      for (const command of commands) assertJson(command, command.kind)
      throw error
    }
  }

  private onWire(command: Command, key: string): WireCommand {
    if (command.kind === 'invoke') {
      const { logic, ...rest } = command
      this.invoked.set(command.path, logic)
      return rest
    }
    if (command.kind !== 'observe') return command
    this.observed.set(key, command.run)
    const [oldest] = this.observed.keys()
    if (this.observed.size > OBSERVED_MAX && oldest !== undefined) this.observed.delete(oldest)
    return { kind: 'observe', name: command.name, key }
  }

  private observe(key: string): void {
    const run = this.observed.get(key)
    this.observed.delete(key)
    const failed = (error: unknown) => this.warn(error, 'an action failed')
    try {
      void Promise.resolve(run?.()).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  private async effect(request: Extract<Request, { kind: 'effect' }>): Promise<void> {
    const { id, sync, path, src, input, context } = request
    const controller = new AbortController()
    this.running.set(id, controller)
    const finish = (end: End) => {
      if (!this.running.delete(id)) return
      try {
        this.report({ kind: 'effectEnded', id, end })
      } catch (error) {
        this.report({ kind: 'effectEnded', id, end: { ok: false, error: toErrorRecord(error) } })
      }
    }
    const failed = (error: unknown) => finish({ ok: false, error: toErrorRecord(error) })
    try {
      this.hold(sync)
      const logic = this.logicAt(path)
      const owner = { work: { address: this.address, effect: src }, strayed: failed }
      const { signal } = controller
      const output = await runOwned(owner, () => logic?.run(input as never, { ...context, signal }))
      finish(endOf(output, { src }))
    } catch (error) {
      failed(error)
    }
  }

  private logicAt(path: string) {
    const logic = this.invoked.get(path) ?? this.engine.invocable(this.state, path, this)
    this.invoked.delete(path)
    return logic?.kind === 'effect' ? logic : undefined
  }

  private hold(sync: Sync | undefined): void {
    if (sync === undefined) return
    this.slot = undefined
    this.rows = new Map(sync.rows)
    this.state = sync.state === undefined ? undefined : this.engine.restore(sync.state, this)
  }
}

/** A turn knows its time: nobody asks a clock. */
const NO_CLOCK = {
  now: () => 0,
  elapsed: () => 0,
  soon: () => undefined,
  wakeAt: () => () => undefined,
}
