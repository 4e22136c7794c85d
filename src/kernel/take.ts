import type { Cell } from './cell.ts'
import { carryOut, endInvocation, releaseEverything } from './carry-out.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from './errors.ts'
import { askTimerId, type Invocation } from './invocation.ts'
import { assertJson, type Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, type Event, type Message } from './message.ts'
import { prepare, type Prepared } from './prepare.ts'
import type { Incoming, Settlement, Step } from './ports/engine.ts'
import { turnRandom, withTurn, type Turn } from './turn.ts'

/** What a taken message turns out to be. */
type Admission =
  | { readonly kind: 'start'; readonly fresh: boolean }
  | { readonly kind: 'stop' }
  | {
      readonly kind: 'step'
      readonly incoming: Incoming
      readonly ends?: Invocation
      readonly timer?: string
    }
  | { readonly kind: 'stale' }

/** Takes one message and makes a turn of it. Answers whether there was one. */
export function takeOne(cell: Cell): boolean {
  if (cell.life !== 'running') return false
  const next = cell.mailbox.take()
  if (next === undefined) return false
  cell.host.freed(cell)
  const { message, lane } = next
  const place = placeInStream(cell, message)
  if (place === 'done') {
    cell.host.dispose(message)
    return true
  }
  if (place === 'early') {
    // It stays in its sender's outbox and comes again, in its order, with the next start.
    const { id, type } = message
    cell.host.logger(cell.address).error({ message: id, type }, 'gap in a stream: not taken')
    return true
  }
  const { once, deadline } = message.headers
  if (once !== undefined && cell.rows.has(onceKey(once))) {
    // The first may not be durable yet: the repeat is answered after the commit that makes it so.
    cell.commit.taken.push(next)
    cell.commit.releases.push(() => cell.host.acknowledged(message, 'duplicate'))
    cell.host.changed(cell)
    return true
  }
  const clockNow = cell.host.clock.now()
  const now = Math.max(cell.lastNow, clockNow)
  if (deadline !== undefined && deadline < clockNow) {
    expire(cell, message, lane, now)
    return true
  }
  const admission = admit(cell, message, now)
  if (admission.kind === 'stale') {
    if (message.type !== kernelTypes.timer && message.type !== kernelTypes.start) {
      cell.host.deadLetter(message, 'staleReply')
    }
    skipMessage(cell, message)
    return true
  }
  makeTurn(cell, message, lane, now, admission)
  return true
}

/** Takes a numbered message for good without a turn, so that the next of its stream is the next. */
export function skipMessage(cell: Cell, message: Message): void {
  const { stream } = message.headers
  if (stream === undefined) return
  if (!cell.isDurable) cell.host.dispose(message)
  cell.commit.consumed.push({ ...stream, receiver: cell.address })
  cell.putRow(highWaterKey(message), stream.number)
  cell.host.changed(cell)
}

/** Records that a message was taken and will not be tried again; the state stays as it was. */
export function parkMessage(cell: Cell, message: Message, lane: Lane, error: ErrorRecord): void {
  const now = Math.max(cell.lastNow, cell.host.clock.now())
  const admission = admit(cell, message, now)
  beginTurn(cell, message, lane)
  if (admission.kind === 'step') settleAdmission(cell, admission)
  cell.putRow(`~parked:${message.id}`, {
    at: now,
    message: message as unknown as Json,
    error: error as unknown as Json,
  })
  endTurn(cell, message, now, { disposition: 'parked', error: error as unknown as Json })
  cell.host
    .logger(cell.address)
    .error({ message: message.id, type: message.type, error }, 'message parked')
}

function makeTurn(
  cell: Cell,
  message: Message,
  lane: Lane,
  now: number,
  admission: Admission,
): void {
  const turn: Turn = {
    now,
    systemId: cell.host.systemId,
    address: cell.address,
    generation: cell.generation,
    seq: cell.seq + 1,
    message,
    authority: cell.authority,
    rows: cell.rowsView,
    random: turnRandom(message.id, cell.seq + 1),
  }
  let step: Step | undefined
  let prepared: readonly Prepared[] = []
  try {
    step = withTurn(turn, () => stepOf(cell, admission, turn))
    if (step?.status === 'error') throw asError(step.error)
    if (step?.output !== undefined) assertJson(step.output, 'output')
    prepared = withTurn(turn, () => prepare(step?.commands ?? [], cell.spec.privileged, turn))
  } catch (error) {
    fail(cell, message, lane, error)
    return
  }
  beginTurn(cell, message, lane)
  if (admission.kind === 'stop') return endLife(cell, message, now, 'stopped')
  if (admission.kind === 'start') beginGeneration(cell, admission.fresh)
  if (admission.kind === 'step') settleAdmission(cell, admission)
  if (step === undefined) return
  cell.state = step.state
  const notes = carryOut(cell, message, prepared, now)
  if (step.status === 'done') {
    cell.output = step.output as Json | undefined
    return endLife(cell, message, now, 'done', notes)
  }
  endTurn(cell, message, now, notes)
}

function stepOf(cell: Cell, admission: Admission, turn: Turn): Step | undefined {
  switch (admission.kind) {
    case 'start':
      return cell.spec.engine.start(cell.input, turn)
    case 'step':
      return cell.spec.engine.step(cell.state, admission.incoming, turn)
    case 'stop':
    case 'stale':
      return undefined
  }
}

function beginTurn(cell: Cell, message: Message, lane: Lane): void {
  const { commit } = cell
  commit.taken.push({ message, lane })
  cell.seq++
  cell.turnRows = []
  const { stream, once } = message.headers
  if (once !== undefined) cell.putRow(onceKey(once), cell.seq)
  if (stream === undefined) return
  // An actor that keeps nothing takes the message out of the outbox by itself: no commit of its own will.
  if (!cell.isDurable) commit.releases.push(() => cell.host.dispose(message))
  commit.consumed.push({ ...stream, receiver: cell.address })
  cell.putRow(highWaterKey(message), stream.number)
}

function endTurn(
  cell: Cell,
  message: Message,
  now: number,
  notes: Record<string, Json | undefined>,
): void {
  cell.lastNow = now
  const { id, version } = cell.spec.engine
  const state =
    cell.status === 'active' && cell.started ? cell.spec.engine.describe(cell.state) : null
  const { commit } = cell
  if (message.headers.once !== undefined) {
    commit.releases.push(() => cell.host.acknowledged(message, 'committed'))
  }
  if (cell.isDurable) {
    commit.records.push(
      JSON.stringify({
        v: 1,
        actor: cell.address,
        generation: cell.generation,
        incarnation: cell.incarnation,
        seq: cell.seq,
        at: now,
        machine: `${id}@${version}`,
        disposition: 'processed',
        message: {
          id: message.id,
          type: message.type,
          body: message.body,
          headers: message.headers,
        },
        state,
        status: cell.status,
        ...notes,
      }),
    )
  }
  const report = {
    address: cell.address,
    generation: cell.generation,
    seq: cell.seq,
    at: now,
    type: message.type,
    state,
    status: cell.status,
    rows: cell.turnRows,
  }
  commit.releases.push(() => cell.host.reported(report))
  cell.host.changed(cell)
}

function endLife(
  cell: Cell,
  message: Message,
  now: number,
  status: 'done' | 'stopped',
  notes: Record<string, Json | undefined> = {},
): void {
  releaseEverything(cell, message)
  cell.status = status
  cell.life = 'ended'
  const reason = { kind: status === 'done' ? ('normal' as const) : ('shutdown' as const) }
  cell.commit.releases.push(() => cell.host.ended(cell, reason))
  endTurn(cell, message, now, notes)
}

function beginGeneration(cell: Cell, fresh: boolean): void {
  if (fresh) releaseEverything(cell, undefined)
  for (const key of [...cell.rows.keys()]) if (key.startsWith('~out:')) cell.putRow(key, null)
  cell.generation++
  cell.started = true
}

function settleAdmission(cell: Cell, admission: Extract<Admission, { kind: 'step' }>): void {
  if (admission.ends !== undefined) endInvocation(cell, admission.ends)
  if (admission.timer === undefined) return
  cell.timers.delete(admission.timer)
  cell.commit.clearTimer(admission.timer)
}

function expire(cell: Cell, message: Message, lane: Lane, now: number): void {
  beginTurn(cell, message, lane)
  endTurn(cell, message, now, { disposition: 'expired' })
  cell.commit.releases.push(() => cell.host.deadLetter(message, 'expired'))
}

function fail(cell: Cell, message: Message, lane: Lane, error: unknown): void {
  const attempt = (message.headers.attempt ?? 0) + 1
  cell.life = 'suspended'
  cell.mailbox.putBack({ ...message, headers: { ...message.headers, attempt } }, lane)
  cell.host.failed(cell, error)
}

function admit(cell: Cell, message: Message, now: number): Admission {
  switch (message.type) {
    case kernelTypes.start:
      if (cell.started && message.body.fresh !== true) return { kind: 'stale' }
      return { kind: 'start', fresh: message.body.fresh === true }
    case kernelTypes.stop:
      return { kind: 'stop' }
    case kernelTypes.timer:
      return admitTimer(cell, String(message.body.id), now)
    case kernelTypes.effectEnded:
      return admitEffectEnd(cell, message.body)
    case kernelTypes.reply:
      return admitReply(cell, message)
    default:
      return { kind: 'step', incoming: { target: '', event: message.body } }
  }
}

function admitTimer(cell: Cell, id: string, now: number): Admission {
  const timer = cell.timers.get(id)
  if (timer === undefined) return { kind: 'stale' }
  if (timer.dueAt > now) {
    cell.host.setTimer(cell.address, id, timer.dueAt)
    return { kind: 'stale' }
  }
  const asked = [...cell.invocations.values()].find(({ ref }) => askTimerId(ref) === id)
  if (asked === undefined) return { kind: 'step', incoming: timer, timer: id }
  const message =
    `"${asked.asked ?? ''}" did not answer "${asked.src}" of "${cell.address}" in time. ` +
    'Look at what it waits for, or raise the timeout.'
  const error = toErrorRecord(new AmbitError('AMBIT_ASK_TIMEOUT', message))
  return ending(asked, { status: 'error', error })
}

function admitEffectEnd(cell: Cell, body: Event): Admission {
  const invocation = cell.invocations.get(String(body.path))
  if (invocation === undefined || invocation.ref !== body.ref) return { kind: 'stale' }
  const settled =
    body.ok === true
      ? ({ status: 'done', output: body.output } as const)
      : ({ status: 'error', error: body.error } as const)
  return ending(invocation, settled)
}

/** Only who was asked can answer: an invocation's name can be guessed, a sender's address cannot be forged. */
function admitReply(cell: Cell, { body, headers }: Message): Admission {
  const invocation = [...cell.invocations.values()].find(({ ref }) => ref === body.invocation)
  if (invocation?.logic.kind !== 'ask') return { kind: 'stale' }
  if (headers.from !== invocation.asked) return { kind: 'stale' }
  const answer = body.event as Event
  const settled = invocation.logic.settle?.(answer, invocation.input as never) ?? {
    status: 'done',
    output: answer,
  }
  return ending(invocation, settled)
}

function ending(invocation: Invocation, settled: Settlement): Admission {
  const { path } = invocation
  const cut = path.lastIndexOf('/')
  const target = cut < 0 ? '' : path.slice(0, cut)
  const id = path.slice(cut + 1)
  switch (settled.status) {
    case 'done': {
      const event = { type: `xstate.done.actor.${id}`, output: settled.output, actorId: id }
      return { kind: 'step', incoming: { target, event, ended: id }, ends: invocation }
    }
    case 'error': {
      const event = { type: `xstate.error.actor.${id}`, error: settled.error, actorId: id }
      return { kind: 'step', incoming: { target, event, ended: id }, ends: invocation }
    }
    case 'notice':
      return { kind: 'step', incoming: { target, event: settled.event } }
    case 'ignored':
      return { kind: 'stale' }
  }
}

/** A numbered message is taken once and in its order: its stream's high water says which number is next. */
function placeInStream(cell: Cell, message: Message): 'next' | 'done' | 'early' {
  const { stream } = message.headers
  if (stream === undefined) return 'next'
  const highWater = cell.rows.get(highWaterKey(message))
  // A receiver that never heard from this stream takes it up where it is: earlier ones were dead letters.
  if (typeof highWater !== 'number') return 'next'
  if (stream.number <= highWater) return 'done'
  return stream.number === highWater + 1 ? 'next' : 'early'
}

function onceKey(id: string): string {
  return `~once:${id}`
}

function highWaterKey(message: Message): string {
  const { stream } = message.headers
  return stream === undefined ? '' : `~in:${stream.sender}|${stream.generation}|${stream.lane}`
}

function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const record = toErrorRecord(thrown)
  return Object.assign(new Error(record.message), {
    name: record.name,
    ...(record.code && { code: record.code }),
  })
}
