import {
  formatAmount,
  governed,
  parseMoney,
  readOnly,
  tell,
  think,
  type Action,
  type GovernedInput,
  type Money,
  type RuleName,
} from 'ambit'
import { assign, setup } from 'xstate'
import type { Judgement, Reasoner } from './reasoner.ts'
import { INTAKE, type Rest, type TicketOutcome } from './intake.ts'
import type { Ticket } from './ticket.ts'

export interface RefundArgs {
  readonly ticket: string
  readonly order: string | null
  readonly amount: Money | null
}

interface TicketContext {
  readonly ticket: Ticket
  readonly judgement: Judgement | null
}

interface Waiting {
  readonly type: 'refund.waiting'
  readonly case: string
  readonly key: string
  readonly attempts: number
  readonly rules: readonly RuleName[]
  readonly state: 'awaitingHuman' | 'inDoubt'
}

type TicketEvent = { type: 'ticket.assigned'; ticket: Ticket } | Waiting

/** Confident enough to tell a customer no without a human. */
const SURE = 0.8

const noTicket: Ticket = { id: '', customer: '', text: '', facts: {} }

/** One agent for each ticket: it judges the message, proposes the refund, and waits for what becomes of it. */
export function createTicketAgent(reason: () => Promise<Reasoner>, refund: Action<never>) {
  return setup({
    types: { context: {} as TicketContext, events: {} as TicketEvent },
    actors: {
      judge: readOnly<{ text: string }, Judgement>(async ({ text }, { signal }) =>
        (await reason()).propose({ text }, { signal }),
      ),
      refund: governed(refund as unknown as Action<RefundArgs, { refundId: string }>, {
        onWaiting: 'refund.waiting',
      }),
    },
    guards: {
      asksForNothing: ({ context: { judgement } }) =>
        judgement !== null &&
        !judgement.wantsRefund &&
        judgement.confidence >= SURE &&
        judgement.category !== 'legal',
    },
  }).createMachine({
    id: 'ticket-agent',
    version: '1',
    context: { ticket: noTicket, judgement: null },
    initial: 'unassigned',
    states: {
      unassigned: {
        on: {
          'ticket.assigned': {
            target: 'judging',
            actions: assign({ ticket: ({ event }) => event.ticket }),
          },
        },
      },
      judging: {
        invoke: {
          src: 'judge',
          input: ({ context }) => ({ text: context.ticket.text }),
          onDone: { target: 'judged', actions: assign({ judgement: ({ event }) => event.output }) },
          // A reasoner that fails has no opinion: without confidence a human decides.
          onError: 'proposing',
        },
      },
      judged: {
        entry: think(({ context }) => ({
          kind: 'interpreted',
          ticket: context.ticket.id,
          ...context.judgement,
        })),
        always: [{ guard: 'asksForNothing', target: 'notARefund' }, { target: 'proposing' }],
      },
      proposing: {
        invoke: {
          src: 'refund',
          input: ({ context }) => proposalOf(context),
          onDone: {
            target: 'refunded',
            actions: tell(INTAKE, ({ context, event }) =>
              rested(context, { ...event.output, outcome: 'refunded' }),
            ),
          },
          onError: {
            target: 'declined',
            actions: tell(INTAKE, ({ context, event }) => rested(context, restAfter(event.error))),
          },
        },
        on: {
          'refund.waiting': {
            actions: tell(INTAKE, ({ context, event }) =>
              rested(context, { ...event, outcome: event.state }),
            ),
          },
        },
      },
      refunded: { type: 'final' },
      declined: { type: 'final' },
      notARefund: {
        type: 'final',
        entry: tell(INTAKE, ({ context }) =>
          rested(context, { outcome: 'denied', rules: ['notARefund'] }),
        ),
      },
    },
  })
}

/** Given facts stand as they are; what is missing comes from the message; what nobody knows is `null`. */
function proposalOf({ ticket, judgement }: TicketContext): GovernedInput<RefundArgs> {
  const { order, amount, currency, category, confidence } = ticket.facts
  const read = { amount: amount ?? judgement?.amount, currency: currency ?? judgement?.currency }
  const sure = confidence ?? (judgement?.wantsRefund === true ? judgement.confidence : undefined)
  const kind = category ?? judgement?.category
  return {
    args: { ticket: ticket.id, order: order ?? null, amount: moneyOf(read.amount, read.currency) },
    // Someone who may not want a refund at all is no sure case: one minus the confidence that they do not.
    confidence: sure ?? (judgement === null ? 0 : 1 - judgement.confidence),
    category: kind ?? 'unknown',
    why: judgement?.why ?? 'The ticket states the facts; the message could not be judged.',
  }
}

function moneyOf(amount: string | undefined, currency: string | undefined): Money | null {
  if (amount === undefined || currency === undefined) return null
  try {
    return parseMoney(amount, currency)
  } catch {
    return null
  }
}

/** What the action said of itself, when there was one. */
interface News {
  readonly outcome: TicketOutcome
  readonly rules: readonly string[]
  readonly key?: string
  readonly attempts?: number
  readonly amount?: Money
  readonly case?: string
  readonly reason?: string
}

/** Tells the intake how the ticket came to rest; what was really moved counts before what was asked for. */
function rested({ ticket, judgement }: TicketContext, news: News) {
  const { outcome, rules, key, attempts, case: caseId, reason } = news
  const moved =
    news.amount === undefined
      ? {}
      : { amount: formatAmount(news.amount), currency: news.amount.currency }
  const rest: Rest = {
    outcome,
    rules,
    amount: ticket.facts.amount ?? judgement?.amount,
    currency: ticket.facts.currency ?? judgement?.currency,
    ...moved,
    key,
    attempts,
    case: caseId,
    reason,
  }
  return { type: 'ticket.rested', id: ticket.id, rest }
}

function restAfter(error: unknown): News {
  const { outcome = '', rules = [], ...news } = error as Partial<News> & { outcome?: string }
  const declined = outcome as string
  return {
    ...news,
    outcome: 'denied',
    rules: declined === 'conflict' ? ['conflict'] : rules,
    reason: declined,
  }
}
