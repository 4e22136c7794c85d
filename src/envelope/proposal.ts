import { sha256, type Json } from '../kernel/json.ts'
import { canonical } from './envelope.ts'
import type { Money } from './money.ts'

/** What an agent wants to do, with the facts its envelope is judged on. Plain JSON. */
export interface Proposal {
  readonly action: string
  /** The arguments as the action's schema gave them: what is judged, signed and executed. */
  readonly args: Json
  /** The arguments as they were given to the schema: what an amendment changes. */
  readonly given: Json
  /** What the action moves, if it moves money. */
  readonly amount?: Money
  /** Facts the action needs and nobody knows: their names. */
  readonly missing: readonly string[]
  readonly confidence?: number
  readonly category?: string
  readonly counterparty?: string
  /** The agent's own reason: claimed, not proved. Never empty. */
  readonly why: string
  /** The agent's address. */
  readonly proposer: string
  /** Persons who may not decide on it, such as the agent's operator. */
  readonly excluded: readonly string[]
}

/** Binds a case and a decision to exactly one proposal under exactly one chain of envelopes. */
export function proposalDigest(proposal: Proposal, chain: readonly string[]): string {
  const { action, args, amount, counterparty, proposer } = proposal
  const bound = {
    action,
    args,
    amount: amount ?? null,
    counterparty: counterparty ?? null,
    proposer,
    chain,
  }
  return sha256(canonical(bound as unknown as Json))
}
