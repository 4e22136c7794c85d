/** The only source of time. Milliseconds since the epoch. */
export interface Clock {
  now(): number
  /** Calls `wake` once at or after `dueAt`; returns how to cancel it. */
  wakeAt(dueAt: number, wake: () => void): () => void
  /** Calls `run` soon, after input and output had their turn. */
  soon(run: () => void): void
  /** A monotonic reading in milliseconds, for budgets only; it never reaches a machine. */
  elapsed(): number
}
