import type { Address } from '../kernel/address.ts'
import { Cell } from '../kernel/cell.ts'
import type { CellHost } from '../kernel/cell-host.ts'
import type { ErrorRecord } from '../kernel/errors.ts'
import { sha256, type Json } from '../kernel/json.ts'
import { Order } from '../kernel/pending-commit.ts'
import type { Message } from '../kernel/message.ts'
import type { StoredTurn } from '../kernel/ports/journal.ts'
import { silentLogger } from '../kernel/ports/logger.ts'
import { startMessage } from '../kernel/recovery.ts'
import { highWaterKey, skipMessage } from '../kernel/streams.ts'
import { parkMessage, takeOne } from '../kernel/take.ts'
import type { InSight, Seen } from '../kernel/turn.ts'
import { describeDifferences, differences } from './difference.ts'
import { invariant } from './invariant.ts'
import type { TurnRecord } from './trace.ts'

/** Histories of actors that are known to replay, of one simulation; more are forgotten and made again. */
export const PROVED_MAX = 100_000

/** By simulation: another may have another machine under the same address. */
const proved = new WeakMap<object, Set<string>>()

/**
 * Each journaled turn, made again from its message alone, gives the same record byte for byte, and the same state.
 *
 * A turn depends on the actor's turns before it and on nothing else. So an actor whose records and state are, byte for
 * byte, those of one that was made again in an earlier run of the same simulation is not made again once more.
 */
export const journalReplaysToSameState = invariant(
  'journalReplaysToSameState',
  ({ actors, history, load, systemId, simulation }) => ({
    async atEnd() {
      const known = provedOf(simulation)
      const turnsOf = new Map<string, StoredTurn[]>()
      for (const turn of await history()) {
        const turns = turnsOf.get(turn.address)
        if (turns === undefined) turnsOf.set(turn.address, [turn])
        else turns.push(turn)
      }
      for (const [address, turns] of turnsOf) {
        const actor = actors.get(address)
        if (!(actor instanceof Cell)) continue
        const stored = await load(address)
        const { state } = (stored?.snapshot ?? {}) as { state?: Json }
        const life = lifeOf(actor, turns, state)
        if (known.has(life)) continue
        const fault = replay(actor, systemId, turns, state)
        if (fault !== undefined) return fault
        known.add(life)
      }
      return undefined
    },
  }),
)

function provedOf(simulation: object): Set<string> {
  const known = proved.get(simulation) ?? new Set()
  if (known.size >= PROVED_MAX) known.clear()
  proved.set(simulation, known)
  return known
}

/** Names all that a replay starts from and is compared with. */
function lifeOf(
  { address, spec: { engine }, input, authority }: Cell,
  turns: readonly StoredTurn[],
  state: Json | undefined,
): string {
  const start = JSON.stringify([address, engine.id, engine.version, engine.hash, input, authority])
  return sha256(start, ...turns.map(({ record }) => record), JSON.stringify([state]))
}

function replay(
  like: Cell,
  systemId: string,
  turns: readonly StoredTurn[],
  stateStored: Json | undefined,
): string | undefined {
  const host = new ReplayHost(like.host.registry, systemId)
  const { address } = like
  const cell = new Cell(address, like.spec, like.input, like.authority, host)
  cell.life = 'running'
  for (const { record, seq } of turns) {
    const wanted = JSON.parse(record) as TurnRecord & { error?: ErrorRecord }
    // An actor that has ended takes nothing: the journal was told in its place.
    if (wanted.disposition === 'discarded') continue
    const { deadline = wanted.at } = wanted.message.headers
    // The wall clock may have run behind the actor's time: what was taken in time is so again.
    host.time = wanted.disposition === 'expired' ? wanted.at : Math.min(wanted.at, deadline)
    host.seen = wanted.seen
    host.circle = wanted.disposition === 'refused' ? [] : undefined
    cell.incarnation = wanted.incarnation
    takeAgain(cell, wanted)
    const made = cell.pending?.records.at(-1)?.text
    cell.pending = undefined
    if (made === record) continue
    return `Turn ${seq} of ${address}, made again, is another: ${made ?? 'nothing'} in place of ${record}.`
  }
  const state = cell.status === 'active' ? cell.spec.engine.persist(cell.state) : null
  const found = stateStored === undefined ? [] : differences(stateStored, state)
  if (found.length === 0) return undefined
  return `${address}, made again from its turns, is not as stored: ${describeDifferences(found)}.`
}

function takeAgain(cell: Cell, wanted: TurnRecord & { error?: ErrorRecord }): void {
  const message: Message = { ...wanted.message, to: cell.address }
  if (wanted.disposition === 'parked') {
    parkMessage(cell, message, 'user', wanted.error ?? { name: 'Parked', message: '' })
    return
  }
  if (wanted.born === true) cell.mailbox.offer(startMessage(cell), 'system')
  skipUnwanted(cell, message)
  cell.mailbox.offer(message, 'system')
  takeOne(cell)
}

/** An answer that came too late was taken out of its stream without a turn: nothing records it but the gap. */
function skipUnwanted(cell: Cell, message: Message): void {
  const { stream } = message.headers
  const highWater = cell.rows.get(highWaterKey(message))
  if (stream === undefined || typeof highWater !== 'number') return
  if (highWater >= stream.number - 1) return
  const before = { ...stream, number: stream.number - 1 }
  skipMessage(cell, { ...message, headers: { ...message.headers, stream: before } }, 'system')
}

/** A host that lets nothing out: what the turns wanted has happened already. */
class ReplayHost implements CellHost {
  readonly isByHand = true
  readonly away = new Set<object>()
  time = 0
  seen: TurnRecord['seen']
  /** The circle that the question of the turn closed, if it was refused for that; nobody sees which. */
  circle: readonly Address[] | undefined
  readonly isWatched = false
  readonly monitors = { watch: () => undefined, unwatch: () => undefined }
  readonly order = new Order()
  readonly registry: CellHost['registry']
  readonly systemId: string
  readonly clock = {
    now: () => this.time,
    elapsed: () => 0,
    soon: () => undefined,
    wakeAt: () => () => undefined,
  }

  constructor(registry: CellHost['registry'], systemId: string) {
    this.registry = registry
    this.systemId = systemId
  }

  logger = () => silentLogger
  routeAhead = () => false
  circleThrough = () => this.circle
  goesOn = () => false
  lookAt = (address: string) => inSight(this.seen?.[address])
  schedule(): void {}
  changed(): void {}
  route(): void {}
  answerOutside(): void {}
  postTo(): void {}
  postForeign(): void {}
  freed(): void {}
  startEffect(): void {}
  abortEffect(): void {}
  refuseInvocation(): void {}
  setTimer(): void {}
  clearTimer(): void {}
  failed(): void {}
  begun(): void {}
  renewed(): void {}
  ignores(): void {}
  refuse(): void {}
  supervise(): void {}
  ended(): void {}
  deadLetter(): void {}
  acknowledged(): void {}
  dispose(): void {}
  reported(): void {}
}

/** What the turn saw of another actor, as that stood then. */
function inSight(seen: Seen | undefined): InSight | undefined {
  if (seen === undefined) return undefined
  return { rows: new Map(Object.entries(seen.rows)), lastNow: seen.now, pending: undefined }
}
