import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import { readRecord } from '../../src/thought-log/record.ts'
import type { Thought } from '../../src/kernel/ports/engine.ts'

export interface LedgerReplay {
  /** The most that a window held at any point of the log, in minor units. */
  readonly mostUsed: number
  /** Points of the log at which a window held more than its limit. */
  readonly overspent: readonly string[]
  /** Decisions that named the window although the amount would have fitted. */
  readonly needlessRefusals: readonly string[]
}

interface WindowSeen {
  readonly window: string
  readonly limit: number
  readonly used: number
}

/** Replays the log: adds up what the ledger charged, and looks again at every decision that named a window. */
export async function replayLedger(journal: string): Promise<LedgerReplay> {
  const reader = await openSqliteReader(journal)
  if (reader === undefined) throw new Error(`no journal in ${journal}`)
  const charged = new Map<string, { minor: number; windows: readonly WindowSeen[] }>()
  const used = new Map<string, number>()
  const overspent: string[] = []
  const needlessRefusals: string[] = []
  let mostUsed = 0
  const take = (thought: Thought, position: number) => {
    const { key = '' } = thought as { key?: string }
    if (thought.kind === 'reserve' && thought.outcome === 'reserved') {
      const windows = thought.windows as unknown as readonly WindowSeen[]
      charged.set(key, { minor: Number(thought.minor), windows })
      for (const { window, limit } of windows) {
        const sum = (used.get(window) ?? 0) + Number(thought.minor)
        used.set(window, sum)
        mostUsed = Math.max(mostUsed, sum)
        if (sum > limit) overspent.push(`${position}: ${window} holds ${sum} of ${limit}`)
      }
    }
    if (thought.kind === 'released') {
      const entry = charged.get(key)
      for (const { window } of entry?.windows ?? [])
        used.set(window, (used.get(window) ?? 0) - (entry?.minor ?? 0))
    }
    if (thought.kind === 'decision') needlessRefusals.push(...needless(thought, position))
  }
  for (let afterPosition = 0; ;) {
    const page = reader.history({ afterPosition })
    if (page.length === 0) break
    for (const turn of page)
      for (const thought of readRecord(turn)?.thoughts ?? []) take(thought, turn.position)
    afterPosition = page.at(-1)?.position ?? Infinity
  }
  reader.close()
  return { mostUsed, overspent, needlessRefusals }
}

function needless(thought: Thought, position: number): string[] {
  const results = thought.results as unknown as readonly {
    rule: string
    severity: string
    seen: string
    limit: string
  }[]
  return results.flatMap(({ rule, severity, seen, limit }) => {
    if (rule !== 'window' || severity === 'allow') return []
    const [used = NaN, amount = NaN] = seen
      .split(' + ')
      .map((text) => Math.round(Number(text.split(' ')[0]) * 100))
    const most = Math.round(Number(limit.split(' ')[0]) * 100)
    return used + amount > most ? [] : [`${position}: ${seen} fits in ${limit}`]
  })
}
