import { logicAt, NO_MEMBERS, parentOf, type CellState, type Member } from './cell-state.ts'
import type { Logic, MemberSnapshot } from './logic-kinds.ts'
import type { MemberRef } from './refs.ts'

/** The state of an actor while a step changes it. The state that the step began with is never touched. */
export class Draft {
  root: MemberSnapshot | undefined
  private current: ReadonlyMap<string, Member>
  private isCopied = false
  private booked: number
  private readonly logic: Logic
  private readonly rootRef: MemberRef

  constructor(logic: Logic, rootRef: MemberRef, state: CellState | undefined) {
    this.logic = logic
    this.rootRef = rootRef
    this.root = state?.root
    this.current = state?.members ?? NO_MEMBERS
    this.booked = state?.booked ?? 1
  }

  get members(): ReadonlyMap<string, Member> {
    return this.current
  }

  /** A number that no other member or delayed event of this actor was given. */
  book(): number {
    return this.booked++
  }

  snapshotAt(path: string): MemberSnapshot | undefined {
    return path === '' ? this.root : this.current.get(path)?.snapshot
  }

  /** The ref at a path; the root's where no member is. */
  refOf(path: string): MemberRef {
    return this.current.get(path)?.ref ?? this.rootRef
  }

  logicAt(path: string): Logic | undefined {
    return path === '' ? this.logic : logicAt(this.logic, this.current, path)
  }

  childrenOf(path: string): string[] {
    return [...this.current.keys()].filter((each) => parentOf(each) === path)
  }

  setSnapshot(path: string, snapshot: MemberSnapshot): void {
    if (path === '') this.root = snapshot
    else {
      const member = this.current.get(path)
      if (member !== undefined) this.ownMembers().set(path, { ...member, snapshot })
    }
  }

  put(path: string, member: Member): void {
    this.ownMembers().set(path, member)
  }

  remove(path: string): void {
    this.ownMembers().delete(path)
  }

  toState(root: MemberSnapshot): CellState {
    return { root, members: this.current, booked: this.booked }
  }

  private ownMembers(): Map<string, Member> {
    if (!this.isCopied) this.current = new Map(this.current)
    this.isCopied = true
    return this.current as Map<string, Member>
  }
}
