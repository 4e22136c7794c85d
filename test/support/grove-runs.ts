import { pool, supervisor } from '../../actors/supervisor.ts'
import { supervisorHandle } from '../../actors/supervisor-handle.ts'
import type { Cell } from '../../src/kernel/cell.ts'
import type { ActorSpec } from '../../src/kernel/child-spec.ts'
import type { ExitReason } from '../../src/kernel/exit.ts'
import type { Lives } from '../../src/kernel/lives.ts'
import type { Engine, Place } from '../../src/kernel/ports/engine.ts'
import type { Observer } from '../../src/kernel/ports/observer.ts'
import { createSeededRandom } from '../../src/kernel/random.ts'
import { childOf, type ChildSpec, type SupervisorSpec } from '../../src/kernel/supervisor-spec.ts'
import type { Tree } from '../../src/kernel/tree.ts'
import { child, type Start } from './family.ts'
import type { Grove, Happening, Plan, PoolPlan, SupervisorPlan, WorkerPlan } from './groves.ts'
import { make, rounds, type Running } from './running.ts'

/** What was seen of a tree, in its order. */
export type Sight =
  | { readonly is: 'begun'; readonly address: string }
  | { readonly is: 'ended'; readonly address: string; readonly why: ExitReason['kind'] }
  /** A supervisor counted a restart. */
  | {
      readonly is: 'restart'
      readonly at: number
      readonly supervisor: string
      readonly child: string
    }
  | { readonly is: 'autoShutdown'; readonly supervisor: string }
  /** Somebody beside its supervisor wants it to end: a call, or whoever stops actors. */
  | { readonly is: 'unwanted'; readonly address: string }
  | { readonly is: 'sent' | 'turn' | 'letter'; readonly to: string }
  | Look

/** What is so after a step. */
export interface Look {
  readonly is: 'look'
  /** Who takes messages. */
  readonly alive: readonly string[]
  /** Supervisors and pools that are over. */
  readonly over: readonly string[]
  /** Messages that wait, where there are any. */
  readonly queued: Readonly<Record<string, number>>
  /** At rest: what supervisors say of who runs below them. */
  readonly said?: Readonly<Record<string, readonly string[]>>
}

/** What a tree is made with, and how its supervisors are limited. */
export interface Limits {
  readonly intensity: number
  readonly periodMs: number
  /** Of a pool: whether its members are counted together. */
  readonly budget?: 'shared' | 'each'
}

export interface Seen {
  readonly sights: readonly Sight[]
  readonly limits: ReadonlyMap<string, Limits>
}

export const PERIOD_MS = 2000
const BACKOFF = { baseMs: 20, maxMs: 100 }
const START_TIMEOUT_MS = 500
const MEMBERS = ['x', 'y']
/** Until nothing of what happened goes on: waits before restarts, starts that hang, graces. */
const REST_ROUNDS_MAX = 200
const REST_MS = 100

/** Plays a script over a running tree, by hand and in virtual time, and tells what was seen. */
export async function play(grove: Grove): Promise<Seen> {
  const scene = new Scene(grove)
  await scene.begin()
  for (const happening of grove.happenings) scene.happen(happening)
  await scene.settle()
  await scene.stop(grove.graceMs)
  return { sights: scene.sights, limits: scene.limits }
}

class Scene {
  readonly sights: Sight[] = []
  readonly limits = new Map<string, Limits>()
  private readonly workers: string[] = []
  private readonly supervisors: string[] = []
  private readonly nodes: string[] = []
  private readonly starts = new Map<string, Start[]>()
  private readonly running: Running
  private isUp = false

  constructor({ root }: Grove) {
    const next = createSeededRandom('grove')
    const observers = [this.observer()]
    const life = { next, id: () => 'life' }
    const made = this.supervisorFor('/', '0', root)
    this.running = make([], { root: made, scheduler: 'manual', random: life, observers })
  }

  async begin(): Promise<void> {
    const { kernel } = this.running
    let isOver = false
    const over = () => void (isOver = true)
    kernel.start().then(() => {
      this.isUp = true
      over()
    }, over)
    await this.passUntil(() => isOver)
    this.look()
  }

  happen(happening: Happening): void {
    if (!this.isUp) return
    this.doOne(happening)
    this.running.kernel.drain()
    this.look()
  }

  /** Lets everything that is under way come to its end. */
  async settle(): Promise<void> {
    if (!this.isUp) return
    const { clock, kernel } = this.running
    for (let round = 0; !this.parts.lives.isAtRest; round++) {
      if (round > REST_ROUNDS_MAX) throw new Error('The tree does not come to rest')
      clock.advance(REST_MS)
      kernel.drain()
    }
    this.look(await this.said())
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.isUp) return
    let isOver = false
    void this.running.kernel.stop({ graceMs }).finally(() => (isOver = true))
    await this.passUntil(() => isOver)
    this.look()
  }

  private async passUntil(isTrue: () => boolean): Promise<void> {
    for (let round = 0; !isTrue(); round++) {
      if (round > REST_ROUNDS_MAX) throw new Error('Waited in vain')
      await rounds(2)
      if (!isTrue()) this.running.clock.advance(REST_MS)
    }
  }

  private doOne(happening: Happening): void {
    const { kernel, clock } = this.running
    switch (happening.do) {
      case 'send': {
        const to = oneOf(this.workers, happening.to)
        for (const type of happening.types) {
          this.see({ is: 'sent', to })
          kernel.ref(to).send({ type })
        }
        return
      }
      case 'starts':
        this.starts.get(oneOf([...this.starts.keys()], happening.of))?.push(...happening.how)
        return
      case 'kill': {
        const address = oneOf(this.workers, happening.whom)
        this.see({ is: 'unwanted', address })
        return kernel.stopActor(address)
      }
      case 'call':
        return this.call(oneOf(this.nodes, happening.on), happening.call)
      case 'add':
        return this.add(oneOf(this.supervisors, happening.to), happening.child)
      case 'pass':
        return clock.advance(happening.ms)
    }
  }

  private call(address: string, call: 'terminateChild' | 'restartChild' | 'deleteChild'): void {
    const [, parent = '', id = ''] = /^(.*)\/([^/]+)$/.exec(address) ?? []
    this.see({ is: 'unwanted', address })
    void supervisorHandle(this.running.kernel, parent === '' ? '/' : parent, admitAll)[call](id)
  }

  private add(parent: string, plan: WorkerPlan): void {
    const id = `n${this.workers.length}`
    const address = below(parent, id)
    const spec = this.workerFor(address, id, plan, false)
    const call = { call: 'startChild', child: { ...childOf(spec), isAdded: true } }
    void this.running.kernel.startChild(parent, spec, call)
  }

  private look(said?: Look['said']): void {
    const { tree } = this.parts
    const cells = [...tree.all()]
    const isSupervisor = (cell: Cell) => tree.branchAt(cell.address) !== undefined
    const queued: Record<string, number> = {}
    for (const cell of cells) {
      const count = waitingFor(cell)
      if (!isSupervisor(cell) && count > 0) queued[cell.address] = count
    }
    this.see({
      is: 'look',
      alive: cells.filter((cell) => isAlive(cell) && !isSupervisor(cell)).map(addressOf),
      over: cells.filter((cell) => !isAlive(cell) && isSupervisor(cell)).map(addressOf),
      queued,
      ...(said !== undefined && { said }),
    })
  }

  /** What supervisors say of who runs below them. */
  private async said(): Promise<Record<string, readonly string[]>> {
    const said: Record<string, readonly string[]> = {}
    for (const cell of [...this.parts.tree.all()]) {
      const branch = this.parts.tree.branchAt(cell.address)
      if (branch === undefined || !isAlive(cell)) continue
      const asked = supervisorHandle(this.running.kernel, cell.address, admitAll).whichChildren()
      this.running.kernel.drain()
      const answer = await Promise.race([asked, rounds(5)])
      if (answer === undefined) throw new Error(`"${cell.address}" does not answer`)
      if (!answer.ok) continue
      const up = answer.children.filter(
        ({ status, type }) => status === 'running' && type === 'worker',
      )
      said[cell.address] = up.map(({ id }) => below(cell.address, id)).sort()
    }
    return said
  }

  private get parts(): { readonly tree: Tree; readonly lives: Lives } {
    return this.running.kernel as unknown as { readonly tree: Tree; readonly lives: Lives }
  }

  private see(sight: Sight): void {
    this.sights.push(sight)
  }

  private observer(): Observer {
    return {
      onExit: ({ address, reason }) => this.see({ is: 'ended', address, why: reason.kind }),
      onTurn: ({ address, type }) => {
        if (!type.startsWith('ambit.')) this.see({ is: 'turn', to: address })
      },
      onDeadLetter: ({ message: { to, type } }) => {
        if (!type.startsWith('ambit.')) this.see({ is: 'letter', to })
      },
      onSupervision: ({ kind, supervisor: at, child: id, at: now }) => {
        if (kind === 'restart') this.see({ is: 'restart', at: now, supervisor: at, child: id })
        if (kind === 'autoShutdown') this.see({ is: 'autoShutdown', supervisor: at })
      },
    }
  }

  private supervisorFor(address: string, id: string, plan: SupervisorPlan): SupervisorSpec {
    this.limit(address, plan)
    this.supervisors.push(address)
    const { restart, strategy, shutdownMs, intensity } = plan
    const mayEnd = plan.autoShutdown !== 'never'
    const children = plan.children.map((part, at) =>
      this.partFor(address, address === '/' ? `0${at}` : `${id}${at}`, part, mayEnd),
    )
    const spec = supervisor({
      id,
      strategy,
      intensity,
      periodMs: PERIOD_MS,
      backoff: plan.hasBackoff ? BACKOFF : 'none',
      autoShutdown: plan.autoShutdown,
      restart,
      shutdownMs,
      children,
    })
    return { ...spec, engine: this.watched(spec.engine) }
  }

  private partFor(parent: string, id: string, plan: Plan, mayEnd: boolean): ChildSpec {
    const address = below(parent, id)
    this.nodes.push(address)
    if (plan.kind === 'supervisor') return this.supervisorFor(address, id, plan)
    if (plan.kind === 'pool') return this.poolFor(address, id, plan)
    return this.workerFor(address, id, plan, mayEnd)
  }

  private poolFor(address: string, id: string, plan: PoolPlan): ChildSpec {
    this.limit(address, plan, plan.budget)
    const { restart, intensity, budget } = plan
    const template = this.workerFor(address, id, plan.member, false)
    this.workers.splice(this.workers.indexOf(address), 1)
    for (const member of MEMBERS) this.workers.push(below(address, member))
    const backoff = plan.hasBackoff ? BACKOFF : 'none'
    const spec = pool(id, template, { restart, intensity, periodMs: PERIOD_MS, backoff, budget })
    return { ...spec, engine: this.watched(spec.engine) }
  }

  private workerFor(address: string, id: string, plan: WorkerPlan, mayEnd: boolean): ActorSpec {
    const { durability, restart, recover, attemptsMax, stopping, shutdownMs, ready } = plan
    const starts = [...plan.starts]
    this.starts.set(address, starts)
    this.workers.push(address)
    const significant = mayEnd && plan.isSignificant && restart !== 'permanent'
    const life = { restart, significant, shutdownMs, startTimeoutMs: START_TIMEOUT_MS }
    const spec = child(id, { ...life, durability, recover, attemptsMax, stopping, ready, starts })
    return { ...spec, engine: this.watched(spec.engine, recover === 'fresh') }
  }

  private limit(
    address: string,
    { intensity }: SupervisorPlan | PoolPlan,
    budget?: 'shared' | 'each',
  ) {
    const limits = { intensity, periodMs: PERIOD_MS }
    this.limits.set(address, budget === undefined ? limits : { ...limits, budget })
  }

  /** The engine, telling of each life that has begun. */
  private watched(engine: Engine, isFresh = false): Engine {
    const begun = (place: Place) =>
      this.see({ is: 'begun', address: addressOf(place as unknown as Cell) })
    return {
      ...engine,
      start: (input, place) => {
        const address = addressOf(place as unknown as Cell)
        // One that ignores its start ends by itself.
        if (this.starts.get(address)?.[0] === 'ignore') this.see({ is: 'unwanted', address })
        const step = engine.start(input, place)
        if (step.status !== 'error') begun(place)
        return step
      },
      restore: (stored, place) => {
        const state = engine.restore(stored, place)
        // One that begins anew is read first, for its generation, and then started.
        if (!isFresh) begun(place)
        return state
      },
    }
  }
}

function waitingFor({ mailbox, held }: Cell): number {
  return mailbox.size('user') + (held?.user?.length ?? 0)
}

function isAlive({ life }: Cell): boolean {
  return life === 'running'
}

function addressOf({ address }: { readonly address: string }): string {
  return address
}

function below(parent: string, id: string): string {
  return parent === '/' ? `/${id}` : `${parent}/${id}`
}

function oneOf(all: readonly string[], number: number): string {
  return all[number % all.length] ?? ''
}

const admitAll = () => undefined
