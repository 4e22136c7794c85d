import { assign, fromPromise, setup } from 'xstate'
import type { LedgerView } from '../src/envelope/decide.ts'
import type { ErrorRecord } from '../src/kernel/errors.ts'
import type { Json } from '../src/kernel/json.ts'
import { commands } from '../src/logic/actions.ts'
import { decideInSight, decideNow, ledgerInput } from './action-authority.ts'
import {
  amended,
  approvedBy,
  attemptFailed,
  backoffMs,
  closeCase,
  handedBack,
  handedOver,
  hasNoOtherWaiter,
  introduce,
  isOtherThing,
  isSameProposal,
  mayRetry,
  openCase,
  outcomeOf,
  rest,
  thinkDecision,
  withoutWaiter,
  withWaiter,
  type ActionContext,
  type ActionEvent,
  type ActionServices,
  type DecidedEvent,
  type ExecuteInput,
  type Outcome,
  type ProposeEvent,
} from './action-steps.ts'

/** Stand-ins that the action actor provides: the machine alone touches nothing. */
const unprovided = <Input, Output>() =>
  fromPromise<Output, Input>(() => Promise.reject(new Error('the action actor provides this')))

/**
 * The life of one action, and the envelope's guard in states: nothing reaches `executing` except through
 * `authorized`, and nothing reaches `authorized` except a reservation that followed `decide` or a human's approval.
 */
export function createActionMachine(services: ActionServices) {
  return setup({
    types: { context: {} as ActionContext, events: {} as ActionEvent, input: {} as { id: string } },
    actors: {
      viewLedger: unprovided<ReturnType<typeof ledgerInput>, LedgerView>(),
      reserve: unprovided<ReturnType<typeof ledgerInput>, LedgerView & { type: string }>(),
      execute: unprovided<ExecuteInput, Json>(),
      verify: unprovided<ExecuteInput, boolean>(),
      compensate: unprovided<ExecuteInput, Json>(),
    },
    actions: {
      introduce: commands(
        ({ context, event }, params: { state: 'awaitingHuman' | 'inDoubt' | undefined }) =>
          introduce(context, event as ProposeEvent, params.state),
      ),
      join: assign(({ context, event }) => withWaiter({ context, event: event as ProposeEvent })),
      refuseOther: commands(({ event }) => outcomeOf('conflict', event as ProposeEvent)),
      begin: assign(({ event }) => services.begin(event as ProposeEvent)),
      forgetWaiter: assign(withoutWaiter),
      noteError: assign(({ event }) => attemptFailed(event)),
      noteHuman: assign(({ event }) => approvedBy(event as DecidedEvent)),
      noteCase: assign(({ event }) => ({ caseId: (event as CaseOpenedEvent).case })),
      // A case that is left before it has a name is closed as soon as it has one.
      countOrphan: assign(({ context: { caseId, orphans = 0 } }) =>
        caseId === undefined ? { orphans: orphans + 1 } : {},
      ),
      closeOrphan: commands(({ event }) => closeCase((event as CaseOpenedEvent).case)),
      forgetOrphan: assign(({ context: { orphans = 0 } }) => ({ orphans: orphans - 1 })),
      forgetCase: assign({ caseId: undefined }),
      handOver: assign(({ context }) => handedOver(context)),
      takeBack: assign(({ context, event }) => handedBack(context, event as DecidedEvent)),
      closeCase: commands(({ context }) => closeCase(context.caseId)),
      openCase: commands(({ context }, params: { kind: 'approval' | 'inDoubt' }) =>
        openCase(context, params.kind),
      ),
      tellWaiters: commands(({ context, event }, params: { state: 'awaitingHuman' | 'inDoubt' }) =>
        services.noticeCase(context, (event as CaseOpenedEvent).case, params.state),
      ),
      commit: commands(({ context }) => services.commit(context)),
      release: commands(({ context }) => services.release(context)),
      markInDoubt: commands(({ context }) => services.inDoubt(context)),
      thinkDecision: commands(({ context }) => thinkDecision(context)),
      answerAll: commands(({ context }, params: { outcome: Outcome }) =>
        rest(context, params.outcome),
      ),
      rest: assign((_, params: { outcome: Outcome }) => ({ outcome: params.outcome, waiters: [] })),
    },
    guards: {
      isDecided: ({ context }) => context.decision !== undefined,
      isDenied: ({ context }) => context.decision?.severity === 'deny',
      needsHuman: ({ context }) =>
        context.by === 'envelope' && context.decision?.severity === 'escalate',
      isSame: ({ context, event }) => isSameProposal(context, event),
      isLastWaiter: ({ context, event }) => hasNoOtherWaiter(context, event),
      isOrphan: ({ context }) => (context.orphans ?? 0) > 0,
      isOtherCase: ({ context, event }) => (event as DecidedEvent).case !== context.caseId,
      isOtherThing: ({ context, event }) => isOtherThing(context, event as DecidedEvent),
      hasVerification: ({ context }) => services.hasVerification(context),
      mayRetry: ({ context, event }) => mayRetry(services, context, event),
      provedNothingHappened: ({ context, event }) => context.attempts === 1 && isRefusal(event),
      isPastTrying: ({ event }) => isRefusal(event) || isDoubt(event),
    },
    delays: { backoff: ({ context }) => backoffMs(context) },
  }).createMachine({
    id: 'action',
    version: '2',
    context: ({ input }) => emptyContext(input.id),
    initial: 'idle',
    on: {
      'ambit.action.propose': proposedAgain(),
      'ambit.action.withdraw': { actions: 'forgetWaiter' },
      'ambit.case.opened': orphan,
    },
    states: {
      idle: {
        on: { 'ambit.action.propose': { target: 'looking', actions: 'begin' } },
      },
      // Where the ledger is in sight it is judged at once; elsewhere the ledger is asked.
      looking: {
        entry: [
          commands(({ context }) => services.thinkProposal(context)),
          assign({ decision: ({ context }) => decideInSight(services, context) }),
        ],
        always: [{ guard: 'isDecided', target: 'judged' }, { target: 'evaluating' }],
      },
      evaluating: {
        tags: ['governed'],
        invoke: {
          src: 'viewLedger',
          input: ({ context }) => ledgerInput(services, context),
          onDone: {
            target: 'judged',
            actions: assign(({ context, event }) => ({
              decision: decideNow(services, context, event.output),
            })),
          },
        },
        on: withdrawBeforeEffect(),
      },
      judged: {
        entry: 'thinkDecision',
        always: [
          { guard: 'isDenied', target: 'denied' },
          { guard: 'needsHuman', ...toHuman },
          { target: 'reserving' },
        ],
      },
      awaitingHuman: {
        tags: ['human'],
        on: {
          'ambit.action.propose': proposedAgain('awaitingHuman'),
          'ambit.case.opened': [orphan, { actions: caseIsOpen }],
          'ambit.action.decided': [
            // A decision on an earlier case of the same key says nothing about this one.
            { guard: 'isOtherThing' },
            {
              guard: ({ event }) => event.verdict === 'approve',
              target: 'reserving',
              actions: ['takeBack', 'noteHuman'],
            },
            {
              guard: ({ event }) =>
                event.verdict === 'amend' &&
                services.isValidAmendment(event.file.proposal, event.args),
              target: 'looking',
              actions: assign(({ context, event }) => amended(services, context, event)),
            },
            {
              guard: ({ event }) => event.verdict === 'amend',
              target: 'awaitingHuman',
              reenter: true,
              actions: ['takeBack', ...toHuman.actions],
            },
            { target: 'rejected' },
          ],
          'ambit.action.expired': [{ guard: 'isOtherCase' }, { target: 'expired' }],
          'ambit.action.withdraw': [
            {
              guard: 'isLastWaiter',
              target: 'withdrawn',
              actions: ['closeCase', 'countOrphan', 'forgetWaiter'],
            },
            { actions: 'forgetWaiter' },
          ],
        },
      },
      reserving: {
        tags: ['governed'],
        invoke: {
          src: 'reserve',
          input: ({ context }) => ledgerInput(services, context),
          onDone: [
            {
              guard: ({ event }) => event.output.type === 'ambit.ledger.reserved',
              target: 'authorized',
            },
            {
              target: 'refused',
              actions: assign(({ context, event }) => ({
                decision: decideNow(services, context, event.output),
                by: 'envelope',
              })),
            },
          ],
        },
        on: withdrawBeforeEffect('release'),
      },
      // Somebody else was faster: the windows are full now, so it is decided again with what the ledger saw.
      refused: {
        entry: 'thinkDecision',
        always: [{ guard: 'isDenied', target: 'denied' }, toHuman],
      },
      authorized: {
        entry: assign(({ context }) => ({ token: services.mint(context) })),
        always: 'executing',
      },
      executing: {
        tags: ['effect'],
        entry: [
          assign({ attempts: ({ context }) => context.attempts + 1 }),
          commands(({ context }) => services.thinkAuthorized(context)),
        ],
        invoke: {
          src: 'execute',
          input: ({ context }) => services.executeInput(context),
          onDone: [
            {
              guard: 'hasVerification',
              target: 'verifying',
              actions: assign({ output: ({ event }) => event.output }),
            },
            { target: 'committed', actions: assign({ output: ({ event }) => event.output }) },
          ],
          onError: [
            { guard: 'provedNothingHappened', target: 'failed', actions: 'noteError' },
            { guard: 'isPastTrying', target: 'inDoubt', actions: 'noteError' },
            { guard: 'mayRetry', target: 'retrying', actions: 'noteError' },
            { target: 'inDoubt', actions: 'noteError' },
          ],
        },
      },
      retrying: { after: { backoff: 'authorized' } },
      verifying: {
        invoke: {
          src: 'verify',
          input: ({ context }) => services.executeInput(context),
          onDone: [
            { guard: ({ event }) => event.output, target: 'committed' },
            { target: 'compensating' },
          ],
          onError: { target: 'inDoubt', actions: 'noteError' },
        },
      },
      compensating: {
        tags: ['effect'],
        invoke: {
          src: 'compensate',
          input: ({ context }) => services.executeInput(context),
          onDone: 'compensated',
          onError: { target: 'inDoubt', actions: 'noteError' },
        },
      },
      inDoubt: {
        tags: ['human'],
        entry: ['markInDoubt', 'forgetCase', { type: 'openCase', params: { kind: 'inDoubt' } }],
        on: {
          'ambit.action.propose': proposedAgain('inDoubt'),
          'ambit.case.opened': [
            orphan,
            { actions: ['noteCase', { type: 'tellWaiters', params: { state: 'inDoubt' } }] },
          ],
          'ambit.action.decided': [
            { guard: 'isOtherThing' },
            {
              guard: ({ event }) => event.verdict === 'settle' && event.happened === true,
              target: 'committed',
              actions: 'noteHuman',
            },
            {
              guard: ({ event }) => event.verdict === 'settle',
              target: 'failed',
              actions: 'noteHuman',
            },
          ],
        },
      },
      committed: resting('committed', 'commit'),
      failed: resting('failed', 'release'),
      compensated: resting('compensated', 'release'),
      rejected: resting('rejected'),
      // Nothing happened and no human said no: proposing the same again begins anew.
      denied: { ...resting('denied'), on: beginAgain },
      expired: { ...resting('expired'), on: beginAgain },
      withdrawn: { ...resting('withdrawn'), on: beginAgain },
    },
  })
}

type CaseOpenedEvent = Extract<ActionEvent, { type: 'ambit.case.opened' }>

const toHuman = {
  target: 'awaitingHuman',
  actions: ['forgetCase', { type: 'openCase', params: { kind: 'approval' } }],
} as const

/** The case has a name: whoever waits hears it, and the case keeps what was proposed. */
const caseIsOpen = [
  'noteCase',
  { type: 'tellWaiters', params: { state: 'awaitingHuman' } },
  'handOver',
] as const

const orphan = { guard: 'isOrphan', actions: ['closeOrphan', 'forgetOrphan'] } as const

/** The same thing again joins whoever waits, and hears how it stands; another thing under the same key is refused. */
function proposedAgain(state?: 'awaitingHuman' | 'inDoubt') {
  return [
    {
      guard: 'isSame' as const,
      actions: [{ type: 'introduce' as const, params: { state } }, 'join' as const],
    },
    { actions: 'refuseOther' as const },
  ]
}

const beginAgain = { 'ambit.action.propose': { target: 'looking', actions: 'begin' } } as const

/** A state in which the action stays: whoever waits is told, and whoever asks later hears the same. */
function resting<Before extends 'commit' | 'release' = never>(outcome: Outcome, before?: Before) {
  return {
    entry: [
      ...(before === undefined ? [] : [before]),
      { type: 'answerAll' as const, params: { outcome } },
      { type: 'rest' as const, params: { outcome } },
    ],
  }
}

function withdrawBeforeEffect<Before extends 'release' = never>(before?: Before) {
  return {
    'ambit.action.withdraw': [
      {
        guard: 'isLastWaiter' as const,
        target: 'withdrawn' as const,
        actions: [...(before === undefined ? [] : [before]), 'forgetWaiter' as const],
      },
      { actions: 'forgetWaiter' as const },
    ],
  }
}

function emptyContext(key: string): ActionContext {
  return { key, chain: [], waiters: [], by: 'envelope', persons: [], attempts: 0, amendedBy: [] }
}

/** The target, or the runner before it, says that this attempt did nothing. */
function isRefusal(event: unknown): boolean {
  const code = codeOf(event)
  return code === 'AMBIT_EFFECT_REFUSED' || code === 'AMBIT_NOT_AUTHORIZED'
}

function isDoubt(event: unknown): boolean {
  return codeOf(event) === 'AMBIT_EFFECT_IN_DOUBT'
}

function codeOf(event: unknown): string | undefined {
  return (event as { error?: ErrorRecord }).error?.code
}
