import type { AnyStateMachine } from 'xstate'
import { definitionOf, logicOf } from './machine-definition.ts'
import { isMachine, type Logic, type MemberSnapshot } from './logic-kinds.ts'
import type { MemberRef } from './refs.ts'

/** The state of one actor: its root's snapshot, and those of what the root and its children invoked or spawned. */
export interface CellState {
  readonly root: MemberSnapshot
  readonly members: ReadonlyMap<string, Member>
  /** How many ids were given to members and delayed events that had none. */
  readonly booked: number
}

/** A child somewhere below the root, found by its path: the ids from the root down. */
export interface Member {
  readonly id: string
  /** What others hold of this life of it. */
  readonly ref: MemberRef
  /** The key under which its parent lists it. */
  readonly key: string
  readonly src: unknown
  readonly snapshot: MemberSnapshot
  readonly systemId?: string
  /** Whether its parent hears of each of its snapshots. */
  readonly isSynced: boolean
}

export const NO_MEMBERS: ReadonlyMap<string, Member> = new Map()

/** The logic that steps the root or the member at a path; undefined for a path that leads nowhere. */
export function logicAt(
  root: Logic,
  members: ReadonlyMap<string, Member>,
  path: string,
): Logic | undefined {
  if (path === '') return root
  const member = members.get(path)
  const parent = logicAt(root, members, parentOf(path))
  if (member === undefined || parent === undefined) return undefined
  return logicBehind(parent, member.src)
}

/** What a machine's `src` stands for, made ready to be stepped. */
export function logicBehind(parent: object, src: unknown): Logic | undefined {
  const logic = isMachine(parent) ? logicOf(parent, src) : src
  if (isMachine(logic)) return definitionOf(logic)
  return logic as Logic | undefined
}

export function asMachine(logic: object): AnyStateMachine | undefined {
  return isMachine(logic) ? logic : undefined
}

/** Ids may be anything, paths are split at slashes. */
export function pathOf(parent: string, id: string): string {
  const segment = id === '' ? '%' : id.replaceAll('%', '%25').replaceAll('/', '%2F')
  return parent === '' ? segment : `${parent}/${segment}`
}

export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut < 0 ? '' : path.slice(0, cut)
}
