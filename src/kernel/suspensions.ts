import type { Address } from './address.ts'
import type { Cell } from './cell.ts'
import { valueFor } from './effects.ts'
import type { ErrorRecord } from './errors.ts'
import type { Invocation } from './invocation.ts'
import type { Json } from './json.ts'
import type { Clock } from './ports/clock.ts'
import type { EffectLogic } from './ports/engine.ts'
import type { Logger } from './ports/logger.ts'
import type { OwnRows } from './own-rows.ts'

/** A subtree whose actors begin no effect until an operator resumes it. */
export interface Suspension {
  readonly address: Address
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly error: ErrorRecord
}

const PREFIX = 'suspended:'

/**
 * Whose authority is suspended. A supervisor that gave up has children that nobody understands at this moment: they may
 * think, but begin nothing, neither an effect of their own nor an action in their name, before a human has looked.
 */
export class Suspensions {
  private held = new Map<Address, (() => void)[]>()
  private readonly rows: OwnRows
  private readonly isBelow: (actor: Address, supervisor: Address) => boolean
  private readonly clock: Clock
  private readonly logger: Logger

  constructor(
    rows: OwnRows,
    isBelow: (actor: Address, supervisor: Address) => boolean,
    clock: Clock,
    logger: Logger,
  ) {
    this.rows = rows
    this.isBelow = isBelow
    this.clock = clock
    this.logger = logger
  }

  all(): readonly Suspension[] {
    return this.rows.under(PREFIX).map(suspensionOf)
  }

  suspend(address: Address, error: ErrorRecord): void {
    if (this.rows.get(PREFIX + address) !== undefined) return
    const row = { since: this.clock.now(), error } as unknown as Json
    const thought = { kind: 'authoritySuspended', address, error: error as unknown as Json }
    this.rows
      .put(PREFIX + address, row, thought)
      .catch((err: unknown) => this.logger.error({ address, err }, 'a suspension was not stored'))
    this.logger.error({ address, err: error }, 'authority suspended: no effect starts there')
  }

  /** Gives the authority back; what waited begins. False when it was not suspended. Resolves when it is stored. */
  async resume(address: Address, by: string, why: string): Promise<boolean> {
    if (this.rows.get(PREFIX + address) === undefined) return false
    await this.rows.put(PREFIX + address, null, { kind: 'authorityResumed', address, by, why })
    const waiting = this.held.get(address) ?? []
    this.held.delete(address)
    for (const begin of waiting) begin()
    return true
  }

  /** Begins an effect, or keeps it until the authority it needs is back. */
  begin(cell: Cell, invocation: Invocation, logic: EffectLogic, begin: () => void): void {
    const actor = nameOf(logic, invocation) ?? cell.address
    const above = this.rows.under(PREFIX).find(([address]) => this.isBelow(actor, address))
    if (above === undefined) return begin()
    const [address] = above
    const again = () => {
      this.begin(cell, invocation, logic, begin)
    }
    const waiting = this.held.get(address)
    if (waiting === undefined) this.held.set(address, [again])
    else waiting.push(again)
    this.logger.warn({ actor, effect: invocation.src, suspended: address }, 'an effect waits')
  }
}

/** What is suspended according to the kernel's own rows, as a journal keeps them. */
export function suspendedIn(rows: Iterable<readonly [string, Json]>): Suspension[] {
  const own = [...rows].filter(([key]) => key.startsWith(PREFIX))
  return own.map(([key, row]) => suspensionOf([key.slice(PREFIX.length), row]))
}

function suspensionOf([address, row]: readonly [Address, Json]): Suspension {
  const { since, error } = row as unknown as Omit<Suspension, 'address'>
  return { address, since, error }
}

/** In whose name an effect acts, when it is not its actor's own. */
function nameOf({ onBehalfOf }: EffectLogic, invocation: Invocation): Address | undefined {
  if (onBehalfOf === undefined) return undefined
  return valueFor<Address>(onBehalfOf, invocation)
}
