import { toErrorRecord } from '../kernel/errors.ts'
import type { Breach, Invariant, RunView, Watch } from './invariant.ts'
import type { TraceEntry } from './trace.ts'

/** What watches one run, and the first thing that was broken in it. */
export class Watching {
  breach: Breach | undefined
  private readonly watches: readonly { readonly name: string; readonly watch: Watch }[]
  private readonly step: () => number

  constructor(invariants: readonly Invariant[], view: RunView, step: () => number) {
    this.watches = invariants.map((each) => ({ name: each.name, watch: each.watch(view) }))
    this.step = step
  }

  see(entry: TraceEntry): void {
    for (const { name, watch } of this.watches) this.show(name, watch, entry)
  }

  async lookAtEnd(): Promise<void> {
    for (const { name, watch } of this.watches) {
      if (this.breach !== undefined) return
      try {
        this.note(name, await watch.atEnd?.())
      } catch (error) {
        this.note(name, threw(error))
      }
    }
  }

  note(invariant: string, sentence: string | undefined | null): void {
    if (typeof sentence === 'string') this.breach ??= { invariant, sentence, step: this.step() }
  }

  /** The journal is in the middle of a commit, and would take what an invariant throws for an error of its own. */
  private show(name: string, watch: Watch, entry: TraceEntry): void {
    try {
      const said: unknown = watch.see?.(entry)
      if (said instanceof Promise) {
        said.catch(() => undefined)
        throw new Error(
          '`see` answered with a promise. It must answer at once; `atEnd` may take its time.',
        )
      }
      this.note(name, said as string | undefined)
    } catch (error) {
      this.note(name, threw(error))
    }
  }
}

function threw(error: unknown): string {
  const { name, message } = toErrorRecord(error)
  return `The invariant itself failed with ${name}: ${message}`
}
