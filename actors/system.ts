import { z } from 'zod'
import { ledgerMachine } from '../machines/ledger.ts'
import { approvalMachine, malformed, type Case } from '../machines/approval.ts'
import { APPROVALS, LEDGER } from '../machines/action-steps.ts'
import type { Action } from '../src/envelope/action.ts'
import { createAuthorizer, type Authorizer } from '../src/envelope/authorization.ts'
import {
  checkAhead,
  signedStatementSchema,
  type Approver,
  type SignedStatement,
} from '../src/envelope/statement.ts'
import { memoryJournal } from '../src/embedded/memory-journal.ts'
import { actorSpec, type ActorSpec } from '../src/kernel/child-spec.ts'
import type { ChildSpec, SupervisorSpec } from '../src/kernel/supervisor-spec.ts'
import { parseAddress } from '../src/kernel/address.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import { findNonJson, JSON_DEPTH_MAX, type Json } from '../src/kernel/json.ts'
import { MESSAGE_DEPTH_MAX, type Event } from '../src/kernel/message.ts'
import type { EffectHost } from '../src/kernel/ports/effect-host.ts'
import type { Schedule } from '../src/kernel/ports/schedule.ts'
import type { Random } from '../src/kernel/ports/random.ts'
import type { Clock } from '../src/kernel/ports/clock.ts'
import type { Head, HistoryQuery, Journal, StoredTurn } from '../src/kernel/ports/journal.ts'
import type { Logger } from '../src/kernel/ports/logger.ts'
import type { Observer } from '../src/kernel/ports/observer.ts'
import { actorRef, type ActorRef } from '../src/logic/actor-ref.ts'
import type { Admit } from '../src/kernel/kept-children.ts'
import type { StartLimit } from '../src/kernel/start-limit.ts'
import type { Suspension } from '../src/kernel/suspensions.ts'
import type { Alarm } from '../src/kernel/supervision.ts'
import type { DeadLetters } from '../src/kernel/dead-letters.ts'
import type { ParkedDecision, ParkedMessage, ParkedOutcome } from '../src/kernel/parked.ts'
import type { RestOptions, StopOptions } from '../src/kernel/options.ts'
import {
  aChild,
  anObject,
  checkOptions,
  having,
  listOf,
  oneOf,
  requireOption,
  type OptionRules,
} from '../src/kernel/spec-check.ts'
import { Kernel } from '../src/kernel/system.ts'
import type { MailboxView } from '../src/kernel/mailbox-ages.ts'
import { createReadModels, type ReadModels } from '../src/inspect/read-models.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import {
  BLOCKED_MS_LEAST,
  BLOCKED_MS_MAX,
  createWatchdog,
  type WatchdogOptions,
} from '../src/isolation/watchdog.ts'
import { actionPool, type ActionHouse } from './action.ts'
import { actionsOfAgent, refuseWithoutEnvelope } from './agent.ts'
import { casesIn } from './cases.ts'
import { createEnvelopeStore } from './envelope-store.ts'
import { supervisor } from './supervisor.ts'
import { supervisorHandle, type SupervisorHandle } from './supervisor-handle.ts'

export interface SystemOptions {
  /** The tree to keep alive. Its id `system` is taken: the ledger and the approval desk live there. */
  readonly root: ChildSpec
  /** Default: memory, which keeps nothing. */
  readonly journal?: Journal
  readonly clock?: Clock
  readonly random?: Random
  /** A pino logger, or anything with its methods. Default: silent. */
  readonly logger?: Logger
  readonly observers?: readonly Observer[]
  /**
   * Who makes rounds: `auto` (default) the event loop, `manual` the caller with `drain()`: everything that does not
   * wait for a promise then happens inside the call. With a `manualClock`, timers run inside its `advance(ms)`.
   */
  readonly scheduler?: 'auto' | 'manual'
  /**
   * How fast actors may be restarted from the journal, over the whole system. Default: 50 a second after a burst of
   * 100, 8 at a time.
   */
  readonly startLimit?: Partial<StartLimit>
  /** Who goes next within a round. Default: whoever waits longest. For simulations. */
  readonly schedule?: Schedule
  /** Runs the effects of agents and actions, or answers in their place. Default: their own code. For simulations. */
  readonly effects?: EffectHost
  /**
   * Names, on stderr and while it goes on, the actor whose turn or effect keeps the event loop from going on, with its
   * stack; afterwards it is logged and an alarm. Default: after a second. `false` turns it off; there is none by hand.
   */
  readonly watchdog?: false | WatchdogOptions
}

/** One running tree with its ledger and its approval desk. */
export interface ActorSystem {
  /** Opens the journal, brings up the tree, and goes on where the last process ended. */
  start(): Promise<void>
  /** Lets running effects end within `graceMs` (default 5,000), then closes the journal. */
  stop(options?: StopOptions): Promise<void>
  /**
   * Runs everything that is due, at once: after `ref.send` and `drain` the next line sees all effects of the send. For
   * the manual scheduler; a journal that takes its time leaves the rest to the next call.
   */
  drain(): void
  ref(address: string): ActorRef
  /** A supervisor or pool of the tree, to ask for its children or to change them while it runs. */
  supervisor(address: string): SupervisorHandle
  /** The members of a group, in the order in which they joined. */
  group(name: string): readonly string[]
  /** Ends an actor for good; what it asked for is withdrawn. */
  stopActor(address: string): void
  /** Starts an actor again without its past; what it asked for is withdrawn. */
  startFresh(address: string): void
  /** Resolves when nothing runs, nothing waits for a commit and no timer is due soon. Humans may be awaited. */
  atRest(options?: RestOptions): Promise<void>
  /** Hands in a signed decision; answers once it is committed. */
  submitDecision(signed: SignedStatement): Promise<Event>
  addApprover(keyId: string, approver: Approver): Promise<Event>
  cases(): readonly Case[]
  /** The messages that failed and were set aside, of all actors, the oldest first; at most 10,000. */
  parked(): Promise<readonly ParkedMessage[]>
  /**
   * Gives an actor a parked message again, as a new message with an id of its own. Resolves once that is committed;
   * what cannot be done is `refused` with a reason. Throws `AMBIT_ASK_TIMEOUT` when the actor is down.
   */
  retryParked(address: string, id: string, decision: ParkedDecision): Promise<ParkedOutcome>
  /** Forgets a parked message, also one of an actor that has ended. */
  discardParked(address: string, id: string, decision: ParkedDecision): Promise<ParkedOutcome>
  /** The keyed rows of an actor in memory. */
  rows(address: string): ReadonlyMap<string, Json>
  /** The turns as they are stored, oldest first. */
  history(query: HistoryQuery): Promise<readonly StoredTurn[]>
  /** The last record's place in the hash chain: note it where the log cannot be changed. */
  head(): Promise<Head>
  /** How many actors are in memory; members of a pool that only wait may not be. */
  liveActors(): number
  /**
   * The mailboxes in which something waits, the oldest first: how much on which lane, and since when. Ages are counted
   * from look to look, so look at regular times, as a scrape of metrics does.
   */
  mailboxes(): readonly MailboxView[]
  readonly id: string
  readonly read: ReadModels
  /** Subtrees whose supervisor gave up: no effect starts there, nor any in their name, until somebody resumes them. */
  readonly suspended: readonly Suspension[]
  /** Gives a subtree its authority back, and what waited begins; stored with who and why. False: not suspended. */
  resumeAuthority(
    address: string,
    given: { readonly by: string; readonly why: string },
  ): Promise<boolean>
  readonly alarms: readonly Alarm[]
  readonly deadLetters: DeadLetters
}

/**
 * Creates a system from a tree of child specs. Nothing runs before `start()`.
 *
 * @example
 * const root = supervisor({ children: [agent('desk', desk, { envelope })] })
 * const system = createSystem({ root, journal: sqlite('.ambit') })
 * await system.start()
 */
export function createSystem(options: SystemOptions): ActorSystem {
  checkOptions('A system', options, systemRules)
  requireOption('A system', options, 'root')
  if (typeof options.watchdog === 'object')
    checkOptions('The watchdog', options.watchdog, watchdogRules)
  refuseSystemId(options.root)
  const agents = agentsOf(options.root, [])
  for (const { spec, authority } of agents) refuseWithoutEnvelope(spec, authority)
  const envelopes = createEnvelopeStore(agents.flatMap(({ authority }) => authority))
  const actions = collectActions(agents.map(({ spec }) => spec))
  let authorizer: Authorizer | undefined
  const house: ActionHouse = {
    effects: options.effects ?? { run: (_, own) => own() },
    actions,
    envelope: envelopes.get,
    authorizer: () => authorizer ?? notRunning(),
  }
  const read = createReadModels()
  const { observers = [], journal = memoryJournal(), root, watchdog = {}, ...ports } = options
  const isByHand = options.scheduler === 'manual' || options.schedule !== undefined
  const admit: Admit = (child, above) => {
    const added = agentsOf(child, above)
    for (const { spec, authority } of added) refuseWithoutEnvelope(spec, authority)
    collectActions(
      added.map(({ spec }) => spec),
      actions,
    )
    return envelopes.add(
      kernel.session,
      added.flatMap(({ authority }) => authority),
    )
  }
  const kernel = new Kernel({
    ...ports,
    ...(watchdog !== false && !isByHand && { watchdog: createWatchdog(watchdog) }),
    journal,
    root: root.kind === 'supervisor' ? root : supervisor({ children: [root] }),
    services: servicesWith(actionPool(house)),
    observers: [read.observer, ...observers],
    admit,
    opened: (session) => {
      authorizer = createAuthorizer(session.secret)
      return envelopes.putInForce(session)
    },
  })
  return assemble(kernel, read, admit)
}

const systemRules: OptionRules = {
  root: aChild,
  journal: having('a journal such as sqlite() gives', 'open'),
  clock: having('a clock such as systemClock() gives', 'now', 'wakeAt'),
  random: having('a source of random ids', 'id'),
  logger: having('a logger such as pino', 'info', 'warn', 'error', 'child'),
  observers: listOf(anObject),
  scheduler: oneOf('auto', 'manual'),
  startLimit: anObject,
  schedule: having('a schedule', 'next'),
  effects: having('a host of effects', 'run'),
  watchdog: {
    expected: 'false, or options such as { limitMs: 1000 }',
    is: (value) => value === false || anObject.is(value),
  },
}

const watchdogRules: OptionRules = {
  limitMs: {
    expected: `a whole number of milliseconds from ${BLOCKED_MS_LEAST} to ${BLOCKED_MS_MAX}`,
    is: (value) => {
      const ms = Number.isInteger(value) ? (value as number) : 0
      return ms >= BLOCKED_MS_LEAST && ms <= BLOCKED_MS_MAX
    },
  },
}

function assemble(
  kernel: Kernel,
  read: ReadModels & { observer: Observer },
  admit: Admit,
): ActorSystem {
  return {
    start: () => kernel.start(),
    stop: (options) => kernel.stop(options),
    drain: () => kernel.drain(),
    ref: (address) => actorRef(kernel.ref(address), (to) => kernel.stopActor(to)),
    supervisor: (address) => supervisorHandle(kernel, parseBranch(address), admit),
    group: (name) => kernel.registry.membersOf(name),
    stopActor: (address) => kernel.stopActor(address),
    startFresh: (address) => kernel.startFresh(address),
    atRest: (options) => kernel.atRest(options),
    submitDecision: (signed) => submitDecision(kernel, signed),
    addApprover: (keyId, approver) =>
      kernel.askPrivileged(APPROVALS, { type: 'ambit.approver.add', keyId, approver }),
    cases: () => casesIn(kernel.rows(APPROVALS)),
    parked: () => kernel.parking.list(),
    retryParked: (...of) => kernel.parking.settle('retry', ...of),
    discardParked: (...of) => kernel.parking.settle('discard', ...of),
    rows: (address) => kernel.rows(address),
    history: (query) => kernel.session.history(query),
    head: () => kernel.session.head(),
    liveActors: () => kernel.liveActors(),
    mailboxes: () => kernel.mailboxes(),
    get id() {
      return kernel.systemId
    },
    read,
    get suspended() {
      return kernel.suspended
    },
    resumeAuthority: (address, { by, why }) =>
      kernel.resumeAuthority(parseBranch(address), by, why),
    get alarms() {
      return kernel.alarms
    },
    deadLetters: kernel.deadLetters,
  }
}

/**
 * A decision that is no signed statement is refused here: the desk is not bothered with it. Its signature is checked
 * on the way; by hand the desk does so, because the caller's next line is `drain()`.
 */
async function submitDecision(kernel: Kernel, signed: SignedStatement): Promise<Event> {
  // Checked before any schema is: those need a stack as deep as the value.
  const finding = findNonJson(signed, 'signed', JSON_DEPTH_MAX - MESSAGE_DEPTH_MAX + 1)
  if (finding !== undefined) return malformed(finding)
  const parsed = signedStatementSchema.safeParse(signed)
  if (!parsed.success) return malformed(z.prettifyError(parsed.error))
  const key = kernel.rows(APPROVALS).get(`approver:${parsed.data.keyId}`) as Approver | undefined
  if (key !== undefined && !kernel.isByHand) await checkAhead(parsed.data, key.publicKey)
  return kernel.askPrivileged(APPROVALS, { type: 'ambit.approval.submit', signed: parsed.data })
}

/** What every system has beside the user's tree, under a supervisor of its own. */
function servicesWith(actions: ChildSpec): SupervisorSpec {
  const own = { privileged: true }
  return supervisor({
    id: 'system',
    children: [
      actorSpec('ledger', createInterpreter(ledgerMachine), { ...own, name: 'ledger' }),
      actorSpec('approvals', createInterpreter(approvalMachine), { ...own, name: 'approvals' }),
      actions,
    ],
  })
}

function refuseSystemId(root: ChildSpec): void {
  const children = root.kind === 'supervisor' ? root.children : [root]
  if (!children.some(({ id }) => id === 'system')) return
  throw new AmbitError(
    'AMBIT_CHILD_ID_TAKEN',
    `The id "system" belongs to the ledger and the approval desk (${LEDGER}). Rename the child.`,
  )
}

function agentsOf(
  spec: ChildSpec,
  above: readonly Json[],
): { spec: ActorSpec; authority: readonly Json[] }[] {
  const authority = spec.authority === undefined ? above : [...above, spec.authority]
  switch (spec.kind) {
    case 'actor':
      return [{ spec, authority }]
    case 'pool':
      return agentsOf(spec.member, authority)
    case 'supervisor':
      return spec.children.flatMap((child) => agentsOf(child, authority))
  }
}

function collectActions(
  specs: readonly ActorSpec[],
  actions = new Map<string, Action>(),
): Map<string, Action> {
  for (const action of specs.flatMap(actionsOfAgent)) {
    const known = actions.get(action.name)
    if (known !== undefined && known !== action) {
      throw new AmbitError(
        'AMBIT_ACTION_NAME_TAKEN',
        `Two actions are called "${action.name}". Name each action once and share its definition.`,
      )
    }
    actions.set(action.name, action)
  }
  return actions
}

/** The root has no name of its own. */
function parseBranch(address: string): string {
  return address === '/' ? address : parseAddress(address)
}

function notRunning(): never {
  throw new AmbitError('AMBIT_STOPPED', 'The system is not running. Call start() first.')
}
