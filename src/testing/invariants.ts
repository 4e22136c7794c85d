import { ChainCheck } from '../thought-log/chain.ts'
import { messagesConserved } from './conservation.ts'
import { mailboxDefaults } from '../kernel/mailbox.ts'
import type { Thought } from '../kernel/ports/engine.ts'
import { textOf, type Dossier } from './dossiers.ts'
import { invariant, type Invariant } from './invariant.ts'
import { journalReplaysToSameState } from './replay-turns.ts'
import type { TraceEntry } from './trace.ts'

/** No action is done twice, and no message is taken twice. */
export const noDuplicateWork = invariant('noDuplicateWork', ({ dossiers }) => {
  const taken = new Set<string>()
  return {
    see(entry) {
      if (entry.kind === 'effectHappened') {
        const { executed, undone } = dossiers.of(entry.key)
        if (executed > 1) return `${entry.name} ${entry.key} was done ${executed} times.`
        return undone > 1 ? `${entry.name} ${entry.key} was undone ${undone} times.` : undefined
      }
      if (entry.kind !== 'turn') return undefined
      const { actor, generation, message } = entry.record
      const { once, stream } = message.headers
      if (once === undefined && stream === undefined) return undefined
      const one =
        once ?? `${stream?.sender} ${stream?.generation} ${stream?.lane} ${stream?.number}`
      const id = `${actor} ${once === undefined ? generation : ''} ${one}`
      if (taken.has(id)) return `${actor} took ${message.type} (${one}) twice.`
      taken.add(id)
      return undefined
    },
  }
})

/** An action runs on one authority, and a case is decided once. */
export const oneAuthorityDecides = invariant('oneAuthorityDecides', ({ dossiers }) => {
  const by = new Map<string, string>()
  const closed = new Set<string>()
  return {
    see(entry) {
      for (const thought of thoughtsOf(entry)) {
        if (thought.kind === 'caseClosed') {
          const id = textOf(thought.case)
          if (closed.has(id)) return `Case ${id} was decided twice.`
          closed.add(id)
        }
        if (thought.kind !== 'authorized') continue
        const id = `${textOf(thought.key)} ${textOf(thought.digest)}`
        const before = by.get(id)
        const now = textOf(thought.by)
        if (before !== undefined && before !== now)
          return `${textOf(thought.key)} runs on the authority of ${before} and of ${now}.`
        by.set(id, now)
        const { openCase } = dossiers.of(textOf(thought.key))
        if (openCase !== undefined)
          return `${textOf(thought.key)} is authorised by ${now} while case ${openCase} is open.`
      }
      return undefined
    },
  }
})

/** What is done without a human stays inside its windows, by a count of its own. */
export const envelopeNeverExceeded = invariant('envelopeNeverExceeded', ({ dossiers }) => {
  const counted = new Map<string, { window: string; bucket: string; minor: number }[]>()
  const sums = new Map<string, number>()
  const held = new Set<string>()
  const book = (key: string, sign: 1 | -1) => {
    for (const { window, bucket, minor } of counted.get(key) ?? []) {
      const id = `${window} ${bucket}`
      sums.set(id, (sums.get(id) ?? 0) + sign * minor)
    }
  }
  return {
    see(entry) {
      if (entry.kind === 'effectHappened' && entry.phase === 'execute') {
        const { booked } = dossiers.of(entry.key)
        if (booked === undefined || booked === 'released')
          return `${entry.name} ${entry.key} was done with nothing reserved for it.`
      }
      for (const thought of thoughtsOf(entry)) {
        const key = textOf(thought.key)
        if (thought.kind === 'released') book(key, -1)
        if (thought.kind === 'released') held.delete(key)
        if (thought.kind !== 'reserve' || thought.outcome !== 'reserved') continue
        if (held.has(key)) return `${key} was reserved again while it stood.`
        held.add(key)
        const minor = Number(thought.minor)
        const windows = thought.windows as unknown as readonly Window[]
        const at = entry.kind === 'turn' ? entry.record.at : 0
        counted.set(
          key,
          windows.map(({ window }) => ({ window, bucket: bucketOf(window, at), minor })),
        )
        const off = windows.find(({ window, used }) =>
          isOff(sums.get(`${window} ${bucketOf(window, at)}`), window, used),
        )
        if (off !== undefined)
          return `The ledger has ${off.window} at ${off.used}, which is not what it let in and did not give back.`
        book(key, 1)
        for (const { window, limit, used } of windows) {
          const sum = Math.max(sums.get(`${window} ${bucketOf(window, at)}`) ?? 0, used + minor)
          if (limit !== null && sum > limit)
            return `${window} stands at ${sum}, its limit is ${limit}: ${key} was let in.`
        }
      }
      return undefined
    },
  }
})

interface Window {
  readonly window: string
  readonly limit: number | null
  readonly used: number
}

const DAY_MS = 86_400_000

/** Whether the ledger counts other than is counted here. */
function isOff(sum: number | undefined, window: string, used: number): boolean {
  return isByDay(window) && (sum ?? 0) !== used
}

function isByDay(window: string): boolean {
  return window.includes('/day@UTC/')
}

/** The day of a window that goes by UTC days; others are counted by what the ledger saw. */
function bucketOf(window: string, at: number): string {
  return isByDay(window) ? String(Math.floor(at / DAY_MS)) : `at ${at}`
}

/** Before anything is done its proposal, its reason, the decision on it and the authority are on the disk. */
export const everyActionHasContractAndThought = invariant(
  'everyActionHasContractAndThought',
  ({ dossiers }) => ({
    see(entry) {
      if (entry.kind !== 'effectBegun' || entry.phase !== 'execute') return undefined
      const { last, key } = dossiers.of(entry.key)
      const missing = ['proposed', 'decision', 'authorized'].find((kind) => !last.has(kind))
      if (missing !== undefined) return `${entry.name} ${key} began, and nothing says "${missing}".`
      const [proposed, authorized] = [last.get('proposed'), last.get('authorized')]
      if (proposed?.why === undefined || proposed.why === '')
        return `${entry.name} ${key} began without a reason.`
      const digest = last.get('decision')?.digest
      if (authorized?.digest !== digest)
        return `${entry.name} ${key} is authorised for another proposal than was decided on.`
      return undefined
    },
  }),
)

/** When nothing moves any more, each action has an outcome or a case that a human can decide. */
export const endsOrAwaitsHuman = invariant('endsOrAwaitsHuman', ({ dossiers }) => ({
  atEnd() {
    for (const { key, last, openCase } of dossiers.all()) {
      if (openCase !== undefined && last.get('outcome')?.outcome === 'withdrawn')
        return `Case ${openCase} is open, and action ${key}, which opened it, is withdrawn.`
      if (!last.has('proposed') || last.has('outcome') || openCase !== undefined) continue
      return `Action ${key} has no outcome, and nobody is asked.`
    }
    return undefined
  },
}))

/** What was compensated is undone in the world, and its amount is free again. */
export const compensationLeavesNoResidue = invariant(
  'compensationLeavesNoResidue',
  ({ dossiers }) => ({
    atEnd() {
      for (const { key, last, executed, undone, booked } of dossiers.all()) {
        if (last.get('outcome')?.outcome !== 'compensated') continue
        if (executed > undone) return `Action ${key} is compensated, and the world still has it.`
        if (booked !== 'released') return `Action ${key} is compensated, and still ${booked}.`
      }
      return undefined
    },
  }),
)

/** What the envelope does not allow is done only on a human's decision on exactly that proposal. */
export const noEffectWithoutApproval = invariant('noEffectWithoutApproval', ({ dossiers }) => ({
  see(entry) {
    if (entry.kind !== 'effectBegun' || entry.phase !== 'execute') return undefined
    const dossier = dossiers.of(entry.key)
    const { last, key } = dossier
    const severity = last.get('decision')?.severity
    if (severity === 'deny') return `${entry.name} ${key} began, though it was denied.`
    if (severity !== 'escalate' || isApproved(dossier)) return undefined
    return `${entry.name} ${key} began, and not as many humans have approved it as must.`
  },
}))

function isApproved({ humanDecisions, last, quorum }: Dossier): boolean {
  const digest = last.get('authorized')?.digest
  const approvals = humanDecisions.filter(
    (each) => each.verdict === 'approve' && each.digest === digest,
  )
  return new Set(approvals.map(({ person }) => person)).size >= quorum
}

/** The books say what became of each action. */
export const booksBalance = invariant('booksBalance', ({ dossiers }) => ({
  atEnd() {
    for (const dossier of dossiers.all()) {
      const { key, last, booked, executed, undone } = dossier
      const outcome = last.get('outcome')?.outcome
      if (outcome === 'committed' && neverHappened(dossier))
        return `Action ${key} is committed, and the world never did it.`
      if (outcome === 'committed' && booked !== 'committed')
        return `Action ${key} is committed, the ledger has it as ${booked}.`
      if ((outcome === 'failed' || outcome === 'compensated') && booked !== 'released')
        return `Action ${key} is ${outcome}, the ledger has it as ${booked}.`
      const isFree = booked === undefined || booked === 'released'
      if (executed > undone && isFree) return `Action ${key} was done, and its amount is free.`
    }
    return undefined
  },
}))

/** What a human settled as having happened is believed; what runs its own code, nobody here has seen. */
function neverHappened({ begun, executed, humanDecisions }: Dossier): boolean {
  const isSettled = humanDecisions.some(({ verdict }) => verdict === 'settle')
  return begun > 0 && executed === 0 && !isSettled
}

export interface IntensityOptions {
  /** Restarts of one actor after failures. Default: 5, as agents have it. */
  readonly max?: number
  /** Within so many virtual milliseconds. Default: 60,000. */
  readonly periodMs?: number
}

/** An actor that fails again and again is not started again and again. */
export function restartIntensityBounded(options: IntensityOptions = {}): Invariant {
  const { max = 5, periodMs = 60_000 } = options
  return invariant('restartIntensityBounded', () => {
    const failed = new Set<string>()
    const restarts = new Map<string, number[]>()
    return {
      see(entry) {
        if (entry.kind === 'started') restarts.clear()
        if (entry.kind === 'exit' && entry.reason === 'error') failed.add(entry.address)
        if (entry.kind !== 'restart' || !failed.delete(entry.address)) return undefined
        const recent = [...(restarts.get(entry.address) ?? []), entry.elapsedMs].filter(
          (at) => at > entry.elapsedMs - periodMs,
        )
        restarts.set(entry.address, recent)
        if (recent.length <= max) return undefined
        return `${entry.address} was restarted ${recent.length} times in ${periodMs} ms.`
      },
    }
  })
}

const { userLengthMax, controlLengthMax } = mailboxDefaults

/** No mailbox grows beyond its limits. `max` is for actors with limits of their own. */
export function mailboxBounded({
  max = userLengthMax + controlLengthMax,
}: { max?: number } = {}): Invariant {
  return invariant('mailboxBounded', () => ({
    see(entry) {
      if (entry.kind !== 'mailbox' || entry.length <= max) return undefined
      return `${entry.length} messages wait for ${entry.address}; at most ${max} may.`
    },
  }))
}

/** Each actor's turns are numbered without a gap, its time never runs back, and the chain of hashes holds. */
export const thoughtLogUnbroken = invariant('thoughtLogUnbroken', ({ history }) => {
  const last = new Map<string, { seq: number; at: number }>()
  return {
    see(entry) {
      if (entry.kind !== 'turn') return undefined
      const { actor, seq, at } = entry.record
      const before = last.get(actor) ?? { seq: 0, at: 0 }
      last.set(actor, { seq, at })
      if (seq !== before.seq + 1) return `Turn ${seq} of ${actor} follows turn ${before.seq}.`
      return at < before.at ? `Turn ${seq} of ${actor} comes before turn ${before.seq}.` : undefined
    },
    async atEnd() {
      const check = new ChainCheck([])
      check.add(await history())
      const verdict = check.finish()
      return verdict.ok ? undefined : `The log is broken: ${JSON.stringify(verdict.fault)}.`
    },
  }
})

export { messagesConserved }

/** All invariants that need no options. */
export const invariants: readonly Invariant[] = [
  noDuplicateWork,
  oneAuthorityDecides,
  envelopeNeverExceeded,
  everyActionHasContractAndThought,
  endsOrAwaitsHuman,
  compensationLeavesNoResidue,
  noEffectWithoutApproval,
  booksBalance,
  restartIntensityBounded(),
  mailboxBounded(),
  messagesConserved,
  journalReplaysToSameState,
  thoughtLogUnbroken,
]

function thoughtsOf(entry: TraceEntry): readonly Thought[] {
  return entry.kind === 'turn' ? (entry.record.thoughts ?? []) : []
}
