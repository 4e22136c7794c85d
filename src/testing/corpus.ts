import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../kernel/json.ts'
import type { Failure } from './report.ts'
import { fromReplayLine } from './replay-line.ts'

/** A schedule that once failed. It is played first from then on. */
export interface CorpusEntry {
  readonly simulation: string
  readonly replay: string
  readonly invariant: string
  /** What was wrong, for whoever reads the folder. */
  readonly sentence: string
}

const entrySchema = z.strictObject({
  simulation: z.string(),
  replay: z.string(),
  invariant: z.string(),
  sentence: z.string(),
})

/** The schedules of a simulation in a folder, by file name. A folder that is not there holds none. */
export function readCorpus(folder: string, simulation: string): number[][] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readEntry(join(folder, name)))
    .filter((entry) => entry.simulation === simulation)
    .map(({ list }) => list)
}

/** Keeps a failure for ever; the same schedule is kept once. Answers the file. */
export function addToCorpus(folder: string, simulation: string, failure: Failure): string {
  const { replay, invariant, sentence } = failure
  const entry: CorpusEntry = { simulation, replay, invariant, sentence }
  mkdirSync(folder, { recursive: true })
  const file = join(
    folder,
    `${invariant.replace(/[^\w-]/g, '_')}-${sha256(simulation, replay).slice(0, 8)}.json`,
  )
  writeFileSync(file, `${JSON.stringify(entry, null, 2)}\n`)
  return file
}

function readEntry(file: string): { simulation: string; list: number[] } {
  try {
    const { simulation, replay } = entrySchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { simulation, list: fromReplayLine(replay) }
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new Error(`${file} is no entry of a corpus: ${why}`, { cause: error })
  }
}
