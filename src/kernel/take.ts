import { admit, type Admission, type StepAdmission } from './admission.ts'
import type { Cell } from './cell.ts'
import { carryOut, endInvocation, loosen, releaseEverything } from './carry-out.ts'
import { AmbitError, type ErrorRecord } from './errors.ts'
import { monitorKey } from './monitors.ts'
import { assertJson, type Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, NO_HEADERS, plainOf, setHeaders, type Message } from './message.ts'
import { postponed, senderOf } from './pending-commit.ts'
import { prepare, type Prepared } from './prepare.ts'
import type { Step } from './ports/engine.ts'
import { CellTurn, enterTurn } from './turn.ts'

/** What `takeOne` answers when there was no message. */
export const NOTHING_TAKEN = -1

/** What it answers when nobody needed to look at the clock. */
export const TAKEN_QUICKLY = -2

/** Takes one message and makes a turn of it. Answers what the clock said, so that nobody needs to ask it again. */
export function takeOne(cell: Cell): number {
  if (cell.life !== 'running') return NOTHING_TAKEN
  const { mailbox } = cell
  const message = mailbox.take()
  if (message === undefined) return NOTHING_TAKEN
  const lane = mailbox.takenFrom
  if (cell.held !== undefined) cell.host.freed(cell)
  const { headers } = message
  const { isDirect } = cell
  if (isDirect && headers === NO_HEADERS && takeQuickly(cell, message)) return TAKEN_QUICKLY
  const clockNow = cell.host.clock.now()
  if (headers !== NO_HEADERS && !isWanted(cell, message, lane)) return clockNow
  const now = Math.max(cell.lastNow, clockNow)
  if (headers.deadline !== undefined && headers.deadline < clockNow) {
    expire(cell, message, lane, now)
    return clockNow
  }
  const { stream, once, replyTo } = headers
  const isAsk = replyTo !== undefined && stream === undefined && once === undefined
  if (isDirect && isAsk && takeQuickly(cell, message, now)) return clockNow
  const admission = admit(cell, message, now)
  if (admission.kind === 'stale') {
    // Whoever sent it may not be stored: it comes again when it is, and is told of then.
    if (postponed(message, () => cell.host.route(message, lane))) return clockNow
    if (message.type !== kernelTypes.timer && message.type !== kernelTypes.start) {
      cell.host.deadLetter(message, 'staleReply')
    }
    skipMessage(cell, message, lane)
    return clockNow
  }
  makeTurn(cell, message, lane, now, admission)
  return clockNow
}

/** A turn that only changes a state of which nothing is kept; false when there is more to it. */
function takeQuickly(cell: Cell, message: Message, now?: number): boolean {
  const { engine } = cell.spec
  if (engine.quick === undefined || message.type.startsWith('ambit.')) return false
  const turn = new CellTurn(cell, message, now)
  const outer = enterTurn(turn)
  let after: unknown
  try {
    cell.turn = turn
    cell.performed = 0
    after = engine.quick(cell.state, message.body, cell)
  } catch (error) {
    cell.seq++
    fail(cell, message, cell.mailbox.takenFrom, error)
    return true
  } finally {
    cell.turn = undefined
    enterTurn(outer)
  }
  if (after === undefined) return false
  cell.beginTurn()
  cell.state = after
  if (turn.isStamped || cell.host.isWatched) endTurn(cell, message, turn.now, NO_NOTES)
  return true
}

/** A message that was taken before, or comes before its turn, is put out of the way. */
function isWanted(cell: Cell, message: Message, lane: Lane): boolean {
  const place = placeInStream(cell, message)
  if (place === 'done') {
    cell.host.dispose(message)
    return false
  }
  if (place === 'early') {
    // It stays in its sender's outbox and comes again, in its order, with the next start.
    const { id, type } = message
    cell.host.logger(cell.address).error({ message: id, type }, 'gap in a stream: not taken')
    return false
  }
  const { once } = message.headers
  if (once === undefined || !cell.rows.has(onceKey(once))) return true
  // The first may not be durable yet: the repeat is answered after the commit that makes it so.
  if (!cell.isDirect) cell.commit.taken.push({ message, lane })
  cell.release(() => cell.host.acknowledged(message, 'duplicate'))
  cell.host.changed(cell)
  return false
}

/** Takes a numbered message for good without a turn, so that the next of its stream is the next. */
export function skipMessage(cell: Cell, message: Message, lane: Lane): void {
  const { stream } = message.headers
  if (stream === undefined) return
  if (cell.isDirect) cell.host.dispose(message)
  else {
    cell.commit.consumed.push({ ...stream, receiver: cell.address })
    cell.commit.taken.push({ message, lane })
  }
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
    message: plainOf(message) as unknown as Json,
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
  const turn = new CellTurn(cell, message, now)
  const outer = enterTurn(turn)
  let step: Step | undefined
  let prepared: readonly Prepared[] = []
  // Where commands are carried out as the step gives them, what ends with the message has to end before.
  if (cell.isDirect) settle(cell, admission)
  try {
    cell.turn = turn
    cell.performed = 0
    step = stepOf(cell, admission)
    if (step !== undefined) {
      if (step.status === 'error') throw step.error
      if (step.output !== undefined && !cell.isDirect) assertJson(step.output, 'output')
      const { wanted } = turn
      const commands = wanted === undefined ? step.commands : [...step.commands, ...wanted]
      prepared = prepare(commands, cell.spec.privileged, turn)
    }
  } catch (error) {
    if (cell.isDirect) undoAtOnce(cell, admission)
    fail(cell, message, lane, error)
    return
  } finally {
    cell.turn = undefined
    enterTurn(outer)
  }
  beginTurn(cell, message, lane)
  if (admission.kind === 'stop') return endLife(cell, message, now, 'stopped')
  if (!cell.isDirect) settle(cell, admission)
  if (step === undefined) return
  cell.state = step.state
  if (admission.kind === 'start' && cell.spec.ready === 'started') cell.host.begun(cell)
  const notes = prepared.length === 0 ? NO_NOTES : carryOut(cell, message, prepared, now)
  if (step.status === 'done') {
    cell.output = step.output as Json | undefined
    return endLife(cell, message, now, 'done', notes)
  }
  endTurn(cell, message, now, notes)
}

/** The turn has not happened: what it would have ended goes on. */
function undoAtOnce(cell: Cell, admission: Admission): void {
  // Refs of effects that the turn has started must not come again.
  cell.seq++
  if (admission.kind === 'start') cell.started = false
  if (admission.kind !== 'step' || cell.performed > 0) return
  if (admission.ends !== undefined) cell.addInvocation(admission.ends)
  if (admission.timer !== undefined) cell.addTimer(admission.timer)
}

function settle(cell: Cell, admission: Admission): void {
  if (admission.kind === 'start') beginGeneration(cell, admission.fresh)
  if (admission.kind === 'step') settleAdmission(cell, admission)
}

const NO_NOTES: Record<string, Json | undefined> = {}

function stepOf(cell: Cell, admission: Admission): Step | undefined {
  switch (admission.kind) {
    case 'start':
      return cell.spec.engine.start(cell.input, cell)
    case 'step':
      if (admission.isBroken) throw deathPact(cell, admission)
      return cell.spec.engine.step(cell.state, admission, cell)
    case 'stop':
      if (cell.isDirect) cell.spec.engine.halt?.(cell)
      return undefined
    case 'stale':
      return undefined
  }
}

/** The two live and fall together (Akka's death pact): the notice is the failure. */
function deathPact(cell: Cell, { watched = '' }: StepAdmission): AmbitError {
  const message = `"${cell.address}" is bound to "${watched}", which has ended, and does not handle ambit.down.`
  return new AmbitError('AMBIT_DEATH_PACT', message)
}

function beginTurn(cell: Cell, message: Message, lane: Lane): void {
  const sender = senderOf(message)
  if (sender !== undefined) cell.commit.takeAhead(message, sender)
  else if (!cell.isDirect) cell.commit.taken.push({ message, lane })
  cell.beginTurn()
  const { stream, once } = message.headers
  if (once !== undefined) cell.putRow(onceKey(once), cell.seq)
  if (stream === undefined) return
  // An actor that keeps nothing takes the message out of the outbox by itself: no commit of its own will.
  if (cell.isDirect) cell.host.dispose(message)
  else cell.commit.consumed.push({ ...stream, receiver: cell.address })
  cell.putRow(highWaterKey(message), stream.number)
}

function endTurn(
  cell: Cell,
  message: Message,
  now: number,
  notes: Record<string, Json | undefined>,
): void {
  cell.lastNow = now
  if (message.headers.once !== undefined) {
    cell.release(() => cell.host.acknowledged(message, 'committed'))
  }
  if (!cell.isDirect) cell.commit.record(recordOf(cell, message, now, notes))
  else if (!cell.host.isWatched || cell.spec.isSupervisor === true) return
  const report = {
    address: cell.address,
    generation: cell.generation,
    seq: cell.seq,
    at: now,
    type: message.type,
    state: stateOf(cell),
    status: cell.status,
    rows: cell.turnRows,
    isJournaled: !cell.isDirect,
  }
  cell.release(() => cell.host.reported(report))
  cell.host.changed(cell)
}

function recordOf(
  cell: Cell,
  message: Message,
  now: number,
  notes: Record<string, Json | undefined>,
): string {
  const { id, version } = cell.spec.engine
  return JSON.stringify({
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
    state: stateOf(cell),
    status: cell.status,
    ...notes,
  })
}

function stateOf(cell: Cell): Json {
  return cell.status === 'active' && cell.started ? cell.spec.engine.describe(cell.state) : null
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
  cell.release(() => {
    cell.spec.engine.quiet?.(cell)
    cell.host.ended(cell, reason)
  })
  endTurn(cell, message, now, notes)
}

function beginGeneration(cell: Cell, fresh: boolean): void {
  if (fresh) releaseEverything(cell, undefined)
  for (const key of [...cell.rows.keys()]) if (key.startsWith('~out:')) cell.putRow(key, null)
  if (cell.generation > 0) cell.release(() => cell.host.renewed(cell))
  cell.generation++
  cell.started = true
}

function settleAdmission(cell: Cell, admission: StepAdmission): void {
  if (admission.ends !== undefined) endInvocation(cell, admission.ends)
  if (admission.watched !== undefined) cell.putRow(monitorKey(admission.watched), null)
  if (admission.timer === undefined) return
  const { id, alias = id } = admission.timer
  cell.dropTimer(id)
  if (!cell.isDirect) cell.commit.clearTimer(id)
  if (cell.hasAliases) loosen(cell, alias)
}

function expire(cell: Cell, message: Message, lane: Lane, now: number): void {
  beginTurn(cell, message, lane)
  endTurn(cell, message, now, { disposition: 'expired' })
  cell.release(() => cell.host.deadLetter(message, 'expired'))
}

function fail(cell: Cell, message: Message, lane: Lane, error: unknown): void {
  // What was carried out at once cannot be taken back, so it is not done again.
  const { attemptsMax } = cell.spec
  const attempt = cell.performed > 0 ? attemptsMax : (message.headers.attempt ?? 0) + 1
  cell.life = 'suspended'
  setHeaders(message, { ...message.headers, attempt })
  cell.mailbox.putBack(message, lane)
  cell.host.failed(cell, error, message)
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

/** The row that says which number of a message's stream was taken last. */
export function highWaterKey(message: Message): string {
  const { stream } = message.headers
  return stream === undefined ? '' : `~in:${stream.sender}|${stream.generation}|${stream.lane}`
}
