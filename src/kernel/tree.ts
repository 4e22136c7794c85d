import { childAddress, childId, parentAddress, type Address } from './address.ts'
import { Cell, type CellHost } from './cell.ts'
import type { ActorSpec, ChildSpec, PoolSpec, SupervisorSpec } from './child-spec.ts'
import type { Json } from './json.ts'
import type { Sending } from './message.ts'

/** A supervisor or pool in its place, with the restarts it has had to make. */
export interface Branch {
  readonly address: Address
  readonly spec: SupervisorSpec | PoolSpec
  readonly parent: Branch | undefined
  readonly authority: readonly Json[]
  restarts: readonly number[]
}

/** Members of pools that are kept in memory although they only wait. */
export const MEMBERS_IN_MEMORY_MAX = 10_000
const PASSIVATION_LOOK = 16

export interface TreeRoots {
  readonly root: ChildSpec
  /** Beside the user's tree, under a supervisor of their own. */
  readonly services?: SupervisorSpec
}

/** The supervision tree: which cell lives at an address, and who supervises it. */
export class Tree {
  private cells = new Map<Address, Cell>()
  private branches = new Map<Address, Branch>()
  /** Cells of the static tree, in start order. */
  readonly fixed: Cell[] = []
  /** Members of pools in memory, the longest there first. */
  private readonly members = new Set<Cell>()
  private readonly host: CellHost
  private readonly born: (cell: Cell, fault?: unknown) => void

  constructor(roots: TreeRoots, host: CellHost, born: (cell: Cell, fault?: unknown) => void) {
    this.host = host
    this.born = born
    const { root, services } = roots
    // Services have a top of their own: a user's tree that gives up must not take them along.
    if (services !== undefined) this.plant(services, childAddress('/', services.id), undefined, [])
    if (root.kind === 'supervisor') this.plant(root, '/', undefined, [])
    else {
      const top = {
        address: '/',
        spec: soleChild(root),
        parent: undefined,
        authority: [],
        restarts: [],
      }
      this.branches.set('/', top)
      this.plant(root, childAddress('/', root.id), top, [])
    }
  }

  get size(): number {
    return this.cells.size
  }

  all(): IterableIterator<Cell> {
    return this.cells.values()
  }

  /** The cell at an address; a pool makes it with its first message, which may be part of a commit to come. */
  cellAt(address: Address, bornWith?: Sending): Cell | undefined {
    const known = this.cells.get(address)
    if (known !== undefined) return known
    const branch = this.branches.get(parentAddress(address))
    if (branch?.spec.kind !== 'pool') return undefined
    const { member, inputOf } = branch.spec
    this.passivate()
    const id = childId(address)
    let input: unknown
    let fault: unknown
    try {
      input = inputOf === undefined ? (member.input ?? { id }) : inputOf(id)
    } catch (error) {
      fault = error
    }
    const cell = this.makeCell(address, member, input, branch.authority)
    cell.bornWith = bornWith
    // What is not journaled cannot leave memory and come back.
    if (member.durability === 'sync') this.members.add(cell)
    this.born(cell, fault)
    return cell
  }

  /** The spec of whoever would take a message to an address; asking makes nobody live. */
  specAt(address: Address): ActorSpec | undefined {
    const known = this.cells.get(address)
    if (known !== undefined) return known.spec
    const branch = this.branches.get(parentAddress(address))
    return branch?.spec.kind === 'pool' ? branch.spec.member : undefined
  }

  peek(address: Address): Cell | undefined {
    return this.cells.get(address)
  }

  branchOf(address: Address): Branch | undefined {
    return this.branches.get(parentAddress(address))
  }

  /** The cells below a supervisor, by supervision and not by address alone. */
  under(branch: Branch): Cell[] {
    return [...this.cells.values()].filter((cell) => {
      let above = this.branchOf(cell.address)
      while (above !== undefined && above !== branch) above = above.parent
      return above === branch
    })
  }

  /** An ended member of a pool leaves memory; a message to it later finds its record in the journal. */
  remove(cell: Cell): void {
    if (!this.isMember(cell)) return
    this.members.delete(cell)
    this.cells.delete(cell.address)
    cell.hasLeft = true
  }

  private isMember(cell: Cell): boolean {
    return (
      this.cells.get(cell.address) === cell && this.branchOf(cell.address)?.spec.kind === 'pool'
    )
  }

  /** Above the limit, members that only wait leave memory; the next message brings them back from the journal. */
  private passivate(): void {
    if (this.members.size < MEMBERS_IN_MEMORY_MAX) return
    let looked = 0
    for (const cell of this.members) {
      if (cell.isPassive) this.remove(cell)
      else {
        // One that is busy goes to the end, so that the next look finds others.
        this.members.delete(cell)
        this.members.add(cell)
      }
      if (++looked >= PASSIVATION_LOOK) return
    }
  }

  private plant(
    spec: ChildSpec,
    address: Address,
    parent: Branch | undefined,
    above: readonly Json[],
  ): void {
    const authority = spec.authority === undefined ? above : [...above, spec.authority]
    if (spec.kind === 'actor') {
      this.fixed.push(this.makeCell(address, spec, spec.input, authority))
      return
    }
    const branch: Branch = {
      address,
      spec,
      parent,
      authority: this.poolAuthority(spec, authority),
      restarts: [],
    }
    this.branches.set(address, branch)
    if (spec.kind === 'pool') return
    for (const child of spec.children)
      this.plant(child, childAddress(address, child.id), branch, authority)
  }

  private poolAuthority(
    spec: SupervisorSpec | PoolSpec,
    authority: readonly Json[],
  ): readonly Json[] {
    if (spec.kind !== 'pool' || spec.member.authority === undefined) return authority
    return [...authority, spec.member.authority]
  }

  private makeCell(
    address: Address,
    spec: ActorSpec,
    input: unknown,
    authority: readonly Json[],
  ): Cell {
    const cell = new Cell(address, spec, input, authority, this.host)
    this.cells.set(address, cell)
    if (spec.name !== undefined) this.host.registry.register(spec.name, address)
    return cell
  }
}

function soleChild(root: ChildSpec): SupervisorSpec {
  return {
    kind: 'supervisor',
    id: 'root',
    strategy: 'one_for_one',
    children: [root],
    intensity: 5,
    periodMs: 60_000,
  }
}
