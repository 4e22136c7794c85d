import { childAddress, childId, isWithin, parentAddress, type Address } from './address.ts'
import { checkId } from './child-spec.ts'
import { AmbitError, toErrorRecord, type ErrorRecord } from './errors.ts'
import { assertJson, type Json } from './json.ts'
import { wait, type MaybePromise } from './maybe.ts'
import { MESSAGE_BYTES_MAX } from './message.ts'
import type { OwnRows } from './own-rows.ts'
import type { Order } from './ports/supervising.ts'
import { childOf, inputOf, type ChildSpec, type Template } from './supervisor-spec.ts'
import type { Branch, Tree } from './tree.ts'

/** Asks a supervisor with `durableChildren` for a child that it makes of one of its templates. */
export interface ChildRequest {
  readonly template: string
  readonly id: string
  /** Given to the template, or to the child where the template is a spec. JSON. */
  readonly input?: Json
}

/** Children that one supervisor keeps over its restarts, at most. */
export const KEPT_CHILDREN_MAX = 10_000

/** A child that was asked for while its supervisor ran, as it is kept. */
interface ChildRow {
  readonly template: string
  readonly input: Json
  /** Its place among its siblings in start order. */
  readonly number: number
  /** Set when it was terminated: it is known, and not started. */
  readonly isDown?: true
}

/** Lets a child into the system before it is there. Throws when it may not come. */
export type Admit = (child: ChildSpec, above: readonly Json[]) => MaybePromise<void>

const PREFIX = 'child:'

/**
 * The children that supervisors with `durableChildren` were asked for while they ran. What such a child is made of is
 * code, and not to be kept; so it is asked for by the name of a template, and that name and its input are kept.
 */
export class KeptChildren {
  private readonly rows: OwnRows
  private readonly tree: Tree
  private readonly bySupervisor = new Map<Address, Map<string, ChildRow>>()
  private lastNumber = 0
  private stored: Promise<void> = Promise.resolve()

  constructor(rows: OwnRows, tree: Tree) {
    this.rows = rows
    this.tree = tree
  }

  /** Gives the children of an earlier process their places, before any supervisor starts. */
  *plant(
    admit: Admit,
    failed: (child: Address, error: ErrorRecord) => void,
  ): Generator<Promise<unknown>, void> {
    const kept = this.rows
      .under(PREFIX)
      .map(([address, row]) => [address, row as unknown as ChildRow] as const)
      // A supervisor has its place before its children, and they have their order.
      .sort(([a, { number: m }], [b, { number: n }]) => depthOf(a) - depthOf(b) || m - n)
    for (const [address, row] of kept) {
      const id = childId(address)
      const supervisor = parentAddress(address)
      this.set(supervisor, id, row)
      this.lastNumber = Math.max(this.lastNumber, row.number)
      try {
        const branch = this.tree.branchAt(supervisor)
        if (branch === undefined) throw orphaned(address)
        const { template, input } = row
        const spec = madeOf(branch, { template, id, input })
        yield* wait(admit(spec.admitted, branch.authority))
        this.tree.add(branch, spec.child)
      } catch (error) {
        failed(address, toErrorRecord(error))
      }
    }
  }

  /** Makes what was asked for, or says why not; throws when it can never be made. */
  make(supervisor: Address, asked: ChildRequest): MadeChild | 'noproc' | 'tooMany' {
    const branch = this.tree.branchAt(supervisor)
    if (branch === undefined) return 'noproc'
    checkId(asked.id)
    const made = madeOf(branch, asked)
    const kept = this.of(supervisor)
    const isFull = kept.size >= KEPT_CHILDREN_MAX && !kept.has(asked.id)
    return isFull && made.child.madeFrom !== undefined ? 'tooMany' : made
  }

  /** Throws for a child that cannot be kept, where children are. */
  refuseSpec(supervisor: Address, id: string): void {
    const spec = this.tree.branchAt(supervisor)?.spec
    if (spec?.kind !== 'supervisor' || spec.templates === undefined) return
    const message =
      `"${supervisor}" keeps its children, and code cannot be kept: it expects a template for "${id}". ` +
      `Call startChild({ template, id, input }) with one of: ${Object.keys(spec.templates).join(', ')}.`
    throw new AmbitError('AMBIT_SPEC_INVALID', message)
  }

  /** What a supervisor's own life begins with: its own children, and then those it keeps. */
  inputFor(branch: Branch): unknown {
    const kept = this.of(branch.address)
    const known = [...branch.children.values()].map((spec) => {
      const isDown = kept.get(spec.id)?.isDown === true
      return { ...childOf(spec), ...(isDown && { staysDown: true }) }
    })
    // One that cannot be made is known, so that it can be deleted.
    const lost = [...kept.keys()]
      .filter((id) => !branch.children.has(id))
      .map((id) => ({ ...LOST, id }))
    return inputOf(branch.spec, [...known, ...lost])
  }

  /** Those that a supervisor's next life has, too. */
  isKept({ address }: Branch, id: string): boolean {
    return this.of(address).has(id)
  }

  /** Whether a child was terminated, in whichever life of its supervisor. */
  isDown(child: Address): boolean {
    return this.of(parentAddress(child)).get(childId(child))?.isDown === true
  }

  /** What a supervisor decided of a child is kept. */
  decided(branch: Branch, { do: what, id }: Extract<Order, { id: string }>): void {
    const row = this.of(branch.address).get(id)
    switch (what) {
      case 'start':
        return this.began(branch, id, row)
      case 'terminated':
        if (row !== undefined) this.put(branch, id, { ...row, isDown: true }, 'childTerminated')
        return
      case 'forget':
        return this.forget(childAddress(branch.address, id))
      case 'wait':
      case 'stop':
      case 'leave':
    }
  }

  /** A child is none any more, nor are those below it. */
  forget(child: Address): void {
    if (this.of(parentAddress(child)).delete(childId(child)))
      this.store(child, null, 'childDeleted')
    for (const [supervisor, kept] of this.bySupervisor) {
      if (!isWithin(supervisor, child)) continue
      for (const id of kept.keys()) this.store(childAddress(supervisor, id), null, 'childDeleted')
      this.bySupervisor.delete(supervisor)
    }
  }

  /** Resolves once all that was decided is stored. */
  settled(): Promise<void> {
    return this.stored
  }

  private began(branch: Branch, id: string, row: ChildRow | undefined): void {
    const madeFrom = branch.children.get(id)?.madeFrom
    if (madeFrom === undefined || (row !== undefined && row.isDown !== true)) return
    const number = row?.number ?? ++this.lastNumber
    this.put(branch, id, { ...madeFrom, number }, 'childStarted')
  }

  private put(branch: Branch, id: string, row: ChildRow, kind: string): void {
    this.set(branch.address, id, row)
    this.store(childAddress(branch.address, id), row as unknown as Json, kind)
  }

  private store(address: Address, row: Json, kind: string): void {
    this.stored = this.rows.put(PREFIX + address, row, { kind, address })
    // Whoever waits for it hears of it; nobody else need wait.
    this.stored.catch(() => undefined)
  }

  private of(supervisor: Address): Map<string, ChildRow> {
    return this.bySupervisor.get(supervisor) ?? new Map<string, ChildRow>()
  }

  private set(supervisor: Address, id: string, row: ChildRow): void {
    this.bySupervisor.set(supervisor, this.of(supervisor).set(id, row))
  }
}

/** A child as its template gives it, for whoever lets it in, and as it takes its place. */
export interface MadeChild {
  readonly admitted: ChildSpec
  readonly child: ChildSpec
}

function madeOf(
  { spec, address }: Branch,
  { template, id, input = null }: ChildRequest,
): MadeChild {
  const templates: Readonly<Record<string, Template>> =
    spec.kind === 'supervisor' ? (spec.templates ?? {}) : {}
  const found = Object.hasOwn(templates, template) ? templates[template] : undefined
  if (found === undefined) throw missing(childAddress(address, id), template, templates)
  assertJson(input, 'input')
  if (JSON.stringify(input).length > MESSAGE_BYTES_MAX)
    throw refused(id, `at most ${MESSAGE_BYTES_MAX} bytes of input. Keep the rest elsewhere.`)
  const admitted = typeof found === 'function' ? found(input) : withInput(found, input)
  const kinds: readonly unknown[] = ['actor', 'supervisor', 'pool']
  if (!kinds.includes((admitted as Partial<ChildSpec> | undefined)?.kind))
    throw refused(id, `template "${template}" to give a spec, such as actor() makes.`)
  // A temporary child is nobody's to make again.
  const isKept = admitted.restart !== 'temporary'
  return { admitted, child: { ...admitted, id, ...(isKept && { madeFrom: { template, input } }) } }
}

function withInput(spec: ChildSpec, input: Json): ChildSpec {
  return spec.kind === 'actor' && input !== null ? { ...spec, input } : spec
}

function missing(address: Address, template: string, templates: object): AmbitError {
  const known = Object.keys(templates).join(', ')
  return new AmbitError(
    'AMBIT_TEMPLATE_MISSING',
    `"${address}" is made of the template "${template}", which its supervisor does not have. ` +
      `Expected one of: ${known === '' ? 'none, it has no templates' : known}. Give it back, or delete the child.`,
  )
}

function orphaned(address: Address): AmbitError {
  const message = `"${address}" is kept, but its supervisor is not in the tree. Give it back, with its templates.`
  return new AmbitError('AMBIT_TEMPLATE_MISSING', message)
}

function refused(id: string, expected: string): AmbitError {
  return new AmbitError('AMBIT_SPEC_INVALID', `Child "${id}" expects ${expected}`)
}

function depthOf(address: Address): number {
  return address.split('/').length
}

const LOST = {
  restart: 'permanent',
  recover: 'resume',
  significant: false,
  shutdown: 0,
  type: 'worker',
  status: 'down',
  isAdded: false,
  incarnation: 0,
  staysDown: true,
} as const
