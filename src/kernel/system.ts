import { parseAddress, type Address } from './address.ts'
import type { Cell, CellHost } from './cell.ts'
import { createRealChance } from './chance.ts'
import type { ChildSpec } from './child-spec.ts'
import { createRealClock } from './clock.ts'
import { Committer } from './committer.ts'
import { DeadLetters, type DeadLetterReason } from './dead-letters.ts'
import { Effects, valueFor, type EffectEnd } from './effects.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import { receive } from './ingress.ts'
import type { Invocation } from './invocation.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, OUTSIDE, type Event, type Message, type SendResult } from './message.ts'
import { Outside } from './outside.ts'
import type { Chance } from './ports/chance.ts'
import type { Clock } from './ports/clock.ts'
import type { Journal, JournalSession } from './ports/journal.ts'
import { silentLogger, type Logger } from './ports/logger.ts'
import type { Observer } from './ports/observer.ts'
import { ASK_TIMEOUT_MS, type ActorRef, type AskOptions, type SendOptions } from './ref.ts'
import { Registry } from './registry.ts'
import { RunQueue } from './run-queue.ts'
import { Supervision, type Alarm } from './supervision.ts'
import { parkMessage } from './take.ts'
import { Timers } from './timers.ts'
import { Tree } from './tree.ts'

export interface KernelOptions {
  readonly root: ChildSpec
  readonly journal: Journal
  readonly clock?: Clock
  readonly chance?: Chance
  readonly logger?: Logger
  readonly observers?: readonly Observer[]
  /** Called with the open journal before any actor runs. */
  readonly opened?: (session: JournalSession) => Promise<void>
}

export interface StopOptions {
  /** How long running effects may still end by themselves. Default 5,000. */
  readonly graceMs?: number
}

export interface RestOptions {
  /** Timers due within this time are waited for, such as those of a retry. Default 0. */
  readonly timersWithinMs?: number
}

export const STOP_GRACE_MS = 5000

/** One tree of actors, its run queue and its journal: the shell that joins the kernel's parts. */
export class Kernel implements CellHost {
  readonly clock: Clock
  readonly registry = new Registry()
  readonly deadLetters = new DeadLetters()
  private readonly chance: Chance
  private readonly log: Logger
  private readonly options: KernelOptions
  private readonly tree: Tree
  private readonly queue: RunQueue
  private readonly timers: Timers
  private readonly effects: Effects
  private readonly outside: Outside
  private readonly supervision: Supervision
  private committer: Committer | undefined
  private phase: 'new' | 'booting' | 'running' | 'stopping' | 'stopped' = 'new'
  private bootFailure: { address: Address; error: unknown } | undefined
  private kernelIds = 0
  private loading = 0
  private restarting = new Set<Cell>()
  private restingWaiters: (() => void)[] = []

  constructor(options: KernelOptions) {
    this.options = options
    this.clock = options.clock ?? createRealClock()
    this.chance = options.chance ?? createRealChance()
    this.log = options.logger ?? silentLogger
    this.queue = new RunQueue(this.clock)
    this.outside = new Outside(this.clock)
    this.timers = new Timers(this.clock, (address, id) => this.timerDue(address, id))
    this.effects = new Effects(this.clock, (address, invocation, end) => this.effectEnded(address, invocation, end))
    this.tree = new Tree(options.root, this, (cell) => void this.load(cell))
    const ports = { clock: this.clock, chance: this.chance, logger: this.log }
    this.supervision = new Supervision(this.tree, ports, (cell, delayMs) => this.restartLater(cell, delayMs))
  }

  get alarms(): readonly Alarm[] {
    return this.supervision.alarms
  }

  get systemId(): string {
    return this.session.systemId
  }

  get session(): JournalSession {
    if (this.committer !== undefined) return this.committer.session
    throw new AmbitError('AMBIT_STOPPED', 'The system is not running. Call start() first.')
  }

  /** Opens the journal, brings every child up, and goes on where the last owner ended. */
  async start(): Promise<void> {
    if (this.phase !== 'new') throw new AmbitError('AMBIT_STOPPED', 'A system is started once. Create another one.')
    this.phase = 'booting'
    const session = await this.options.journal.open()
    this.committer = new Committer(session, this.clock, this.log, {
      drain: () => this.queue.drain(),
      hasWork: () => this.queue.length > 0,
      reload: (cell, messages) => this.reload(cell, messages),
      rested: () => this.rested(),
    })
    try {
      await this.options.opened?.(session)
      for (const cell of this.tree.fixed) await this.load(cell)
      await this.boot(session)
    } catch (error) {
      await this.stop({ graceMs: 0 })
      throw error
    }
    this.phase = 'running'
  }

  /** Lets running effects end within the grace time, commits what they bring, and closes the journal. */
  async stop(options: StopOptions = {}): Promise<void> {
    if (this.phase === 'stopped' || this.phase === 'stopping') return
    this.phase = 'stopping'
    const deadline = this.clock.now() + (options.graceMs ?? STOP_GRACE_MS)
    while (this.effects.size > 0 && this.clock.now() < deadline) await this.nextRest(deadline)
    this.effects.abortAll()
    this.timers.stop()
    await this.committer?.finish()
    this.outside.refuseAll()
    this.phase = 'stopped'
    await this.committer?.session.close()
    this.committer = undefined
  }

  ref(address: string): ActorRef {
    const target = parseAddress(address)
    return {
      address: target,
      send: (event, options) => this.sendFromOutside(target, event, options),
      ask: (event, options) => this.askFromOutside(target, event, options),
      deliver: (event, options) => this.deliverFromOutside(target, event, options.id),
    }
  }

  /** Asks in Ambit's own protocol, which `ref` refuses: for the facade's own calls. */
  askPrivileged(address: Address, event: Event, options: AskOptions = {}): Promise<Event> {
    return this.ask(address, event, options, { privileged: true })
  }

  /** Ends an actor for good: its effects are aborted, what it asked for is withdrawn. */
  stopActor(address: Address): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.stop }), 'system')
  }

  /** Starts an actor again from its input, without its past; what it asked for is withdrawn. */
  startFresh(address: Address): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.start, fresh: true }), 'system')
  }

  /** Resolves when nothing runs, nothing waits for a commit and no timer is due within the given time. */
  async atRest({ timersWithinMs = 0 }: RestOptions = {}): Promise<void> {
    const isDueSoon = () => this.timers.nextDueAt() <= this.clock.now() + timersWithinMs
    while (!this.isAtRest() || isDueSoon()) await this.nextRest()
  }

  /** The keyed rows of an actor that is in memory. */
  rows(address: Address): ReadonlyMap<string, Json> {
    return this.tree.peek(address)?.rows ?? new Map<string, Json>()
  }

  liveActors(): number {
    return this.tree.size
  }

  // --- CellHost: what the cells call back ---

  logger(address: Address): Logger {
    return this.log.child({ actor: address })
  }

  schedule(cell: Cell): void {
    this.queue.add(cell)
    this.committer?.wake()
  }

  changed(cell: Cell): void {
    this.committer?.add(cell)
  }

  route(message: Message, lane: Lane): void {
    if (message.to === OUTSIDE) {
      this.outside.answer(String(message.body.invocation), message.body.event as Event)
      return
    }
    const cell = this.tree.cellAt(message.to)
    if (cell === undefined) return this.undeliverable(message, 'unknownActor')
    if (cell.life === 'ended') return this.undeliverable(message, 'stopped')
    this.offer(cell, message, lane)
  }

  freed(cell: Cell): void {
    const first = cell.held[0]
    if (first === undefined || cell.mailbox.isFull(first.lane)) return
    cell.held.shift()
    this.offer(cell, first.message, first.lane)
  }

  startEffect(cell: Cell, invocation: Invocation): void {
    // Between the turn and its release the machine may have left: then there is nothing to start.
    if (cell.invocations.get(invocation.path)?.ref !== invocation.ref) return
    if (invocation.logic.kind === 'effect') this.effects.start(cell.address, invocation, invocation.logic)
  }

  abortEffect(cell: Cell, ref: string): void {
    this.effects.abort(cell.address, ref)
  }

  setTimer(address: Address, id: string, dueAt: number): void {
    this.timers.set(address, id, dueAt)
  }

  clearTimer(address: Address, id: string): void {
    this.timers.clear(address, id)
  }

  failed(cell: Cell, error: unknown): void {
    this.tell((observer) =>
      observer.onExit?.({
        address: cell.address,
        reason: { kind: 'error', error: toErrorRecord(error) },
        incarnation: cell.incarnation,
        at: this.clock.now(),
      }),
    )
    if (this.phase === 'booting' && this.tree.fixed.includes(cell) && !cell.started) {
      this.bootFailure ??= { address: cell.address, error }
      cell.life = 'quarantined'
      return
    }
    this.supervision.childFailed(cell, error)
  }

  ended(cell: Cell, reason: { kind: 'normal' | 'shutdown' }): void {
    for (const { message } of cell.mailbox.drain()) this.undeliverable(message, 'stopped')
    for (const { message } of cell.held.splice(0)) this.undeliverable(message, 'stopped')
    this.supervision.forget(cell)
    this.tree.remove(cell)
    const { address, incarnation } = cell
    this.tell((observer) => observer.onExit?.({ address, reason, incarnation, at: this.clock.now() }))
  }

  deadLetter(message: Message, reason: DeadLetterReason, detail?: string): void {
    const letter = { message, reason, at: this.clock.now(), ...(detail !== undefined && { detail }) }
    this.deadLetters.add(letter)
    const count = this.deadLetters.count(reason)
    // One line for the first ten of a kind, then one in a thousand: never silent, never a flood.
    if (reason !== 'staleReply' && (count <= 10 || count % 1000 === 0)) {
      this.log.warn({ to: message.to, type: message.type, reason, detail, count }, 'dead letter')
    }
    this.tell((observer) => observer.onDeadLetter?.(letter))
  }

  dispose(message: Message): void {
    this.committer?.dispose(message, 'duplicate')
  }

  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void {
    this.outside.acknowledged(message, outcome)
  }

  reported(report: Parameters<CellHost['reported']>[0]): void {
    this.tell((observer) => observer.onTurn?.(report))
  }

  // --- private: the shell ---

  private async boot(session: JournalSession): Promise<void> {
    const recovery = await session.recover()
    for (const { address, id, dueAt } of recovery.timers) this.timers.set(address, id, dueAt)
    for (const address of recovery.busy) {
      if (this.tree.cellAt(address) !== undefined) continue
      this.log.warn({ actor: address }, 'the journal holds a running actor that no supervisor has')
    }
    for (const message of recovery.outbox) this.route(message, message.headers.stream?.lane ?? 'user')
    this.committer?.wake()
    const waiting = () =>
      this.tree.fixed.some(({ started, life }) => !started && life !== 'ended' && life !== 'quarantined')
    while (this.bootFailure === undefined && waiting()) await this.nextRest()
    if (this.bootFailure === undefined) return
    const { address, error } = this.bootFailure
    throw new AmbitError(
      'AMBIT_START_FAILED',
      `"${address}" could not be started: ${toErrorRecord(error).message}. Mend its machine or its input and start again.`,
      { cause: error },
    )
  }

  private async load(cell: Cell): Promise<void> {
    this.loading++
    try {
      const stored = cell.isDurable ? await this.session.load(cell.address) : undefined
      this.bringUp(cell, stored)
    } catch (error) {
      if (this.phase === 'booting' && this.tree.fixed.includes(cell)) throw error
      if (this.phase !== 'stopped') this.supervision.recoveryFailed(cell, error)
    } finally {
      this.loading--
    }
  }

  private bringUp(cell: Cell, stored: Awaited<ReturnType<JournalSession['load']>>): void {
    cell.restore(stored)
    cell.incarnation++
    if (cell.status !== 'active') {
      cell.life = 'ended'
      this.ended(cell, { kind: 'normal' })
      return
    }
    cell.life = 'running'
    if (cell.started) this.resumeEffects(cell)
    else cell.mailbox.offer(this.kernelMessage(cell.address, { type: kernelTypes.start }), 'system')
    this.schedule(cell)
  }

  /** Effects of an earlier process: idempotent ones run again with the same key, the others are in doubt. */
  private resumeEffects(cell: Cell): void {
    for (const invocation of cell.invocations.values()) {
      if (invocation.logic.kind !== 'effect') continue
      const again = { ...invocation, attempt: invocation.attempt + 1 }
      if (valueFor(invocation.logic.idempotent, invocation)) {
        cell.invocations.set(invocation.path, again)
        this.effects.start(cell.address, again, invocation.logic)
      } else {
        const message =
          `"${invocation.src}" of "${cell.address}" was under way when the process ended; nobody knows whether it ` +
          'happened. Find out at the target, then settle it.'
        const error = toErrorRecord(new AmbitError('AMBIT_EFFECT_IN_DOUBT', message))
        this.effectEnded(cell.address, invocation, { ok: false, error })
      }
    }
  }

  private restartLater(cell: Cell, delayMs: number): void {
    if (this.restarting.has(cell)) return
    this.restarting.add(cell)
    const run = () => {
      this.restarting.delete(cell)
      void this.restart(cell, delayMs)
    }
    if (delayMs === 0) this.clock.soon(run)
    else this.clock.wakeAt(this.clock.now() + delayMs, run)
  }

  /** A new incarnation from the last committed turn; mailbox, address and running effects stay. */
  private async restart(cell: Cell, delayMs: number): Promise<void> {
    if (this.phase === 'stopped' || cell.life !== 'suspended') return
    try {
      await this.committer?.committed(cell)
      const { generation } = cell
      cell.restore(cell.isDurable ? await this.session.load(cell.address) : undefined)
      if (!cell.isDurable) cell.generation = generation
      cell.incarnation++
      cell.life = 'running'
    } catch (error) {
      this.supervision.recoveryFailed(cell, error)
      return
    }
    this.tell((observer) => observer.onRestart?.({ address: cell.address, incarnation: cell.incarnation, delayMs }))
    this.parkPoison(cell)
    // A start that failed is still in the mailbox; a second one is stale by then and does nothing.
    if (!cell.started) cell.mailbox.putBack(this.kernelMessage(cell.address, { type: kernelTypes.start }), 'system')
    this.schedule(cell)
  }

  private parkPoison(cell: Cell): void {
    if (!cell.started) return
    const taken = cell.mailbox.takeTried(cell.spec.attemptsMax)
    if (taken === undefined) return
    const error = { name: 'Parked', message: `Failed ${cell.spec.attemptsMax} turns; set aside so that the rest can go on.` }
    parkMessage(cell, taken.message, taken.lane, error)
  }

  /** After a failed commit: what ran ahead is thrown away and the messages are taken again. */
  private reload(cell: Cell, messages: readonly { message: Message; lane: Lane }[]): void {
    for (const { message, lane } of [...messages].reverse()) cell.mailbox.putBack(message, lane)
    cell.life = 'suspended'
    this.restartLater(cell, 0)
  }

  private offer(cell: Cell, message: Message, lane: Lane): SendResult {
    const offer = cell.mailbox.offer(message, lane)
    if (offer.status === 'full') {
      if (message.headers.stream !== undefined) {
        cell.held.push({ message, lane })
        return { status: 'accepted' }
      }
      this.deadLetter(message, 'mailboxFull')
      return { status: 'rejected', reason: 'mailboxFull', retryAfterMs: 100 }
    }
    if (offer.status === 'dropped') this.undeliverable(offer.message, 'mailboxFull')
    this.schedule(cell)
    return { status: 'accepted' }
  }

  private undeliverable(message: Message, reason: DeadLetterReason): void {
    this.deadLetter(message, reason)
    if (message.headers.stream !== undefined) this.committer?.dispose(message, reason)
    const { replyTo } = message.headers
    if (replyTo?.address === OUTSIDE) {
      const error = new AmbitError('AMBIT_STOPPED', `"${message.to}" cannot answer: ${reason}.`)
      this.outside.refuse(replyTo.invocation, error)
    }
  }

  private sendFromOutside(to: Address, event: Event, options: SendOptions = {}): SendResult {
    return this.fromOutside(to, event, options)
  }

  private fromOutside(to: Address, event: Event, headers: Partial<Message['headers']>): SendResult {
    if (this.phase === 'stopped' || this.phase === 'new') return { status: 'rejected', reason: 'stopped' }
    const received = receive(this.chance.id(), to, event, headers)
    const { message } = received
    if (received.refused !== undefined) {
      this.deadLetter(message, received.refused, received.detail)
      return { status: 'rejected', reason: received.refused }
    }
    const cell = this.tree.cellAt(to)
    const refusal = cell?.spec.engine.refuse?.(event)
    if (cell === undefined || cell.life === 'ended') {
      this.undeliverable(message, cell === undefined ? 'unknownActor' : 'stopped')
      return { status: 'rejected', reason: cell === undefined ? 'unknownActor' : 'stopped' }
    }
    if (refusal !== undefined) {
      this.deadLetter(message, 'invalid', refusal)
      return { status: 'rejected', reason: 'invalid' }
    }
    return this.offer(cell, message, 'user')
  }

  private askFromOutside(to: Address, event: Event, options: AskOptions = {}): Promise<Event> {
    return this.ask(to, event, options, {})
  }

  private async ask(
    to: Address,
    event: Event,
    options: AskOptions,
    headers: Partial<Message['headers']>,
  ): Promise<Event> {
    const invocation = this.chance.id()
    const timeoutMs = options.timeoutMs ?? ASK_TIMEOUT_MS
    const deadline = this.clock.now() + timeoutMs
    const answer = this.outside.ask(invocation, to, event.type, timeoutMs)
    const replyTo = { address: OUTSIDE, invocation }
    const sent = this.fromOutside(to, event, { ...headers, replyTo, deadline })
    if (sent.status === 'rejected') this.outside.refuse(invocation, refused(to, event, sent.reason))
    return answer
  }

  private async deliverFromOutside(to: Address, event: Event, id: string): Promise<'committed' | 'duplicate'> {
    const received = this.fromOutside(to, event, { once: id })
    if (received.status === 'rejected') throw refused(to, event, received.reason)
    return this.outside.acknowledgement(id)
  }

  private timerDue(address: Address, id: string): void {
    this.route(this.kernelMessage(address, { type: kernelTypes.timer, id }), 'reply')
  }

  private effectEnded(address: Address, invocation: Invocation, end: EffectEnd): void {
    const { path, ref, src } = invocation
    if (!end.ok) this.log.warn({ actor: address, effect: src, attempt: invocation.attempt, err: end.error }, 'effect failed')
    this.route(this.kernelMessage(address, { type: kernelTypes.effectEnded, path, ref, ...end }), 'reply')
    this.committer?.wake()
  }

  private kernelMessage(to: Address, body: Event): Message {
    const id = `~${this.committer?.session.epoch ?? 0}.${++this.kernelIds}`
    return { id, type: body.type, to, body, headers: { privileged: true } }
  }

  private isAtRest(): boolean {
    return this.loading === 0 && this.effects.size === 0 && this.restarting.size === 0 && (this.committer?.isAtRest() ?? true)
  }

  private rested(): void {
    for (const resolve of this.restingWaiters.splice(0)) resolve()
  }

  private nextRest(deadline?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.wakeAt(Math.min(deadline ?? Infinity, this.clock.now() + 50), resolve)
      this.restingWaiters.push(() => {
        cancel()
        resolve()
      })
    })
  }

  private tell(notify: (observer: Observer) => void): void {
    for (const observer of this.options.observers ?? []) {
      try {
        notify(observer)
      } catch (error) {
        this.log.warn({ err: toErrorRecord(error) }, 'an observer failed')
      }
    }
  }
}

function refused(to: Address, event: Event, reason: string): AmbitError {
  return new AmbitError('AMBIT_EVENT_REFUSED', `"${to}" refused "${event.type}": ${reason}. See the dead letters for more.`)
}
