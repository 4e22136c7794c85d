import { decide, type Decision, type LedgerView } from '../src/envelope/decide.ts'
import type { Envelope } from '../src/envelope/envelope.ts'
import { readMoney } from '../src/envelope/money.ts'
import type { Proposal } from '../src/envelope/proposal.ts'
import { windowKey } from '../src/envelope/windows.ts'
import { LEDGER, proposalOf, type ActionContext, type ActionServices } from './action-steps.ts'
import { viewFrom, type Charge, type Reservation } from './ledger.ts'

export function decideNow(
  services: ActionServices,
  context: ActionContext,
  view: LedgerView,
): Decision {
  return decide(envelopesOf(services, context), proposalOf(context), view)
}

/** The same by what the ledger shows at this moment; undefined where it has to be asked. */
export function decideInSight(
  services: ActionServices,
  context: ActionContext,
): Decision | undefined {
  const view = viewFrom(LEDGER, ledgerInput(services, context).charges)
  return view && decideNow(services, context, view)
}

/** What the ledger is asked: every window of every envelope above, or the account of the human who approved. */
export function ledgerInput(services: ActionServices, context: ActionContext): Reservation {
  const { action, amount } = proposalOf(context)
  const account = accountOf(services, context)
  const charges = context.by === 'human' ? [] : chargesOf(services, context, action)
  return {
    key: context.key,
    account,
    minor: amount?.minor ?? 0,
    currency: amount?.currency ?? 'XXX',
    charges,
  }
}

function chargesOf(services: ActionServices, context: ActionContext, action: string): Charge[] {
  return envelopesOf(services, context).flatMap((envelope) =>
    chargesOfEnvelope(envelope, action, proposalOf(context)),
  )
}

function chargesOfEnvelope(envelope: Envelope, action: string, { amount }: Proposal): Charge[] {
  const limits = Object.hasOwn(envelope.actions, action) ? envelope.actions[action] : undefined
  return (limits?.windows ?? [])
    .map((spec) => ({ spec, limit: readMoney(spec.amount) }))
    .filter(({ limit }) => limit.currency === amount?.currency)
    .map(({ spec, limit }) => ({
      window: windowKey(envelope.id, action, spec),
      spec,
      limit: limit.minor,
    }))
}

function accountOf(services: ActionServices, context: ActionContext): string {
  if (context.by === 'human') return `approver/${context.persons.join('+')}`
  return envelopesOf(services, context).at(-1)?.id ?? '(none)'
}

export function envelopesOf(services: ActionServices, { chain }: ActionContext): Envelope[] {
  return chain.map((hash) => services.envelope(hash))
}
