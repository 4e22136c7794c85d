import type { Happening, Invariant, TraceEntry } from 'ambit/testing'
import { ACTIONS, APPROVALS, LEDGER } from '../../machines/action-steps.ts'
import type { Json } from '../../src/kernel/json.ts'
import type { Message } from '../../src/kernel/message.ts'
import type { StoredTurn } from '../../src/kernel/ports/journal.ts'
import { Dossiers } from '../../src/testing/dossiers.ts'

export const at = Date.UTC(2026, 0, 5, 12)
export type Thoughts = readonly Readonly<Record<string, Json>>[]

let seq = 0
export const turn = (
  actor: string,
  over: Record<string, unknown> = {},
  rows: [string, Json][] = [],
) =>
  ({
    kind: 'turn',
    record: {
      actor,
      generation: 1,
      seq: ++seq,
      at,
      message: { id: 'm', type: 'go', body: { type: 'go' }, headers: {} },
      state: null,
      ...over,
    },
    rows,
  }) as unknown as Happening

export const action = (...thoughts: Thoughts) =>
  turn(`${ACTIONS}/k`, { thoughts: thoughts.map((thought) => ({ key: 'k', ...thought })) })
export const ledger = (...thoughts: Thoughts) =>
  turn(LEDGER, { thoughts: thoughts.map((thought) => ({ key: 'k', ...thought })) })
export const desk = (...thoughts: Thoughts) =>
  turn(APPROVALS, { thoughts: thoughts.map((thought) => ({ key: 'k', case: 'c-1', ...thought })) })

export const effect = (kind: 'effectBegun' | 'effectHappened', phase: string, key = 'k') =>
  ({ kind, name: 'pay', phase, key, input: null, attempt: 1 }) as Happening
export const begun = effect('effectBegun', 'execute')
export const done = effect('effectHappened', 'execute')
export const undone = effect('effectHappened', 'compensate', 'k-undo')

export const reserve = (
  used: number,
  limit: number | null,
  minor = 100,
  window = 'desk/pay/day@UTC/usd',
) => ({ kind: 'reserve', outcome: 'reserved', minor, windows: [{ window, limit, used }] }) as const
export const [proposed, authorized, decision] = [
  { kind: 'proposed', why: 'It broke.' },
  { kind: 'authorized', by: 'envelope', digest: 'd' },
  { kind: 'decision', severity: 'allow', digest: 'd' },
]
export const escalate = { kind: 'decision', severity: 'escalate', digest: 'd' }
export const approvedBy = (person: string, digest = 'd') =>
  desk({ kind: 'humanDecision', verdict: 'approve', person, digest })
export const caseOf = (quorum: number) => {
  const found = { id: 'c-1', key: 'k', status: 'open', route: { quorum } }
  return turn(APPROVALS, { thoughts: [] }, [['case:c-1', found]])
}
export const outcome = (what: string) => action({ kind: 'outcome', outcome: what })

export const message = (headers: Record<string, unknown>, actor = '/a', generation = 1) =>
  turn(actor, { generation, message: { id: 'm', type: 'go', body: { type: 'go' }, headers } })
export const stream = (number: number) => ({
  stream: { sender: '/s', generation: 1, lane: 'user', number },
})

/** A happening, at a moment of the run. */
export const when = (elapsedMs: number, happening: object) =>
  ({ ...happening, elapsedMs }) as unknown as Happening
export const failedAndRestarted = (ms: number) => [
  when(ms, { kind: 'exit', address: '/a', reason: 'error', incarnation: 1 }),
  when(ms, { kind: 'restart', address: '/a', delayMs: 100 }),
]

/** What an invariant says first of a trace, with the log that is stored. */
export async function verdict(
  one: Invariant,
  happenings: readonly Happening[],
  stored: readonly StoredTurn[] = [],
  waiting: readonly Message[] = [],
): Promise<string | undefined> {
  const dossiers = new Dossiers()
  const watched = one.watch({
    systemId: 's',
    simulation: {},
    dossiers,
    actors: new Map(),
    history: () => Promise.resolve(stored),
    waiting: () => Promise.resolve(waiting),
    snapshotOf: () => ({ status: 'active' }),
    load: () => Promise.resolve(undefined),
  })
  for (const [step, happening] of happenings.entries()) {
    const entry = { elapsedMs: 0, ...happening, step } as TraceEntry
    dossiers.see(entry)
    const said = watched.see?.(entry)
    if (said !== undefined) return said
  }
  return watched.atEnd?.()
}
