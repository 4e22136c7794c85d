import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { AmbitError, toErrorRecord } from './errors.ts'
import { questionIn, refOfAskTimer, type CellTimer, type Invocation } from './invocation.ts'
import { kernelTypes, type Event, type Message } from './message.ts'
import { monitorIn, monitorKey } from './monitors.ts'
import type { End, Incoming, Settlement } from './ports/engine.ts'

/** What a taken message turns out to be. */
export type Admission =
  | { readonly kind: 'start'; readonly fresh: boolean }
  | { readonly kind: 'stop' }
  | { readonly kind: 'parked' }
  | StepAdmission
  | { readonly kind: 'stale' }

/** A message for a machine: what it is given, and what is over with it. */
export class StepAdmission implements Incoming {
  readonly kind = 'step'
  readonly target: string
  readonly event: Event
  readonly end: End | undefined
  /** The invocation that is over with it. */
  readonly ends: Invocation | undefined
  /** The timer that fell due. */
  readonly timer: CellTimer | undefined
  /** The actor whose monitor is over. */
  readonly watched: Address | undefined
  /** Whether the actor bound itself to that one and does not handle its end. */
  readonly isBroken: boolean

  constructor(target: string, event: Event, over: Over = NOTHING) {
    this.target = target
    this.event = event
    this.end = over.end
    this.ends = over.ends
    this.timer = over.timer
    this.watched = over.watched
    this.isBroken = over.broken === true
  }
}

interface Over {
  readonly end?: End
  readonly ends?: Invocation
  readonly timer?: CellTimer
  readonly watched?: Address
  readonly broken?: boolean
}

const NOTHING: Over = {}
const STALE: Admission = { kind: 'stale' }
const PARKED: Admission = { kind: 'parked' }

/** Says what a message is for its actor at this moment: an answer nobody waits for any more is stale. */
export function admit(cell: Cell, message: Message, now: number): Admission {
  const { type, body } = message
  // Everything the kernel says to its own cells begins so; the rest is for the machine.
  if (!type.startsWith('ambit.')) return new StepAdmission('', body)
  switch (type) {
    case kernelTypes.start:
      if (cell.started && body.fresh !== true) return STALE
      return { kind: 'start', fresh: body.fresh === true }
    case kernelTypes.stop:
      if (body.isAtOnce === true) return { kind: 'stop' }
      return new StepAdmission('', { type: kernelTypes.stopping, graceMs: body.graceMs })
    case kernelTypes.parked:
      return PARKED
    case kernelTypes.timer:
      return admitTimer(cell, body, now)
    case kernelTypes.effectEnded:
      return admitEffectEnd(cell, body)
    case kernelTypes.reply:
      return admitReply(cell, message)
    case kernelTypes.post:
      return new StepAdmission(String(body.target), body.event as Event)
    case kernelTypes.ended:
      return new StepAdmission(String(body.target), body, { end: body.end as End })
    case kernelTypes.down:
      return admitDown(cell, body)
    default:
      return new StepAdmission('', body)
  }
}

/** One notice for one monitor: a second one finds none. */
function admitDown(cell: Cell, body: Event): Admission {
  const watched = String(body.address)
  const monitor = monitorIn(cell.rows.get(monitorKey(watched)))
  if (monitor === undefined) return STALE
  const isHeard = cell.spec.engine.hears?.(cell.state, kernelTypes.down) === true
  return new StepAdmission('', body, { watched, broken: monitor.pact && !isHeard })
}

function admitTimer(cell: Cell, body: Event, now: number): Admission {
  const id = String(body.id)
  const timer = cell.timers.get(id)
  if (timer === undefined) return STALE
  if (timer.dueAt > now) {
    cell.host.setTimer(cell.address, id, timer.dueAt)
    return STALE
  }
  const ref = refOfAskTimer(id)
  const asked = ref === undefined ? undefined : questionIn(cell, ref)
  if (asked === undefined) return new StepAdmission(timer.target, timer.event, { timer })
  const message =
    `"${asked.asked ?? ''}" did not answer "${asked.src}" of "${cell.address}" in time. ` +
    (typeof body.circle === 'string'
      ? `Each waits for the answer of the next: ${body.circle}. Tell instead of asking in one place.`
      : 'Look at what it waits for, or raise the timeout.')
  const error = toErrorRecord(new AmbitError('AMBIT_ASK_TIMEOUT', message))
  return ending(asked, { status: 'error', error })
}

function admitEffectEnd(cell: Cell, body: Event): Admission {
  const invocation = cell.invocations.get(String(body.path))
  if (invocation === undefined || invocation.ref !== body.ref) return STALE
  return ending(
    invocation,
    body.ok === true
      ? { status: 'done', output: body.output }
      : { status: 'error', error: body.error },
  )
}

/** Only who was asked can answer: an invocation's name can be guessed, a sender's address cannot be forged. */
function admitReply(cell: Cell, { body, headers }: Message): Admission {
  const invocation = questionIn(cell, String(body.invocation))
  if (invocation?.logic.kind !== 'ask' || headers.from !== invocation.asked) return STALE
  if (body.error !== undefined) return ending(invocation, { status: 'error', error: body.error })
  const answer = body.event as Event
  const settled = invocation.logic.settle?.(answer, invocation.input as never)
  return ending(invocation, settled ?? { status: 'done', output: answer })
}

function ending(invocation: Invocation, settled: Settlement): Admission {
  const { path: target } = invocation
  const event: Event = { type: kernelTypes.effectEnded }
  switch (settled.status) {
    case 'done': {
      const end = { ok: true, output: settled.output } as const
      return new StepAdmission(target, event, { end, ends: invocation })
    }
    case 'error': {
      const end = { ok: false, error: settled.error } as const
      return new StepAdmission(target, event, { end, ends: invocation })
    }
    case 'notice': {
      const cut = target.lastIndexOf('/')
      return new StepAdmission(cut < 0 ? '' : target.slice(0, cut), settled.event)
    }
    case 'ignored':
      return STALE
  }
}
