import { sha256 } from '../kernel/json.ts'
import { CHAIN_START, type Head, type StoredTurn } from '../kernel/ports/journal.ts'

export type ChainFault =
  | { readonly kind: 'edited'; readonly position: number; readonly address: string }
  | { readonly kind: 'reordered'; readonly position: number; readonly expected: number }
  | { readonly kind: 'unlinked'; readonly position: number }
  | { readonly kind: 'cut'; readonly kept: Head; readonly found: Head }

export type ChainVerdict =
  | { readonly ok: true; readonly head: Head }
  | { readonly ok: false; readonly fault: ChainFault; readonly head: Head }

/**
 * Checks page after page of the log against its hash chain, and at the end against heads that were kept elsewhere.
 *
 * An edit, a removal and a reorder inside the log break the chain by themselves. A cut tail, or a log rewritten as a
 * whole, leaves a chain that fits itself: only a kept head finds those.
 */
export class ChainCheck {
  private last: Head = { position: 0, hash: CHAIN_START }
  private fault: ChainFault | undefined
  private readonly kept: Map<number, Head>
  private readonly met = new Set<number>()

  constructor(keptHeads: readonly Head[] = []) {
    this.kept = new Map(keptHeads.map((head) => [head.position, head]))
  }

  add(turns: readonly StoredTurn[]): void {
    for (const turn of turns) {
      if (this.fault !== undefined) return
      this.fault = this.faultOf(turn)
      this.last = { position: turn.position, hash: turn.hash }
      this.checkKept(turn)
    }
  }

  finish(): ChainVerdict {
    const head = this.last
    if (this.fault !== undefined) return { ok: false, fault: this.fault, head }
    for (const kept of this.kept.values()) {
      if (kept.position > 0 && !this.met.has(kept.position))
        return { ok: false, fault: { kind: 'cut', kept, found: head }, head }
    }
    return { ok: true, head }
  }

  private faultOf(turn: StoredTurn): ChainFault | undefined {
    const expected = this.last.position + 1
    if (turn.position !== expected) return { kind: 'reordered', position: turn.position, expected }
    if (turn.previous !== this.last.hash) return { kind: 'unlinked', position: turn.position }
    if (turn.hash !== sha256(turn.previous, turn.record) || isFiledElsewhere(turn)) {
      return { kind: 'edited', position: turn.position, address: turn.address }
    }
    return undefined
  }

  private checkKept(turn: StoredTurn): void {
    const kept = this.kept.get(turn.position)
    if (kept === undefined) return
    this.met.add(turn.position)
    if (kept.hash !== turn.hash)
      this.fault ??= { kind: 'edited', position: turn.position, address: turn.address }
  }
}

/** The address a record is looked up by is beside what is hashed: it has to be the one that the record says. */
function isFiledElsewhere({ address, seq, record }: StoredTurn): boolean {
  try {
    const said = JSON.parse(record) as { readonly actor?: unknown; readonly seq?: unknown }
    const { actor = address, seq: place = seq } = said
    return actor !== address || place !== seq
  } catch {
    // A journal keeps any text; only the kernel's own records say whose they are.
    return false
  }
}

/** One sentence for a person. */
export function describeFault(fault: ChainFault): string {
  switch (fault.kind) {
    case 'edited':
      return `Record ${fault.position} (${fault.address}) is not what was written.`
    case 'reordered':
      return `Record ${fault.position} stands where record ${fault.expected} should be: records were removed or moved.`
    case 'unlinked':
      return `Record ${fault.position} does not follow the one before it: a record was replaced or moved.`
    case 'cut':
      return (
        `The log ends at record ${fault.found.position}, ` +
        `but record ${fault.kept.position} was seen before: its tail was cut.`
      )
  }
}
