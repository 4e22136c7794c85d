import type { Member } from './cell-state.ts'

/** Which member holds which system id while a step goes on. */
export class SystemIds {
  private readonly holders = new Map<string, string>()

  constructor(members: ReadonlyMap<string, Member>) {
    for (const [path, { systemId, snapshot }] of members)
      if (systemId !== undefined && snapshot.status === 'active') this.holders.set(systemId, path)
  }

  claim(systemId: string, path: string): void {
    const holder = this.holders.get(systemId)
    if (holder !== undefined) throw new Error(`Actor with system ID '${systemId}' already exists.`)
    this.holders.set(systemId, path)
  }

  /** Frees what the member at a path and those below it hold. */
  release(path: string): void {
    for (const [systemId, holder] of [...this.holders])
      if (holder === path || holder.startsWith(`${path}/`)) this.holders.delete(systemId)
  }

  /** The paths by system id. */
  all(): ReadonlyMap<string, string> {
    return this.holders
  }
}
