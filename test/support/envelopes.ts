import { defineEnvelope, type Envelope, type EnvelopeInput } from '../../src/envelope/envelope.ts'
import type { Proposal } from '../../src/envelope/proposal.ts'

/** An envelope that allows refunds and names who decides, unless said otherwise. */
export function envelopeOf(input: Partial<EnvelopeInput> = {}): Envelope {
  const approval = { by: ['finance'] }
  return defineEnvelope({ id: 'desk', owner: 'head', actions: { refund: {} }, approval, ...input })
}

/** A refund of 10.00 USD with every fact known, unless said otherwise. */
export function proposalOf(over: Partial<Proposal> = {}): Proposal {
  return {
    action: 'refund',
    args: {},
    given: {},
    missing: [],
    amount: { currency: 'USD', minor: 1000 },
    confidence: 0.9,
    category: 'late',
    counterparty: 'anna',
    why: 'she asked',
    proposer: '/desk',
    excluded: [],
    ...over,
  }
}

/** The same proposal with some facts unknown. */
export function without(...facts: ('amount' | 'confidence' | 'category' | 'counterparty')[]) {
  const proposal: Partial<Proposal> = proposalOf()
  const known = Object.entries(proposal).filter(([name]) => !facts.includes(name as never))
  return Object.fromEntries(known) as unknown as Proposal
}
