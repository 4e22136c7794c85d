import { createActionMachine } from '../machines/action.ts'
import {
  ACTIONS,
  argsHash,
  describeProposal,
  LEDGER,
  proposalOf,
  waiterOf,
  waitingEvent,
  addressOf,
  type ActionContext,
  type ActionServices,
  type ExecuteInput,
  type ProposeEvent,
} from '../machines/action-steps.ts'
import {
  ACTION_TIMEOUT_MS,
  effectRefused,
  type Action,
  type ExecuteWork,
} from '../src/envelope/action.ts'
import type { Authorizer } from '../src/envelope/authorization.ts'
import type { Envelope } from '../src/envelope/envelope.ts'
import { proposalDigest, type Proposal } from '../src/envelope/proposal.ts'
import { actorSpec } from '../src/kernel/child-spec.ts'
import { pool } from './supervisor.ts'
import type { PoolSpec } from '../src/kernel/supervisor-spec.ts'
import { AmbitError } from '../src/kernel/errors.ts'
import type { Json } from '../src/kernel/json.ts'
import type { EffectHost } from '../src/kernel/ports/effect-host.ts'
import type { Command, EffectContext, Engine, Step } from '../src/kernel/ports/engine.ts'
import { thisTurn } from '../src/kernel/turn.ts'
import { createInterpreter } from '../src/logic/interpreted.ts'
import { ask, effect, invocableOf } from '../src/logic/invocable.ts'
import type { Migration } from '../src/logic/migration.ts'
import type { Reservation } from '../machines/ledger.ts'
import { readProposal } from './governed.ts'

/** What the action actors of one system share. */
export interface ActionHouse {
  readonly actions: ReadonlyMap<string, Action>
  envelope(hash: string): Envelope | undefined
  /** Set when the journal is open: tokens are minted with its secret. */
  authorizer(): Authorizer
  /** What runs in the world, once it is authorised. */
  readonly effects: EffectHost
}

/** The pool in which every action lives, each a durable actor addressed by its key. */
export function actionPool(house: ActionHouse): PoolSpec {
  const member = actorSpec('member', engineIn(house), { privileged: true })
  // Each action stands for itself: one that fails too often waits for a human, the others go on.
  return pool('actions', member, { budget: 'each' })
}

const STEPS_OF_WORK = ['execute', 'verify', 'compensate'] as const

/** What stands in the machine for the effects of whichever house its action is in. */
const standIns = new Map(
  STEPS_OF_WORK.map((step) => [step, effect<ExecuteInput, Json>(() => null)] as const),
)

/** Whose action is being stepped: steps are synchronous, so there is one at a time. */
let inside: ActionServices | undefined

let shared: Engine | undefined

/** Making the machine takes longer than many a simulated process lives, so all systems share one. */
function sharedEngine(): Engine {
  const services = new Proxy({} as ActionServices, {
    get: (_, name): unknown => Reflect.get(inside ?? {}, name),
  })
  const machine = createActionMachine(services).provide({
    actors: {
      viewLedger: ask<Reservation>({
        to: LEDGER,
        event: ({ charges }) => ({ type: 'ambit.ledger.view', charges }),
        timeoutMs: Infinity,
      }) as never,
      reserve: ask<Reservation>({
        to: LEDGER,
        event: (reservation) => ({ type: 'ambit.ledger.reserve', reservation }),
        timeoutMs: Infinity,
      }) as never,
      ...(Object.fromEntries(standIns) as object),
    },
  })
  return createInterpreter(machine, { migrations: actionMigrations })
}

/** The shared engine, stepping with the services and effects of one house. */
function engineIn(house: ActionHouse): Engine {
  const engine = (shared ??= sharedEngine())
  const services = createServices(house)
  const own = new Map(
    [...standIns].map(([step, standIn]) => [
      invocableOf(standIn),
      invocableOf(worldEffect(house, services, step)),
    ]),
  )
  const within = (take: () => Step): Step => {
    const outer = inside
    inside = services
    try {
      const step = take()
      const commands = step.commands.map((command) =>
        command.kind === 'invoke'
          ? { ...command, logic: own.get(command.logic) ?? command.logic }
          : command,
      )
      return { ...step, commands }
    } finally {
      inside = outer
    }
  }
  return {
    ...engine,
    start: (input, place) => within(() => engine.start(input, place)),
    step: (state, incoming, place) => within(() => engine.step(state, incoming, place)),
    invocable: (state, path, place) => {
      const logic = engine.invocable(state, path, place)
      return own.get(logic) ?? logic
    },
  }
}

/** Version 2 judges at once where it sees the ledger; every state in which version 1 rests is there still. */
const actionMigrations: readonly Migration[] = [{ from: '1', to: '2', migrate: (state) => state }]

function createServices(house: ActionHouse): ActionServices {
  const services: ActionServices = {
    envelope: (hash) => house.envelope(hash) ?? unknownEnvelope(hash),
    begin: (event) => begin(event),
    isIdempotent: (action) => house.actions.get(action)?.definition.idempotent ?? false,
    attemptsMax: (action) => house.actions.get(action)?.attemptsMax ?? 1,
    hasVerification: (context) =>
      house.actions.get(proposalOf(context).action)?.definition.verify !== undefined,
    amend: (proposal, args) => amend(house, proposal, args),
    isValidAmendment: (proposal, args) =>
      args !== undefined && amend(house, proposal, args) !== undefined,
    mint: (context) =>
      house.authorizer().mint(context.key, context.digest ?? '', authority(context)),
    executeInput: (context) => executeInput(context),
    thinkProposal: (context) => thinkProposal(context),
    thinkAuthorized: (context) => thinkAuthorized(context),
    noticeCase,
    commit: ({ key }) => tellLedger('ambit.ledger.commit', key),
    release: ({ key }) => tellLedger('ambit.ledger.release', key),
    inDoubt: ({ key }) => tellLedger('ambit.ledger.inDoubt', key),
  }
  return services
}

function begin(event: ProposeEvent): ActionContext {
  const { address, message } = thisTurn()
  const { proposal, chain } = event
  const { replyTo } = message.headers
  return {
    key: address.slice(address.lastIndexOf('/') + 1),
    proposal,
    argsHash: argsHash(proposal),
    chain,
    digest: proposalDigest(proposal, chain),
    waiters: replyTo === undefined ? [] : [waiterOf(replyTo, event)],
    by: 'envelope',
    persons: [],
    amendedBy: [],
    attempts: 0,
    // An action that begins again forgets its earlier life: it would answer with the old outcome.
    amount: undefined,
    decision: undefined,
    caseId: undefined,
    token: undefined,
    output: undefined,
    error: undefined,
    outcome: undefined,
  }
}

function amend(house: ActionHouse, proposal: Proposal, args: Json): Proposal | undefined {
  const action = house.actions.get(proposal.action)
  if (action === undefined) return undefined
  const { why, proposer, excluded, confidence, category } = proposal
  const claims = {
    why,
    proposer,
    excluded,
    ...(confidence !== undefined && { confidence }),
    ...(category !== undefined && { category }),
  }
  try {
    const changed = readProposal(action, args, claims)
    // Another key is another thing: it must be proposed as such, or it could be done twice.
    const isSameThing = action.definition.key(changed.args) === action.definition.key(proposal.args)
    return isSameThing || proposal.missing.length > 0 ? changed : undefined
  } catch {
    return undefined
  }
}

function executeInput(context: ActionContext): ExecuteInput {
  const { key, digest = '', token = '', output } = context
  const { action, args, proposer } = proposalOf(context)
  return {
    key,
    action,
    ...(context.by !== 'human' && { proposer }),
    args,
    digest,
    by: authority(context),
    token,
    ...(output !== undefined && { output }),
  }
}

/** On whose authority an action runs: part of its token. */
function authority({ by, persons }: Pick<ActionContext, 'by' | 'persons'>): string {
  return by === 'human' ? `human ${persons.join('+')}` : 'envelope'
}

function thinkProposal(context: ActionContext): Command[] {
  const { key, digest = '', chain } = context
  const { proposer, why, args, confidence = null, category = null } = proposalOf(context)
  const thought = {
    kind: 'proposed',
    key,
    digest,
    proposer,
    what: describeProposal(proposalOf(context)),
    args,
    why,
    confidence,
    category,
    chain,
  }
  return [{ kind: 'think', thought }]
}

function thinkAuthorized(context: ActionContext): Command[] {
  const { key, digest = '', attempts } = context
  return [
    {
      kind: 'think',
      thought: { kind: 'authorized', key, digest, by: authority(context), attempt: attempts },
    },
  ]
}

function noticeCase(
  context: ActionContext,
  id: string,
  state: 'awaitingHuman' | 'inDoubt',
): Command[] {
  return context.waiters.flatMap((waiter): Command[] => {
    if (waiter.notice === undefined) return []
    const event = waitingEvent(context, id, waiter.notice, state)
    return [{ kind: 'reply', to: addressOf(waiter), event }]
  })
}

function tellLedger(type: string, key: string): Command[] {
  return [{ kind: 'tell', to: LEDGER, event: { type, key }, lane: 'user' }]
}

/** The effect runner: checks the token, the action's own schema and the facts, and only then touches the world. */
function worldEffect(
  house: ActionHouse,
  services: ActionServices,
  step: 'execute' | 'verify' | 'compensate',
) {
  const act = async (input: ExecuteInput, context: EffectContext): Promise<Json> => {
    const { key, action: name, args, digest, by, token, output = null } = input
    if (!house.authorizer().isValid(token, key, digest, by)) {
      throw new AmbitError(
        'AMBIT_NOT_AUTHORIZED',
        `Nobody authorised "${name}" ${key}: its token is not ours. Nothing was done.`,
      )
    }
    const action = house.actions.get(name)
    if (action === undefined)
      throw effectRefused(`No action "${name}" is known here. Add it to the system's agents.`)
    const work = workFor(action, args, context)
    const address = `${ACTIONS}/${key}`
    const call = { name, phase: step, address, input: args, context }
    const { execute, verify, compensate } = action.definition
    if (step === 'execute')
      return toJson(action, await house.effects.run(call, () => execute(work)))
    if (step === 'verify') {
      if (verify === undefined) return true
      return (await house.effects.run(call, () => verify({ ...work, output }))) as Json
    }
    if (compensate === undefined)
      throw new AmbitError('AMBIT_EFFECT_IN_DOUBT', `Action "${name}" has nothing that undoes it.`)
    await house.effects.run(call, () => compensate({ ...work, output }))
    return null
  }
  const run = async (input: ExecuteInput, context: EffectContext): Promise<Json> => {
    try {
      return await act(input, context)
    } catch (error) {
      throw context.maybeExecuted ? asDoubt(error) : error
    }
  }
  return effect<ExecuteInput, Json>(run, {
    key: ({ key }) => (step === 'compensate' ? `${key}-undo` : key),
    // What is undone or looked at is no new act of the agent's.
    ...(step === 'execute' && {
      onBehalfOf: ({ key, proposer }) => proposer ?? `${ACTIONS}/${key}`,
    }),
    ...perAction(house, services, step),
  })
}

/** A refusal now says nothing about an attempt before: that one may have happened. */
function asDoubt(error: unknown): unknown {
  const { code } = error as { code?: unknown }
  if (code !== 'AMBIT_EFFECT_REFUSED' && code !== 'AMBIT_NOT_AUTHORIZED') return error
  const message = `Refused now, but an earlier attempt may have happened: ${(error as Error).message}`
  return new AmbitError('AMBIT_EFFECT_IN_DOUBT', message, { cause: error })
}

function perAction(house: ActionHouse, services: ActionServices, step: string) {
  const actionOf = ({ action }: ExecuteInput) => house.actions.get(action)
  return {
    idempotent: (input: ExecuteInput) => step === 'verify' || services.isIdempotent(input.action),
    timeoutMs: (input: ExecuteInput) => actionOf(input)?.timeoutMs ?? ACTION_TIMEOUT_MS,
  }
}

/** The arguments are those that were judged: parsing them again could turn them into others. */
function workFor(action: Action, args: Json, context: EffectContext): ExecuteWork<never> {
  const missing = action.definition.missing?.(args) ?? []
  if (missing.length > 0) {
    throw effectRefused(`"${action.name}" lacks ${missing.join(', ')}. Nothing was sent.`)
  }
  return { ...context, input: args as never }
}

function toJson(action: Action, output: unknown): Json {
  const schema = action.definition.output
  if (schema === undefined) return (output ?? null) as Json
  const parsed = schema.safeParse(output)
  if (parsed.success) return (parsed.data ?? null) as Json
  throw new AmbitError(
    'AMBIT_OUTPUT_INVALID',
    `"${action.name}" answered with something its output schema refuses.`,
    {
      cause: parsed.error,
    },
  )
}

function unknownEnvelope(hash: string): never {
  throw new AmbitError(
    'AMBIT_ENVELOPE_MISSING',
    `Envelope ${hash.slice(0, 12)} is not in this journal. It was never put in force here.`,
  )
}
