import type { AnyStateMachine } from 'xstate'
import { AmbitError, toErrorRecord } from '../kernel/errors.ts'
import type { Json } from '../kernel/json.ts'
import {
  asMachine,
  logicAt,
  NO_MEMBERS,
  parentOf,
  type CellState,
  type Member,
} from './cell-state.ts'
import { isMachine, kindOf, type Logic, type MemberSnapshot } from './logic-kinds.ts'
import { MemberRef, type Habitat } from './refs.ts'
import { StepScope } from './step-scope.ts'

/** What the journal keeps of an actor's state. */
export interface StoredCell {
  readonly root: StoredMember
  readonly members?: Readonly<Record<string, StoredChild>>
  readonly booked?: number
}

export interface StoredMember {
  readonly value?: Json
  readonly context?: Json
  /** Left out while active. */
  readonly status?: MemberSnapshot['status']
  readonly history?: Readonly<Record<string, readonly string[]>>
  readonly output?: Json
  readonly error?: Json
  /** What other logic than a machine persists of itself. */
  readonly plain?: Json
}

export interface StoredChild extends StoredMember {
  /** Left out when it is the last part of the path; so is the key when it is the id. */
  readonly id?: string
  readonly key?: string
  readonly src: string
  readonly systemId?: string
  readonly synced?: true
}

export function persistCell(logic: Logic, state: CellState): StoredCell {
  const { root, members, booked } = state
  const children: Record<string, StoredChild> = {}
  for (const [path, member] of members) {
    const { id, key, src, systemId, isSynced, snapshot } = member
    children[path] = {
      ...(id !== idOf(path) && { id }),
      ...(key !== id && { key }),
      src: String(src),
      ...(systemId !== undefined && { systemId }),
      ...(isSynced && { synced: true }),
      ...persistMember(snapshot, logicAt(logic, members, path)),
    }
  }
  return {
    root: persistMember(root, logic),
    ...(members.size > 0 && { members: children }),
    ...(booked !== 1 && { booked }),
  }
}

export function restoreCell(logic: Logic, stored: StoredCell, habitat: Habitat): CellState {
  const root = restoreMember(logic, stored.root, habitat, habitat.root)
  if (stored.members === undefined) return { root, members: NO_MEMBERS, booked: stored.booked ?? 1 }
  const members = new Map<string, Member>()
  // Parents come before their children: a shorter path is restored first.
  const entries = Object.entries(stored.members).sort(([a], [b]) => depthOf(a) - depthOf(b))
  for (const [path, saved] of entries) {
    const { id = idOf(path), key = id, src, systemId, synced } = saved
    const parentRef = members.get(parentOf(path))?.ref ?? habitat.root
    const ref = new MemberRef(habitat, id, path, parentRef)
    ref.src = src
    ref.systemId = systemId
    const member: Member = {
      id,
      ref,
      key,
      src,
      snapshot: { status: 'active' },
      isSynced: synced === true,
      ...(systemId !== undefined && { systemId }),
    }
    members.set(path, member)
    const behind = logicAt(logic, members, path)
    if (behind === undefined) throw nothingBehind(id, src)
    const snapshot = restoreMember(behind, saved, habitat, ref)
    members.set(path, { ...member, snapshot })
    if (snapshot.status !== 'active') ref.end(snapshot)
    const parent = path.includes('/') ? members.get(parentOf(path))?.snapshot : root
    if (parent?.children !== undefined) parent.children[key] = ref
  }
  return { root, members, booked: stored.booked ?? 1 }
}

function persistMember(snapshot: MemberSnapshot, logic: Logic | undefined): StoredMember {
  const { status, output, error } = snapshot
  const ending = {
    ...(status !== 'active' && { status }),
    ...(output !== undefined && { output: output as Json }),
    ...(error !== undefined && { error: toErrorRecord(error) as unknown as Json }),
  }
  const { machine } = snapshot as { machine?: unknown }
  if (!isMachine(machine)) {
    const { status: _, output: __, error: ___, _subscription: ____, ...rest } = snapshot as Loose
    // A question or an effect has its input in the invocation that stands for it.
    if (logic !== undefined && kindOf(logic) === 'promise') delete rest.input
    return { ...ending, ...(Object.keys(rest).length > 0 && { plain: rest as unknown as Json }) }
  }
  const { value, context, historyValue } = snapshot as MachineLike
  const history = historyOf(historyValue)
  return {
    value: value as Json,
    context: context as Json,
    ...(history !== undefined && { history }),
    ...ending,
  }
}

type MachineLike = MemberSnapshot & {
  readonly historyValue: Record<string, readonly { id: string }[]>
}
type Loose = MemberSnapshot & { input?: unknown; _subscription?: unknown }

function historyOf(
  value: Record<string, readonly { id: string }[]>,
): Record<string, string[]> | undefined {
  const entries = Object.entries(value)
  if (entries.length === 0) return undefined
  return Object.fromEntries(entries.map(([key, nodes]) => [key, nodes.map(({ id }) => id)]))
}

function restoreMember(
  logic: Logic,
  saved: StoredMember,
  habitat: Habitat,
  ref: MemberRef,
): MemberSnapshot {
  const { status = 'active', output, error } = saved
  const scope = new StepScope(ref, habitat.system, { heard: () => false })
  const machine = asMachine(logic)
  if (machine !== undefined) return restoreMachine(machine, saved, scope)
  const plain = (saved.plain ?? {}) as object
  const snapshot = { ...plain, status, output, error } as MemberSnapshot
  return kindOf(logic) === 'plain'
    ? (logic.restoreSnapshot?.(snapshot, scope) ?? snapshot)
    : snapshot
}

function restoreMachine(
  machine: AnyStateMachine,
  saved: StoredMember,
  scope: StepScope,
): MemberSnapshot {
  const { status = 'active', value, context, history = {}, output, error } = saved
  const nodes = Object.entries(history).map(([key, ids]) => [key, ids.map((id) => ({ id }))])
  return machine.restoreSnapshot(
    {
      status,
      value,
      context,
      historyValue: Object.fromEntries(nodes) as Record<string, unknown>,
      output,
      error,
      children: {},
    } as never,
    scope as never,
  ) as MemberSnapshot
}

function nothingBehind(id: string, src: string): AmbitError {
  return new AmbitError(
    'AMBIT_MACHINE_CHANGED',
    `The stored state has "${id}", made of "${src}", which its machine no longer has. ` +
      'Bring it back, or start with another journal.',
  )
}

/** The id of a member, as far as its path says it. */
function idOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function depthOf(path: string): number {
  return path.split('/').length
}
