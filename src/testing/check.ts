import { createRealClock } from '../kernel/clock.ts'
import { createSeededRandom } from '../kernel/random.ts'
import { fromChance, fromList, type Choice } from './choices.ts'
import { addToCorpus, readCorpus } from './corpus.ts'
import { CoverageCount, type Coverage } from './coverage.ts'
import type { OutsideCall } from './outside-calls.ts'
import { describeFailure, reportOf, type Failure } from './report.ts'
import { playRun, type Run } from './run.ts'
import type { Scenario } from './simulate.ts'
import { shrink } from './shrink.ts'
import { describeEntry } from './trace.ts'

export interface CheckOptions {
  /**
   * Faults put one after the other at every point of the ordinary run: 0, 1 (default) or 2 in one run. Before them, for
   * 1 and 2, another order or other traffic at each of up to 300 points, fewer in long runs.
   */
  readonly exhaustive?: 0 | 1 | 2
  /** How long to play random runs after that, in milliseconds of real time. Default: 1,000. */
  readonly randomMs?: number
  /** How many random runs in place of a time. */
  readonly randomRuns?: number
  /** What the random runs follow from. Default: `ambit`, so that a check does the same each time. */
  readonly seed?: string
  /** A folder of schedules that failed once: they are played first, and new ones are added. */
  readonly corpus?: string
  /** No more exhaustive runs than this; what was left out is reported. Default: 20,000. */
  readonly exhaustiveRunsMax?: number
}

export const EXHAUSTIVE_RUNS_MAX = 20_000
/** Runs in which the order alone is another; what was left out is reported with the rest. */
export const ORDER_RUNS_MAX = 300
/** Where each run is long, so few of them that no more than this happens in all. */
export const ORDER_EVENTS_MAX = 100_000
const RANDOM_MS = 1000

export interface CheckResult {
  readonly ok: boolean
  readonly name: string
  readonly runs: { readonly corpus: number; readonly exhaustive: number; readonly random: number }
  /** Exhaustive runs that were not played, because there were too many. */
  readonly leftOut: number
  readonly turns: number
  /** Everything that happened: turns, messages, effects, faults, ... */
  readonly events: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Virtual time that passed in all runs. */
  readonly virtualHours: number
  readonly coverage: Coverage
  /** What may have been meant otherwise: traffic that nobody takes, effects that nobody asks for, idle faults. */
  readonly warnings: readonly string[]
  readonly failure: Failure | undefined
  /** The file in the corpus that the failure was added to. */
  readonly kept: string | undefined
}

/**
 * Plays a simulation: the schedules that failed once, then every single fault (or pair of faults) at every point, then
 * random ones. Stops at the first breach and makes its schedule as simple as it can. Never throws for a breach.
 *
 * @example
 * const result = await check(simulation, { exhaustive: 2, randomMs: 4000 })
 * if (!result.ok) console.log(describeCheck(result))
 */
export async function check(scenario: Scenario, options: CheckOptions = {}): Promise<CheckResult> {
  return new Checker(scenario, options).check()
}

class Checker {
  private readonly scenario: Scenario
  private readonly options: CheckOptions
  private readonly clock = createRealClock()
  private readonly coverage = new CoverageCount()
  private readonly runs = { corpus: 0, exhaustive: 0, random: 0 }
  private leftOut = 0
  private turns = 0
  private events = 0
  private virtualMs = 0
  private readonly refused = new Set<string>()
  private readonly asked = new Set<string>()
  private readonly outside = new Set<string>()

  constructor(scenario: Scenario, options: CheckOptions) {
    this.scenario = scenario
    this.options = options
  }

  async check(): Promise<CheckResult> {
    const began = this.clock.elapsed()
    const deaf = this.coverage.listen()
    const failed = await this.search().finally(deaf)
    const failure = failed === undefined ? undefined : await this.explain(failed)
    const seconds = (this.clock.elapsed() - began) / 1000
    const { corpus } = this.options
    const isKept = failure !== undefined && corpus !== undefined
    return {
      ok: failure === undefined,
      name: this.scenario.name,
      runs: this.runs,
      leftOut: this.leftOut,
      turns: this.turns,
      events: this.events,
      seconds,
      eventsPerSecond: Math.round(this.events / seconds),
      virtualHours: this.virtualMs / 3_600_000,
      coverage: this.coverage.reached,
      // A search that ended early has not asked everything of everybody.
      warnings: failure === undefined ? this.warnings() : [],
      failure,
      kept: isKept ? addToCorpus(corpus, this.scenario.name, failure) : undefined,
    }
  }

  /** The first run that breaks something. */
  private async search(): Promise<Run | undefined> {
    const { corpus, exhaustive = 1 } = this.options
    for (const list of corpus === undefined ? [] : readCorpus(corpus, this.scenario.name)) {
      this.runs.corpus++
      const run = await this.play(list)
      if (run.breach !== undefined) return run
    }
    const found = exhaustive === 0 ? undefined : await this.searchAll(exhaustive)
    return found ?? this.searchByChance()
  }

  private async searchAll(faults: 1 | 2): Promise<Run | undefined> {
    const max = this.exhaustiveMax
    this.runs.exhaustive++
    const ordinary = await this.play([])
    if (ordinary.breach !== undefined) return ordinary
    if (await this.isOtherwise(ordinary)) return ordinary
    const otherwise = await this.searchOrders(ordinary)
    if (otherwise !== undefined) return otherwise
    const single: (readonly Choice[])[] = []
    for (const list of withOneMore(ordinary.choices.taken, 0, isFault)) {
      if (this.runs.exhaustive >= max) this.leftOut++
      else {
        this.runs.exhaustive++
        const run = await this.play(list)
        if (run.breach !== undefined) return run
        if (faults === 2) single.push(run.choices.taken)
      }
    }
    for (const taken of single) {
      const from = taken.findLastIndex((choice) => choice.taken !== 0) + 1
      for (const list of withOneMore(taken, from, isJournalFault)) {
        if (this.runs.exhaustive >= max) this.leftOut++
        else {
          this.runs.exhaustive++
          const run = await this.play(list)
          if (run.breach !== undefined) return run
        }
      }
    }
    return undefined
  }

  /** Another goes first, or other traffic comes, at one point; where there are too many points, at some all over it. */
  private async searchOrders({ choices: { taken }, trace }: Run): Promise<Run | undefined> {
    const all = taken.reduce((sum, each) => sum + (isOrder(each) ? each.ways - 1 : 0), 0)
    const max = Math.min(ORDER_RUNS_MAX, Math.ceil(ORDER_EVENTS_MAX / trace.entries.length))
    const every = Math.ceil(all / max)
    let place = 0
    for (const list of withOneMore(taken, 0, isOrder)) {
      if (place++ % every !== 0 || this.runs.exhaustive >= this.exhaustiveMax) this.leftOut++
      else {
        this.runs.exhaustive++
        const run = await this.play(list)
        if (run.breach !== undefined) return run
      }
    }
    return undefined
  }

  private get exhaustiveMax(): number {
    return this.options.exhaustiveRunsMax ?? EXHAUSTIVE_RUNS_MAX
  }

  /** Whether the same schedule gives another run, though neither of them breaks anything. */
  private async isOtherwise({ trace, choices }: Run): Promise<boolean> {
    this.runs.exhaustive++
    const again = await this.play(choices.list)
    return again.trace.hash !== trace.hash
  }

  private async searchByChance(): Promise<Run | undefined> {
    const { randomRuns, randomMs = RANDOM_MS, seed = 'ambit' } = this.options
    const until = this.clock.elapsed() + randomMs
    const isOver = () =>
      randomRuns === undefined ? this.clock.elapsed() >= until : this.runs.random >= randomRuns
    while (!isOver()) {
      const chance = createSeededRandom(`${seed} ${++this.runs.random}`)
      const run = this.counted(await playRun(this.scenario, fromChance(chance)))
      if (run.breach !== undefined) return run
    }
    return undefined
  }

  private async play(list: readonly number[]): Promise<Run> {
    return this.counted(await playRun(this.scenario, fromList(list)))
  }

  private counted(run: Run): Run {
    this.coverage.add(run)
    for (const call of run.outsideCalls) this.outside.add(describeCall(call))
    const isOrdinary = run.choices.list.length === 0
    for (const entry of run.trace.entries) {
      if (entry.kind === 'effectBegun') this.asked.add(entry.name)
      if (isOrdinary && entry.kind === 'refused') this.refused.add(describeEntry(entry))
    }
    this.events += run.trace.entries.length
    this.turns += run.trace.entries.filter(({ kind }) => kind === 'turn').length
    this.virtualMs += run.elapsedMs
    return run
  }

  private warnings(): string[] {
    const { effects, faults } = this.scenario
    const unasked = Object.keys(effects).filter((name) => !this.asked.has(name))
    const idle = faults.filter((fault) => this.coverage.reached.faults[fault] === undefined)
    return [
      ...[...this.outside].map(
        (call) => `Real time or chance in a simulated run does not replay: ${call}`,
      ),
      ...[...this.refused].map((refusal) => `Without any fault, ${refusal}`),
      ...unasked.map((name) => `Nothing ever asked for the effect "${name}".`),
      ...(idle.length === 0 ? [] : [`These faults never struck: ${idle.join(', ')}.`]),
    ]
  }

  /** Makes the schedule simple, and looks whether it always gives the same run. */
  private async explain(failed: Run): Promise<Failure> {
    const { scenario } = this
    const found = failed.choices.list
    const ordinary = await playRun(scenario, fromList([]))
    const again = await playRun(scenario, fromList(found))
    const about = { name: scenario.name, ordinary, found }
    if (failed.breach === undefined || again.trace.hash !== failed.trace.hash) {
      const failure = reportOf({ ...about, run: failed, shrinkRuns: 0 })
      return { ...failure, invariant: 'replaysAlike', sentence: differsBy(failed, again) }
    }
    const { list, runs } = await shrink(found, async (candidate) => {
      const run = await playRun(scenario, fromList(candidate))
      return run.breach?.invariant === failed.breach?.invariant
    })
    const run = await playRun(scenario, fromList(list))
    return reportOf({ ...about, run, shrinkRuns: runs })
  }
}

/** What comes in which order, and what comes at all. */
function isOrder({ site }: Choice): boolean {
  return site === 'pick' || site === 'traffic'
}

function isFault(choice: Choice): boolean {
  return !isOrder(choice)
}

function isJournalFault({ site }: Choice): boolean {
  return site === 'commit' || site === 'recovery'
}

function differsBy({ breach, trace, outsideCalls }: Run, again: Run): string {
  const texts = again.trace.entries.map((entry) => JSON.stringify(entry))
  const at = trace.entries.findIndex((entry, i) => JSON.stringify(entry) !== texts[i])
  const place = at < 0 ? '' : ` from entry ${at + 1} on`
  return (
    `The same schedule gave two runs that differ${place}: something takes time, chance, ids or promises from ` +
    'elsewhere, or is left over from the run before.' +
    outsideCalls.map((call) => ` It called ${describeCall(call)}`).join('') +
    (breach === undefined
      ? ''
      : ` It was found because ${breach.invariant} was broken: ${breach.sentence}`)
  )
}

function describeCall({ name, stack }: OutsideCall): string {
  return `${name} ${stack.join(' ')}`
}

/** Every schedule that leaves the given one at one point more. */
function* withOneMore(
  taken: readonly Choice[],
  from: number,
  isPoint: (choice: Choice) => boolean,
): Generator<number[]> {
  for (let at = from; at < taken.length; at++) {
    const choice = taken[at]
    if (choice === undefined || !isPoint(choice)) continue
    for (let way = 1; way < choice.ways; way++)
      yield [...taken.slice(0, at).map((before) => before.taken), way]
  }
}

/** A result as one would like to read it. */
export function describeCheck(result: CheckResult): string {
  const { name, runs, events, seconds, eventsPerSecond, coverage, failure, leftOut } = result
  const struck = Object.values(coverage.faults).reduce((sum, count) => sum + count, 0)
  const lines = [
    `${name}: ${failure === undefined ? 'holds' : 'BROKEN'} in ${runs.corpus} kept, ${runs.exhaustive} exhaustive ` +
      `and ${runs.random} random runs` +
      (leftOut > 0 ? ` (${leftOut} exhaustive ones left out)` : ''),
    `${events} events in ${seconds.toFixed(1)} s (${eventsPerSecond}/s), ` +
      `${result.virtualHours.toFixed(1)} virtual hours`,
    `${struck} faults of ${Object.keys(coverage.faults).length} kinds: ` +
      Object.entries(coverage.faults)
        .map(([fault, count]) => `${fault} ${count}`)
        .join(', '),
    `${Object.keys(coverage.transitions).length} transitions, ` +
      `${coverage.transitionsUnderFaults} pairs of a transition and a fault`,
    ...result.warnings,
  ]
  const { guardsNeverTrue } = coverage
  if (guardsNeverTrue.length > 0) lines.push(`guards never true: ${guardsNeverTrue.join(', ')}`)
  if (failure !== undefined) lines.push('', describeFailure(failure))
  return lines.join('\n')
}
