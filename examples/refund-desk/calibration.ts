/** One judgement of a text that the model had not learned from. */
export interface HeldOut {
  /** How much the model leaned towards yes, as a difference of logarithms. */
  readonly margin: number
  readonly isYes: boolean
}

/** Turns a margin into the probability of yes. */
export type Calibration = (margin: number) => number

/** Newton's method settles within ten steps on a few hundred examples; the rest is a margin. */
const steps = 30

/**
 * Fits a logistic curve to held-out margins, so that of the texts judged with 0.8 four in five are yes.
 *
 * A naive Bayes by itself is far too sure: it counts words that come together as independent witnesses.
 * Source: J. Platt, Probabilistic outputs for support vector machines (1999).
 */
export function fitCalibration(heldOut: readonly HeldOut[]): Calibration {
  let slope = 0
  let offset = 0
  for (let step = 0; step < steps; step++) {
    const sums = sumDerivatives(heldOut, slope, offset)
    const determinant = sums.slope2 * sums.offset2 - sums.mixed * sums.mixed
    slope -= (sums.offset2 * sums.slope1 - sums.mixed * sums.offset1) / determinant
    offset -= (sums.slope2 * sums.offset1 - sums.mixed * sums.slope1) / determinant
  }
  return (margin) => logistic(slope * margin + offset)
}

function sumDerivatives(heldOut: readonly HeldOut[], slope: number, offset: number) {
  // The small start keeps the determinant above zero when the two sides are perfectly apart.
  const sums = { slope1: 0, offset1: 0, slope2: 1e-3, mixed: 0, offset2: 1e-3 }
  for (const { margin, isYes } of heldOut) {
    const probability = logistic(slope * margin + offset)
    const error = probability - (isYes ? 1 : 0)
    const spread = probability * (1 - probability)
    sums.slope1 += error * margin
    sums.offset1 += error
    sums.slope2 += spread * margin * margin
    sums.mixed += spread * margin
    sums.offset2 += spread
  }
  return sums
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}
