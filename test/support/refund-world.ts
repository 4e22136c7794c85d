import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  generateApproverKey,
  governed,
  keyIdOf,
  memory,
  money,
  signStatement,
  supervisor,
  type ActorSystem,
  type Clock,
  type EnvelopeInput,
  type Journal,
  type Json,
  type Observer,
  type Statement,
} from 'ambit'
import { assign, setup } from 'xstate'
import { z } from 'zod'

/** A world with one payment target that notes what was done to it, and can be told to hold or to fail. */
export class World {
  readonly made: { key: string; attempt: number; maybeExecuted: boolean }[] = []
  readonly undone: string[] = []
  /** For tests that count attempts which made nothing. */
  asked = 0
  /** Called at each attempt; may wait or throw. */
  onExecute: (attempt: number) => Promise<void> | void = () => undefined
  verifies = true

  /** How many refunds the world has, counting a key once. */
  get refunds(): number {
    return new Set(this.made.map(({ key }) => key)).size
  }
}

export const envelopeInput: EnvelopeInput = {
  id: 'desk',
  owner: 'head-of-support',
  actions: {
    refund: {
      atMost: { amount: '500.00 USD' },
      windows: [{ amount: '1000.00 USD', per: 'day', timeZone: 'UTC' }],
    },
  },
  escalateWhen: [{ confidenceUnder: 0.8 }],
  approval: { by: ['finance'] },
}

export interface WorldOptions {
  readonly amount?: string
  readonly order?: string
  readonly why?: string
  readonly idempotent?: boolean
  readonly attemptsMax?: number
  readonly verify?: boolean
  readonly envelope?: Partial<EnvelopeInput>
  /** A second agent at `/desk-2` that wants the same, or with another amount a conflict. */
  readonly agents?: 1 | 2
  readonly secondAmount?: string
  readonly excluded?: readonly string[]
  readonly clock?: Clock
  readonly journal?: Journal
  readonly observers?: readonly Observer[]
}

export function refundOf(world: World, options: WorldOptions = {}) {
  return defineAction({
    name: 'refund',
    input: z.object({ order: z.string(), amount: money().nullable() }),
    key: ({ order }) => order,
    amount: ({ amount }) => amount ?? undefined,
    missing: ({ amount }) => (amount === null ? ['amount'] : []),
    idempotent: options.idempotent ?? true,
    attemptsMax: options.attemptsMax ?? 4,
    async execute({ idempotencyKey, attempt, maybeExecuted }) {
      await world.onExecute(world.made.length + 1)
      world.made.push({ key: idempotencyKey, attempt, maybeExecuted })
      return { refundId: `r-${world.made.length}` }
    },
    ...(options.verify === true && { verify: async () => world.verifies }),
    compensate: async ({ idempotencyKey }) => void world.undone.push(idempotencyKey),
  })
}

type AgentEvent =
  { type: 'leave' } | { type: 'boom' } | { type: 'refund.waiting'; case: string; state: string }

/** An agent that proposes one refund as soon as it starts, and can be told to leave or to fail. */
export function refundAgent(
  world: World,
  options: WorldOptions = {},
  refund = refundOf(world, options),
) {
  const {
    amount = '100.00 USD',
    order = 'o-1',
    why = 'the customer asked',
    excluded = [],
  } = options
  return setup({
    types: { context: {} as { case: string | null; error: Json }, events: {} as AgentEvent },
    actors: { refund: governed(refund, { onWaiting: 'refund.waiting' }) },
  }).createMachine({
    id: 'refund-agent',
    context: { case: null, error: null },
    initial: 'refunding',
    on: {
      boom: {
        actions: assign(() => {
          throw new Error('boom')
        }),
      },
    },
    states: {
      refunding: {
        invoke: {
          src: 'refund',
          input: () => ({
            args: { order, amount: amount === 'unknown' ? null : amount },
            why,
            confidence: 0.9,
            excluded,
          }),
          onDone: 'refunded',
          onError: {
            target: 'declined',
            actions: assign({ error: ({ event }) => event.error as Json }),
          },
        },
        on: {
          leave: 'left',
          'refund.waiting': { actions: assign({ case: ({ event }) => event.case }) },
        },
      },
      refunded: {},
      declined: {},
      left: {},
    },
  })
}

/** A system with one refund agent at `/desk` in a world. */
export function refundSystem(world: World, options: WorldOptions = {}): ActorSystem {
  const envelope = defineEnvelope({ ...envelopeInput, ...options.envelope })
  const { journal = memory(), clock, observers } = options
  const refund = refundOf(world, options)
  const second = { ...options, amount: options.secondAmount ?? options.amount ?? '100.00 USD' }
  const desks = [
    agent('desk', refundAgent(world, options, refund), { envelope }),
    agent('desk-2', refundAgent(world, second, refund), { envelope }),
  ].slice(0, options.agents ?? 1)
  return createSystem({
    root: supervisor({ children: desks }),
    journal,
    ...(clock !== undefined && { clock }),
    ...(observers !== undefined && { observers }),
  })
}

/** A person with a key, known to the desk. */
export async function approver(system: ActorSystem, person: string, roles = ['finance']) {
  const { privateKey, publicKey } = generateApproverKey()
  await system.addApprover(keyIdOf(publicKey), { person, roles, publicKey })
  let used = 0
  return (caseId: string, verdict: Statement['verdict'], more: Partial<Statement> = {}) => {
    const found = system.cases().find(({ id }) => id === caseId)
    const nonce = `${person}-${caseId}-${++used}-0123456789`
    const digest = found?.digest ?? '0'.repeat(64)
    const statement = {
      v: 1,
      system: system.id,
      case: caseId,
      digest,
      verdict,
      person,
      at: 1,
      nonce,
      ...more,
    } as Statement
    return system.submitDecision(signStatement(statement, privateKey))
  }
}

/** What the ledger holds for anyone: entries by status, and the sum of every window. */
export function ledgerOf(system: ActorSystem): { statuses: string[]; sums: number[] } {
  const rows = [...system.rows('/system/ledger')]
  return {
    statuses: rows
      .filter(([key]) => key.startsWith('entry:'))
      .map(([, value]) => (value as { status: string }).status),
    sums: rows.filter(([key]) => key.startsWith('sum:')).map(([, value]) => value as number),
  }
}
