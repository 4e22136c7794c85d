import { AmbitError } from '../kernel/errors.ts'
import type { Event } from '../kernel/message.ts'
import type { Draft } from './draft.ts'

/** Events between the members of one actor in one turn, before the actor is called a runaway. */
export const INTERNAL_EVENTS_MAX = 100_000

/** A member while events wait for it: XState's mailbox, and what is left of the step it is in. */
export interface Runner {
  readonly path: string
  /** The id of the member, for its parent to hear of its end. */
  id: string
  readonly mailbox: Event[]
  todo: (() => void)[]
  at: number
  isStarted: boolean
  isActive: boolean
  /** Whether it is to be forgotten when it has nothing left to do. */
  isOver: boolean
}

/** Steps the member at a path when its turn has come. */
export interface Stepper {
  readonly options: { readonly rootId: string }
  transition(path: string, event: Event): void
  /** A member that was over has nothing left to do. */
  dropped(path: string): void
}

/**
 * The order of one turn, which is XState's own: a member that is not at work takes an event at once, before the sender
 * goes on; one that is at work takes it afterwards. Members that wait for others are on a stack of ours, so that a long
 * chain needs no deep one.
 */
export class Cascade {
  private readonly draft: Draft
  private readonly stepper: Stepper
  private readonly stack: Runner[] = []
  private roused: Runner[] | undefined
  private runners: Map<string, Runner> | undefined
  private rootRunner: Runner | undefined
  private events = 0

  constructor(draft: Draft, stepper: Stepper) {
    this.draft = draft
    this.stepper = stepper
  }

  /** How many members are at work. */
  get depth(): number {
    return this.stack.length
  }

  deliver(path: string, event: Event): void {
    const runner = this.runner(path)
    runner.mailbox.push(event)
    if (runner.isStarted) this.activate(runner)
  }

  activate(runner: Runner): void {
    if (runner.isActive) return
    runner.isActive = true
    this.roused ??= []
    this.roused.push(runner)
  }

  /** Goes on until those above `base` on the stack have nothing left to do. */
  loop(base = 0): void {
    for (let top = this.next(base); top !== undefined; top = this.next(base)) {
      if (top.at < top.todo.length) {
        top.todo[top.at++]?.()
        continue
      }
      if (top.at > 0) {
        top.todo = []
        top.at = 0
      }
      const event = top.mailbox.shift()
      if (event === undefined) {
        top.isActive = false
        this.stack.pop()
        if (top.isOver) this.stepper.dropped(top.path)
        continue
      }
      if (this.events++ >= INTERNAL_EVENTS_MAX) throw this.runaway(event)
      this.stepper.transition(top.path, event)
    }
  }

  runner(path: string): Runner {
    const { draft } = this
    if (path === '') return (this.rootRunner ??= newRunner('', '', draft.root !== undefined))
    this.runners ??= new Map()
    const known = this.runners.get(path)
    if (known !== undefined) return known
    const member = draft.members.get(path)
    const runner = newRunner(path, member?.id ?? '', member !== undefined)
    this.runners.set(path, runner)
    return runner
  }

  /** The runner of a member for which something has waited in this turn. */
  known(path: string): Runner | undefined {
    return path === '' ? this.rootRunner : this.runners?.get(path)
  }

  /** What waits for a member that is over is not taken. */
  silence(path: string): void {
    const runner = this.known(path)
    if (runner !== undefined) runner.mailbox.length = 0
  }

  forget(path: string): void {
    this.runners?.delete(path)
  }

  /** What was roused last in one go comes last, and all of it before whatever roused it. */
  private next(base: number): Runner | undefined {
    const { stack, roused } = this
    if (roused !== undefined)
      for (let runner = roused.pop(); runner !== undefined; runner = roused.pop())
        stack.push(runner)
    return stack.length > base ? stack.at(-1) : undefined
  }

  private runaway({ type }: Event): AmbitError {
    const { rootId } = this.stepper.options
    const state = JSON.stringify(this.draft.root?.value ?? null)
    return new AmbitError(
      'AMBIT_LOOP_LIMIT',
      `"${rootId}" in state ${state} passed ${INTERNAL_EVENTS_MAX} events between its own members in one turn, ` +
        `the last one "${type}". Break the cycle.`,
    )
  }
}

function newRunner(path: string, id: string, isStarted: boolean): Runner {
  return { path, id, mailbox: [], todo: [], at: 0, isStarted, isActive: false, isOver: false }
}
