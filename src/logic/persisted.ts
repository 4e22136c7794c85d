import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import type { Json } from '../kernel/json.ts'
import { childMachine, logicOf } from './machine-actors.ts'
import { collectingScope, lightRef, type LightRef } from './scope.ts'

/** The machines of one cell by path (`''` is the root), and the `src` of every child by path. */
export interface MachineState {
  readonly machines: ReadonlyMap<string, AnyMachineSnapshot>
  readonly sources: ReadonlyMap<string, string>
}

interface StoredMachine {
  readonly value: Json
  readonly context: Json
  readonly status: string
  readonly history?: Json
  readonly output?: Json
}

export interface StoredCell {
  readonly machines: Readonly<Record<string, StoredMachine>>
  readonly sources?: Readonly<Record<string, string>>
}

export function persistCell(state: MachineState): StoredCell {
  const machines: Record<string, StoredMachine> = {}
  for (const [path, snapshot] of state.machines) machines[path] = persistMachine(snapshot)
  return { machines, ...(state.sources.size > 0 && { sources: Object.fromEntries(state.sources) }) }
}

export function restoreCell(root: AnyStateMachine, stored: StoredCell): MachineState {
  const sources = new Map(Object.entries(stored.sources ?? {}))
  const machines = new Map<string, AnyMachineSnapshot>()
  // Parents come before their children: a shorter path is restored first.
  const paths = Object.keys(stored.machines).sort((a, b) => a.length - b.length)
  for (const path of paths) {
    const machine = path === '' ? root : childMachineAt(machines, sources, path)
    const saved = stored.machines[path]
    if (machine === undefined || saved === undefined) continue
    machines.set(path, restoreMachine(machine, saved, path, sources))
  }
  return { machines, sources }
}

function persistMachine(snapshot: AnyMachineSnapshot): StoredMachine {
  const history: Record<string, readonly { id: string }[]> = {}
  for (const [key, nodes] of Object.entries(
    snapshot.historyValue as Record<string, readonly { id: string }[]>,
  )) {
    history[key] = nodes.map(({ id }) => ({ id }))
  }
  return {
    value: snapshot.value as Json,
    context: snapshot.context as Json,
    status: snapshot.status,
    ...(Object.keys(history).length > 0 && { history: history }),
    ...(snapshot.output !== undefined && { output: snapshot.output as Json }),
  }
}

function restoreMachine(
  machine: AnyStateMachine,
  saved: StoredMachine,
  path: string,
  sources: ReadonlyMap<string, string>,
): AnyMachineSnapshot {
  const self = refAt(machine, path)
  const snapshot = machine.restoreSnapshot(
    {
      status: saved.status,
      value: saved.value,
      context: saved.context,
      historyValue: saved.history ?? {},
      output: saved.output,
      error: undefined,
      children: {},
    } as never,
    collectingScope(self, []) as never,
  ) as AnyMachineSnapshot
  const children = snapshot.children as Record<string, LightRef>
  const prefix = path === '' ? '' : `${path}/`
  for (const child of sources.keys()) {
    const id = child.slice(prefix.length)
    if (child.startsWith(prefix) && !id.includes('/')) children[id] = lightRef(id, child, self)
  }
  return snapshot
}

function childMachineAt(
  machines: ReadonlyMap<string, AnyMachineSnapshot>,
  sources: ReadonlyMap<string, string>,
  path: string,
): AnyStateMachine | undefined {
  const cut = path.lastIndexOf('/')
  const parent = machines.get(cut < 0 ? '' : path.slice(0, cut))?.machine as
    AnyStateMachine | undefined
  return parent === undefined ? undefined : childMachine(logicOf(parent, sources.get(path)))
}

function refAt(machine: AnyStateMachine, path: string): LightRef {
  const cut = path.lastIndexOf('/')
  if (path === '') return lightRef(machine.id, '', undefined)
  const parent = path.slice(0, Math.max(cut, 0))
  return lightRef(path.slice(cut + 1), path, refAt(machine, parent))
}
