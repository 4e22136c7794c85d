import type { Envelope } from '../src/envelope/envelope.ts'
import { poolMachine } from '../machines/pool.ts'
import { supervisorMachine } from '../machines/supervisor.ts'
import type { ActorSpec } from '../src/kernel/child-spec.ts'
import {
  poolSpec,
  supervisorSpec,
  type PoolOptions as PoolRules,
  type PoolSpec,
  type SupervisorOptions,
  type SupervisorSpec,
} from '../src/kernel/supervisor-spec.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import type { Json } from '../src/kernel/json.ts'
import { invalid } from '../src/kernel/spec-check.ts'

export interface AuthorityOptions {
  /** Binds every agent below, beside its own envelope: the more severe wins. */
  readonly envelope?: Envelope
}

/**
 * Keeps its children alive, restarting each alone when it fails (`one_for_one`). Default: 5 restarts in 60 s, then it
 * gives up and its own supervisor decides; at the root the children stay down and an alarm is raised.
 */
export function supervisor(
  options: Omit<SupervisorOptions, 'authority'> & AuthorityOptions,
): SupervisorSpec {
  checkEnvelope('A supervisor', options)
  const { envelope, ...rest } = options
  return supervisorSpec({ ...rest, ...authorityOf(envelope) }, supervisorEngine)
}

/**
 * A supervisor of any number of alike children, each at `/POOL/ID` and started by the first message to it. Their
 * restarts are counted one by one: a child that fails too often stays down alone.
 */
export function pool(id: string, template: ActorSpec, options?: PoolOptions): PoolSpec
export function pool(options: PoolOptions & NamedTemplate): PoolSpec
export function pool(
  given: string | (PoolOptions & NamedTemplate),
  template?: ActorSpec,
  options: PoolOptions = {},
): PoolSpec {
  const all = typeof given === 'string' ? { ...options, id: given, template } : given
  checkEnvelope('A pool', all)
  const { envelope, id, template: member, ...rest } = all
  return poolSpec(
    id ?? 'pool',
    member as ActorSpec,
    { ...rest, ...authorityOf(envelope) },
    poolEngine,
  )
}

export type PoolOptions = Omit<PoolRules, 'authority'> & AuthorityOptions

interface NamedTemplate {
  /** Default "pool". */
  readonly id?: string
  /** What every member is. */
  readonly template: ActorSpec
}

const supervisorEngine = createInterpreter(supervisorMachine, { isOwn: true })
const poolEngine = createInterpreter(poolMachine, { isOwn: true })

/** Throws `AMBIT_SPEC_INVALID` for options that are none, or an envelope that `defineEnvelope` has not made. */
export function checkEnvelope(who: string, options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`${who} expects its options as an object`, options)
  const { envelope } = options as { readonly envelope?: Partial<Envelope> | null }
  if (envelope === undefined || typeof envelope?.hash === 'string') return
  throw invalid(`${who} expects an envelope made by defineEnvelope()`, envelope)
}

function authorityOf(envelope: Envelope | undefined): { authority?: Json } {
  return envelope === undefined ? {} : { authority: envelope as unknown as Json }
}
