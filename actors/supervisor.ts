import type { Envelope } from '../src/envelope/envelope.ts'
import {
  poolSpec,
  supervisorSpec,
  type ActorSpec,
  type PoolSpec,
  type SupervisorOptions,
  type SupervisorSpec,
} from '../src/kernel/child-spec.ts'
import type { Json } from '../src/kernel/json.ts'
import { invalid } from '../src/kernel/spec-check.ts'
import type { RestartLimit } from '../src/kernel/restart-window.ts'

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
  return supervisorSpec({ ...rest, ...authorityOf(envelope) })
}

/**
 * A supervisor of any number of alike children, each at `/POOL/ID` and started by the first message to it. Their
 * restarts are counted one by one: a child that fails too often stays down alone.
 */
export function pool(
  id: string,
  member: ActorSpec,
  options: Partial<RestartLimit> &
    AuthorityOptions & { readonly inputOf?: (id: string) => unknown } = {},
): PoolSpec {
  checkEnvelope('A pool', options)
  const { envelope, ...rest } = options
  return poolSpec(id, member, { ...rest, ...authorityOf(envelope) })
}

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
