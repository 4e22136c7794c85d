import type { Envelope } from '../src/envelope/envelope.ts'
import type { Json } from '../src/kernel/json.ts'
import { runMaybe, wait, type MaybePromise } from '../src/kernel/maybe.ts'
import { plainCommit } from '../src/kernel/plain-commit.ts'
import type { JournalSession } from '../src/kernel/ports/journal.ts'

const ENVELOPES = '/system/envelopes'

/**
 * Every envelope that was ever in force in a journal, by hash. A waiting case keeps the version it was opened under,
 * so that a new one neither orphans nor widens it.
 */
export interface EnvelopeStore {
  readonly get: (hash: string) => Envelope | undefined
  /** Envelopes of an agent that comes at run time: in the journal before the agent is there. */
  add(session: JournalSession, authorities: readonly Json[]): MaybePromise<void>
  /** Reads the stored versions and adds the new ones to the journal, with an entry in the thought log for each. */
  putInForce(session: JournalSession): MaybePromise<void>
}

export function createEnvelopeStore(authorities: readonly Json[]): EnvelopeStore {
  const current = [...(authorities as unknown as readonly Envelope[])]
  const known = new Map(current.map((envelope) => [envelope.hash, envelope]))
  return {
    get: (hash) => known.get(hash),
    putInForce: (session) => runMaybe(putInForce(session)),
    add(session, more) {
      const added = more as unknown as readonly Envelope[]
      if (added.every(({ hash }) => known.has(hash))) return
      current.push(...added)
      for (const envelope of added) known.set(envelope.hash, envelope)
      return runMaybe(putInForce(session))
    },
  }

  function* putInForce(session: JournalSession): Generator<Promise<unknown>, void> {
    const stored = yield* wait(session.load(ENVELOPES))
    for (const [hash, value] of stored?.rows ?? []) known.set(hash, value as unknown as Envelope)
    const added = [
      ...new Map(current.map((envelope) => [envelope.hash, envelope])).values(),
    ].filter(({ hash }) => stored?.rows.has(hash) !== true)
    if (added.length === 0) return
    const before = stored?.seq ?? 0
    yield* wait(
      session.commit([
        plainCommit({
          address: ENVELOPES,
          expectedSeq: before,
          seq: before + added.length,
          records: added.map((envelope, i) => recordOf(envelope, before + i + 1)),
          rows: added.map((envelope) => [envelope.hash, envelope as unknown as Json]),
        }),
      ]),
    )
  }
}

function recordOf({ id, version, owner, hash }: Envelope, seq: number): string {
  const thoughts = [{ kind: 'envelope', id, version, owner, hash }]
  return JSON.stringify({
    v: 1,
    actor: ENVELOPES,
    seq,
    disposition: 'processed',
    message: { id: hash, type: 'ambit.envelope' },
    thoughts,
  })
}
