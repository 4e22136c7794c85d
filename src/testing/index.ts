export { check, describeCheck, type CheckOptions, type CheckResult } from './check.ts'
export { fromChance, fromList, type Choice, type ChoiceSource } from './choices.ts'
export type { CorpusEntry } from './corpus.ts'
export type { Input, Operation } from './courier.ts'
export type { Coverage } from './coverage.ts'
export type { Dossier, Dossiers } from './dossiers.ts'
export { faults, lyingDisk, type FaultName } from './faults.ts'
export { approver, type ApproverOptions, type Judgement, type SimulatedHuman } from './humans.ts'
export type { InspectionEvent } from './inspection.ts'
export { invariant, type Invariant, type RunView, type Watch } from './invariant.ts'
export * from './invariants.ts'
export type { OutsideCall } from './outside-calls.ts'
export { fromReplayLine, toReplayLine } from './replay-line.ts'
export { journalReplaysToSameState } from './replay-turns.ts'
export { describeFailure, type Failure } from './report.ts'
export { playRun, type Run } from './run.ts'
export { toSequence } from './sequence.ts'
export { supervision, type SupervisorRule } from './supervision.ts'
export {
  addressOfAction,
  simulate,
  type Scenario,
  type SimulationOptions,
  type SimulationPorts,
  type Traffic,
} from './simulate.ts'
export { describeEntry, type Happening, type TraceEntry, type TurnRecord } from './trace.ts'
export {
  answers,
  tool,
  type SimulatedEffect,
  type SimulatedEffects,
  type ToolOptions,
} from './world.ts'
