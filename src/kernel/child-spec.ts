import { isSegment } from './address.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import { mailboxDefaults, type MailboxLimits } from './mailbox.ts'
import type { Engine } from './ports/engine.ts'
import type { RestartType } from './restart-plan.ts'
import { restartLimitDefaults, type RestartLimit } from './restart-window.ts'
import {
  aChild,
  aFunction,
  anything,
  atLeast,
  aText,
  checkOptions,
  having,
  invalid,
  listOf,
  oneOf,
  requireOption,
  type OptionRules,
} from './spec-check.ts'

/** What a crash leaves of an actor: nothing; what was written in passing; or every acknowledged turn. */
export type Durability = 'none' | 'async' | 'sync'

/** One actor to keep alive. */
export interface ActorSpec {
  readonly kind: 'actor'
  readonly id: string
  readonly engine: Engine
  /** Given to the machine at its first start; for a pool, made from the member's id. */
  readonly input?: unknown
  readonly restart: RestartType
  readonly durability: Durability
  readonly mailbox: MailboxLimits
  /** A name other actors may use instead of the address. */
  readonly name?: string
  /** What this actor may do, as data the kernel only passes on. */
  readonly authority?: Json
  /** Whether it may speak Ambit's own protocol. Only Ambit's actors are. */
  readonly privileged: boolean
  /** Turns before a failing message is parked. */
  readonly attemptsMax: number
}

/** A supervisor: keeps its children alive, restarting each alone when it fails. */
export interface SupervisorSpec extends RestartLimit {
  readonly kind: 'supervisor'
  readonly id: string
  readonly strategy: 'one_for_one'
  readonly children: readonly ChildSpec[]
  readonly authority?: Json
}

/** A supervisor of any number of alike children; each starts with the first message to its address. */
export interface PoolSpec extends RestartLimit {
  readonly kind: 'pool'
  readonly id: string
  readonly member: ActorSpec
  readonly inputOf?: (id: string) => unknown
  readonly authority?: Json
}

export type ChildSpec = ActorSpec | SupervisorSpec | PoolSpec

export interface ActorOptions {
  readonly input?: unknown
  /** Default `transient`: restarted after a failure, not after it has finished. */
  readonly restart?: RestartType
  /** Default `sync`. */
  readonly durability?: Durability
  readonly mailbox?: Partial<MailboxLimits>
  readonly name?: string
}

export const ATTEMPTS_MAX = 2

export function actorSpec(
  id: string,
  engine: Engine,
  options: ActorOptions & { authority?: Json; privileged?: boolean } = {},
): ActorSpec {
  checkActorOptions(id, options)
  return {
    kind: 'actor',
    id,
    engine,
    input: options.input,
    restart: options.restart ?? 'transient',
    durability: options.durability ?? 'sync',
    mailbox: { ...mailboxDefaults, ...options.mailbox },
    ...(options.name !== undefined && { name: options.name }),
    ...(options.authority !== undefined && { authority: options.authority }),
    privileged: options.privileged ?? false,
    attemptsMax: ATTEMPTS_MAX,
  }
}

const mailboxRules: OptionRules = {
  userLengthMax: atLeast(0),
  controlLengthMax: atLeast(0),
  overflow: oneOf('reject', 'deadLetter', 'dropOldest'),
}

const actorRules: OptionRules = {
  input: anything,
  restart: oneOf('permanent', 'transient', 'temporary'),
  durability: oneOf('none', 'async', 'sync'),
  mailbox: having('an object'),
  name: aText,
  authority: anything,
  privileged: anything,
}

/** Throws `AMBIT_SPEC_INVALID` for an id or an option that no actor has; `more` are those of its kind. */
export function checkActorOptions(id: string, options: unknown, more: OptionRules = {}): void {
  checkId(id)
  checkOptions(`Actor "${id}"`, options, { ...actorRules, ...more })
  const { mailbox } = options as ActorOptions
  if (mailbox !== undefined) checkOptions(`The mailbox of actor "${id}"`, mailbox, mailboxRules)
}

export interface SupervisorOptions extends Partial<RestartLimit> {
  /** Default "root"; the root's id is not part of an address. */
  readonly id?: string
  /** Default `one_for_one`, the only one this version runs. */
  readonly strategy?: 'one_for_one'
  readonly children: readonly ChildSpec[]
  readonly authority?: Json
}

const limitRules: OptionRules = { intensity: atLeast(0), periodMs: atLeast(1), authority: anything }
const supervisorRules: OptionRules = {
  ...limitRules,
  id: aText,
  strategy: aText,
  children: listOf(aChild),
}
const poolRules: OptionRules = { ...limitRules, inputOf: aFunction }

/** A supervisor of the given children. Default: 5 restarts in 60 s. */
export function supervisorSpec(options: SupervisorOptions): SupervisorSpec {
  checkOptions('A supervisor', options, supervisorRules)
  requireOption('A supervisor', options, 'children')
  const { id = 'root', strategy = 'one_for_one', children, authority, ...limit } = options
  checkId(id)
  if ((strategy as string) !== 'one_for_one') {
    throw new AmbitError(
      'AMBIT_NOT_SUPPORTED',
      `Supervisor "${id}" asks for strategy "${strategy as string}"; this version runs "one_for_one" only.`,
    )
  }
  const ids = new Set<string>()
  for (const child of children) {
    if (ids.has(child.id)) {
      throw new AmbitError(
        'AMBIT_CHILD_ID_TAKEN',
        `Supervisor "${id}" already has a child "${child.id}". Give each child its own id.`,
      )
    }
    ids.add(child.id)
  }
  return {
    kind: 'supervisor',
    id,
    strategy,
    children,
    ...(authority !== undefined && { authority }),
    ...restartLimitDefaults,
    ...limit,
  }
}

export function poolSpec(
  id: string,
  member: ActorSpec,
  options: Partial<RestartLimit> & { inputOf?: (id: string) => unknown; authority?: Json } = {},
): PoolSpec {
  checkId(id)
  checkOptions(`Pool "${id}"`, options, poolRules)
  if ((member as ChildSpec | null | undefined)?.kind !== 'actor')
    throw invalid(`Pool "${id}" expects a member made by actor() or agent()`, member)
  if (member.name !== undefined) {
    throw new AmbitError(
      'AMBIT_SPEC_INVALID',
      `Members of pool "${id}" cannot all be called "${member.name}". Leave the name away.`,
    )
  }
  return { kind: 'pool', id, member, ...restartLimitDefaults, ...options }
}

function checkId(id: string): void {
  if (typeof (id as unknown) === 'string' && isSegment(id)) return
  throw invalid('Expected a child id of 1-200 letters, digits or ._~:@#=+-', id)
}
