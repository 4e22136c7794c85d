import type { Address } from './address.ts'
import { circleThrough } from './ask-circle.ts'
import { toErrorRecord, type AmbitError } from './errors.ts'
import { refOfAskTimer, type Invocation } from './invocation.ts'
import type { Lane } from './mailbox.ts'
import { kernelTypes, type Event, type Message, type ReplyTo } from './message.ts'
import type { Down } from './monitors.ts'
import type { End } from './ports/engine.ts'
import type { Logger } from './ports/logger.ts'
import type { Tree } from './tree.ts'

export interface NoticeCalls {
  /** The epoch of the journal's session; 0 without one. */
  epoch(): number
  route(message: Message, lane: Lane): void
  /** By hand, lets the notice be taken before anything else happens. */
  takeAtOnce(): void
}

/** What the kernel itself tells actors: that a timer is due, that an effect has ended, to stop, to start afresh. */
export class Notices {
  private readonly tree: Tree
  private readonly log: Logger
  private readonly calls: NoticeCalls
  private ids = 0

  constructor(tree: Tree, log: Logger, calls: NoticeCalls) {
    this.tree = tree
    this.log = log
    this.calls = calls
  }

  /** An actor that does something before is told, and given its grace; any other ends at once. */
  stop(address: Address, isAtOnce = true, graceMs = 0): void {
    const body = { type: kernelTypes.stop, isAtOnce, graceMs }
    this.calls.route(this.message(address, body), 'system')
  }

  startFresh(address: Address): void {
    this.calls.route(this.message(address, { type: kernelTypes.start, fresh: true }), 'system')
  }

  down(watcher: Address, { address, reason }: Down): void {
    const body = { type: kernelTypes.down, address, reason }
    this.calls.route(this.message(watcher, body), 'system')
  }

  /** Of a question that waits in a circle it is said which: the turn that ends it knows nobody but its actor. */
  timerDue(address: Address, id: string): void {
    const ref = refOfAskTimer(id)
    const circle =
      ref === undefined
        ? undefined
        : circleThrough({ address, invocation: ref }, (at) => this.tree.peek(at))
    const body = {
      type: kernelTypes.timer,
      id,
      ...(circle !== undefined && { circle: circle.join(' -> ') }),
    }
    this.calls.route(this.message(address, body), 'reply')
    this.calls.takeAtOnce()
  }

  /** A question has been taken and nobody can answer it. */
  refused({ address, invocation }: ReplyTo, by: Address, error: AmbitError): void {
    const body = { type: kernelTypes.reply, invocation, error: toErrorRecord(error) }
    const message = this.message(address, body)
    this.calls.route({ ...message, headers: { ...message.headers, from: by } }, 'reply')
    this.calls.takeAtOnce()
  }

  effectEnded(address: Address, invocation: Invocation, end: End): void {
    const { path, ref, src, attempt } = invocation
    const cell = this.tree.peek(address)
    const isInStep = cell?.isDirect === true && cell.turn !== undefined
    if (isInStep && cell.spec.engine.endAtOnce?.(cell, path, end) === true) {
      cell.dropInvocation(path)
      return
    }
    if (!end.ok)
      this.log.warn({ actor: address, effect: src, attempt, err: end.error }, 'effect failed')
    const body = { type: kernelTypes.effectEnded, path, ref, ...end }
    this.calls.route(this.message(address, body), 'reply')
    this.calls.takeAtOnce()
  }

  /** A message with an id of the kernel's own. */
  message(to: Address, body: Event): Message {
    const id = `~${this.calls.epoch()}.${++this.ids}`
    return { id, type: body.type, to, body, headers: { privileged: true } }
  }
}
