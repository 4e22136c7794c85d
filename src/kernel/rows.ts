import type { Json } from './json.ts'

/** How far a stream is. */
export type Stream = [key: string, number: number]

/** Streams that an actor keeps in its snapshot; with more, each is a row. */
export const STREAMS_IN_SNAPSHOT_MAX = 8

/**
 * The keyed rows of one actor, its own and those the kernel keeps for it (`~...`). An actor that talks to few others
 * keeps the numbers of its streams in its snapshot, so that no row is written for each message.
 */
export class Rows {
  readonly all: Map<string, Json>
  private streams = 0
  private hasSpilled = false

  constructor(all = new Map<string, Json>()) {
    this.all = all
  }

  static restored(
    rows: ReadonlyMap<string, Json>,
    streams: readonly Stream[] = [],
  ): Rows | undefined {
    if (rows.size + streams.length === 0) return undefined
    const restored = new Rows(new Map(rows))
    for (const key of rows.keys()) if (isStream(key)) restored.streams++
    restored.hasSpilled = restored.streams > 0
    for (const [key, number] of streams) restored.all.set(key, number)
    restored.streams += streams.length
    return restored
  }

  /** Puts a row, `null` deletes it; `written` takes what has to be stored. Answers whether it is the actor's own. */
  put(key: string, value: Json, written: Map<string, Json> | undefined): boolean {
    if (isStream(key)) {
      this.putStream(key, value, written)
      return false
    }
    if (value === null) this.all.delete(key)
    else this.all.set(key, value)
    written?.set(key, value)
    return !key.startsWith('~')
  }

  /** What the snapshot holds of them. */
  inSnapshot(): { readonly streams?: readonly Stream[] } {
    return this.streams === 0 || this.hasSpilled ? {} : { streams: this.held() }
  }

  private putStream(key: string, value: Json, written: Map<string, Json> | undefined): void {
    if (value === null) {
      if (this.all.delete(key)) this.streams--
    } else {
      if (!this.all.has(key)) this.streams++
      this.all.set(key, value)
    }
    if (written === undefined) return
    if (!this.hasSpilled && this.streams > STREAMS_IN_SNAPSHOT_MAX) {
      this.hasSpilled = true
      for (const [each, number] of this.held()) written.set(each, number)
    }
    if (this.hasSpilled) written.set(key, value)
  }

  private held(): Stream[] {
    return [...this.all].filter((row): row is Stream => isStream(row[0]))
  }
}

function isStream(key: string): boolean {
  return key.startsWith('~in:') || key.startsWith('~out:')
}
