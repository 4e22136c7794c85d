import type { Address } from './address.ts'
import { AmbitError } from './errors.ts'
import { OUTSIDE, type Event, type Message, type ReplyTo } from './message.ts'
import type { Clock } from './ports/clock.ts'

export const ASKS_OUTSIDE_MAX = 10_000

interface Acknowledgement {
  readonly resolve: (outcome: 'committed' | 'duplicate') => void
  readonly reject: (error: Error) => void
}

/** Those outside the system who wait for an answer or for an acknowledgement. Kept in memory only. */
export class Outside {
  /** Where answers to this process go; another life of it has another, so that answers of the past reach nobody. */
  readonly address: Address
  private readonly asks: Asks
  private acknowledgements = new Map<string, Acknowledgement[]>()
  private acknowledgementsAwaited = 0
  private readonly clock: Clock

  /** `waitOf`: how long an actor that failed still waits for its next start, in milliseconds. */
  constructor(
    clock: Clock,
    life: string,
    waitOf: (to: Address) => number | undefined = () => undefined,
  ) {
    this.clock = clock
    this.address = `${OUTSIDE}/${life}`
    this.asks = new Asks(clock, waitOf)
  }

  /** Begins a question in the name of somebody outside; undefined when too many wait already. */
  ask(to: Address, type: string, timeoutMs: number): Question | undefined {
    const invocation = this.asks.nextName()
    if (invocation === undefined) return undefined
    const replyTo = { address: this.address, invocation }
    const question = new Question(replyTo, to, type, timeoutMs, this.clock.now() + timeoutMs)
    this.asks.add(question)
    return question
  }

  /** Only who was asked can answer, once: the name of a question can be guessed. */
  answer({ address, invocation }: ReplyTo, event: Event, from: Address): boolean {
    const question = address === this.address ? this.asks.get(invocation) : undefined
    if (question?.to !== from) return false
    this.asks.remove(question)
    question.resolve(event)
    return true
  }

  refuse({ address, invocation }: ReplyTo, error: Error): void {
    const question = address === this.address ? this.asks.get(invocation) : undefined
    if (question === undefined) return
    this.asks.remove(question)
    question.reject(error)
  }

  /** Waits for a message with the caller's own id to be taken. Two with one id are answered in their order. */
  acknowledgement(to: Address, id: string): Promise<'committed' | 'duplicate'> {
    if (this.acknowledgementsAwaited >= ASKS_OUTSIDE_MAX) return Promise.reject(tooMany())
    this.acknowledgementsAwaited++
    return new Promise((resolve, reject) => {
      const waiting = this.acknowledgements.get(`${to} ${id}`) ?? []
      this.acknowledgements.set(`${to} ${id}`, waiting)
      waiting.push({ resolve, reject })
    })
  }

  acknowledged(message: Message, outcome: 'committed' | 'duplicate'): void {
    this.takeAcknowledgement(message)?.resolve(outcome)
  }

  refuseAcknowledgement(message: Message, error: Error): void {
    this.takeAcknowledgement(message)?.reject(error)
  }

  refuseAll(): void {
    const stopped = new AmbitError(
      'AMBIT_STOPPED',
      'The system stopped before the message was taken.',
    )
    for (const waiting of this.acknowledgements.values())
      for (const each of waiting) each.reject(stopped)
    this.acknowledgements.clear()
    this.acknowledgementsAwaited = 0
    for (const { reject } of this.asks.takeAll())
      reject(new AmbitError('AMBIT_STOPPED', 'The system stopped before the answer came.'))
  }

  private takeAcknowledgement({ to, headers }: Message): Acknowledgement | undefined {
    if (headers.once === undefined) return undefined
    const key = `${to} ${headers.once}`
    const waiting = this.acknowledgements.get(key)
    const first = waiting?.shift()
    if (first !== undefined) this.acknowledgementsAwaited--
    if (waiting?.length === 0) this.acknowledgements.delete(key)
    return first
  }
}

/** A question from outside that waits, in the order of its list. */
export class Question {
  readonly replyTo: ReplyTo
  readonly to: Address
  readonly type: string
  readonly timeoutMs: number
  readonly dueAt: number
  readonly answer: Promise<Event>
  resolve!: (event: Event) => void
  reject!: (error: Error) => void
  list: AskList | undefined
  before: Question | undefined
  after: Question | undefined

  constructor(replyTo: ReplyTo, to: Address, type: string, timeoutMs: number, dueAt: number) {
    this.replyTo = replyTo
    this.to = to
    this.type = type
    this.timeoutMs = timeoutMs
    this.dueAt = dueAt
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

/** Timeouts of so many lengths have a list and one wake-up for all; the others a list each. */
const LENGTHS_MAX = 8
/** More than `ASKS_OUTSIDE_MAX`. */
const SLOTS = 16_384

/** The questions from outside that wait. Those with one timeout fall due in the order in which they were asked. */
class Asks {
  /**
   * By the last digits of their names. A `Map` in which something is put and deleted for every question leaves tables
   * behind that keep the garbage collector busy: a third of an ask.
   */
  private readonly slots: (Question | undefined)[] = []
  private readonly free: number[] = []
  private asked = 0
  private readonly lists = new Map<number, AskList>()
  private readonly clock: Clock
  private readonly waitOf: (to: Address) => number | undefined

  constructor(clock: Clock, waitOf: (to: Address) => number | undefined) {
    this.clock = clock
    this.waitOf = waitOf
  }

  /** A name that no other question of this process has; undefined when too many wait. */
  nextName(): string | undefined {
    if (this.free.length === 0) {
      if (this.slots.length >= ASKS_OUTSIDE_MAX) return undefined
      this.free.push(this.slots.length)
      this.slots.push(undefined)
    }
    return String(++this.asked * SLOTS + (this.free.at(-1) ?? 0))
  }

  add(question: Question): void {
    this.slots[this.free.pop() ?? 0] = question
    this.listFor(question.timeoutMs).add(question)
  }

  /** How many wait. */
  get waiting(): number {
    return this.slots.length - this.free.length
  }

  get(invocation: string): Question | undefined {
    const question = this.slots[Number(invocation) % SLOTS]
    return question?.replyTo.invocation === invocation ? question : undefined
  }

  remove(question: Question): void {
    const slot = Number(question.replyTo.invocation) % SLOTS
    this.slots[slot] = undefined
    this.free.push(slot)
    question.list?.remove(question)
  }

  takeAll(): Question[] {
    const all = this.slots.filter((question) => question !== undefined)
    for (const question of all) this.remove(question)
    for (const list of this.lists.values()) list.stop()
    this.lists.clear()
    return all
  }

  private listFor(timeoutMs: number): AskList {
    const known = this.lists.get(timeoutMs)
    if (known !== undefined) return known
    const isShared = this.lists.size < LENGTHS_MAX
    const pass = (question: Question) => {
      this.remove(question)
      question.reject(timedOut(question, this.waitOf(question.to)))
    }
    const made = new AskList(this.clock, isShared, pass)
    if (isShared) this.lists.set(timeoutMs, made)
    return made
  }
}

/** Questions with one timeout, the first asked first. */
class AskList {
  private first: Question | undefined
  private last: Question | undefined
  private cancelWake: (() => void) | undefined
  private readonly clock: Clock
  /** Whether others will come: then one wake-up serves all, and stays when its question is answered. */
  private readonly isShared: boolean
  private readonly pass: (question: Question) => void

  constructor(clock: Clock, isShared: boolean, pass: (question: Question) => void) {
    this.clock = clock
    this.isShared = isShared
    this.pass = pass
  }

  add(question: Question): void {
    // Only after the clock was set back does one fall due before those that were asked earlier.
    let before = this.last
    while (before !== undefined && before.dueAt > question.dueAt) before = before.before
    const after = before === undefined ? this.first : before.after
    question.list = this
    question.before = before
    question.after = after
    if (before === undefined) this.first = question
    else before.after = question
    if (after === undefined) this.last = question
    else after.before = question
    if (this.first === question && after !== undefined) this.stop()
    if (this.cancelWake === undefined) this.arm(question.dueAt)
  }

  remove(question: Question): void {
    const { before, after } = question
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.last = before
    else after.before = before
    question.list = question.before = question.after = undefined
    if (!this.isShared) this.stop()
  }

  stop(): void {
    this.cancelWake?.()
    this.cancelWake = undefined
  }

  private arm(dueAt: number): void {
    if (dueAt !== Infinity) this.cancelWake = this.clock.wakeAt(dueAt, () => this.wake())
  }

  private wake(): void {
    this.cancelWake = undefined
    const now = this.clock.now()
    for (let next = this.first; next !== undefined; next = this.first) {
      if (next.dueAt > now) {
        this.arm(next.dueAt)
        return
      }
      this.pass(next)
    }
  }
}

function timedOut({ to, type, timeoutMs }: Question, retryAfterMs: number | undefined): AmbitError {
  if (retryAfterMs !== undefined) {
    const message =
      `"${to}" failed, and waits for its next start: it did not answer "${type}" within ${timeoutMs} ms. ` +
      `Ask again in ${retryAfterMs} ms or later.`
    return new AmbitError('AMBIT_RESTARTING', message, { retryAfterMs })
  }
  const message =
    `"${to}" did not answer "${type}" within ${timeoutMs} ms. ` +
    'Look at what it waits for, or raise timeoutMs.'
  return new AmbitError('AMBIT_ASK_TIMEOUT', message)
}

export function tooMany(): AmbitError {
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `${ASKS_OUTSIDE_MAX} answers are awaited from outside already. Come back later.`,
  )
}
