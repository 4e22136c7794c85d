import type { ActorSystem } from '../../actors/system.ts'
import type { Case } from '../../machines/approval.ts'
import { caseFrom } from '../../machines/approval.ts'
import { APPROVALS } from '../../machines/action-steps.ts'
import { toErrorRecord } from '../kernel/errors.ts'
import { createSeededRandom } from '../kernel/random.ts'
import type { ReadyActor } from '../kernel/ports/schedule.ts'
import { Choices, type ChoiceSource } from './choices.ts'
import { Courier } from './courier.ts'
import { Disk, SIMULATED_SYSTEM } from './disk.ts'
import { faultsAt } from './faults.ts'
import { Humans } from './humans.ts'
import { Dossiers } from './dossiers.ts'
import type { Breach, RunView } from './invariant.ts'
import { Mailboxes } from './mailboxes.ts'
import { OutsideCalls, type OutsideCall } from './outside-calls.ts'
import { comesOfFault } from './simulated-fault.ts'
import type { Scenario, SimulationPorts } from './simulate.ts'
import { Trace, type TraceEntry } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'
import { Watching } from './watching.ts'
import { World } from './world.ts'

/** A run that takes more steps than this does not come to rest. */
export const STEPS_MAX = 5000
/** A run in which more messages are taken than this does not come to rest either. */
export const PICKS_MAX = 50_000
/** What is due later than this after the start is not waited for. */
export const HORIZON_MS = 7 * 86_400_000
/** After a fault whoever it befell has so long to get over it, also when that is later. */
const AFTERMATH_MS = 3_600_000
/** How long after its end a process is started again. */
const RESTART_AFTER_MS = 100
const PAUSE_MS = 30_000
const LEAP_MS = 3_600_000
/** Looks at whether anything goes on before the next step. */
const SETTLE_MAX = 1000

/** One life of the system. */
interface Life {
  readonly number: number
  isDead: boolean
  isUp: boolean
  /** Whether it took the journal that it was given. */
  hasOpened: boolean
  system: ActorSystem | undefined
}

interface Ready {
  readonly owner: object
  readonly label: string
  readonly run: () => void
}

/** What one run came to. */
export interface Run {
  readonly choices: Choices
  readonly trace: Trace
  readonly breach: Breach | undefined
  readonly steps: number
  /** Virtual milliseconds. */
  readonly elapsedMs: number
  /** Calls of the real clock, of chance and of timers, each place once. */
  readonly outsideCalls: readonly OutsideCall[]
  /** The child spec behind each address. */
  readonly templates: ReadonlyMap<string, string>
}

/** Plays one run of a scenario to its end, or to the first breach. */
export async function playRun(scenario: Scenario, source: ChoiceSource): Promise<Run> {
  return new Player(scenario, source).play()
}

class Player {
  private readonly scenario: Scenario
  private readonly choices: Choices
  private readonly time = new VirtualTime()
  private readonly trace: Trace
  private readonly disk: Disk
  private readonly world: World
  private readonly humans: Humans
  private readonly courier: Courier
  private readonly watching: Watching
  private readonly dossiers = new Dossiers()
  private readonly mailboxes = new Mailboxes()
  private readonly outside = new OutsideCalls()
  private ready: Ready[] = []
  private life: Life | undefined
  private lives = 0
  /** What is due later is not waited for. */
  private horizonMs = HORIZON_MS
  private picks = 0
  /** Whether promises may have something to say before the next step. */
  private isTouched = false

  constructor(scenario: Scenario, source: ChoiceSource) {
    const { faults, people, effects, storesGroups } = scenario
    this.scenario = scenario
    this.watching = new Watching(scenario.invariants, this.view(), () => this.trace.step)
    const { time } = this
    const choices = (this.choices = new Choices(source))
    const trace = (this.trace = new Trace(
      () => time.elapsed,
      (entry) => this.heard(entry),
    ))
    const calls = { choices, trace, time, faults }
    this.disk = new Disk({ ...calls, crash: () => this.crash() }, storesGroups)
    this.world = new World({
      ...calls,
      effects,
      ready: (owner, label, run) => void this.ready.push({ owner, label, run }),
    })
    this.courier = new Courier({
      ...calls,
      system: () => (this.life?.isDead === false ? this.life.system : undefined),
      touched: () => (this.isTouched = true),
    })
    this.humans = new Humans(people, {
      ...calls,
      systemId: SIMULATED_SYSTEM,
      submit: (signed) => this.courier.submit(signed),
    })
  }

  async play(): Promise<Run> {
    const { trace, time, choices, watching, outside, mailboxes } = this
    const uninstall = outside.install()
    try {
      this.begin()
      this.planTraffic()
      await this.settle()
      while (watching.breach === undefined && this.step()) await this.settle()
    } finally {
      uninstall()
    }
    await watching.lookAtEnd()
    if (this.life !== undefined) this.life.isDead = true
    return {
      choices,
      trace,
      breach: watching.breach,
      steps: trace.step,
      elapsedMs: time.elapsed,
      outsideCalls: outside.all,
      templates: mailboxes.templates,
    }
  }

  /** Does one or more of the things that could happen now. Answers whether there was any. */
  private step(): boolean {
    const { time, ready, choices, scenario } = this
    for (let due = time.takeDue(); due !== undefined; due = time.takeDue()) ready.push(due)
    if (ready.length === 0) {
      const ms = time.untilNext
      if (ms === undefined || time.elapsed + ms > this.horizonMs) return false
      time.pass(ms)
      return true
    }
    if (++this.trace.step > STEPS_MAX) {
      this.watching.note('comesToRest', `After ${STEPS_MAX} steps the system is not at rest.`)
      return false
    }
    this.strike()
    const mayReorder = scenario.faults.includes('reorder')
    const choose = (ways: number) => (mayReorder ? choices.choose('pick', ways) : 0)
    do {
      const [next] = this.ready.splice(choose(this.ready.length), 1)
      this.isTouched = true
      if (next !== undefined) this.outside.within(next.run)
      // More than one thing may happen before the process gets to work: then they share its commits.
    } while (this.ready.length > 0 && choose(2) === 1)
    return true
  }

  /** A fault between two steps. */
  private strike(): void {
    const { choices, time, trace } = this
    const fault = choices.fault('step', faultsAt('step', this.scenario.faults))
    if (fault === undefined) return
    trace.add({ kind: 'fault', fault, where: 'between two steps' })
    if (fault === 'crash') this.crash()
    else if (fault === 'pause') time.pass(PAUSE_MS)
    else time.leap(fault === 'clockJump' ? LEAP_MS : -LEAP_MS)
  }

  /** Lets the process do what it can, and promises say what they have to say. */
  private async settle(): Promise<void> {
    for (let look = 0; look < SETTLE_MAX || this.world.isWaiting; look++) {
      this.drain()
      if (!this.isTouched && !this.world.isWaiting) return
      this.isTouched = false
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.world.waitNoLonger()
  }

  private drain(): void {
    const { life } = this
    if (life?.isDead === false) this.outside.within(() => life.system?.drain())
  }

  private planTraffic(): void {
    const { traffic } = this.scenario
    const inputs = typeof traffic === 'function' ? traffic(this.pick) : traffic
    for (const [i, input] of inputs.entries()) {
      const { to, afterMs = 0 } = input
      const what = 'operator' in input ? input.operator : input.event.type
      this.time.after(this, afterMs, `${what} to ${to}`, () => {
        if ('operator' in input) this.courier.operate(input)
        else this.courier.send(`input-${i + 1}`, input)
      })
    }
  }

  private readonly pick = (ways: number) => this.choices.choose('traffic', ways)

  /** A new process on the same disk. */
  private begin(): void {
    const number = ++this.lives
    const life: Life = { number, isDead: false, isUp: false, hasOpened: false, system: undefined }
    this.life = life
    this.trace.add({ kind: 'started', process: number })
    this.isTouched = true
    this.outside
      .within(() => this.start(life))
      .then(
        () => this.up(life),
        (error: unknown) => this.failedToStart(life, error),
      )
  }

  private async start(life: Life): Promise<void> {
    life.system = this.scenario.system(this.portsOf(life))
    await life.system.start()
    if (life.hasOpened || life.isDead) return
    throw new Error(
      'it runs on a journal of its own. Spread what `system` is given: `(ports) => createSystem({ root, ...ports })`.',
    )
  }

  private up(life: Life): void {
    if (life.isDead) return
    life.isUp = true
    this.isTouched = true
    for (const { keyId, approver } of this.scenario.people)
      life.system?.addApprover(keyId, approver).catch(() => undefined)
  }

  private failedToStart(life: Life, error: unknown): void {
    if (life.isDead) return
    // Whoever looks after the process starts it again.
    if (comesOfFault(error)) return this.crash()
    this.watching.note(
      'starts',
      `Process ${life.number} does not start: ${toErrorRecord(error).message}`,
    )
  }

  private readonly crash = (): void => {
    const { life } = this
    if (life === undefined || life.isDead) return
    life.isDead = true
    this.trace.add({ kind: 'crashed', process: life.number })
    this.time.forget(life)
    this.ready = this.ready.filter(({ owner }) => owner !== life)
    this.disk.release()
    this.time.after(this, RESTART_AFTER_MS, 'a new process', () => this.begin())
  }

  private portsOf(life: Life): SimulationPorts {
    const random = createSeededRandom(`process ${life.number}`)
    let ids = 0
    const whileAlive =
      <T extends unknown[]>(tell: (...args: T) => void) =>
      (...args: T) => {
        if (!life.isDead) tell(...args)
      }
    const { trace } = this
    const journal = this.disk.journalFor(life)
    return {
      journal: {
        open: () => {
          life.hasOpened = true
          return journal.open()
        },
      },
      clock: this.time.clockOf(life),
      random: { next: random, id: () => `p${life.number}-${++ids}` },
      scheduler: 'manual',
      schedule: { next: (ready, look) => this.next(life, ready, look) },
      effects: {
        run: (call, own) =>
          life.isDead ? new Promise(() => undefined) : this.world.run(life, call, own),
      },
      observers: [
        {
          journaledOnly: true,
          onExit: whileAlive(({ address, reason, incarnation }) =>
            trace.add({ kind: 'exit', address, reason: reason.kind, incarnation }),
          ),
          onRestart: whileAlive(({ address, delayMs }) =>
            trace.add({ kind: 'restart', address, delayMs }),
          ),
          onSupervision: whileAlive(({ kind, supervisor, child, at }) =>
            trace.add({ kind: 'supervised', supervisor, child, plan: kind, at }),
          ),
          onDeadLetter: whileAlive(({ message: { id, to, headers }, reason }) => {
            const { stream } = headers
            trace.add({
              kind: 'deadLetter',
              id,
              to,
              reason,
              ...(stream !== undefined && { stream }),
            })
          }),
        },
      ],
    }
  }

  /** Who takes a message next; a round may end early, so that less is stored together. */
  private next(
    life: Life,
    ready: number,
    look: (at: number) => ReadyActor | undefined,
  ): number | undefined {
    // A process that died in the middle of a round goes on to its next commit, which it is never told the end of.
    if (life.isDead) return 0
    if (this.picks >= PICKS_MAX) {
      this.watching.note('comesToRest', `After ${PICKS_MAX} messages the system is not at rest.`)
      life.isDead = true
      return 0
    }
    this.isTouched = true
    for (let at = 0; at < ready; at++) this.measure(look(at))
    const mayReorder = this.scenario.faults.includes('reorder')
    const at = mayReorder ? this.choices.choose('pick', ready + 1) : 0
    // The end of a round takes nothing.
    if (at === ready) return undefined
    this.picks++
    this.mailboxes.took(look(at)?.address ?? '')
    return at
  }

  private measure(actor: ReadyActor | undefined): void {
    const length = actor === undefined ? undefined : this.mailboxes.look(actor)
    if (actor === undefined || length === undefined) return
    this.trace.add({ kind: 'mailbox', address: actor.address, length })
  }

  private heard(entry: TraceEntry): void {
    this.dossiers.see(entry)
    if (entry.kind === 'fault')
      this.horizonMs = Math.max(HORIZON_MS, entry.elapsedMs + AFTERMATH_MS)
    if (entry.kind === 'started') this.mailboxes.restarted()
    if (entry.kind === 'turn') this.mailboxes.stored(entry.record.actor)
    this.watching.see(entry)
    // Last: what people then do is the next thing that happens.
    if (entry.kind === 'turn' && entry.record.actor === APPROVALS) this.noticeCases(entry)
  }

  private noticeCases({ rows }: Extract<TraceEntry, { kind: 'turn' }>): void {
    for (const [key, value] of rows) {
      if (!key.startsWith('case:') || value === null) continue
      const found: Case = caseFrom(value)
      if (found.status === 'open') this.humans.caseOpened(found)
    }
  }

  private snapshotOf(address: string): unknown {
    const { life } = this
    return life?.isDead === false ? life.system?.ref(address).getSnapshot() : undefined
  }

  private statusOf(address: string): unknown {
    return (this.snapshotOf(address) as { status?: unknown } | undefined)?.status
  }

  private view(): RunView {
    return {
      systemId: SIMULATED_SYSTEM,
      simulation: this.scenario,
      dossiers: this.dossiers,
      actors: this.mailboxes.actors,
      snapshotOf: (address) => this.snapshotOf(address),
      history: () => this.disk.history(),
      waiting: async () => {
        const { outbox = [] } = (await this.disk.stored?.recover()) ?? {}
        return outbox.filter(({ to }) => this.statusOf(to) === 'active')
      },
      load: async (address) => this.disk.stored?.load(address),
    }
  }
}
