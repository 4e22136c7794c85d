import type { PromiseActorLogic } from 'xstate'
import type { z } from 'zod'
import { ACTIONS } from '../machines/action-steps.ts'
import { actionKey, type Action } from '../src/envelope/action.ts'
import { canonical, type Envelope } from '../src/envelope/envelope.ts'
import type { RuleName } from '../src/envelope/decide.ts'
import type { Money } from '../src/envelope/money.ts'
import type { Proposal } from '../src/envelope/proposal.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import type { Json } from '../src/kernel/json.ts'
import type { Event } from '../src/kernel/message.ts'
import type { AskRequest, Settlement } from '../src/kernel/ports/engine.ts'
import type { Turn } from '../src/kernel/turn.ts'
import { askLogic } from '../src/logic/invocable.ts'

/** What an agent's machine gives when it invokes a governed action. */
export interface GovernedInput<Args> {
  readonly args: Args
  /** The agent's reason. A proposal without one is invalid. */
  readonly why: string
  /** 0 to 1. */
  readonly confidence?: number
  readonly category?: string
  /** Persons who may not decide on this, such as whoever runs the agent. */
  readonly excluded?: readonly string[]
}

/** What `onDone` brings: the action happened. */
export interface GovernedOutput<Output> {
  readonly outcome: 'committed'
  readonly output: Output
  /** The action's key, which the target saw as idempotency key. */
  readonly key: string
  readonly attempts: number
  /** What it moved, after any amendment. */
  readonly amount?: Money
  /** Rules that had asked for a human, if one decided. */
  readonly rules: readonly RuleName[]
  readonly by: 'envelope' | 'human'
  readonly persons: readonly string[]
}

/** What `onError` brings when the action did not happen. */
export interface Declined {
  readonly name: 'Declined'
  readonly message: string
  readonly outcome: string
  readonly rules: readonly RuleName[]
  readonly key?: string
  readonly attempts?: number
  readonly amount?: Money
}

export interface GovernedOptions {
  /**
   * The event type under which the machine hears that a human is asked. The event has `case`, `key`, `attempts`,
   * `amount`, `rules` and `state`, which is
   * `awaitingHuman` or `inDoubt`. By default it is not told and just goes on waiting.
   */
  readonly onWaiting?: string
}

const WITHDRAW = { type: 'ambit.action.withdraw' }

const actions = new WeakMap<object, Action>()

/**
 * The only way an agent acts on the world: it proposes, and waits in its own state until the action is done
 * (`onDone`) or will not be (`onError`). Leaving the state withdraws the proposal, unless the effect has begun.
 *
 * @example
 * setup({ actors: { refund: governed(refund) } })
 */
export function governed<Input, Output>(
  action: Action<Input, Output>,
  options: GovernedOptions = {},
): PromiseActorLogic<GovernedOutput<Output>, GovernedInput<Input>> {
  const logic = askLogic<GovernedInput<Input>, GovernedOutput<Output>>({
    kind: 'ask',
    governs: action.name,
    request: (input: never, turn) => propose(action, input as GovernedInput<Input>, turn, options),
    settle: (answer) => settle(answer, action.name),
    forgetsInput: true,
    withdraw: WITHDRAW,
  })
  actions.set(logic, action as Action)
  return logic
}

/** The action behind a logic made by `governed`. */
export function actionOf(logic: unknown): Action | undefined {
  return typeof logic === 'object' && logic !== null ? actions.get(logic) : undefined
}

/** Reads the facts of a proposal from its arguments; throws when the action's own schema refuses them. */
export function readProposal(
  action: Action,
  args: unknown,
  claims: Pick<Proposal, 'why' | 'proposer' | 'excluded' | 'confidence' | 'category'>,
): Proposal {
  const { input, amount, missing, counterparty } = action.definition
  const parsed = input.safeParse(args)
  if (!parsed.success) throw invalidArguments(action.name, parsed.error)
  const money = amount?.(parsed.data)
  const other = counterparty?.(parsed.data)
  refuseUnsignable(action.name, [parsed.data as Json, other ?? null])
  return {
    action: action.name,
    args: parsed.data as Json,
    given: (args ?? null) as Json,
    missing: missing?.(parsed.data) ?? [],
    ...(money !== undefined && { amount: money }),
    ...(other !== undefined && { counterparty: other }),
    ...claims,
  }
}

/** What has no canonical form, such as half of an emoji, has no digest: nobody could decide on it. */
function refuseUnsignable(action: string, args: Json): void {
  try {
    canonical(args)
  } catch (error) {
    throw new AmbitError(
      'AMBIT_EVENT_REFUSED',
      `The arguments of "${action}" were refused: ${(error as Error).message}. Mend the proposal.`,
      { cause: error },
    )
  }
}

function propose<Input>(
  action: Action<Input>,
  input: GovernedInput<Input>,
  turn: Turn,
  options: GovernedOptions,
): AskRequest {
  if (typeof input.why !== 'string' || input.why.trim() === '') {
    throw new AmbitError(
      'AMBIT_EVENT_REFUSED',
      `"${turn.address}" proposes "${action.name}" without saying why. Give the invoke's input a "why".`,
    )
  }
  const confidence = factOf(input.confidence)
  const category = factOf(input.category)
  if (confidence !== undefined && !(confidence >= 0 && confidence <= 1)) {
    throw new AmbitError(
      'AMBIT_EVENT_REFUSED',
      `"${turn.address}" proposes "${action.name}" with confidence ${String(confidence)}. Give a number from 0 to 1.`,
    )
  }
  const proposal = readProposal(action as Action, input.args, {
    why: input.why,
    proposer: turn.address,
    excluded: input.excluded ?? [],
    ...(confidence !== undefined && { confidence }),
    ...(category !== undefined && { category }),
  })
  const key = actionKey(turn.systemId, action.name, action.definition.key(proposal.args))
  const chain = (turn.authority as unknown as readonly Envelope[]).map(({ hash }) => hash)
  const { onWaiting } = options
  return {
    to: `${ACTIONS}/${key}`,
    event: {
      type: 'ambit.action.propose',
      proposal,
      chain,
      ...(onWaiting !== undefined && { notice: onWaiting }),
    },
    withdraw: WITHDRAW,
  }
}

/** `null` is how a machine says that nobody knows. */
function factOf<T>(fact: T | null | undefined): T | undefined {
  return fact ?? undefined
}

function settle(answer: Event, action: string): Settlement {
  if (answer.type === 'ambit.action.waiting') {
    const { type: _, notice, ...news } = answer
    return typeof notice === 'string'
      ? { status: 'notice', event: { ...news, type: notice } }
      : { status: 'ignored' }
  }
  const {
    outcome,
    output = null,
    key,
    attempts,
    rules,
    by,
    persons,
    amount,
    error,
    message,
  } = answer
  const moved = amount === undefined ? {} : { amount }
  if (outcome === 'committed')
    return {
      status: 'done',
      output: { outcome, output, key, attempts, rules, by, persons, ...moved },
    }
  const text = typeof message === 'string' ? message : `The ${action} was ${String(outcome)}.`
  return {
    status: 'error',
    error: {
      name: 'Declined',
      message: text,
      outcome,
      rules,
      key,
      attempts,
      ...moved,
      ...(error !== undefined && { cause: error }),
    },
  }
}

function invalidArguments(action: string, error: z.ZodError): AmbitError {
  const found = error.issues
    .slice(0, 3)
    .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
  return new AmbitError(
    'AMBIT_EVENT_REFUSED',
    `The arguments of "${action}" were refused: ${found.join('; ')}. Mend the proposal.`,
    {
      cause: error,
    },
  )
}
