import { isSegment } from './address.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import { mailboxDefaults, type MailboxLimits } from './mailbox.ts'
import type { Engine } from './ports/engine.ts'
import type { Recover, RestartType } from './restart-plan.ts'
import {
  aBoolean,
  anything,
  atLeast,
  aText,
  checkOptions,
  either,
  having,
  invalid,
  listOf,
  oneOf,
  type OptionRules,
} from './spec-check.ts'

/** What a crash leaves of an actor: nothing; what was written in passing; or every acknowledged turn. */
export type Durability = 'none' | 'async' | 'sync'

/** How long a child may take to stop: so many milliseconds, no time at all, or as long as it takes. */
export type Shutdown = number | 'kill' | 'infinity'

/** What every child is under its supervisor, be it an actor or a supervisor itself (OTP child specification). */
export interface LifeSpec {
  readonly restart: RestartType
  readonly shutdown: Shutdown
  /** Whether its own end may end its supervisor (`autoShutdown`). */
  readonly significant: boolean
  readonly startTimeoutMs: number
  /** Of what it was made while its supervisor ran, where that is kept (`durableChildren`). */
  readonly madeFrom?: { readonly template: string; readonly input: Json }
}

/** One actor to keep alive. */
export interface ActorSpec extends LifeSpec {
  readonly kind: 'actor'
  readonly id: string
  readonly engine: Engine
  /** Given to the machine at its first start; for a pool, made from the member's id. */
  readonly input?: unknown
  readonly recover: Recover
  /** When it counts as started: after its first turn, or once its machine has performed `ready()`. */
  readonly ready: 'started' | 'told'
  readonly durability: Durability
  readonly mailbox: MailboxLimits
  readonly groups: readonly string[]
  /** A name other actors may use instead of the address. */
  readonly name?: string
  /** What this actor may do, as data the kernel only passes on. */
  readonly authority?: Json
  /** Whether it keeps others alive: its turns are told as supervision, and not as turns. */
  readonly isSupervisor?: true
  /** Whether it may speak Ambit's own protocol. Only Ambit's actors are. */
  readonly privileged: boolean
  /** Turns before a failing message is parked. */
  readonly attemptsMax: number
  /** How long it may idle in memory. */
  readonly idleAfterMs: number
}

export interface LifeOptions {
  /** Default `transient` for an actor: after a failure, not after it has finished. A supervisor: `permanent`. */
  readonly restart?: RestartType
  /** Grace for its stop, then it is cut off. Default 5,000 for an actor, `infinity` for a supervisor. */
  readonly shutdownMs?: Shutdown
  /** Default false. Never for a permanent child. */
  readonly significant?: boolean
  /**
   * How long it may take until it says `ready()`, where its spec has `ready: 'told'`; any other start is one turn.
   * Default 30,000; a supervisor may take as long as its children do.
   */
  readonly startTimeoutMs?: number
}

export interface ActorOptions extends LifeOptions {
  readonly input?: unknown
  /** Default `resume`; where nothing is kept (`durability: 'none'`) there is nothing to resume, so `fresh`. */
  readonly recover?: Recover
  /** Default `started`. */
  readonly ready?: 'started' | 'told'
  /** Default `sync`. */
  readonly durability?: Durability
  readonly mailbox?: Partial<MailboxLimits>
  readonly name?: string
  /** Groups it is a member of as long as it lives; several actors share one. Default none. */
  readonly groups?: readonly string[]
  /** Turns before a failing message is parked. Default 2; 3 is sound where all that a message starts is idempotent. */
  readonly attemptsMax?: number
  /**
   * After so many milliseconds without a message, an effect or anything else under way its state leaves memory; the
   * next message, due timer or notice of a monitor brings it back from the journal. Default `Infinity`: never. Not with
   * durability `none`.
   */
  readonly idleAfterMs?: number
}

export const ATTEMPTS_MAX = 2
export const SHUTDOWN_MS = 5000
export const START_TIMEOUT_MS = 30_000

export const lifeDefaults: Omit<LifeSpec, 'restart'> = {
  shutdown: SHUTDOWN_MS,
  significant: false,
  startTimeoutMs: START_TIMEOUT_MS,
}

export function actorSpec(
  id: string,
  engine: Engine,
  options: ActorOptions & { authority?: Json; privileged?: boolean } = {},
): ActorSpec {
  checkActorOptions(id, options)
  refuseForgetful(id, options)
  return {
    kind: 'actor',
    id,
    engine,
    input: options.input,
    ...lifeOf(options, { ...lifeDefaults, restart: 'transient' }),
    recover: options.recover ?? 'resume',
    ready: options.ready ?? 'started',
    groups: options.groups ?? [],
    durability: options.durability ?? 'sync',
    mailbox: { ...mailboxDefaults, ...options.mailbox },
    ...(options.name !== undefined && { name: options.name }),
    ...(options.authority !== undefined && { authority: options.authority }),
    privileged: options.privileged ?? false,
    attemptsMax: options.attemptsMax ?? ATTEMPTS_MAX,
    idleAfterMs: options.idleAfterMs ?? Infinity,
  }
}

/** What keeps nothing cannot leave memory and come back. */
function refuseForgetful(id: string, { idleAfterMs, durability }: ActorOptions): void {
  if (idleAfterMs === undefined || durability !== 'none') return
  const message =
    `Actor "${id}" has durability 'none', so nothing of it would be left after idleAfterMs. ` +
    "Use 'async' or 'sync', or leave idleAfterMs away."
  throw new AmbitError('AMBIT_SPEC_INVALID', message)
}

const mailboxRules: OptionRules = {
  userLengthMax: atLeast(0),
  controlLengthMax: atLeast(0),
  overflow: oneOf('reject', 'deadLetter', 'dropOldest'),
}

/** The rules of options that every child has. */
export const lifeRules: OptionRules = {
  restart: oneOf('permanent', 'transient', 'temporary'),
  shutdownMs: either(atLeast(0), oneOf('kill', 'infinity')),
  significant: aBoolean,
  startTimeoutMs: atLeast(1),
}

/** What a child is under its supervisor; throws `AMBIT_SPEC_INVALID` for a permanent one that would be significant. */
export function lifeOf(options: LifeOptions, defaults: LifeSpec): LifeSpec {
  const { restart, shutdownMs, significant, startTimeoutMs } = options
  const life = {
    restart: restart ?? defaults.restart,
    shutdown: shutdownMs ?? defaults.shutdown,
    significant: significant ?? defaults.significant,
    startTimeoutMs: startTimeoutMs ?? defaults.startTimeoutMs,
  }
  if (life.significant && life.restart === 'permanent')
    throw invalid('Expected a significant child to be transient or temporary', life.restart)
  return life
}

const actorRules: OptionRules = {
  ...lifeRules,
  input: anything,
  recover: oneOf('resume', 'fresh', 'stop', 'escalate'),
  ready: oneOf('started', 'told'),
  groups: listOf(aText),
  attemptsMax: atLeast(1),
  idleAfterMs: atLeast(1),
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

/** Throws `AMBIT_SPEC_INVALID` for what cannot be a child's id. */
export function checkId(id: string): void {
  if (typeof (id as unknown) === 'string' && isSegment(id)) return
  throw invalid('Expected a child id of 1-200 letters, digits or ._~:@#=+-', id)
}
