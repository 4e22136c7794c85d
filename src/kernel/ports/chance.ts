/** The only source of chance and of fresh ids. */
export interface Chance {
  /** A number in [0, 1). */
  random(): number
  /** A fresh id that sorts by time (UUID version 7). */
  id(): string
}
