/** The only source of chance and of fresh ids. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A fresh id that sorts by time (UUID version 7). */
  id(): string
}
