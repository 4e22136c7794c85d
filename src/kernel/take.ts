import { admit, type Admission, type StepAdmission } from './admission.ts'
import { sendAway, stepFrom, type AwayTurn, type Outcome } from './away.ts'
import type { Cell } from './cell.ts'
import { carryOut, endInvocation, loosen, releaseEverything } from './carry-out.ts'
import { abandonDeferred, hasDeferred, replayDeferred, takeDeferred } from './deferred.ts'
import { AmbitError, type ErrorRecord } from './errors.ts'
import { monitorKey } from './monitors.ts'
import { assertJson, type Json } from './json.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, NO_HEADERS, setHeaders, type Message } from './message.ts'
import { parkedKey, parkedRow } from './parked.ts'
import { endAhead, postponed, senderOf } from './pending-commit.ts'
import { prepare, type Prepared } from './prepare.ts'
import type { Step } from './ports/engine.ts'
import { settleParked } from './settle-parked.ts'
import { highWaterKey, isWanted, onceKey, skipMessage } from './streams.ts'
import { CellTurn, enterTurn } from './turn.ts'
import { NO_NOTES, recordOf, stateOf, type Notes } from './turn-record.ts'
import { refuseUnanswerable } from './unanswerable.ts'

/** What `takeOne` answers when there was no message. */
export const NOTHING_TAKEN = -1

/** What it answers when nobody needed to look at the clock. */
export const TAKEN_QUICKLY = -2

/** Takes one message and makes a turn of it. Answers what the clock said, so that nobody needs to ask it again. */
export function takeOne(cell: Cell): number {
  if (cell.life !== 'running') return NOTHING_TAKEN
  if (cell.away !== undefined) return takeAnswer(cell, cell.away)
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
    const isTold = message.type !== kernelTypes.timer && message.type !== kernelTypes.start
    const tell = () => isTold && cell.host.deadLetter(message, 'staleReply')
    if (endAhead(message, cell.pending, tell)) return clockNow
    // Whoever sent it may not be stored: it comes again when it is, and is told of then.
    if (postponed(message, () => cell.host.route(message, lane))) return clockNow
    tell()
    skipMessage(cell, message, lane)
    return clockNow
  }
  if (!sendAway(cell, message, lane, now, admission)) makeTurn(cell, message, lane, now, admission)
  return clockNow
}

/** Makes the turn whose step was made elsewhere, if its message still stands where it stood. */
function takeAnswer(cell: Cell, away: AwayTurn): number {
  const { outcome, message, lane, now, admission } = away
  if (outcome === undefined) return NOTHING_TAKEN
  cell.away = undefined
  if (cell.mailbox.takeFirst(message, lane)) makeTurn(cell, message, lane, now, admission, outcome)
  return cell.host.clock.now()
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

/** Records that a message was taken and will not be tried again; the state stays as it was. */
export function parkMessage(cell: Cell, message: Message, lane: Lane, error: ErrorRecord): void {
  const now = Math.max(cell.lastNow, cell.host.clock.now())
  const admission = admit(cell, message, now)
  beginTurn(cell, message, lane)
  if (admission.kind === 'step') settleAdmission(cell, admission)
  cell.putRow(parkedKey(message.id), parkedRow(message, lane, now, error, admission))
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
  outcome?: Outcome,
): void {
  // Where commands are carried out as the step gives them, what ends with the message has to end before.
  if (cell.isDirect) settle(cell, admission)
  let made: Made
  try {
    made = attempt(cell, message, now, admission, outcome)
  } catch (error) {
    if (cell.isDirect) undoAtOnce(cell, admission)
    fail(cell, message, lane, error)
    return
  }
  if (made.step?.status === 'done' && cell.host.goesOn(cell)) {
    if (lane !== 'system') cell.mailbox.putBack(message, lane)
    return
  }
  if (admission.kind === 'start' && beginWithFirst(cell, message, lane, now, made)) return
  beginTurn(cell, message, lane)
  if (admission.kind === 'stop') return endLife(cell, message, now, 'stopped')
  if (admission.kind === 'parked')
    return endTurn(cell, message, now, settleParked(cell, message, now))
  if (!cell.isDirect) settle(cell, admission)
  conclude(cell, message, now, made, { isStart: admission.kind === 'start' })
}

/** What a step came to, before anything of it has happened. */
interface Made {
  readonly turn: CellTurn
  readonly step: Step | undefined
  readonly prepared: readonly Prepared[]
}

/** Makes the step of a turn; a throw means that nothing happened. */
function attempt(
  cell: Cell,
  message: Message,
  now: number,
  admission: Admission,
  outcome?: Outcome,
): Made {
  const turn = new CellTurn(cell, message, now)
  const outer = enterTurn(turn)
  try {
    cell.turn = turn
    cell.performed = 0
    const step = outcome === undefined ? stepOf(cell, admission) : stepFrom(outcome)
    if (step === undefined) return { turn, step, prepared: [] }
    if (step.status === 'error') throw step.error
    if (step.output !== undefined && !cell.isDirect) assertJson(step.output, 'output')
    const { wanted } = turn
    const commands = wanted === undefined ? step.commands : [...step.commands, ...wanted]
    return { turn, step, prepared: prepare(commands, cell.spec.privileged, turn) }
  } finally {
    cell.turn = undefined
    enterTurn(outer)
  }
}

/** Lets happen what a turn came to. */
function conclude(
  cell: Cell,
  message: Message,
  now: number,
  { turn, step, prepared }: Made,
  { isStart = false, isBirth = false } = {},
): void {
  if (step === undefined) return
  const { state: before } = cell
  cell.state = step.state
  if ((isStart || isBirth) && cell.spec.ready === 'started') startIsMade(cell, prepared)
  let notes = prepared.length === 0 ? NO_NOTES : carryOut(cell, message, prepared, now)
  if (turn.sights !== undefined) notes = { ...notes, seen: seenBy(cell, turn.sights) }
  if (isBirth) notes = { ...notes, born: true }
  if (step.status === 'done') {
    cell.output = step.output as Json | undefined
    return endLife(cell, message, now, 'done', notes)
  }
  const disposition = refuseUnanswerable(cell, message, before, prepared.length)
  if (disposition !== undefined) notes = { ...notes, disposition }
  if (hasDeferred(cell) && (isStart || hasMoved(cell, before))) replayDeferred(cell)
  endTurn(cell, message, now, notes)
}

/** Whether the machine is in another state than before; its context does not count. */
function hasMoved({ spec, state }: Cell, before: unknown): boolean {
  const [was, is] = [before, state].map((each) => JSON.stringify(spec.engine.describe(each)))
  return was !== is
}

/** What it saw of others is stored with them, or it would rest on what never was. */
function seenBy(cell: Cell, sights: NonNullable<CellTurn['sights']>): Json {
  const seen: Record<string, Json> = {}
  for (const [address, sight] of sights) {
    if (sight.pending !== undefined) cell.commit.joinTo(sight.pending)
    seen[address] = sight.seen as unknown as Json
  }
  return seen
}

/**
 * The first start of an actor and the message it was started for are one turn, when the start wants nothing: by itself
 * it would be a record that says nothing. False, and nothing has happened, when each has to be a turn of its own;
 * what throws then fails by itself, too.
 */
function beginWithFirst(cell: Cell, start: Message, lane: Lane, now: number, born: Made): boolean {
  const { step, prepared } = born
  const isHere = !cell.isDirect && cell.spec.engine.stepAway === undefined
  const isFirst = cell.seq === 0 && isHere && start.body.fresh !== true
  if (!isFirst || step?.status !== 'active' || prepared.length > 0) return false
  const message = cell.mailbox.take()
  if (message === undefined) return false
  const from = cell.mailbox.takenFrom
  cell.state = step.state
  cell.started = true
  cell.generation++
  const made = isFresh(message, now) ? attemptFirst(cell, message, now) : undefined
  if (made === undefined) {
    cell.state = undefined
    cell.started = false
    cell.generation--
    cell.mailbox.putBack(message, from)
    return false
  }
  take(cell, start, lane)
  beginTurn(cell, message, from)
  conclude(cell, message, now, made, { isBirth: true })
  return true
}

function attemptFirst(cell: Cell, message: Message, now: number): Made | undefined {
  try {
    const admission = admit(cell, message, now)
    return admission.kind === 'step' ? attempt(cell, message, now, admission) : undefined
  } catch {
    return undefined
  }
}

/** Neither tried before nor past its time. */
function isFresh({ headers }: Message, now: number): boolean {
  const { attempt: tried, refused, deadline = now } = headers
  return tried === undefined && refused === undefined && deadline >= now
}

/** One that ignores its start has not started, though its turn is made: it says so with its commit. */
function startIsMade(cell: Cell, prepared: readonly Prepared[]): void {
  if (!prepared.some(({ kind }) => kind === 'ignore')) cell.host.begun(cell)
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
    case 'parked':
    case 'stale':
      return undefined
  }
}

/** The two live and fall together (Akka's death pact): the notice is the failure. */
function deathPact(cell: Cell, { watched = '' }: StepAdmission): AmbitError {
  const message = `"${cell.address}" is bound to "${watched}", which has ended, and does not handle ambit.down.`
  return new AmbitError('AMBIT_DEATH_PACT', message)
}

/** From now on the message is the turn's, which gives it back when it cannot be stored. */
function take(cell: Cell, message: Message, lane: Lane): void {
  const sender = senderOf(message)
  if (sender !== undefined) cell.commit.takeAhead(message, sender)
  else if (!cell.isDirect) cell.commit.taken.push({ message, lane })
}

function beginTurn(cell: Cell, message: Message, lane: Lane): void {
  take(cell, message, lane)
  cell.beginTurn()
  const { stream, once, deferred } = message.headers
  if (deferred !== undefined) takeDeferred(cell, deferred.number)
  if (once !== undefined) cell.putRow(onceKey(once), cell.seq)
  if (stream === undefined) return
  // An actor that keeps nothing takes the message out of the outbox by itself: no commit of its own will.
  if (cell.isDirect) cell.host.dispose(message)
  else cell.commit.consumed.push({ ...stream, receiver: cell.address })
  cell.putRow(highWaterKey(message), stream.number)
}

function endTurn(cell: Cell, message: Message, now: number, notes: Notes): void {
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

function endLife(
  cell: Cell,
  message: Message,
  now: number,
  status: 'done' | 'stopped',
  notes: Notes = NO_NOTES,
): void {
  releaseEverything(cell, message)
  abandonDeferred(cell)
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
  // Every restart of one that begins anew brings a start of its own.
  const comesAgain = message.type === kernelTypes.start && cell.spec.recover === 'fresh'
  if (!comesAgain) cell.mailbox.putBack(message, lane)
  cell.host.failed(cell, error, message)
}
