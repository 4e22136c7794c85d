import type { Address } from './address.ts'
import { AmbitError } from './errors.ts'

/** Names for addresses, so that a machine can tell `ledger` without knowing where it lives. */
export class Registry {
  private names = new Map<string, Address>()

  register(name: string, address: Address): void {
    const holder = this.names.get(name)
    if (holder !== undefined && holder !== address) {
      throw new AmbitError(
        'AMBIT_SPEC_INVALID',
        `The name "${name}" belongs to "${holder}", so "${address}" cannot have it. Give each actor its own name.`,
      )
    }
    this.names.set(name, address)
  }

  /** An address is itself; a name is what it was registered for; anything else is undefined. */
  resolve(target: string): Address | undefined {
    return target.startsWith('/') ? target : this.names.get(target)
  }
}
