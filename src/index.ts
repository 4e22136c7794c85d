export { actor, type MachineOptions } from '../actors/actor.ts'
export { agent, type AgentOptions } from '../actors/agent.ts'
export {
  circuitBreakers,
  throughBreaker,
  type CircuitOpen,
  type ThroughBreakerOptions,
} from '../actors/circuit-breaker.ts'
export {
  adoptTask,
  completeTask,
  coordinator,
  delegateTask,
  failTask,
  withdrawTask,
  type CoordinatorOptions,
} from '../actors/coordinator.ts'
export {
  governed,
  type Declined,
  type GovernedInput,
  type GovernedOptions,
  type GovernedOutput,
} from '../actors/governed.ts'
export { pool, supervisor, type AuthorityOptions, type PoolOptions } from '../actors/supervisor.ts'
export { schedule, type ScheduleOptions } from '../actors/schedule.ts'
export type {
  ChildChange,
  ChildCounts,
  ChildShown,
  FlagChange,
  SupervisorAnswer,
  SupervisorHandle,
  SupervisorRefusal,
} from '../actors/supervisor-handle.ts'
export { createSystem, type ActorSystem, type SystemOptions } from '../actors/system.ts'
export type { CircuitBreakerOptions } from '../machines/circuit-breaker.ts'
export type { OrphanPolicy, TaskEnd } from '../machines/delegation.ts'
export type { Case, CaseStatus, OpenCase } from '../machines/approval.ts'
export { memoryJournal as memory, type MemoryJournalOptions } from './embedded/memory-journal.ts'
export { sqliteJournal as sqlite, type SqliteJournalOptions } from './embedded/sqlite-journal.ts'
export {
  defineAction,
  effectRefused,
  type Action,
  type ActionInput,
  type Contract,
  type ExecuteWork,
} from './envelope/action.ts'
export type { SqliteDriverName } from './embedded/sqlite-driver.ts'
export {
  decide,
  type Decision,
  type LedgerView,
  type RuleName,
  type RuleResult,
  type Severity,
} from './envelope/decide.ts'
export {
  defineEnvelope,
  envelopeSchema,
  type ApprovalRoute,
  type Envelope,
  type EnvelopeInput,
} from './envelope/envelope.ts'
export {
  currencyDigits,
  formatAmount,
  formatMoney,
  isCurrency,
  money,
  parseMoney,
  readMoney,
  type Money,
} from './envelope/money.ts'
export type { Proposal } from './envelope/proposal.ts'
export {
  generateApproverKey,
  keyIdOf,
  signStatement,
  statementSchema,
  type Approver,
  type SignedStatement,
  type Statement,
  type Verdict,
} from './envelope/statement.ts'
export { inWorker, type InWorkerOptions, type WorkerSpec } from './isolation/in-worker.ts'
export type { WatchdogOptions } from './isolation/watchdog.ts'
export type { ActorRow, Counters, ReadModels } from './inspect/read-models.ts'
export { isSegment, parseAddress, type Address } from './kernel/address.ts'
export type {
  ActorOptions,
  ActorSpec,
  Durability,
  LifeOptions,
  Shutdown,
} from './kernel/child-spec.ts'
export {
  checkSupervisor,
  type AutoShutdown,
  type ChildSpec,
  type PoolSpec,
  type SpecFault,
  type SupervisorOptions,
  type Template,
  type SupervisorSpec,
} from './kernel/supervisor-spec.ts'
export type { ChildRequest } from './kernel/kept-children.ts'
export { createRealClock as systemClock } from './kernel/clock.ts'
export type { DeadLetter, DeadLetterReason, DeadLetters } from './kernel/dead-letters.ts'
export { AmbitError, errorCodes, type ErrorCode, type ErrorRecord } from './kernel/errors.ts'
export type { ExitReason, StopOutcome } from './kernel/exit.ts'
export { isNestedDeeperThan, type Json } from './kernel/json.ts'
export { MANUAL_START, manualClock, type ManualClock } from './kernel/manual-clock.ts'
export type { MaybePromise } from './kernel/maybe.ts'
export type { Lane, MailboxLimits, Overflow } from './kernel/mailbox.ts'
export type {
  Event,
  Headers,
  Message,
  ReplyTo,
  SendResult,
  StreamPosition,
} from './kernel/message.ts'
export type {
  ParkedDecision,
  ParkedMessage,
  ParkedOutcome,
  ParkedRefusal,
} from './kernel/parked.ts'
export type { Random } from './kernel/ports/random.ts'
export type { Clock } from './kernel/ports/clock.ts'
export type { EffectCall, EffectHost } from './kernel/ports/effect-host.ts'
export type {
  AskLogic,
  AskRequest,
  AwayStep,
  Command,
  EffectContext,
  EffectLogic,
  End,
  Engine,
  Incoming,
  Invocable,
  Outcome,
  Place,
  Settlement,
  Step,
  StoredState,
  Thought,
} from './kernel/ports/engine.ts'
export type {
  ActorStatus,
  CommitResult,
  Consumed,
  Disposal,
  Head,
  HistoryQuery,
  Journal,
  JournalEntry,
  JournalSession,
  Recovery,
  StoredActor,
  StoredRow,
  StoredTimer,
  StoredTurn,
  TurnCommit,
} from './kernel/ports/journal.ts'
export type { Down } from './kernel/monitors.ts'
export type { Logger } from './kernel/ports/logger.ts'
export type {
  ExitReport,
  Observer,
  SupervisionReport,
  TurnReport,
} from './kernel/ports/observer.ts'
export type { Stall, Watchdog } from './kernel/ports/watchdog.ts'
export type { ReadyActor, Schedule } from './kernel/ports/schedule.ts'
export type { AskOptions, SendOptions } from './kernel/ref.ts'
export type { Backoff, Recover, RestartType, Strategy } from './kernel/restart-plan.ts'
export type { RestartLimit } from './kernel/restart-window.ts'
export type { StartLimit } from './kernel/start-limit.ts'
export type { Suspension } from './kernel/suspensions.ts'
export type { MailboxView } from './kernel/mailbox-ages.ts'
export type { Alarm } from './kernel/supervision.ts'
export type { RestOptions, StopOptions } from './kernel/options.ts'
export { thisTurn, withTurn, type RowsView, type Turn } from './kernel/turn.ts'
export type { ActorRef } from './logic/actor-ref.ts'
export type { MigratedState, Migration } from './logic/migration.ts'
export {
  defer,
  demonitor,
  ignore,
  monitor,
  observe,
  perform,
  ready,
  putRow,
  reply,
  tell,
  think,
  type ActionGiven,
  type AmbitAction,
  type Given,
  type Performed,
} from './logic/actions.ts'
export {
  ask,
  effect,
  readOnly,
  type AskActorOptions,
  type EffectOptions,
} from './logic/invocable.ts'
export { createLogger, secret, type LoggerOptions, type LogLevel } from './telemetry/logger.ts'
