import { begin, take } from '../../machines/supervisor-steps.ts'
import type {
  Call,
  Child,
  Flags,
  Moment,
  SupervisorContext,
  SupervisorEvent,
} from '../../machines/supervisor-context.ts'
import type { ExitReason } from '../../src/kernel/exit.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { Order, StopPurpose } from '../../src/kernel/ports/supervising.ts'
import { backoffDefaults } from '../../src/kernel/restart-plan.ts'

export const error = { name: 'Error', message: 'boom' }
export const boom: ExitReason = { kind: 'error', error }

export const flags: Flags = {
  strategy: 'one_for_one',
  intensity: 3,
  periodMs: 1000,
  autoShutdown: 'never',
  backoff: { ...backoffDefaults, baseMs: 0 },
}

export function aChild(id: string, more: Partial<Child> = {}): Child {
  return {
    id,
    restart: 'permanent',
    recover: 'resume',
    significant: false,
    shutdown: 5000,
    type: 'worker',
    isAdded: false,
    status: 'down',
    incarnation: 0,
    ...more,
  }
}

/** What decides: the real steps, or others that a test has planted. */
/** How many restarts a supervisor remembers. */
export function total({ restarts }: SupervisorContext): number {
  return restarts.reduce((sum, { count }) => sum + count, 0)
}

export interface Steps {
  readonly begin: typeof begin
  readonly take: typeof take
}

/** A supervisor's steps with children that do what they are ordered to, and answer when the test lets them. */
export class Household {
  context: SupervisorContext
  now = 0
  /** `+id` for each life begun, `-id` for each ended. */
  readonly log: string[] = []
  readonly alive = new Map<string, number>()
  /** How many of a child's next starts fail. */
  readonly failing = new Map<string, number>()
  readonly orders: Order[] = []
  readonly answers: { readonly call: number; readonly event: Event }[] = []
  readonly news: SupervisorEvent[] = []
  readonly waits = new Set<string>()
  /** When restarts were reported. */
  readonly restartedAt: number[] = []
  /** Orders that nobody could carry out: a start of one that lives. */
  readonly faults: string[] = []
  calls = 0
  /** Called after each step. */
  look: ((house: Household) => void) | undefined
  private lives = 0
  private readonly steps: Steps

  constructor(given: Flags, children: readonly Child[], steps: Steps = { begin, take }) {
    this.steps = steps
    this.context = steps.begin(given, children)
    this.carryOut()
  }

  /** Starts, and forgets what was seen of it. */
  static up(given: Partial<Flags>, children: readonly Child[], steps?: Steps): Household {
    const made = new Household({ ...flags, ...given }, children, steps)
    made.settle()
    made.log.splice(0)
    made.orders.splice(0)
    return made
  }

  tell(event: SupervisorEvent): void {
    const moment: Moment = { now: this.now, random: () => 0.5 }
    this.context = this.steps.take(this.context, event, moment)
    this.carryOut()
    this.look?.(this)
  }

  /** Calls the supervisor, unless it has ended: then there is nobody to call. */
  call(call: Call): number {
    if (this.context.end !== null) return -1
    const to = { address: '/~', invocation: String(this.calls) }
    const number = this.calls++
    this.tell({ ...call, type: 'ambit.supervisor.call', to })
    return number
  }

  crash(id: string, reason: ExitReason = boom): void {
    const incarnation = this.alive.get(id)
    if (incarnation === undefined) return
    this.end(id)
    this.news.push({ type: 'ambit.child.exit', id, incarnation, reason })
  }

  shutDown(purpose: StopPurpose = 'end'): void {
    this.tell({ type: 'ambit.supervisor.shutdown', purpose })
  }

  /** Lets the oldest news be heard. */
  hear(): void {
    const [event] = this.news.splice(0, 1)
    if (event !== undefined) this.tell(event)
  }

  /** Lets the waits before restarts be over. */
  waitsAreOver(): void {
    for (const id of [...this.waits]) this.news.push({ type: 'ambit.child.retry', id })
    this.waits.clear()
  }

  settle(): void {
    for (let round = 0; round < 1000; round++) {
      if (this.news.length === 0 && this.waits.size === 0) return
      while (this.news.length > 0) this.hear()
      this.waitsAreOver()
    }
    throw new Error('The household did not settle')
  }

  answerTo(call: number): Event | undefined {
    return this.answers.find((answer) => answer.call === call)?.event
  }

  statusOf(id: string): string | undefined {
    return this.context.children.find((child) => child.id === id)?.status
  }

  private carryOut(): void {
    for (const { to, event } of this.context.answers)
      this.answers.push({ call: Number(to.invocation), event })
    for (const order of this.context.orders) this.carryOutOne(order)
  }

  private carryOutOne(order: Order): void {
    this.orders.push(order)
    switch (order.do) {
      case 'start':
        return this.start(order.id)
      case 'stop':
        this.end(order.id)
        this.news.push({ type: 'ambit.child.stopped', id: order.id, outcome: 'stopped' })
        return
      case 'wait':
        this.waits.add(order.id)
        return
      case 'report':
        if (order.report.kind === 'restart') this.restartedAt.push(this.now)
        return
      case 'forget':
      case 'terminated':
      case 'leave':
      case 'list':
      case 'stopMembers':
      case 'up':
    }
  }

  private start(id: string): void {
    const failing = this.failing.get(id) ?? 0
    if (failing > 0) {
      this.failing.set(id, failing - 1)
      this.news.push({ type: 'ambit.child.notStarted', id, error })
      return
    }
    if (this.alive.has(id)) this.faults.push(`"${id}" lives twice`)
    const incarnation = ++this.lives
    this.alive.set(id, incarnation)
    this.log.push(`+${id}`)
    this.news.push({ type: 'ambit.child.started', id, incarnation })
  }

  private end(id: string): void {
    if (this.alive.delete(id)) this.log.push(`-${id}`)
  }
}
