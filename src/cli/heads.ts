import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ActorSystem } from '../../actors/system.ts'
import type { Head } from '../kernel/ports/journal.ts'

const HEADS_FILE = 'heads.jsonl'

/** Notes the head of the log beside the journal, so that a cut tail is found even if nobody kept one elsewhere. */
export async function keepHead(directory: string, system: ActorSystem): Promise<void> {
  const head = await system.head()
  if (head.position > 0)
    appendFileSync(join(directory, HEADS_FILE), `${JSON.stringify(head)}\n`, { mode: 0o600 })
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
