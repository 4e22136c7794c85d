import type { ActorSystem, Json } from 'ambit'
import { INTAKE, type ReceivedLine, type TicketRow } from './intake.ts'
import { receiveLine } from './lines.ts'
import { describeTicket, ticketsIn } from './report.ts'

/** A refund that is tried again waits at most this long. */
const RETRY_WAIT_MS = 6000

export type Board = ReturnType<typeof createBoard>

/** The desk's tickets as its journal says, kept up to date after each commit. */
export function createBoard(
  system: ActorSystem,
  progress: (line: string) => void,
  changed: () => void,
) {
  const rows = new Map<string, Json>()
  let unrested = 0
  let duplicates = 0
  let waiting: (() => void)[] = []
  const note = (key: string, value: Json, show: boolean) => {
    if (!key.startsWith('ticket:') && !key.startsWith('invalid:')) return
    const before = rows.get(key) as unknown as TicketRow | undefined
    const row = value as unknown as TicketRow
    rows.set(key, value)
    unrested +=
      (row.state === 'rested' ? 0 : 1) - (before === undefined || before.state === 'rested' ? 0 : 1)
    if (show && row.state === 'rested') {
      progress(describeTicket(row))
      changed()
    }
    if (unrested > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }
  const ask = async (lines: readonly ReceivedLine[]) => {
    const answer = await system
      .ref(INTAKE)
      .ask({ type: 'tickets.received', lines }, { timeoutMs: 60_000 })
    duplicates += Number(answer.duplicates)
    return answer
  }
  return {
    async open() {
      const ready = await system.ref(INTAKE).ask({ type: 'desk.opened' }, { timeoutMs: 60_000 })
      duplicates = Number(ready.duplicates)
      // Nothing is awaited between the two, so no row is missed.
      for (const [key, value] of system.rows(INTAKE)) note(key, value, false)
      system.read.onRow(INTAKE, (key, value) => note(key, value, true))
    },
    receive: ask,
    /** Takes posted tickets, one JSON object or JSON lines; a single bad one is answered with its reason. */
    async post(body: string) {
      const texts = body.split('\n').filter((text) => text.trim() !== '')
      const lines = (texts.length === 0 ? [''] : texts).map((text) => receiveLine(text))
      const { type: _, known: __, ...counts } = await ask(lines)
      const [only] = lines
      if (lines.length > 1 || only?.reason === undefined) return { status: 200, body: counts }
      return { status: 422, body: { ...counts, outcome: 'invalid', reason: only.reason } }
    },
    tickets: () => ticketsIn(rows),
    duplicates: () => duplicates,
    async atRest() {
      if (unrested > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      await system.atRest({ timersWithinMs: RETRY_WAIT_MS })
    },
  }
}
