import type { Address } from './address.ts'
import { createSeededRandom } from './random.ts'
import { AmbitError } from './errors.ts'
import type { Json } from './json.ts'
import type { Message } from './message.ts'

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
}

let current: Turn | undefined

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
