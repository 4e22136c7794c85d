import { AmbitError } from '../kernel/errors.ts'
import type { CellSystem, MemberRef } from './refs.ts'

/** What XState hands to the executor: the action's type, its arguments and its resolved parameters. */
export interface CollectedAction {
  readonly type: string
  readonly info: never
  readonly params: unknown
  readonly exec: unknown
}

/** Hears of an action while the step goes on; answers whether it has been dealt with. */
export interface ActionHearer {
  heard(self: MemberRef, action: CollectedAction): boolean
}

/** A scope of ours for XState's own step functions: it only collects. */
export class StepScope {
  readonly self: MemberRef
  readonly system: CellSystem
  private own: CollectedAction[] | undefined
  private readonly run: ActionHearer

  constructor(self: MemberRef, system: CellSystem, run: ActionHearer) {
    this.self = self
    this.system = system
    this.run = run
  }

  get id(): string {
    return this.self.id
  }

  get sessionId(): string {
    return this.self.sessionId
  }

  /** XState calls it without its scope. */
  readonly actionExecutor = (action: CollectedAction): void => {
    if (!this.run.heard(this.self, action)) this.add(action)
  }

  /** Only `spawn` inside an assign or a context defers while a step is taken. */
  defer(): never {
    throw new AmbitError(
      'AMBIT_NOT_SUPPORTED',
      'A machine spawns inside an assign or its context, which leaves no trace to store. ' +
        'Use spawnChild(...) or invoke with a named actor.',
    )
  }

  logger(): void {
    // The `log` action comes as a record.
  }

  /** What the step asked for, in its order; most steps ask for nothing. */
  get collected(): readonly CollectedAction[] {
    return this.own ?? NOTHING
  }

  /** For reducers; the `emit` action of a machine comes as a record. */
  get emit(): (event: unknown) => void {
    return (event) => this.add(emitted(event))
  }

  stopChild(): void {
    // The `stopChild` action comes as a record.
  }

  private add(action: CollectedAction): void {
    this.own ??= []
    this.own.push(action)
  }
}

const NOTHING: readonly CollectedAction[] = []

function emitted(event: unknown): CollectedAction {
  return { type: 'xstate.emit', info: undefined as never, params: { event }, exec: undefined }
}
