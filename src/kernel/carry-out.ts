import type { Cell } from './cell.ts'
import { deferMessage } from './deferred.ts'
import { copied } from './ingress.ts'
import { askTimerId, machineTimerId, type CellTimer, type Invocation } from './invocation.ts'
import type { Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import {
  isOutside,
  kernelTypes,
  sentWith,
  type Event,
  type Message,
  type ReplyTo,
} from './message.ts'
import { monitorKey } from './monitors.ts'
import type { Command, Thought } from './ports/engine.ts'
import type { StoredTimer } from './ports/journal.ts'
import { prepareOne, type Prepared } from './prepare.ts'
import type { Turn } from './turn.ts'

/** Beyond any command of a step, so that what an ending actor still sends has ids of its own. */
const LAST_INDEX = 1_000_000

/**
 * Turns the commands of one step into what is committed and what is released after the commit. Returns what the
 * record of the turn says of them.
 */
export function carryOut(
  cell: Cell,
  message: Message,
  commands: readonly Prepared[],
  now: number,
): Record<string, Json | undefined> {
  const thoughts: Thought[] = []
  const begun: Json[] = []
  const notes = { thoughts, begun }
  const work: Work = { cell, cause: message, turn: { now }, index: 0, sent: 0, notes }
  for (const command of commands) {
    carryOutOne(work, command)
    work.index++
  }
  return {
    ...(thoughts.length > 0 && { thoughts }),
    ...(begun.length > 0 && { begun }),
    ...(work.sent > 0 && { sent: work.sent }),
    ...(work.disposition !== undefined && { disposition: work.disposition }),
  }
}

/** Carries one command out as the step gives it, for an actor that nothing is kept of. */
export function carryOutAtOnce(cell: Cell, command: Command, turn: Turn): void {
  const { privileged } = cell.spec
  const { message: cause } = turn
  const index = cell.performed++
  const work = { cell, cause, turn, index, sent: 0, notes: undefined }
  carryOutOne(work, prepareOne(command, privileged, turn, false))
}

interface Work {
  readonly cell: Cell
  readonly cause: Message
  readonly turn: { readonly now: number }
  index: number
  sent: number
  /** What became of the message, when it was not processed. */
  disposition?: 'deferred' | 'parked'
  /** For the record of the turn; nothing where none is kept. */
  readonly notes: { readonly thoughts: Thought[]; readonly begun: Json[] } | undefined
}

function carryOutOne(work: Work, command: Prepared): void {
  const { cell } = work
  switch (command.kind) {
    case 'tell':
      return send(work, command.to, command.event, command.lane)
    case 'reply':
      return answer(work, command.to ?? work.cause.headers.replyTo, command.event)
    case 'invoke':
      return invoke(work, command)
    case 'release':
      return release(work, command.path)
    case 'schedule':
      return schedule(work, command)
    case 'cancel':
      return cancelNamed(cell, machineTimerId(command.owner, command.id))
    case 'cancelUnder':
      return cancelUnder(cell, command.owner)
    case 'put':
      return cell.putRow(command.key, command.value)
    case 'think':
      return void work.notes?.thoughts.push(command.thought)
    case 'defer':
      work.disposition = deferMessage(cell, work.cause)
      return
    case 'observe':
      return cell.release(() => observe(cell, command.name, command.run))
    case 'monitor':
      return monitor(cell, command.target, command.pact)
    case 'demonitor':
      return demonitor(cell, command.target)
    case 'supervise':
      return cell.host.supervise(cell, command.order)
    case 'ready':
      return saysOfStart(cell, () => cell.host.begun(cell))
    case 'ignore':
      return saysOfStart(cell, () => cell.host.ignores(cell))
    case 'log':
      return cell.release(() =>
        cell.host.logger(cell.address).info({ value: command.value }, command.label ?? 'log'),
      )
  }
}

/** Lets go of all that the machine waits for: askers withdraw, effects are aborted, timers cleared. */
export function releaseEverything(cell: Cell, cause: Message | undefined): void {
  const message =
    cause ??
    cell.kernelMessage(`${cell.address}:${cell.generation}.${cell.seq}.fresh`, {
      type: kernelTypes.start,
    })
  const work: Work = {
    cell,
    cause: message,
    turn: { now: cell.lastNow },
    index: LAST_INDEX,
    sent: 0,
    notes: undefined,
  }
  for (const path of [...cell.invocations.keys()]) {
    release(work, path)
    work.index++
  }
  for (const id of [...cell.timers.keys()]) cancel(cell, id)
}

/** The actor stays down: whoever looks sees why, and what ran beside its steps ends. */
export function takeDown(cell: Cell, error: unknown): void {
  cell.life = 'quarantined'
  cell.failure = { error }
  if (cell.isDirect) releaseEverything(cell, undefined)
  cell.spec.engine.quiet?.(cell)
}

/** Forgets an invocation that has ended by itself. */
export function endInvocation(cell: Cell, invocation: Invocation): void {
  cell.dropInvocation(invocation.path)
  if (cell.timers.has(askTimerId(invocation.ref))) cancel(cell, askTimerId(invocation.ref))
}

function send(work: Work, target: string, event: Event, lane: Lane, replyTo?: ReplyTo): void {
  const { cell, cause } = work
  const to = cell.host.registry.resolve(target) ?? target
  const id = `${cell.address}:${cell.generation}.${cell.seq}.${work.index}`
  const durable = cell.spec.durability === 'sync'
  const message: Message = {
    id,
    type: event.type,
    to,
    body: copied(event, cell.isDirect),
    headers: {
      from: cell.address,
      causation: cause.id,
      correlation: cause.headers.correlation ?? cause.id,
      ...(replyTo !== undefined && { replyTo }),
      ...(isReserved(event.type) && { privileged: true }),
    },
    ...(durable && { [sentWith]: cell.commit }),
  }
  work.sent++
  dispatch(cell, message, lane)
}

/** A message goes ahead of its commit only to who will be stored with it; to anybody else it waits. */
export function dispatch(cell: Cell, message: Message, lane: Lane): void {
  const { host } = cell
  if (cell.spec.durability !== 'sync') return cell.release(() => host.route(message, lane))
  const { commit } = cell
  commit.outbox.set(message, lane)
  if (!commit.isWaiting(message.to, lane) && host.routeAhead(message, lane)) return
  commit.wait(message.to, lane)
  commit.release(() => host.route(message, lane))
}

function answer(work: Work, to: ReplyTo | undefined, event: Event): void {
  if (to === undefined) {
    work.cell.host
      .logger(work.cell.address)
      .warn({ type: event.type }, 'nobody waits for this answer')
    return
  }
  if (isOutside(to.address)) {
    const { cell } = work
    work.sent++
    if (cell.isDirect) cell.host.answerOutside(to, event, cell.address)
    else cell.release(() => cell.host.answerOutside(to, event, cell.address))
    return
  }
  send(work, to.address, { type: kernelTypes.reply, invocation: to.invocation, event }, 'reply')
}

function invoke(work: Work, command: Extract<Prepared, { kind: 'invoke' }>): void {
  const { cell } = work
  const { path, src, logic, request, refused } = command
  const ref = `${cell.generation}.${cell.seq}.${work.index}`
  const base = { path, ref, src, kind: logic.kind, input: command.input, attempt: 1, logic }
  work.notes?.begun.push({ path, src, ref })
  if (refused !== undefined) {
    cell.addInvocation(base)
    cell.release(() => cell.host.refuseInvocation(cell, base, refused))
    return
  }
  if (request === undefined) {
    cell.addInvocation(base)
    cell.release(() => cell.host.startEffect(cell, base))
    return
  }
  const asked = cell.host.registry.resolve(request.to) ?? request.to
  const { withdraw, timeoutMs } = request
  const input = logic.kind === 'ask' && logic.forgetsInput === true ? null : base.input
  cell.addInvocation({ ...base, input, asked, ...(withdraw !== undefined && { withdraw }) })
  send(work, asked, request.event, 'user', { address: cell.address, invocation: ref })
  if (timeoutMs === undefined) return
  const event = { type: kernelTypes.timer }
  const dueAt = work.turn.now + timeoutMs
  setTimer(cell, { id: askTimerId(ref), owner: path, target: path, event, dueAt })
}

function release(work: Work, path: string): void {
  const { cell } = work
  const invocation = cell.invocations.get(path)
  if (invocation === undefined) return
  endInvocation(cell, invocation)
  if (invocation.kind === 'effect') {
    cell.release(() => cell.host.abortEffect(cell, invocation.ref))
  } else if (invocation.withdraw !== undefined && invocation.asked !== undefined) {
    const replyTo = { address: cell.address, invocation: invocation.ref }
    send(work, invocation.asked, invocation.withdraw, 'user', replyTo)
  }
}

function schedule(work: Work, command: Extract<Prepared, { kind: 'schedule' }>): void {
  const { cell } = work
  const { owner, target, event, delayMs } = command
  const id = machineTimerId(owner, command.id)
  const dueAt = work.turn.now + Math.max(0, delayMs)
  loosen(cell, id)
  if (!cell.timers.has(id)) return setTimer(cell, { id, owner, target, event, dueAt })
  const other = `${id} ${cell.generation}.${cell.seq}.${work.index}`
  setTimer(cell, { id: other, alias: id, owner, target, event, dueAt })
}

/**
 * With a second event of the same id, or with the end of one of two, XState forgets how to cancel the one that is left,
 * and lets it fire: so do we.
 */
export function loosen(cell: Cell, id: string): void {
  const holder = holderOf(cell, id)
  if (holder === undefined) return
  const loose: CellTimer = { ...holder, isLoose: true }
  cell.addTimer(loose)
  if (!cell.isDirect) cell.commit.setTimer(stored(cell, loose))
}

function cancelNamed(cell: Cell, id: string): void {
  const holder = holderOf(cell, id)
  if (holder !== undefined) cancel(cell, holder.id)
}

/** The delayed event that an id cancels. */
function holderOf(cell: Cell, id: string): CellTimer | undefined {
  const first = cell.timers.get(id)
  if (first === undefined && !cell.hasAliases) return undefined
  if (first !== undefined && first.isLoose !== true) return first
  for (const timer of cell.timers.values())
    if (timer.alias === id && timer.isLoose !== true) return timer
  return undefined
}

function stored({ address }: Cell, { id, dueAt, ...rest }: CellTimer): StoredTimer {
  return { address, id, dueAt, body: rest as unknown as Json }
}

function setTimer(cell: Cell, timer: CellTimer): void {
  const { id, dueAt } = timer
  cell.addTimer(timer)
  if (!cell.isDirect) cell.commit.setTimer(stored(cell, timer))
  cell.release(() => cell.host.setTimer(cell.address, id, dueAt))
}

function cancel(cell: Cell, id: string): void {
  if (!cell.dropTimer(id)) return
  if (!cell.isDirect) cell.commit.clearTimer(id)
  cell.release(() => cell.host.clearTimer(cell.address, id))
}

function cancelUnder(cell: Cell, owner: string): void {
  if (cell.timers.size === 0) return
  const isUnder = (path: string) => path === owner || path.startsWith(`${owner}/`)
  for (const timer of [...cell.timers.values()]) {
    if (isUnder(timer.owner) || isUnder(timer.target)) cancel(cell, timer.id)
  }
}

/** What a life that has failed meanwhile said of its start is not about the next one. */
function saysOfStart(cell: Cell, say: () => void): void {
  const { incarnation } = cell
  cell.release(() => {
    if (cell.incarnation === incarnation && cell.life !== 'suspended') say()
  })
}

/** A monitor is a row, so it is there as long as nobody has heard the notice. */
function monitor(cell: Cell, target: string, pact: boolean): void {
  const to = cell.host.registry.resolve(target) ?? target
  cell.putRow(monitorKey(to), { pact })
  cell.release(() => cell.host.monitors.watch(cell.address, to))
}

function demonitor(cell: Cell, target: string): void {
  const to = cell.host.registry.resolve(target) ?? target
  if (!cell.rows.has(monitorKey(to))) return
  cell.putRow(monitorKey(to), null)
  cell.release(() => cell.host.monitors.unwatch(cell.address, to))
}

function observe(cell: Cell, name: string, run: () => unknown): void {
  try {
    void Promise.resolve(run()).catch((error: unknown) => observerFailed(cell, name, error))
  } catch (error) {
    observerFailed(cell, name, error)
  }
}

function observerFailed(cell: Cell, name: string, error: unknown): void {
  cell.host
    .logger(cell.address)
    .warn({ observer: name, err: error }, 'an observe(...) action failed')
}

function isReserved(type: string): boolean {
  return type.startsWith('ambit.')
}
