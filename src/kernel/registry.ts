import type { Address } from './address.ts'
import { AmbitError } from './errors.ts'

/** Names for addresses, so that a machine can tell `ledger` without knowing where it lives; and groups of them. */
export class Registry {
  private names = new Map<string, Address>()
  private groups = new Map<string, Set<Address>>()
  /** What each address holds, for its end. */
  private held = new Map<Address, Entry>()

  /** Enters a name and groups for an address. Throws `AMBIT_SPEC_INVALID` when another has the name. */
  enter(entry: Entry, address: Address): void {
    const { name, groups } = entry
    if (name === undefined && groups.length === 0) return
    const holder = name === undefined ? undefined : this.names.get(name)
    if (name !== undefined && holder !== undefined && holder !== address) {
      throw new AmbitError(
        'AMBIT_SPEC_INVALID',
        `The name "${name}" belongs to "${holder}", so "${address}" cannot have it. Give each actor its own name.`,
      )
    }
    if (name !== undefined) this.names.set(name, address)
    for (const group of groups) {
      const members = this.groups.get(group)
      if (members === undefined) this.groups.set(group, new Set([address]))
      else members.add(address)
    }
    this.held.set(address, entry)
  }

  /** Whoever lived there has ended: its name is free, and its groups are without it. */
  release(address: Address): void {
    const entry = this.held.get(address)
    if (entry === undefined) return
    this.held.delete(address)
    if (entry.name !== undefined) this.names.delete(entry.name)
    for (const group of entry.groups) {
      const members = this.groups.get(group)
      members?.delete(address)
      if (members?.size === 0) this.groups.delete(group)
    }
  }

  /** An address is itself; a name is what it was registered for; anything else is undefined. */
  resolve(target: string): Address | undefined {
    return target.startsWith('/') ? target : this.names.get(target)
  }

  /** The members of a group, in the order in which they joined. */
  membersOf(group: string): readonly Address[] {
    return [...(this.groups.get(group) ?? [])]
  }
}

interface Entry {
  readonly name?: string
  readonly groups: readonly string[]
}
