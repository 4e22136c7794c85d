import type { Address } from './address.ts'
import type { Json } from './json.ts'
import { plainCommit } from './plain-commit.ts'
import { wait } from './maybe.ts'
import type { JournalSession } from './ports/journal.ts'

/** Where the kernel keeps what it must not forget. */
export const KERNEL: Address = '/system/kernel'

/**
 * What the kernel itself must not forget over a restart of the process, such as whose authority is suspended. Each
 * change is a record of the log, with who asked for it and why.
 */
export class OwnRows {
  /** By what stands before the colon of a key, so that a look at one kind costs nothing for the others. */
  private kinds = new Map<string, Map<string, Json>>()
  private seq = 0
  private session: JournalSession | undefined
  /** Changes are stored one after the other. */
  private last: Promise<void> = Promise.resolve()

  /** The rows of a kind such as `suspended:`, by the rest of their keys. */
  under(kind: string): [key: string, value: Json][] {
    return [...(this.kinds.get(kind) ?? [])]
  }

  get(key: string): Json | undefined {
    const [kind, rest] = partsOf(key)
    return this.kinds.get(kind)?.get(rest)
  }

  /** Reads what an earlier process kept. */
  *load(session: JournalSession): Generator<Promise<unknown>, void> {
    this.session = session
    const stored = yield* wait(session.load(KERNEL))
    this.seq = stored?.seq ?? 0
    for (const [key, value] of stored?.rows ?? []) this.set(key, value)
  }

  /** Writes a row, `null` deletes it. Resolves when it is stored; from now on it reads so. */
  put(
    key: string,
    value: Json,
    thought: { readonly kind: string; readonly [field: string]: Json },
  ) {
    this.set(key, value)
    this.last = this.last.then(() => this.store(key, value, thought))
    return this.last
  }

  private set(key: string, value: Json): void {
    const [kind, rest] = partsOf(key)
    const rows = this.kinds.get(kind) ?? new Map<string, Json>()
    this.kinds.set(kind, rows)
    if (value === null) rows.delete(rest)
    else rows.set(rest, value)
  }

  private async store(key: string, value: Json, thought: Json): Promise<void> {
    const { session } = this
    if (session === undefined) return
    const seq = this.seq + 1
    const record = JSON.stringify({
      v: 1,
      actor: KERNEL,
      seq,
      disposition: 'processed',
      message: { id: `${KERNEL}.${seq}`, type: 'ambit.kernel' },
      thoughts: [thought],
    })
    const rows = [[key, value]] as const
    const entry = plainCommit({
      address: KERNEL,
      expectedSeq: this.seq,
      seq,
      records: [record],
      rows,
    })
    const [result] = await session.commit([entry])
    if (result !== 'stored') throw new Error('another owner has the journal')
    this.seq = seq
  }
}

function partsOf(key: string): [kind: string, rest: string] {
  const cut = key.indexOf(':') + 1
  return [key.slice(0, cut), key.slice(cut)]
}
