import type { Address } from './address.ts'
import { createSeededRandom } from './random.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import type { Event, Message } from './message.ts'
import type { PendingCommit } from './pending-commit.ts'
import type { Clock } from './ports/clock.ts'
import type { Command } from './ports/engine.ts'

/** The keyed rows an actor holds beside its snapshot. Read here, written with the `putRow` action. */
export interface RowsView {
  get(key: string): Json | undefined
  has(key: string): boolean
}

/** One message taken, stepped and committed; what a machine may know about it. */
export interface Turn {
  /** Milliseconds since the epoch, stamped before the step and stored with the turn. Never runs backwards. */
  readonly now: number
  /** Names the system for ever. */
  readonly systemId: string
  readonly address: Address
  readonly generation: number
  readonly seq: number
  readonly message: Message
  /** What each supervisor from the root down to this actor was given as authority. */
  readonly authority: readonly Json[]
  readonly rows: RowsView
  /** A number in [0, 1) that is the same whenever the same turn is stepped again. */
  random(): number
  /**
   * Sends an event to another actor, by address or registered name, once the turn is committed. For reducers, such as
   * `fromTransition` is given; a machine uses the `tell` action, because its guards may be asked more than once.
   */
  tell(to: string, event: Event): void
  /** Answers the message of this turn. For reducers; a machine uses the `reply` action. */
  reply(event: Event): void
}

/** What a turn sees of another actor. */
export interface Sight {
  /** The other's time, or the turn's own if that is later. */
  readonly now: number
  readonly rows: RowsView
}

/** What a turn has seen of another actor, as its record tells it: a row that was not there is not told. */
export interface Seen {
  readonly now: number
  readonly rows: Record<string, Json>
}

let current: Turn | undefined

/** Makes a turn the one under way; answers the one before, which must be put back. */
export function enterTurn(turn: Turn | undefined): Turn | undefined {
  const outer = current
  current = turn
  return outer
}

/** The turn that is being stepped, if one is. */
export function turnUnderWay(): Turn | undefined {
  return current
}

/**
 * The turn that is being stepped: its `now`, message, rows and seeded `random`. A step is synchronous, so any guard,
 * assign, delay or input function may call it. Throws `AMBIT_NOT_IN_TURN` elsewhere, for instance in an effect.
 */
export function thisTurn(): Turn {
  if (current !== undefined) return current
  throw new AmbitError(
    'AMBIT_NOT_IN_TURN',
    'thisTurn() was called outside a step. Read it in a guard, assign, delay or input function and pass the value on.',
  )
}

/**
 * The rows of another actor as they stand at this moment, or undefined when it must be asked by a message. What is read
 * is written into the record of the turn, so that a replay sees the same; the turn is stored with what it has seen, all
 * or none. For the runtime's own machines.
 */
export function lookAt(address: Address): Sight | undefined {
  return current instanceof CellTurn ? current.lookAt(address) : undefined
}

/** The turn of a cell. It is made for every message, so it keeps nothing that the cell already says. */
export class CellTurn implements Turn {
  readonly message: Message
  private stamp: number | undefined
  private readonly cell: TurnPlace
  /** What a reducer asked for, where it cannot be done at once. */
  wanted: Command[] | undefined
  /** Whom it has looked at. */
  sights: Map<Address, Looked> | undefined
  private chance: (() => number) | undefined

  /** Without `now` the clock is asked when somebody asks the turn. */
  constructor(cell: TurnPlace, message: Message, now?: number) {
    this.cell = cell
    this.message = message
    this.stamp = now
  }

  get now(): number {
    this.stamp ??= Math.max(this.cell.lastNow, this.cell.host.clock.now())
    return this.stamp
  }

  /** Whether anybody knows the time of the turn. */
  get isStamped(): boolean {
    return this.stamp !== undefined
  }

  get systemId(): string {
    return this.cell.host.systemId
  }

  get address(): Address {
    return this.cell.address
  }

  get generation(): number {
    return this.cell.generation
  }

  get seq(): number {
    return this.cell.seq + 1
  }

  get authority(): readonly Json[] {
    return this.cell.authority
  }

  get rows(): RowsView {
    return this.cell.rows
  }

  tell(to: string, event: Event): void {
    this.want({ kind: 'tell', to, event, lane: 'user' })
  }

  reply(event: Event): void {
    this.want({ kind: 'reply', event })
  }

  lookAt(address: Address): Sight | undefined {
    const known = this.sights?.get(address)
    if (known !== undefined) return known
    const { pending, host } = this.cell
    // What it sent there and nobody has taken belongs to what it would see.
    if (pending?.isWaiting(address, 'user') === true) return undefined
    const other = host.lookAt(address)
    if (other === undefined) return undefined
    const looked = new Looked(other, Math.max(this.now, other.lastNow))
    this.sights ??= new Map()
    this.sights.set(address, looked)
    return looked
  }

  private want(command: Command): void {
    if (this.cell.isDirect) this.cell.perform(command)
    else {
      this.wanted ??= []
      this.wanted.push(command)
    }
  }

  random(): number {
    this.chance ??= turnRandom(this.message.id, this.seq)
    return this.chance()
  }
}

/** Another actor that a turn may look at. */
export interface InSight {
  readonly rows: RowsView
  readonly lastNow: number
  /** What it did that is not stored yet. */
  readonly pending: PendingCommit | undefined
}

/** Notes which rows of another actor were read. */
class Looked implements Sight {
  readonly now: number
  readonly pending: PendingCommit | undefined
  readonly seen: Seen
  readonly rows: RowsView

  constructor({ rows, pending }: InSight, now: number) {
    const read: Record<string, Json> = {}
    const get = (key: string) => {
      const value = rows.get(key)
      if (value !== undefined) read[key] = value
      return value
    }
    this.now = now
    this.pending = pending
    this.seen = { now, rows: read }
    this.rows = { get, has: (key) => get(key) !== undefined }
  }
}

/** What a turn knows of the actor it is made for. */
interface TurnPlace {
  readonly address: Address
  readonly generation: number
  readonly seq: number
  readonly authority: readonly Json[]
  readonly rows: RowsView
  readonly host: {
    readonly systemId: string
    readonly clock: Clock
    lookAt(address: Address): InSight | undefined
  }
  readonly lastNow: number
  readonly isDirect: boolean
  readonly pending: PendingCommit | undefined
  perform(command: Command): void
}

/** Runs a step with the given turn as `thisTurn()`. */
export function withTurn<T>(turn: Turn, step: () => T): T {
  const outer = current
  current = turn
  try {
    return step()
  } finally {
    current = outer
  }
}

/** Makes a `random` that depends on the message and the place of the turn alone. */
export function turnRandom(messageId: string, seq: number): () => number {
  let random: (() => number) | undefined
  return () => (random ??= createSeededRandom(`${messageId}#${seq}`))()
}
