import { describeDifferences, differences } from './difference.ts'
import { toInspection, type InspectionEvent } from './inspection.ts'
import { toReplayLine } from './replay-line.ts'
import type { Run } from './run.ts'
import { toSequence } from './sequence.ts'
import { describeEntry, type TraceEntry } from './trace.ts'

/** A schedule under which something is broken, and all that helps to see why. */
export interface Failure {
  /** The name of the invariant; `replaysAlike` when the same schedule gave two different runs. */
  readonly invariant: string
  /** What is broken, in one sentence. */
  readonly sentence: string
  /** The simplest schedule found. */
  readonly schedule: readonly number[]
  /** The same in one word, for `ambit replay`. */
  readonly replay: string
  /** The command that plays it again. */
  readonly command: string
  /** Choices off the ordinary way, as found and in the simplest schedule, and the runs that this took. */
  readonly shrunk: { readonly from: number; readonly to: number; readonly runs: number }
  readonly faults: readonly string[]
  /** A Mermaid sequence diagram of the simplest run. */
  readonly diagram: string
  /** What the actor of the last turn looked like before it and after. */
  readonly difference: string
  /** Where the run left that without faults. */
  readonly divergence: string
  /** The simplest run in the Stately inspection format. */
  readonly inspection: readonly InspectionEvent[]
}

export interface FailedRun {
  readonly name: string
  readonly run: Run
  /** The run in which everything is ordinary. */
  readonly ordinary: Run
  readonly found: readonly number[]
  readonly shrinkRuns: number
}

export function reportOf({ name, run, ordinary, found, shrinkRuns }: FailedRun): Failure {
  const { invariant = '', sentence = '' } = run.breach ?? {}
  const schedule = run.choices.list
  const replay = toReplayLine(schedule)
  const count = (list: readonly number[]) => list.filter((taken) => taken !== 0).length
  const { entries } = run.trace
  return {
    invariant,
    sentence,
    schedule,
    replay,
    command: `npx ambit replay FILE '${replay}' --simulation '${name}'`,
    shrunk: { from: count(found), to: count(schedule), runs: shrinkRuns },
    faults: run.choices.faults,
    diagram: toSequence(entries, `${invariant}: ${sentence}`),
    difference: lastDifference(entries),
    divergence: divergenceOf(ordinary.trace.entries, entries),
    inspection: toInspection(entries),
  }
}

/** A failure as one would like to read it. */
export function describeFailure(failure: Failure): string {
  const { invariant, sentence, shrunk, faults } = failure
  return [
    `${invariant} is broken: ${sentence}`,
    '',
    `Play it again: ${failure.command}`,
    `Choices off the ordinary way: ${shrunk.from} found, ${shrunk.to} needed (${shrunk.runs} runs to find out).`,
    `Faults: ${faults.length === 0 ? 'none, only an order of things' : faults.join(', ')}`,
    '',
    failure.divergence,
    ...(failure.difference === '' ? [] : ['', 'The last turn changed:', failure.difference]),
    '',
    '```mermaid',
    failure.diagram,
    '```',
  ].join('\n')
}

function lastDifference(entries: readonly TraceEntry[]): string {
  const turns = entries.flatMap((entry) => (entry.kind === 'turn' ? [entry.record] : []))
  const last = turns.at(-1)
  if (last === undefined) return ''
  const before = turns.findLast(({ actor, seq }) => actor === last.actor && seq < last.seq)
  const found = differences(before?.state ?? null, last.state)
  return found.length === 0 ? '' : `${last.actor}: ${describeDifferences(found)}`
}

function divergenceOf(ordinary: readonly TraceEntry[], entries: readonly TraceEntry[]): string {
  const at = entries.findIndex((entry, i) => JSON.stringify(entry) !== JSON.stringify(ordinary[i]))
  const [here, there] = [entries[at], ordinary[at]]
  if (here === undefined) return 'It is the ordinary run: nothing had to go wrong.'
  const instead = there === undefined ? '' : ` Without faults: ${describeEntry(there)}.`
  return `It leaves the ordinary run at step ${here.step}: ${describeEntry(here)}.${instead}`
}
