/** What can go wrong, and at which points of a run. */
const bySite = {
  /** Between two steps of the process. */
  step: ['crash', 'pause', 'clockJump', 'clockSetBack'],
  /** While the journal stores a batch. */
  commit: ['crashBeforeCommit', 'crashAfterCommit', 'tornBatch', 'diskFull', 'lostAnswer'],
  /** While a process takes up what the last one left. */
  recovery: ['crashInRecovery', 'readError'],
  /** On the way of a message from outside, and of its acknowledgement. */
  message: ['drop', 'duplicate', 'delay', 'cut'],
  /** While an effect runs. */
  effect: ['effectError', 'effectAnswerLost', 'effectTimeout', 'effectTwice', 'effectLate'],
  /** When a human is asked. */
  human: ['approverSilent', 'approverLate', 'approverTwice', 'approverContradicts'],
  /** The disk says that it has stored what it has not: nobody can survive that, so it is not among `faults`. */
  lie: ['fsyncLost'],
} as const

/** A point at which a run can go otherwise: those of the faults, who goes next, and what the traffic is. */
export type Site = keyof typeof bySite | 'pick' | 'traffic'

export type FaultName = (typeof bySite)[keyof typeof bySite][number] | 'reorder'

const survivable = Object.entries(bySite).flatMap(([site, names]) => (site === 'lie' ? [] : names))

/**
 * The faults that a system is to survive, by name:
 *
 * - `crash`, `crashBeforeCommit`, `crashAfterCommit`, `crashInRecovery`: `kill -9` between two steps, before or after a
 *   batch is on the disk, while a process takes up what the last one left. A new process starts on the same journal.
 * - `tornBatch`: a crash of which only the first groups of a batch are on the disk.
 * - `diskFull`: the journal stores nothing, a few times in a row. `lostAnswer`: it stores, and says that it failed.
 * - `readError`: the journal cannot be read, once.
 * - `pause`: the process stands still while the world goes on. `clockJump`, `clockSetBack`: the wall clock leaps
 *   an hour.
 * - `drop`, `duplicate`, `delay`, `cut`: of messages from outside; a cut lets them in and no acknowledgement out.
 * - `reorder`: another than the oldest goes first.
 * - `effectError`: it did nothing and fails; `effectAnswerLost`: it happened and fails; `effectTimeout`: nobody hears
 *   of it; `effectTwice`: the target hears of it twice; `effectLate`: its end comes after its time.
 * - `approverSilent`, `approverLate`, `approverTwice`, `approverContradicts`.
 */
export const faults: readonly FaultName[] = ['reorder', ...survivable]

/** The disk lies about what it has stored. With it something must be found, or the simulation is blind. */
export const lyingDisk: readonly FaultName[] = bySite.lie

/** The given faults that can happen at a place. */
export function faultsAt<Place extends keyof typeof bySite>(
  site: Place,
  given: readonly FaultName[],
): (typeof bySite)[Place][number][] {
  const names: readonly (typeof bySite)[Place][number][] = bySite[site]
  return names.filter((name) => given.includes(name))
}
