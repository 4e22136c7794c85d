import { readFileSync } from 'node:fs'

/** What a window held when an amount was to be reserved, in minor units. */
export interface WindowSeen {
  readonly window: string
  readonly limit: number | null
  readonly used: number
}

/** A step of ledger.pml. `nothing`: proof that nothing stands of an effect. */
export type Step =
  | {
      readonly step: 'reserve'
      readonly key: string
      readonly ok: boolean
      readonly minor?: number
      readonly windows?: readonly WindowSeen[]
    }
  | {
      readonly step: 'effect' | 'nothing' | 'inDoubt' | 'commit' | 'release'
      readonly key: string
    }
  | { readonly step: 'crash' }

type Reserve = Extract<Step, { step: 'reserve' }>

export interface StepTable {
  /** The names that the model's comment lists. */
  readonly names: readonly string[]
  /** Where a key stands after a step, by `from step`. */
  readonly next: ReadonlyMap<string, string>
}

/** Reads the steps out of the model itself, so that the two cannot drift. */
export function readStepTable(): StepTable {
  const text = readFileSync(new URL('ledger.pml', import.meta.url), 'utf8')
  const names = /^\/\* STEPS: (.*)$/m.exec(text)?.[1]?.split(' ') ?? []
  const rows = [...text.matchAll(/^ {2}ROW\((\w+), +(\w+), +(\w+)\)/gm)]
  return {
    names,
    next: new Map(rows.map(([, from, step, to]) => [`${from} ${step}`, to ?? ''])),
  }
}

const table = readStepTable()

/**
 * Walks the model along the steps of a history, within one bucket of each window. Undefined when it is a path of the
 * model; otherwise its first step that is none, and why.
 */
export function isPathOfLedgerModel(events: readonly Step[]): string | undefined {
  const stands = new Map<string, string>()
  const books = new Books()
  for (const [i, event] of events.entries()) {
    if (event.step === 'crash') continue
    const { key } = event
    const from = stands.get(key) ?? 'none'
    const name = event.step === 'reserve' && !event.ok ? 'refuse' : event.step
    const to = table.next.get(`${from} ${name}`)
    const where = `step ${i + 1}, ${name} of ${key}`
    if (to === undefined) return `${where}: the key is ${from}`
    const finding = event.step === 'reserve' ? books.reserve(event) : undefined
    if (finding !== undefined) return `${where}: ${finding}`
    if (event.step === 'release') books.release(key)
    stands.set(key, to)
  }
  return undefined
}

/** Keys that are still reserved, or of whose effect nothing is known yet: none in a system at rest. */
export function unsettledKeys(events: readonly Step[]): readonly string[] {
  const open = new Set<string>()
  for (const event of events) {
    if (event.step === 'reserve' && event.ok) open.add(event.key)
    if (event.step === 'commit' || event.step === 'release' || event.step === 'inDoubt')
      open.delete(event.key)
  }
  return [...open]
}

/** What the windows hold by the steps alone. */
class Books {
  private readonly used = new Map<string, number>()
  private readonly charged = new Map<string, Reserve>()

  /** Why the ledger's answer is not the model's. */
  reserve(event: Reserve): string | undefined {
    const { ok, key, minor = 0, windows = [] } = event
    const wrong = windows.find(({ window, used }) => used !== this.usedOf(window))
    if (wrong !== undefined)
      return `${wrong.window} holds ${this.usedOf(wrong.window)}, and the ledger saw ${wrong.used}`
    const full = windows.find(({ limit, used }) => limit !== null && used + minor > limit)
    if (ok && full !== undefined) return `${full.used} + ${minor} is over ${full.limit}`
    if (!ok) return full === undefined ? 'it would have fitted' : undefined
    this.charged.set(key, event)
    this.add(event, minor)
    return undefined
  }

  release(key: string): void {
    const event = this.charged.get(key)
    if (event !== undefined) this.add(event, -(event.minor ?? 0))
    this.charged.delete(key)
  }

  private add({ windows = [] }: Reserve, minor: number): void {
    for (const { window } of windows) this.used.set(window, this.usedOf(window) + minor)
  }

  private usedOf(window: string): number {
    return this.used.get(window) ?? 0
  }
}

/** A record as the journal's history gives it. */
export interface HistoryRecord {
  readonly record: string
}

interface Thought {
  readonly kind: string
  readonly key?: string
  readonly outcome?: string
  readonly minor?: number
  readonly windows?: readonly WindowSeen[]
  readonly attempts?: number
  readonly error?: { readonly code?: string }
  readonly statement?: { readonly verdict: string; readonly happened?: boolean }
}

/** The model's steps in a system's history. A new incarnation of the ledger is a crash, or a restart of the system. */
export function stepsOf(records: readonly HistoryRecord[]): Step[] {
  const steps: Step[] = []
  let incarnation: number | undefined
  for (const { record } of records) {
    const turn = JSON.parse(record) as {
      actor: string
      incarnation?: number
      thoughts?: readonly Thought[]
    }
    if (turn.actor === '/system/ledger') {
      if (incarnation !== undefined && turn.incarnation !== incarnation)
        steps.push({ step: 'crash' })
      incarnation = turn.incarnation
    }
    for (const thought of turn.thoughts ?? []) steps.push(...stepOf(thought))
  }
  return steps
}

function stepOf(thought: Thought): Step[] {
  const { kind, key = '', outcome, minor = 0, windows = [] } = thought
  switch (kind) {
    case 'reserve':
      return [{ step: 'reserve', key, ok: outcome === 'reserved', minor, windows }]
    case 'authorized':
      return [{ step: 'effect', key }]
    case 'committed':
      return [{ step: 'commit', key }]
    case 'released':
      return [{ step: 'release', key }]
    case 'inDoubt':
      return [{ step: 'inDoubt', key }]
    default:
      return isProofOfNothing(thought) ? [{ step: 'nothing', key }] : []
  }
}

/** The target refused the only attempt, what was done is undone, or a person found out that it did not happen. */
function isProofOfNothing({ kind, outcome, attempts, error, statement }: Thought): boolean {
  if (kind === 'humanDecision') return statement?.verdict === 'settle' && !statement.happened
  if (kind !== 'outcome') return false
  if (outcome === 'compensated') return true
  const isRefused = ['AMBIT_EFFECT_REFUSED', 'AMBIT_NOT_AUTHORIZED'].includes(error?.code ?? '')
  return outcome === 'failed' && attempts === 1 && isRefused
}
