/** One text as features, under the label it belongs to. */
export interface LabelledFeatures {
  readonly label: string
  readonly features: readonly string[]
}

/** A fitted model; features that it never saw say nothing. */
export interface NaiveBayes {
  /** The logarithm of each label's joint probability with the features. */
  score(features: readonly string[]): ReadonlyMap<string, number>
  /** The features that speak most for a label against all others, strongest first. */
  findEvidence(features: readonly string[], label: string): string[]
}

/** How much an unseen feature counts as seen: less than Laplace's 1, because the sentences are short. */
const smoothing = 0.15

/** What a pair of words says beside its two words, which were already heard: a part of a word's weight. */
const pairWeight = 0.3

interface LabelCounts {
  texts: number
  features: number
  readonly byFeature: Map<string, number>
}

/**
 * Fits a multinomial naive Bayes: each feature counts once per text, smoothed, with the labels' shares as prior.
 *
 * Presence instead of frequency, because a customer who writes "refund" five times means it once.
 */
export function fitNaiveBayes(examples: readonly LabelledFeatures[]): NaiveBayes {
  const labels = new Map<string, LabelCounts>()
  const all = emptyCounts()
  for (const { label, features } of examples) {
    const counts = labels.get(label) ?? emptyCounts()
    labels.set(label, counts)
    addText(counts, features)
    addText(all, features)
  }
  const known = (features: readonly string[]) =>
    [...new Set(features)].filter((feature) => all.byFeature.has(feature))
  return {
    score(features) {
      const heard = known(features)
      return new Map([...labels].map(([label, counts]) => [label, scoreLabel(counts, all, heard)]))
    },
    findEvidence(features, label) {
      const counts = labels.get(label) ?? emptyCounts()
      const weigh = (feature: string) =>
        logShare(counts, all, feature) - logShare(all, all, feature)
      return known(features)
        .filter((feature) => weigh(feature) > 0)
        .sort((a, b) => weigh(b) - weigh(a))
    },
  }
}

function emptyCounts(): LabelCounts {
  return { texts: 0, features: 0, byFeature: new Map() }
}

function addText(counts: LabelCounts, features: readonly string[]): void {
  counts.texts += 1
  for (const feature of new Set(features)) {
    counts.features += 1
    counts.byFeature.set(feature, (counts.byFeature.get(feature) ?? 0) + 1)
  }
}

function scoreLabel(counts: LabelCounts, all: LabelCounts, features: readonly string[]): number {
  let score = Math.log(counts.texts / all.texts)
  for (const feature of features) {
    score += logShare(counts, all, feature) * (feature.includes(' ') ? pairWeight : 1)
  }
  return score
}

function logShare(counts: LabelCounts, all: LabelCounts, feature: string): number {
  const seen = (counts.byFeature.get(feature) ?? 0) + smoothing
  return Math.log(seen / (counts.features + smoothing * all.byFeature.size))
}
