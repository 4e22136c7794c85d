import type { Child, Flags } from '../machines/supervisor-context.ts'
import type { Address } from '../src/kernel/address.ts'
import type { Admit, ChildRequest } from '../src/kernel/kept-children.ts'
import type { ErrorRecord } from '../src/kernel/errors.ts'
import type { Event } from '../src/kernel/message.ts'
import type { Kernel } from '../src/kernel/system.ts'
import { childOf, type ChildSpec } from '../src/kernel/supervisor-spec.ts'

/** Why a supervisor does not do what it was asked; the words are OTP's. */
export type SupervisorRefusal =
  /** A child of that id is alive. */
  | 'alreadyStarted'
  /** A child of that id is known and down: restart or delete it. */
  | 'alreadyPresent'
  | 'running'
  /** Its start is being tried again at this moment. */
  | 'restarting'
  | 'notFound'
  /** No supervisor lives at the address. */
  | 'noproc'
  /** The child could not be started; `cause` says why. */
  | 'notStarted'
  /** A significant child would be permanent, or under a supervisor that never shuts itself down. */
  | 'badSignificant'
  /** Members of a pool have no spec of their own. */
  | 'notForPools'
  /** Too many calls wait already. */
  | 'overloaded'
  /** It keeps as many children as it may. */
  | 'tooMany'

export type SupervisorAnswer<Fields = { readonly id: string; readonly running: boolean }> =
  | ({ readonly ok: true } & Fields)
  | { readonly ok: false; readonly error: SupervisorRefusal; readonly cause?: ErrorRecord }

export type ChildShown = Pick<Child, 'id' | 'type' | 'restart' | 'significant' | 'incarnation'> & {
  /** `asleep`: it runs, but idles, and is not in memory (`idleAfterMs`). */
  readonly status: Child['status'] | 'asleep'
}

export interface ChildCounts {
  readonly specs: number
  /** Those that run, also those that are asleep. */
  readonly active: number
  /** Those of them that idle and are not in memory (`idleAfterMs`). */
  readonly asleep: number
  readonly supervisors: number
  readonly workers: number
}

export type FlagChange = Partial<
  Pick<Flags, 'strategy' | 'intensity' | 'periodMs' | 'autoShutdown' | 'backoff'>
>
export type ChildChange = Partial<Pick<Child, 'restart' | 'recover' | 'significant' | 'shutdown'>>

/**
 * What one may ask of a supervisor or pool while it runs (OTP supervisor:start_child and its like). Each is answered
 * when it is done, in the order of the calls; while a child waits for its next start the supervisor answers.
 */
export interface SupervisorHandle {
  readonly address: Address
  /**
   * Adds and starts a child; a pool starts a member of the given id. A supervisor with `durableChildren` is given the
   * name of one of its templates: what it was asked for is stored when it answers. Throws `AMBIT_TEMPLATE_MISSING`
   * for a template that it does not have.
   */
  startChild(child: ChildSpec | ChildRequest | { readonly id: string }): Promise<SupervisorAnswer>
  /** Stops a child by its stop protocol and keeps its spec, unless it is temporary. One that is down stays so. */
  terminateChild(id: string): Promise<SupervisorAnswer>
  /** Starts a child that was stopped, without its past. */
  restartChild(id: string): Promise<SupervisorAnswer>
  /** Forgets a child that was stopped. */
  deleteChild(id: string): Promise<SupervisorAnswer<{ readonly id: string }>>
  /** The newest first. */
  whichChildren(): Promise<SupervisorAnswer<{ readonly children: readonly ChildShown[] }>>
  countChildren(): Promise<SupervisorAnswer<{ readonly counts: ChildCounts }>>
  /** Counts from now on. */
  changeFlags(flags: FlagChange): Promise<SupervisorAnswer<object>>
  /** Counts from the child's next restart on. */
  changeChild(id: string, change: ChildChange): Promise<SupervisorAnswer<{ readonly id: string }>>
}

/** Joins a kernel and the address of one of its supervisors. */
export function supervisorHandle(kernel: Kernel, address: Address, admit: Admit): SupervisorHandle {
  const call = (name: string, fields: object = {}) =>
    answerOf(kernel.callSupervisor(address, { call: name, ...fields }))
  /** What was decided is stored when the caller hears of it. */
  const kept = async (answer: Promise<never>): Promise<never> => {
    const said = await answer
    await kernel.kept.settled()
    return said
  }
  const start = (spec: ChildSpec, isAdded: boolean) => {
    const child = { ...childOf(spec), isAdded }
    return kept(answerOf(kernel.startChild(address, spec, { call: 'startChild', child })))
  }
  return {
    address,
    async startChild(child) {
      const { id } = child
      const above = kernel.authorityAt(address)
      if ('template' in child) {
        const made = kernel.kept.make(address, child)
        if (typeof made === 'string') return { ok: false, error: made }
        await admit(made.admitted, above)
        return start(made.child, made.child.madeFrom === undefined)
      }
      if (!('kind' in child)) return call('startChild', { id })
      kernel.kept.refuseSpec(address, id)
      await admit(child, above)
      return start(child, true)
    },
    terminateChild: (id) => kept(call('terminateChild', { id })),
    restartChild: (id) => kept(call('restartChild', { id })),
    deleteChild: (id) => kept(call('deleteChild', { id })),
    whichChildren: () => call('whichChildren'),
    countChildren: () => call('countChildren'),
    changeFlags: (flags) => call('changeFlags', { flags }),
    changeChild: (id, change) => call('changeChild', { id, change }),
  }
}

/** What the answer says, without the type that it has as an event. */
async function answerOf(answer: Promise<Event>): Promise<never> {
  const { type: _, ...fields } = await answer
  return fields as never
}
