import { parseAddress, type Address } from './address.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import { kernelTypes, type Event } from './message.ts'
import {
  PARKED_ROWS,
  parkedIn,
  parkedKey,
  parkedThought,
  refusedParked,
  type ParkedDecision,
  type ParkedMessage,
  type ParkedOrder,
  type ParkedOutcome,
} from './parked.ts'
import { plainCommit } from './plain-commit.ts'
import type { JournalSession, StoredActor } from './ports/journal.ts'
import { aText, checkOptions, requireOption } from './spec-check.ts'
import type { Tree } from './tree.ts'

/** Parked messages that one look shows. */
export const PARKED_LISTED_MAX = 10_000
/** Tries at a write that another one came before. */
const DISCARD_ATTEMPTS_MAX = 5

export interface ParkingCalls {
  session(): JournalSession
  now(): number
  ask(address: Address, event: Event): Promise<Event>
}

/** Shows the parked messages of a running system, and has them retried or discarded. */
export class Parking {
  private readonly tree: Tree
  private readonly calls: ParkingCalls

  constructor(tree: Tree, calls: ParkingCalls) {
    this.tree = tree
    this.calls = calls
  }

  /** Of all actors, also of those that are not in memory; the oldest first. */
  async list(): Promise<readonly ParkedMessage[]> {
    const stored = await this.calls.session().parked(PARKED_LISTED_MAX)
    const kept = stored.flatMap(({ address, key, value }) => parkedIn(address, [[key, value]]))
    const passing = [...this.tree.all()]
      .filter(({ isDirect }) => isDirect)
      .flatMap(({ address, rows }) => parkedIn(address, rows))
    return [...kept, ...passing].sort((a, b) => a.at - b.at).slice(0, PARKED_LISTED_MAX)
  }

  /** Resolves once it is committed. Whatever cannot be done is refused with a reason. */
  async settle(
    what: ParkedOrder['what'],
    to: string,
    id: string,
    decision: ParkedDecision,
  ): Promise<ParkedOutcome> {
    checkDecision(decision)
    const address = parseAddress(to)
    const session = this.calls.session()
    const cell = this.tree.peek(address)
    if (cell?.life === 'quarantined') return refusedParked('quarantined', address, id)
    // Whoever is not in memory is brought there only for a message that it has.
    if (cell === undefined || cell.life === 'ended') {
      const stored = await session.load(address)
      if (stored?.rows.has(parkedKey(id)) !== true)
        return refusedParked('unknownMessage', address, id)
      const isGone = this.tree.specAt(address) === undefined
      if (isGone || stored.status !== 'active') {
        if (what === 'retry') return refusedParked(isGone ? 'unknownActor' : 'stopped', address, id)
        return discardEnded(session, address, id, { ...decision, at: this.calls.now() })
      }
    }
    const answer = await this.calls.ask(address, parkedOrder(what, id, decision))
    return answer.outcome as ParkedOutcome
  }
}

export function parkedOrder(
  what: ParkedOrder['what'],
  id: string,
  { by, reason }: ParkedDecision,
): ParkedOrder {
  return { type: kernelTypes.parked, what, id, by, ...(reason !== undefined && { reason }) }
}

function checkDecision(decision: ParkedDecision): void {
  const who = 'Settling a parked message'
  checkOptions(who, decision, { by: aText, reason: aText })
  requireOption(who, decision, 'by')
}

/** An actor that has ended takes no turn: the journal is told in its place, in a record of the same log. */
export async function discardEnded(
  session: JournalSession,
  address: Address,
  id: string,
  { at, ...decision }: ParkedDecision & { readonly at: number },
): Promise<ParkedOutcome> {
  for (let attempt = 1; attempt <= DISCARD_ATTEMPTS_MAX; attempt++) {
    const stored = await session.load(address)
    if (stored?.rows.has(parkedKey(id)) !== true)
      return refusedParked('unknownMessage', address, id)
    const [result] = await session.commit([discardOf(stored, address, id, at, decision)])
    if (result === 'stored') return { status: 'discarded' }
  }
  throw new AmbitError(
    'AMBIT_COMMIT_FAILED',
    `The journal did not take that "${id}" of "${address}" is discarded. Try again.`,
  )
}

function discardOf(
  stored: StoredActor,
  address: Address,
  id: string,
  at: number,
  decision: ParkedDecision,
) {
  const { generation, incarnation, status, snapshot } = stored
  const seq = stored.seq + 1
  const body = parkedOrder('discard', id, decision)
  const record = {
    v: 1,
    actor: address,
    generation,
    incarnation,
    seq,
    at,
    disposition: 'discarded',
    message: { id: `${address}:${generation}.${seq}.discard`, type: body.type, body, headers: {} },
    state: null,
    status,
    thoughts: [parkedThought('discard', id, decision)],
  }
  const rows: (readonly [string, Json])[] = [[`${PARKED_ROWS}${id}`, null]]
  const base = { address, expectedSeq: stored.seq, seq, status, snapshot, rows }
  return { ...plainCommit({ ...base, records: [JSON.stringify(record)] }), generation, incarnation }
}
