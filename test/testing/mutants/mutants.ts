/** A fault planted into the built package: one place of one file says something else. */
export interface Mutant {
  readonly name: string
  /** Under `dist/`. */
  readonly file: string
  readonly find: string
  readonly put: string
  /** The simulation that finds it, and the invariant by which it does. */
  readonly simulation: 'refund desk' | 'payouts' | 'relay' | 'poisoned relay' | 'burst'
  readonly breaks: string
}

const kernel = 'src/kernel'

export const mutants: readonly Mutant[] = [
  {
    name: "a repeated message is not known by its caller's id",
    file: `${kernel}/take.js`,
    find: 'if (once === undefined || !cell.rows.has(onceKey(once)))',
    put: 'if (true)',
    simulation: 'relay',
    breaks: 'noDuplicateWork',
  },
  {
    name: "an actor's rows are not read back",
    file: 'src/embedded/memory-journal.js',
    find: 'rows: new Map(kept.rows), timers',
    put: 'rows: new Map(), timers',
    simulation: 'relay',
    breaks: 'noDuplicateWork',
  },
  {
    name: 'a case that is closed can be decided again',
    file: 'machines/approval-rules.js',
    find: "if (found.status !== 'open')",
    put: 'if (false)',
    simulation: 'payouts',
    breaks: 'oneAuthorityDecides',
  },
  {
    name: 'the ledger lets everything in',
    file: 'machines/ledger.js',
    find: 'limit !== null && (used[window] ?? 0) + minor > limit',
    put: 'false',
    simulation: 'refund desk',
    breaks: 'envelopeNeverExceeded',
  },
  {
    name: 'the key of an effect changes with its attempts',
    file: `${kernel}/effects.js`,
    find: 'idempotencyKey: logic.key?.(input) ?? key,',
    put: 'idempotencyKey: `${logic.key?.(input) ?? key}${attempt > 1 ? attempt : ""}`,',
    simulation: 'refund desk',
    breaks: 'everyActionHasContractAndThought',
  },
  {
    name: 'an effect in doubt asks nobody',
    file: 'machines/action.js',
    find: "entry: ['markInDoubt', 'forgetCase', { type: 'openCase', params: { kind: 'inDoubt' } }]",
    put: "entry: ['markInDoubt', 'forgetCase']",
    simulation: 'payouts',
    breaks: 'endsOrAwaitsHuman',
  },
  {
    name: 'effects of an earlier process are forgotten',
    file: `${kernel}/recovery.js`,
    find: 'this.effects.start(cell, again, invocation.logic);',
    put: '',
    simulation: 'refund desk',
    breaks: 'endsOrAwaitsHuman',
  },
  {
    name: 'a compensation is noted and not done',
    file: 'actors/action.js',
    find: 'await house.effects.run(call, () => compensate({ ...work, output }));',
    put: '',
    simulation: 'refund desk',
    breaks: 'compensationLeavesNoResidue',
  },
  {
    name: 'what must be escalated is not',
    file: 'machines/action.js',
    find: "context.by === 'envelope' && context.decision?.severity === 'escalate'",
    put: 'false',
    simulation: 'refund desk',
    breaks: 'noEffectWithoutApproval',
  },
  {
    name: 'one approval is enough',
    file: 'machines/approval-rules.js',
    find: "decides: verdict !== 'approve' || approvals >= found.route.quorum,",
    put: 'decides: true,',
    simulation: 'payouts',
    breaks: 'noEffectWithoutApproval',
  },
  {
    name: 'a case that expires is approved',
    file: 'machines/approval.js',
    find: "tellAction(found.action, { type: 'ambit.action.expired', case: id }),",
    put: "tellDecision(found, { verdict: 'approve' }),",
    simulation: 'refund desk',
    breaks: 'noEffectWithoutApproval',
  },
  {
    name: 'the ledger forgets to book what was committed',
    file: 'machines/ledger.js',
    find: "if (entry === undefined || entry.status === to || entry.status === 'released')",
    put: 'if (true)',
    simulation: 'refund desk',
    breaks: 'booksBalance',
  },
  {
    name: 'restarts are not counted',
    file: `${kernel}/restart-window.js`,
    find: 'exceeded: recent.length > limit.intensity',
    put: 'exceeded: false',
    simulation: 'poisoned relay',
    breaks: 'restartIntensityBounded',
  },
  {
    name: 'a mailbox is never full',
    file: `${kernel}/mailbox.js`,
    find: "return this.size('user') >= this.limits.userLengthMax;",
    put: 'return false;',
    simulation: 'burst',
    breaks: 'mailboxBounded',
  },
  {
    name: 'a commit that failed counts as one that did not',
    file: `${kernel}/committer.js`,
    find: 'return results.then((answer) => this.answered(batch, disposals, answer));',
    put: "return results.then((answer) => this.answered(batch, disposals, answer ?? entries.map(() => 'stored')));",
    simulation: 'relay',
    breaks: 'messagesConserved',
  },
  {
    name: 'what a turn did leaves before it is stored',
    file: `${kernel}/committer.js`,
    find: 'const results = this.tryCommit([...entries, ...disposals]);',
    put: 'this.releaseAll(batch.flat()); const results = this.tryCommit([...entries, ...disposals]);',
    simulation: 'relay',
    breaks: 'messagesConserved',
  },
  {
    name: 'what waits in an outbox is not sent again',
    file: 'src/embedded/memory-journal.js',
    find: 'outbox: [...this.store.outbox.values()].map((text) => JSON.parse(text)),',
    put: 'outbox: [],',
    simulation: 'relay',
    breaks: 'jobsArrive',
  },
  {
    name: 'a group is stored in parts',
    file: 'src/embedded/batch.js',
    find: 'if (group !== undefined && group === last && open !== undefined)',
    put: 'if (false)',
    simulation: 'relay',
    breaks: 'jobsArrive',
  },
  {
    name: 'a second failure right after a restart is overlooked',
    file: `${kernel}/recovery.js`,
    find: 'this.restarting.delete(cell);\n        this.calls.schedule(cell);',
    put: 'this.calls.schedule(cell);',
    simulation: 'relay',
    breaks: 'jobsArrive',
  },
  {
    name: 'a turn hangs on what the journal does not know',
    file: `${kernel}/carry-out.js`,
    find: 'work.notes?.thoughts.push(command.thought)',
    put: 'work.notes?.thoughts.push({ ...command.thought, waiting: work.cell.mailbox.length })',
    simulation: 'refund desk',
    breaks: 'journalReplaysToSameState',
  },
  {
    name: "an actor's time runs back with the wall clock",
    file: `${kernel}/take.js`,
    find: 'const now = Math.max(cell.lastNow, clockNow);',
    put: 'const now = clockNow;',
    simulation: 'relay',
    breaks: 'thoughtLogUnbroken',
  },
  {
    name: 'a record does not name the one before it',
    file: 'src/embedded/memory-journal.js',
    find: 'hash: sha256(previous, record),',
    put: "hash: sha256('', record),",
    simulation: 'relay',
    breaks: 'thoughtLogUnbroken',
  },
]
