import { childAddress, childId, parentAddress, type Address } from './address.ts'
import { Cell } from './cell.ts'
import type { CellHost } from './cell-host.ts'
import type { ActorSpec } from './child-spec.ts'
import type { Json } from './json.ts'
import type { Sending } from './message.ts'
import { ownSpec, type ChildSpec, type PoolSpec, type SupervisorSpec } from './supervisor-spec.ts'

/** A supervisor or pool in its place. */
export interface Branch {
  readonly address: Address
  readonly spec: SupervisorSpec | PoolSpec
  readonly parent: Branch | undefined
  readonly authority: readonly Json[]
  /** The supervisor itself: an actor like any other, that decides for its children. */
  readonly cell: Cell
  /** The children of a supervisor in start order, those added at run time last; none for a pool. */
  readonly children: Map<string, ChildSpec>
  /** Members of a pool in memory. */
  members: number
  /** Whether its children are all up: before that, members of a pool wait. */
  isUp: boolean
}

/** Members of pools that are kept in memory although they only wait. */
export const MEMBERS_IN_MEMORY_MAX = 10_000
const PASSIVATION_LOOK = 16

export interface TreeRoots {
  readonly root: SupervisorSpec
  /** Beside the user's tree, under a supervisor of their own. */
  readonly services?: SupervisorSpec
}

/** The supervision tree: which cell lives at an address, and who supervises it. */
export class Tree {
  private cells = new Map<Address, Cell>()
  private branches = new Map<Address, Branch>()
  /** The tops, in start order: services have one of their own, which a user's tree does not take along. */
  readonly tops: readonly Branch[]
  /** Members of pools in memory, the longest there first. */
  private readonly members = new Set<Cell>()
  private readonly host: CellHost
  private readonly born: (cell: Cell, fault?: unknown) => void

  constructor(roots: TreeRoots, host: CellHost, born: (cell: Cell, fault?: unknown) => void) {
    this.host = host
    this.born = born
    const { root, services } = roots
    const below =
      services === undefined
        ? []
        : [this.plantBranch(services, childAddress('/', services.id), undefined, [])]
    this.tops = [...below, this.plantBranch(root, '/', undefined, [])]
  }

  /** How many actors are in memory, supervisors not counted. */
  get size(): number {
    let asleep = 0
    for (const { life } of this.cells.values()) if (life === 'asleep') asleep++
    return this.cells.size - this.branches.size - asleep
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
    const { member, inputOf, maxChildren } = branch.spec
    if (branch.members >= maxChildren) return undefined
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
    branch.members++
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
    if (branch?.spec.kind !== 'pool' || branch.members >= branch.spec.maxChildren) return undefined
    return branch.spec.member
  }

  peek(address: Address): Cell | undefined {
    return this.cells.get(address)
  }

  /** The supervisor at an address. */
  branchAt(address: Address): Branch | undefined {
    return this.branches.get(address)
  }

  /** Who supervises the actor or supervisor at an address. */
  branchOf(address: Address): Branch | undefined {
    const own = this.branches.get(address)
    return own === undefined ? this.branches.get(parentAddress(address)) : own.parent
  }

  /** The cells below a supervisor, by supervision and not by address alone. */
  under(branch: Branch): Cell[] {
    return [...this.cells.values()].filter((cell) => {
      let above = this.branchOf(cell.address)
      while (above !== undefined && above !== branch) above = above.parent
      return above === branch
    })
  }

  /** Whether an address is under a supervisor, by supervision: the services are not below the user's root. */
  isBelow(address: Address, supervisor: Address): boolean {
    for (let at = this.branchOf(address); at !== undefined; at = at.parent)
      if (at.address === supervisor) return true
    return false
  }

  /** Whether an actor has a supervisor that lives. */
  keeps({ address, hasLeft }: Cell): boolean {
    return !hasLeft && this.branchOf(address)?.cell.life === 'running'
  }

  membersOf(branch: Branch): Cell[] {
    return [...this.cells.values()].filter((cell) => this.branchOf(cell.address) === branch)
  }

  /** Adds a child at run time; throws when its name is taken. */
  add(branch: Branch, spec: ChildSpec): void {
    this.plant(spec, childAddress(branch.address, spec.id), branch, branch.authority)
    branch.children.set(spec.id, spec)
  }

  /** A supervisor begins a life with the children of its spec and those it keeps. Answers who else was there. */
  reset(branch: Branch, isKept: (id: string) => boolean): ReadonlyMap<string, readonly Cell[]> {
    const gone = new Map<string, readonly Cell[]>()
    if (branch.spec.kind === 'pool') return gone
    const own = new Map(branch.spec.children.map((child) => [child.id, child]))
    const added = [...branch.children].filter(([id]) => !own.has(id))
    for (const [id] of added) if (!isKept(id)) gone.set(id, this.forget(branch, id))
    branch.children.clear()
    for (const [id, child] of own) branch.children.set(id, child)
    for (const [id, child] of added) if (isKept(id)) branch.children.set(id, child)
    return gone
  }

  /** A child that is none any more: nothing is kept of it, nor of those below. Answers who that is. */
  forget(branch: Branch, id: string): readonly Cell[] {
    const address = childAddress(branch.address, id)
    const own = this.branches.get(address)
    const cell = this.cells.get(address)
    const gone = own === undefined ? [] : this.under(own)
    if (cell !== undefined) gone.push(cell)
    if (cell !== undefined && branch.spec.kind === 'pool') branch.members--
    branch.children.delete(id)
    // The spec that names it stays, so whoever writes to it hears that it has stopped.
    const isNamed =
      branch.spec.kind === 'supervisor' && branch.spec.children.some((child) => child.id === id)
    for (const each of gone) {
      each.life = 'ended'
      if (isNamed) this.host.registry.release(each.address)
      else {
        this.branches.delete(each.address)
        this.drop(each)
      }
    }
    return gone
  }

  /** An ended member of a pool leaves memory; a message to it later finds its record in the journal. */
  remove(cell: Cell): void {
    const isHere = this.cells.get(cell.address) === cell
    const branch = this.branchOf(cell.address)
    if (!isHere || branch?.spec.kind !== 'pool') return
    branch.members--
    this.drop(cell)
  }

  private drop(cell: Cell): void {
    this.members.delete(cell)
    this.cells.delete(cell.address)
    this.host.registry.release(cell.address)
    cell.hasLeft = true
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

  private plant(spec: ChildSpec, address: Address, parent: Branch, above: readonly Json[]): void {
    if (spec.kind !== 'actor') {
      this.plantBranch(spec, address, parent, above)
      return
    }
    const authority = spec.authority === undefined ? above : [...above, spec.authority]
    this.makeCell(address, spec, spec.input, authority)
  }

  private plantBranch(
    spec: Exclude<ChildSpec, ActorSpec>,
    address: Address,
    parent: Branch | undefined,
    above: readonly Json[],
  ): Branch {
    const authority = spec.authority === undefined ? above : [...above, spec.authority]
    const { spec: own, input } = ownSpec(spec)
    const children = spec.kind === 'pool' ? [] : spec.children
    const branch: Branch = {
      address,
      spec,
      parent,
      authority: this.poolAuthority(spec, authority),
      cell: this.makeCell(address, own, input, authority),
      children: new Map(children.map((child) => [child.id, child])),
      members: 0,
      isUp: false,
    }
    this.branches.set(address, branch)
    for (const child of children)
      this.plant(child, childAddress(address, child.id), branch, authority)
    return branch
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
    this.host.registry.enter(spec, address)
    return cell
  }
}
