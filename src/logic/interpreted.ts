import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import { AmbitError } from '../kernel/errors.ts'
import { assertJson, type Json } from '../kernel/json.ts'
import type { Event } from '../kernel/message.ts'
import type { Command, Engine, Incoming, Invocable, Step } from '../kernel/ports/engine.ts'
import { commandsOf } from './actions.ts'
import { invocableOf } from './invocable.ts'
import { childMachine, logicOf, plainPromise, withStepLimit } from './machine-actors.ts'
import { persistCell, restoreCell, type MachineState, type StoredCell } from './persisted.ts'
import { collectingScope, lightRef, type CollectedAction } from './scope.ts'
import { structureHash } from './structure.ts'

/** Internal events between the machines of one cell in one turn, before the cell is called a runaway. */
export const INTERNAL_EVENTS_MAX = 1000

export interface InterpreterOptions {
  /** Says what is wrong with an event from outside, if anything is. */
  readonly refuse?: (event: Event) => string | undefined
  /** Whether the machine may run only what is governed, read-only or a message: for agents. */
  readonly governed?: boolean
}

/**
 * Steps a machine by XState's own rules, through the machine's `transition` with a scope of ours that only collects.
 * The machines it invokes are stepped in the same turn; the rest of what it asks for comes back as commands.
 */
export function createInterpreter(
  machine: AnyStateMachine,
  options: InterpreterOptions = {},
): Engine {
  const definition = withStepLimit(machine)
  const { governed = false } = options
  return {
    id: machine.id,
    version: machine.version ?? '1',
    hash: structureHash(machine),
    start(input) {
      const run = new StepRun(definition, { machines: new Map() }, governed)
      run.initialise('', definition, input)
      return run.finish()
    },
    step(state, incoming) {
      const run = new StepRun(definition, state as MachineState, governed)
      run.deliver(incoming)
      return run.finish()
    },
    persist: (state) => persistCell(state as MachineState) as unknown as Json,
    restore: (stored) => restoreCell(definition, stored as unknown as StoredCell),
    invocable: (state, path) => invocableAt(definition, state as MachineState, path),
    describe: (state) => (state as MachineState).machines.get('')?.value as Json,
    ...(options.refuse !== undefined && { refuse: options.refuse }),
  }
}

/** One step over all machines of a cell. The state it began with is never touched: a throw means nothing happened. */
class StepRun {
  private readonly root: AnyStateMachine
  private readonly machines: Map<string, AnyMachineSnapshot>
  private readonly sources: Map<string, string>
  private readonly commands: Command[] = []
  private readonly queue: Incoming[] = []
  private readonly governed: boolean

  constructor(
    root: AnyStateMachine,
    state: {
      machines: ReadonlyMap<string, AnyMachineSnapshot>
      sources?: ReadonlyMap<string, string>
    },
    governed: boolean,
  ) {
    this.root = root
    this.governed = governed
    this.machines = new Map(state.machines)
    this.sources = new Map(state.sources)
  }

  initialise(path: string, machine: AnyStateMachine, input: unknown): void {
    const collected: CollectedAction[] = []
    const scope = collectingScope(this.refAt(path), collected)
    const snapshot = machine.getInitialSnapshot(scope, input) as AnyMachineSnapshot
    this.take(path, undefined, snapshot, collected)
  }

  deliver(incoming: Incoming): void {
    this.queue.push(incoming)
    for (let count = 0; ; count++) {
      const next = this.queue.shift()
      if (next === undefined) return
      if (count >= INTERNAL_EVENTS_MAX) {
        throw new AmbitError(
          'AMBIT_LOOP_LIMIT',
          `Machine "${this.root.id}" passed ${INTERNAL_EVENTS_MAX} events between its own children in one turn, ` +
            `the last one "${next.event.type}". Break the cycle.`,
        )
      }
      this.transition(next)
    }
  }

  finish(): Step {
    // Children that answered while their parent was starting are heard before the turn ends.
    const first = this.queue.shift()
    if (first !== undefined) this.deliver(first)
    const root = this.machines.get('')
    if (root === undefined) throw new Error('a cell without a root machine')
    const state: MachineState = { machines: this.machines, sources: this.sources }
    const { commands } = this
    if (root.status === 'error') return { state, status: 'error', error: root.error, commands }
    if (root.status === 'done')
      return { state, status: 'done', output: root.output as unknown, commands }
    return { state, status: 'active', commands }
  }

  private transition(incoming: Incoming): void {
    const before = this.machines.get(incoming.target)
    if (before === undefined || before.status !== 'active') return
    const collected: CollectedAction[] = []
    const scope = collectingScope(this.refAt(incoming.target), collected)
    let after: AnyMachineSnapshot
    try {
      after = before.machine.transition(before, incoming.event, scope)
    } catch (error) {
      if (incoming.target === '') throw error
      this.childFailed(incoming.target, error)
      return
    }
    this.take(incoming.target, before, after, collected)
  }

  /** Takes over what a step of one machine brought: its snapshot, then its actions in their order. */
  private take(
    path: string,
    before: AnyMachineSnapshot | undefined,
    after: AnyMachineSnapshot,
    collected: readonly CollectedAction[],
  ): void {
    if (after.status === 'error' && path === '') throw asThrown(after.error)
    if (after.context !== before?.context) assertJson(after.context, 'context')
    this.machines.set(path, after)
    // XState sends at the end of a step, once every child it starts is there.
    for (const action of collected) if (action.type !== 'xstate.sendTo') this.collect(path, action)
    for (const action of collected) if (action.type === 'xstate.sendTo') this.collect(path, action)
    this.replaceChildren(path)
    if (path !== '' && before?.status !== after.status) this.childEnded(path, after)
  }

  private collect(path: string, action: CollectedAction): void {
    switch (action.type) {
      case 'xstate.raise':
        return this.collectRaise(
          path,
          action.params as { event: Event; id?: string; delay?: number },
        )
      case 'xstate.cancel': {
        const { sendId } = action.params as { sendId: string }
        return void this.commands.push({ kind: 'cancel', target: path, id: sendId })
      }
      case 'xstate.spawnChild':
        return this.collectSpawn(path, action.params as SpawnParams)
      case 'xstate.stopChild':
        return this.collectStop(path, action.params as { id: string } | undefined)
      case 'xstate.sendTo':
        return this.collectSendTo(
          path,
          action.params as { to: { path?: string; id: string }; event: Event; delay?: number },
        )
      case 'xstate.log': {
        const { label, value } = action.params as { label?: string; value: unknown }
        return void this.commands.push({
          kind: 'log',
          value,
          ...(label !== undefined && { label }),
        })
      }
      case 'xstate.emit':
        throw unsupported('emit', this.root.id)
      default:
        return this.collectCustom(action)
    }
  }

  private collectRaise(path: string, params: { event: Event; id?: string; delay?: number }): void {
    const { event, id, delay } = params
    if (delay === undefined) return
    if (id === undefined) throw unsupported('a delayed raise without an id', this.root.id)
    this.commands.push({ kind: 'schedule', id, target: path, event, delayMs: delay })
  }

  private collectSpawn(path: string, params: SpawnParams): void {
    const { src, input } = params
    const id = params.actorRef?.id ?? String(params.id)
    const machine = this.machines.get(path)?.machine as AnyStateMachine
    const logic = logicOf(machine, src)
    const child = join(path, id)
    this.sources.set(child, String(src))
    const nested = childMachine(logic)
    if (nested !== undefined) return this.initialise(child, nested, input)
    const invocable = invocableOf(logic) ?? plainPromise(logic)
    if (invocable === undefined)
      throw unsupported(`actor "${String(src)}", which is no promise and no machine,`, this.root.id)
    if (this.governed && !isGoverned(invocable)) throw ungoverned(this.root.id, String(src))
    this.commands.push({ kind: 'invoke', path: child, src: String(src), input, logic: invocable })
  }

  private collectStop(path: string, ref: { id: string } | undefined): void {
    if (ref === undefined) return
    const stopped = join(path, ref.id)
    this.commands.push({ kind: 'cancelUnder', target: stopped })
    for (const child of [...this.sources.keys()]) {
      if (child !== stopped && !child.startsWith(`${stopped}/`)) continue
      if (!this.machines.delete(child)) this.commands.push({ kind: 'release', path: child })
      this.sources.delete(child)
    }
  }

  private collectSendTo(
    path: string,
    params: { to: { path?: string; id: string }; event: Event; delay?: number },
  ): void {
    if (params.delay !== undefined) throw unsupported('a delayed sendTo', this.root.id)
    const target = params.to.path ?? join(path, params.to.id)
    this.queue.push({ target, event: params.event })
  }

  private collectCustom(action: CollectedAction): void {
    const commands = commandsOf(action.exec, action.info, action.params)
    if (commands !== undefined) {
      this.commands.push(...commands)
      return
    }
    const { exec } = action
    if (typeof exec !== 'function') {
      throw new AmbitError(
        'AMBIT_NOT_SUPPORTED',
        `Machine "${this.root.id}" names the action "${action.type}" but nobody implemented it. ` +
          'Add it in setup({ actions }).',
      )
    }
    const run = () =>
      (exec as (info: unknown, params: unknown) => unknown)(action.info, action.params)
    this.commands.push({ kind: 'observe', name: action.type, run })
  }

  private childEnded(path: string, snapshot: AnyMachineSnapshot): void {
    if (snapshot.status === 'error') return this.childFailed(path, snapshot.error)
    if (snapshot.status !== 'done') return
    const { parent, id } = split(path)
    this.queue.push({
      target: parent,
      event: { type: `xstate.done.actor.${id}`, output: snapshot.output as unknown, actorId: id },
    })
  }

  private childFailed(path: string, error: unknown): void {
    const { parent, id } = split(path)
    this.collectStop(parent, { id })
    this.queue.push({
      target: parent,
      event: { type: `xstate.error.actor.${id}`, error, actorId: id },
    })
  }

  /** XState constructs an actor for each child; only a light ref stays in the snapshot. */
  private replaceChildren(path: string): void {
    const snapshot = this.machines.get(path)
    if (snapshot === undefined) return
    const children = snapshot.children as Record<string, unknown>
    for (const id of Object.keys(children)) {
      if ((children[id] as { path?: string } | undefined)?.path === undefined) {
        children[id] = lightRef(id, join(path, id), this.refAt(path))
      }
    }
  }

  private refAt(path: string): ReturnType<typeof lightRef> {
    if (path === '') return lightRef(this.root.id, '', undefined)
    const { parent, id } = split(path)
    return lightRef(id, path, this.refAt(parent))
  }
}

interface SpawnParams {
  readonly id?: unknown
  readonly src: unknown
  readonly input: unknown
  readonly actorRef?: { readonly id: string }
}

function invocableAt(
  root: AnyStateMachine,
  state: MachineState,
  path: string,
): Invocable | undefined {
  const src = state.sources.get(path)
  const machine = state.machines.get(split(path).parent)?.machine ?? root
  if (src === undefined) return undefined
  const logic = logicOf(machine as AnyStateMachine, src)
  return invocableOf(logic) ?? plainPromise(logic)
}

function isGoverned(invocable: Invocable): boolean {
  return invocable.kind === 'ask' || invocable.readOnly
}

/** The boot check finds what a chart shows; this finds what a function enqueues while it runs. */
function ungoverned(machine: string, what: string): AmbitError {
  return new AmbitError(
    'AMBIT_UNGOVERNED_EFFECT',
    `Agent machine "${machine}" tried to run "${what}", which is neither governed nor read-only. Nothing was run.`,
  )
}

function unsupported(what: string, machine: string): AmbitError {
  return new AmbitError(
    'AMBIT_NOT_SUPPORTED',
    `Machine "${machine}" uses ${what}, which this version does not run.`,
  )
}

function asThrown(error: unknown): Error {
  return error instanceof Error
    ? error
    : new Error(String((error as { message?: unknown } | undefined)?.message ?? error))
}

function join(path: string, id: string): string {
  return path === '' ? id : `${path}/${id}`
}

function split(path: string): { parent: string; id: string } {
  const cut = path.lastIndexOf('/')
  return { parent: cut < 0 ? '' : path.slice(0, cut), id: path.slice(cut + 1) }
}
