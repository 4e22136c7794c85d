import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActorSystem } from '../../actors/system.ts'
import { openSqliteReader } from '../embedded/sqlite-reader.ts'
import { AmbitError } from '../kernel/errors.ts'
import type { Head } from '../kernel/ports/journal.ts'

const HEADS_FILE = 'heads.jsonl'

/** Notes the head of the log beside the journal, so that a cut tail is found even if nobody kept one elsewhere. */
export async function keepHead(directory: string, system: ActorSystem): Promise<void> {
  const head = await system.head()
  if (head.position > 0)
    appendFileSync(join(directory, HEADS_FILE), `${JSON.stringify(head)}\n`, { mode: 0o600 })
}

/** Refuses to go on with a journal that has lost what was noted of it. Throws `AMBIT_JOURNAL_DAMAGED`. */
export async function refuseCutLog(directory: string): Promise<void> {
  const kept = readHeads(directory).at(-1)
  if (kept === undefined) return
  const journal = await openSqliteReader(directory)
  try {
    const [found] = journal?.history({ afterPosition: kept.position - 1, limit: 1 }) ?? []
    if (found?.position === kept.position && found.hash === kept.hash) return
  } finally {
    journal?.close()
  }
  throw new AmbitError(
    'AMBIT_JOURNAL_DAMAGED',
    `Record ${kept.position} was seen in the log of "${directory}" and is not there any more. ` +
      `Put the journal back as it was, or delete ${HEADS_FILE} if the loss is meant.`,
  )
}

/** The heads noted so far; a torn last line is left out. */
export function readHeads(directory: string): Head[] {
  const file = join(directory, HEADS_FILE)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line): Head[] => {
      try {
        const { position, hash } = JSON.parse(line) as Head
        return Number.isInteger(position) && typeof hash === 'string' ? [{ position, hash }] : []
      } catch {
        return []
      }
    })
}
