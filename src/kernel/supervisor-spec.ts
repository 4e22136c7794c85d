import {
  actorSpec,
  checkId,
  lifeOf,
  lifeRules,
  type ActorSpec,
  type LifeOptions,
  type LifeSpec,
} from './child-spec.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import type { Engine } from './ports/engine.ts'
import { backoffDefaults, type Backoff, type Strategy } from './restart-plan.ts'
import { restartLimitDefaults, type RestartLimit } from './restart-window.ts'
import {
  aBoolean,
  aChild,
  aFunction,
  anything,
  atLeast,
  aText,
  checkOptions,
  either,
  having,
  invalid,
  listOf,
  oneOf,
  requireOption,
  type OptionRules,
} from './spec-check.ts'

/** When a supervisor ends because significant children ended by themselves (OTP 24). */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

interface FamilySpec extends LifeSpec, RestartLimit {
  readonly id: string
  /** Decides what happens to the children. */
  readonly engine: Engine
  readonly backoff: Backoff
  readonly authority?: Json
}

/** A supervisor: keeps its children alive. */
export interface SupervisorSpec extends FamilySpec {
  readonly kind: 'supervisor'
  readonly strategy: Strategy
  readonly autoShutdown: AutoShutdown
  readonly children: readonly ChildSpec[]
  readonly templates?: Readonly<Record<string, Template>>
}

/** A supervisor of any number of alike children; each starts with the first message to its address. */
export interface PoolSpec extends FamilySpec {
  readonly kind: 'pool'
  readonly member: ActorSpec
  readonly maxChildren: number
  /** Whether the members' restarts are counted together, as in OTP, or each member's by itself. */
  readonly budget: 'shared' | 'each'
  readonly inputOf?: (id: string) => unknown
}

export type ChildSpec = ActorSpec | SupervisorSpec | PoolSpec

/** A spec, or a function that makes one from an input; the id is that of the child that was asked for. */
export type Template = ChildSpec | ((input: Json) => ChildSpec)

interface FamilyOptions extends Partial<RestartLimit>, LifeOptions {
  /** Waits between restarts; `none` restarts at once each time, as OTP does. Default 200 ms doubling to 30 s. */
  readonly backoff?: Partial<Backoff> | 'none'
  readonly authority?: Json
}

export interface SupervisorOptions extends FamilyOptions {
  /** Default "root"; the root's id is not part of an address. */
  readonly id?: string
  /** Default `one_for_one`. */
  readonly strategy?: Strategy
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown
  readonly children: readonly ChildSpec[]
  /**
   * Whether children that are added at run time are made again, from `templates`, after a restart of the supervisor or
   * of the process. Such a child is asked for as `startChild({ template, id, input })`; temporary ones are not kept. At
   * most 10,000. Default false: they end with this life of the supervisor.
   */
  readonly durableChildren?: boolean
  /** What children may be made of while it runs, by name. Only with `durableChildren`. */
  readonly templates?: Readonly<Record<string, Template>>
}

export interface PoolOptions extends FamilyOptions {
  /** Most members that live at a time. Default: no limit. */
  readonly maxChildren?: number
  /** Default `shared`. */
  readonly budget?: 'shared' | 'each'
  readonly inputOf?: (id: string) => unknown
}

/** What is wrong with a supervisor's options, by name. */
export interface SpecFault {
  readonly reason: 'invalidOption' | 'duplicateChildId' | 'significantWithoutAutoShutdown'
  /** The child it is about. */
  readonly child?: string
  readonly message: string
}

const familyRules: OptionRules = {
  ...lifeRules,
  intensity: atLeast(0),
  periodMs: atLeast(1),
  backoff: either(oneOf('none'), having('an object of baseMs and maxMs')),
  authority: anything,
}
const supervisorRules: OptionRules = {
  ...familyRules,
  id: aText,
  strategy: oneOf('one_for_one', 'one_for_all', 'rest_for_one'),
  autoShutdown: oneOf('never', 'any_significant', 'all_significant'),
  children: listOf(aChild),
  durableChildren: aBoolean,
  templates: having('an object of templates, each a spec or a function that makes one'),
}
const poolRules: OptionRules = {
  ...familyRules,
  maxChildren: atLeast(1),
  budget: oneOf('shared', 'each'),
  inputOf: aFunction,
}
const backoffRules: OptionRules = { baseMs: atLeast(0), maxMs: atLeast(0) }

/** A supervisor of the given children. Default: 5 restarts in 60 s. Throws for the first fault of its options. */
export function supervisorSpec(options: SupervisorOptions, engine: Engine): SupervisorSpec {
  checkOptions('A supervisor', options, supervisorRules)
  requireOption('A supervisor', options, 'children')
  const { id = 'root', strategy = 'one_for_one', autoShutdown = 'never' } = options
  checkId(id)
  const { children } = options
  const templates = templatesOf(`Supervisor "${id}"`, options)
  const [fault] = faultsAmong(id, children, autoShutdown)
  if (fault !== undefined) {
    const isTaken = fault.reason === 'duplicateChildId'
    throw new AmbitError(isTaken ? 'AMBIT_CHILD_ID_TAKEN' : 'AMBIT_SPEC_INVALID', fault.message)
  }
  const family = familyOf(`Supervisor "${id}"`, options, engine)
  return { kind: 'supervisor', id, strategy, autoShutdown, children, ...templates, ...family }
}

function templatesOf(
  who: string,
  { durableChildren = false, templates }: SupervisorOptions,
): Pick<SupervisorSpec, 'templates'> {
  if (durableChildren !== (templates !== undefined))
    throw invalid(
      `${who} expects "durableChildren: true" and "templates" together`,
      durableChildren ? 'durableChildren' : templates === undefined ? templates : 'templates',
    )
  if (templates === undefined) return {}
  for (const [name, template] of Object.entries(templates))
    if (!aFunction.is(template) && !aChild.is(template))
      throw invalid(`${who} expects its template "${name}" to be a spec or to make one`, template)
  return { templates }
}

export function poolSpec(
  id: string,
  member: ActorSpec,
  options: PoolOptions,
  engine: Engine,
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
  if (member.significant) {
    throw new AmbitError(
      'AMBIT_SPEC_INVALID',
      `Members of pool "${id}" cannot be significant: a pool never shuts itself down. Use a supervisor.`,
    )
  }
  const { maxChildren = Infinity, budget = 'shared', inputOf } = options
  const family = familyOf(`Pool "${id}"`, options, engine)
  const input = inputOf === undefined ? {} : { inputOf }
  return { kind: 'pool', id, member, maxChildren, budget, ...input, ...family }
}

/** A supervisor as the actor it is itself, and what its machine is given. */
export function ownSpec(spec: SupervisorSpec | PoolSpec): { spec: ActorSpec; input: unknown } {
  const { engine, restart, shutdown, significant, startTimeoutMs, id } = spec
  const life = { restart, shutdown, significant, startTimeoutMs }
  const own = actorSpec(id, engine, { durability: 'none', ready: 'told', privileged: true })
  const children = spec.kind === 'pool' ? [] : spec.children.map(childOf)
  return { spec: { ...own, ...life, isSupervisor: true }, input: inputOf(spec, children) }
}

/** What a supervisor's machine is given at the start of each of its lives. */
export function inputOf(spec: SupervisorSpec | PoolSpec, children: readonly object[]): unknown {
  const { intensity, periodMs, backoff } = spec
  if (spec.kind === 'pool') {
    const { budget, member } = spec
    const { restart, recover } = member
    return { flags: { intensity, periodMs, backoff, budget, restart, recover } }
  }
  const { strategy, autoShutdown } = spec
  const flags = { strategy, intensity, periodMs, autoShutdown, backoff }
  return { flags, children }
}

/** What a supervisor's machine knows of a child. */
export function childOf(spec: ChildSpec) {
  const { id, kind, restart, significant, shutdown } = spec
  const type = kind === 'actor' ? 'worker' : 'supervisor'
  const recover = kind === 'actor' ? spec.recover : 'resume'
  return {
    id,
    restart,
    recover,
    significant,
    shutdown,
    type,
    status: 'down',
    isAdded: false,
    incarnation: 0,
  } as const
}

/** Looks a supervisor's options over without making anything of them: every fault, none if it could be started. */
export function checkSupervisor(options: SupervisorOptions): readonly SpecFault[] {
  const faults: SpecFault[] = []
  const { children, autoShutdown = 'never', id = 'root' } = options
  const attempt = (check: () => unknown) => {
    try {
      check()
    } catch (error) {
      faults.push({ reason: 'invalidOption', message: (error as Error).message })
    }
  }
  for (const [name, value] of Object.entries({ ...options, children }))
    attempt(() => checkOptions('A supervisor', { [name]: value }, supervisorRules))
  if (faults.length === 0) {
    attempt(() => checkId(id))
    attempt(() => templatesOf(`Supervisor "${id}"`, options))
  }
  if (faults.length > 0) return faults
  return faultsAmong(id, children, autoShutdown)
}

function faultsAmong(
  id: string,
  children: readonly ChildSpec[],
  autoShutdown: AutoShutdown,
): readonly SpecFault[] {
  const ids = new Set<string>()
  const faults: SpecFault[] = []
  for (const { id: child, significant } of children) {
    if (ids.has(child)) {
      const message = `Supervisor "${id}" already has a child "${child}". Give each child its own id.`
      faults.push({ reason: 'duplicateChildId', child, message })
    }
    ids.add(child)
    if (!significant || autoShutdown !== 'never') continue
    const message =
      `Supervisor "${id}" never shuts itself down, so its child "${child}" cannot be significant. ` +
      'Give the supervisor an autoShutdown.'
    faults.push({ reason: 'significantWithoutAutoShutdown', child, message })
  }
  return faults
}

/** As in OTP, a supervisor may take as long as its children do. */
const supervisorLife: LifeSpec = {
  restart: 'permanent',
  shutdown: 'infinity',
  significant: false,
  startTimeoutMs: Infinity,
}

function familyOf(who: string, options: FamilyOptions, engine: Engine): Omit<FamilySpec, 'id'> {
  const { intensity, periodMs, backoff, authority } = options
  return {
    ...lifeOf(options, supervisorLife),
    intensity: intensity ?? restartLimitDefaults.intensity,
    periodMs: periodMs ?? restartLimitDefaults.periodMs,
    backoff: backoffOf(who, backoff),
    engine,
    ...(authority !== undefined && { authority }),
  }
}

function backoffOf(who: string, backoff: FamilyOptions['backoff']): Backoff {
  if (backoff === 'none') return { baseMs: 0, maxMs: 0 }
  if (backoff !== undefined) checkOptions(`The backoff of ${who}`, backoff, backoffRules)
  return { ...backoffDefaults, ...backoff }
}
