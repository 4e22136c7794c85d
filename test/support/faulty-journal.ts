import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import type {
  CommitResult,
  Journal,
  JournalEntry,
  JournalSession,
  StoredActor,
} from '../../src/kernel/ports/journal.ts'

export interface FaultyJournal extends Journal {
  /** Called before each commit: what it throws is what the commit throws, and nothing is stored. */
  beforeCommit: (batch: readonly JournalEntry[]) => void | Promise<void>
  /** Called after each commit was stored: what it throws is an answer that got lost. */
  afterCommit: (batch: readonly JournalEntry[]) => void
  /** How many of the next commits are answered as conflicts: nothing of them is stored. */
  conflicts: number
  /** Changes what is read back of an actor. */
  onLoad: (address: string, stored: StoredActor | undefined) => StoredActor | undefined
  readonly commits: number
  /** Ends the owner as `kill -9` does: what it still asks of the journal is never answered. */
  crash(): Promise<void>
}

export interface FaultyOptions {
  /** `false`: every message waits for its commit, as with a journal that knows no groups. Default: as the inner one. */
  readonly storesGroups?: boolean
}

/** A journal that can be told to fail: over a memory journal unless another is given. */
export function faultyJournal(
  inner: Journal = memoryJournal(),
  options: FaultyOptions = {},
): FaultyJournal {
  let session: JournalSession | undefined
  let commits = 0
  const journal: FaultyJournal = {
    beforeCommit: () => undefined,
    afterCommit: () => undefined,
    conflicts: 0,
    onLoad: (_, stored) => stored,
    get commits() {
      return commits
    },
    async open() {
      const opened = await inner.open()
      session = opened
      return wrap(opened, () => session !== opened)
    },
    async crash() {
      const dead = session
      session = undefined
      await dead?.close()
    },
  }
  const wrap = (opened: JournalSession, isDead: () => boolean): JournalSession => ({
    epoch: opened.epoch,
    systemId: opened.systemId,
    secret: opened.secret,
    storesGroups: options.storesGroups ?? opened.storesGroups,
    async commit(batch): Promise<readonly CommitResult[]> {
      if (isDead()) return never()
      commits++
      await journal.beforeCommit(batch)
      if (isDead()) return never()
      if (journal.conflicts > 0) {
        journal.conflicts--
        return batch.map(() => 'conflict')
      }
      const results = await opened.commit(batch)
      journal.afterCommit(batch)
      return results
    },
    async load(address) {
      if (isDead()) return never()
      return journal.onLoad(address, await opened.load(address))
    },
    parked: (limit) => opened.parked(limit),
    recover: () => opened.recover(),
    history: (query) => opened.history(query),
    head: () => opened.head(),
    close: () => (isDead() ? Promise.resolve() : opened.close()),
  })
  return journal
}

/** Throws the given error the first `times` times it is called. */
export function failing(times: number, message = 'the disk is full'): () => void {
  let left = times
  return () => {
    if (left-- > 0) throw new Error(message)
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}
