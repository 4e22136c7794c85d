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
  private rows = new Map<string, Json>()
  private seq = 0
  private session: JournalSession | undefined
  /** Changes are stored one after the other. */
  private last: Promise<void> = Promise.resolve()

  /** The rows whose keys begin so, without that beginning. */
  under(prefix: string): [key: string, value: Json][] {
    return [...this.rows]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value])
  }

  get(key: string): Json | undefined {
    return this.rows.get(key)
  }

  /** Reads what an earlier process kept. */
  *load(session: JournalSession): Generator<Promise<unknown>, void> {
    this.session = session
    const stored = yield* wait(session.load(KERNEL))
    this.seq = stored?.seq ?? 0
    this.rows = new Map(stored?.rows)
  }

  /** Writes a row, `null` deletes it. Resolves when it is stored; from now on it reads so. */
  put(
    key: string,
    value: Json,
    thought: { readonly kind: string; readonly [field: string]: Json },
  ) {
    if (value === null) this.rows.delete(key)
    else this.rows.set(key, value)
    this.last = this.last.then(() => this.store(key, value, thought))
    return this.last
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
