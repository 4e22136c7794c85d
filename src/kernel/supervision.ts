import type { Address } from './address.ts'
import { releaseEverything } from './carry-out.ts'
import type { Cell } from './cell.ts'
import { toErrorRecord, type ErrorRecord } from './errors.ts'
import type { ExitReason } from './exit.ts'
import type { Random } from './ports/random.ts'
import type { Clock } from './ports/clock.ts'
import type { Logger } from './ports/logger.ts'
import { planRestart } from './restart-plan.ts'
import { addRestart } from './restart-window.ts'
import type { Branch, Tree } from './tree.ts'

/** Something a human must look at: the actor stays down, the rest goes on. */
export interface Alarm {
  readonly at: number
  readonly address: Address
  readonly error: ErrorRecord
}

export const ALARMS_KEPT_MAX = 1000

/** Carries out what the pure restart plan says when an actor ends. */
export class Supervision {
  readonly alarms: Alarm[] = []
  private memberRestarts = new Map<Address, readonly number[]>()
  private readonly tree: Tree
  private readonly clock: Clock
  private readonly random: Random
  private readonly logger: Logger
  private readonly restart: (cell: Cell, delayMs: number) => void

  constructor(
    tree: Tree,
    ports: { clock: Clock; random: Random; logger: Logger },
    restart: (cell: Cell, delayMs: number) => void,
  ) {
    this.tree = tree
    this.clock = ports.clock
    this.random = ports.random
    this.logger = ports.logger
    this.restart = restart
  }

  /** A running actor failed: restart it, or pass the failure up. */
  childFailed(cell: Cell, error: unknown, ended?: ExitReason): void {
    const branch = this.tree.branchOf(cell.address)
    const record = toErrorRecord(error)
    if (branch === undefined) return this.quarantine([cell], cell.address, record, error)
    const isMember = branch.spec.kind === 'pool'
    const before = isMember ? (this.memberRestarts.get(cell.address) ?? []) : branch.restarts
    const window = addRestart(before, this.clock.now(), branch.spec)
    if (isMember) this.memberRestarts.set(cell.address, window.restarts)
    else branch.restarts = window.restarts
    const exit: ExitReason = ended ?? { kind: 'error', error: record }
    const plan = planRestart(cell.spec.restart, exit, window, this.random.next())
    this.logger.error({ actor: cell.address, err: record, plan }, 'actor failed')
    if (plan.kind === 'restart') this.restart(cell, plan.delayMs)
    else if (plan.kind === 'leave' || isMember) this.quarantine([cell], cell.address, record, error)
    else this.giveUp(branch, record)
  }

  /** An actor ended by itself: a permanent one begins again, as often as its supervisor tolerates. */
  childEnded(cell: Cell, exit: ExitReason): boolean {
    if (cell.spec.restart !== 'permanent' || exit.kind !== 'normal') return false
    cell.life = 'suspended'
    this.childFailed(cell, { name: 'Ended', message: 'A permanent actor ended normally.' }, exit)
    return true
  }

  /** An actor that cannot be recovered stays down: a failed recovery is never a fresh start and never a loop. */
  recoveryFailed(cell: Cell, error: unknown): void {
    this.quarantine([cell], cell.address, toErrorRecord(error))
  }

  forget(cell: Cell): void {
    this.memberRestarts.delete(cell.address)
  }

  private giveUp(branch: Branch, error: ErrorRecord): void {
    const cells = this.tree
      .under(branch)
      .filter(({ life }) => life === 'running' || life === 'suspended')
    for (const cell of cells) cell.life = 'suspended'
    const above = branch.parent
    if (above === undefined) return this.quarantine(cells, branch.address, error)
    const window = addRestart(above.restarts, this.clock.now(), above.spec)
    above.restarts = window.restarts
    const exit: ExitReason = { kind: 'restartIntensity', error }
    const plan = planRestart('permanent', exit, window, this.random.next())
    this.logger.error({ supervisor: branch.address, err: error, plan }, 'supervisor gave up')
    if (plan.kind !== 'restart') return this.giveUp(above, error)
    branch.restarts = []
    for (const cell of cells) this.restart(cell, plan.delayMs)
  }

  private quarantine(
    cells: readonly Cell[],
    address: Address,
    error: ErrorRecord,
    thrown: unknown = error,
  ): void {
    for (const cell of cells) takeDown(cell, thrown)
    this.alarms.push({ at: this.clock.now(), address, error })
    if (this.alarms.length > ALARMS_KEPT_MAX) this.alarms.shift()
    this.logger.error({ actor: address, err: error }, 'quarantined: stays down until a human looks')
  }
}

/** The actor stays down: whoever looks sees why, and what ran beside its steps ends. */
export function takeDown(cell: Cell, error: unknown): void {
  cell.life = 'quarantined'
  cell.failure = { error }
  if (cell.isDirect) releaseEverything(cell, undefined)
  cell.spec.engine.quiet?.(cell)
}
