import type { Event } from '../kernel/message.ts'
import type { Command } from '../kernel/ports/engine.ts'
import type { Births } from './births.ts'
import type { Cascade } from './cascade.ts'
import { parentOf } from './cell-state.ts'
import type { Draft } from './draft.ts'
import { stopLive } from './live.ts'
import { kindOf, type MemberSnapshot } from './logic-kinds.ts'
import type { Habitat, MemberRef } from './refs.ts'

export const STOP: Event = { type: 'xstate.stop' }

/** The run in which members end. */
export interface DepartureRun {
  readonly habitat: Habitat
  readonly draft: Draft
  readonly cascade: Cascade
  readonly births: Births
  want(command: Command): void
  observe(name: string, act: () => unknown): void
  deliver(path: string, event: Event): void
  releaseSystemIds(path: string): void
}

/** The members that end in one turn: stopped, done or failed. */
export class Departures {
  /** The refs of those who ended, each with its last snapshot. */
  readonly ended: [MemberRef, MemberSnapshot][] = []
  private readonly run: DepartureRun

  constructor(run: DepartureRun) {
    this.run = run
  }

  stop(path: string): void {
    const { cascade, draft } = this.run
    const snapshot = draft.snapshotAt(path)
    if (snapshot === undefined) return
    if (snapshot.status !== 'active') return this.dropInTime(path)
    cascade.silence(path)
    this.run.deliver(path, STOP)
  }

  fail(path: string, before: MemberSnapshot, error: unknown): void {
    const { cascade, draft, habitat } = this.run
    const failed = { ...before, status: 'error', error } as const
    const { id } = cascade.runner(path)
    // An observable that errs has ended by itself: there is nothing to unsubscribe from.
    if (path === '' && before.status === 'error') habitat.live?.delete(path)
    if (path === '') throw this.failedAs(failed)
    draft.setSnapshot(path, failed)
    this.leave(path, failed)
    // What a failed machine had started ends with it: nobody could reach it any more.
    for (const child of draft.childrenOf(path)) this.stop(child)
    if (habitat.isWatched(path)) this.run.observe('observer', () => habitat.fail(path, error))
    this.run.deliver(parentOf(path), { type: `xstate.error.actor.${id}`, error, actorId: id })
  }

  /** The end of one life: its delayed events go, and its ref shows the last snapshot for good. */
  leave(path: string, last: MemberSnapshot): void {
    const { run } = this
    const { cascade, draft, habitat } = run
    const logic = draft.logicAt(path)
    run.want({ kind: 'cancelUnder', owner: path })
    run.releaseSystemIds(path)
    cascade.silence(path)
    const ref = draft.members.get(path)?.ref
    if (ref !== undefined) {
      ref.end(last)
      this.ended.push([ref, last])
    }
    const kind = logic === undefined ? 'plain' : kindOf(logic)
    if (kind === 'live' && last.status !== 'stopped')
      run.observe('end', () => void habitat.live?.delete(path))
    if (kind === 'callback' && last.status === 'error')
      run.observe('end', () => stopLive(habitat, path))
  }

  /** One that is over but still at work has its end to tell first. */
  private dropInTime(path: string): void {
    const runner = this.run.cascade.known(path)
    if (runner?.isActive === true) runner.isOver = true
    else this.drop(path)
  }

  /** Forgets a member that is over, and whatever is left below it. */
  drop(path: string): void {
    const { run } = this
    const { cascade, draft, habitat } = run
    for (const below of draft.childrenOf(path)) {
      run.observe('stop', () => stopLive(habitat, below))
      run.want({ kind: 'release', path: below })
      this.drop(below)
    }
    cascade.forget(path)
    run.births.hasStopped(path)
    draft.remove(path)
  }

  /** Nothing has happened: refs whose lives seemed over go on. */
  undo(): void {
    for (const [ref] of this.ended) ref.revive()
  }

  /** The root failed: nothing has happened, but whoever looks is shown how it stood. */
  private failedAs(failed: MemberSnapshot & { readonly status: 'error' }): unknown {
    this.run.habitat.failed = failed
    return failed.error
  }
}
