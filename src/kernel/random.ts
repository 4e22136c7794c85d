import { uuidv7 } from 'uuidv7'
import type { Random } from './ports/random.ts'

export function createRealRandom(): Random {
  return { next: () => Math.random(), id: () => uuidv7() }
}

/** A generator that gives the same numbers for the same seed (mulberry32 over an FNV-1a hash of the seed). */
export function createSeededRandom(seed: string): () => number {
  let state = 0x811c9dc5
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
