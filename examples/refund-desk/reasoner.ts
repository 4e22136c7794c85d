import { type Calibration, fitCalibration, type HeldOut } from './calibration.ts'
import { findLegalThreat } from './legal-threat.ts'
import { readMoney } from './money-text.ts'
import { fitNaiveBayes, type LabelledFeatures, type NaiveBayes } from './naive-bayes.ts'
import { trainingExamples } from './training.ts'
import { createWordReader, type WordReader } from './words.ts'

/** What the reasoner thinks that a customer wants, read from the message alone. */
export interface Judgement {
  readonly wantsRefund: boolean
  /** The calibrated probability of `wantsRefund` being right, from 0.5 to 0.99. */
  readonly confidence: number
  /** Such as `duplicate`, `fee` or `legal`; see the training files; `unknown` if no word is known. */
  readonly category: string
  /** Plain decimal; present together with `currency`, if the text states exactly one amount of money. */
  readonly amount?: string
  /** ISO 4217. */
  readonly currency?: string
  /** One sentence that names the words which decided. */
  readonly why: string
}

/** Judges a customer's message. */
export interface Reasoner {
  propose(ticket: { text: string }, options: { signal: AbortSignal }): Promise<Judgement>
}

/** What has been learned from the training examples. */
interface Learned {
  readonly read: WordReader
  readonly model: NaiveBayes
  readonly calibrate: Calibration
}

/** A model of some hundred sentences may not claim to be surer than this. */
const confidenceMax = 0.99

/** Each example is judged once by a model that has not seen it, as one of this many parts. */
const parts = 10

const yes = '+'
const no = '-'

/**
 * Creates a reasoner that needs no network: a naive Bayes over wink-nlp's lemmas, fitted to `training.ts`.
 *
 * The same text always gets the same judgement. Rejects with the signal's reason once it is aborted.
 */
export async function createOfflineReasoner(): Promise<Reasoner> {
  const read = await createWordReader()
  const examples = trainingExamples.map(({ text, wantsRefund, category }) => ({
    label: (wantsRefund ? yes : no) + category,
    features: read(text),
  }))
  const learned = {
    read,
    model: fitNaiveBayes(examples),
    calibrate: fitCalibration(judgeHeldOut(examples)),
  }
  return {
    propose: (ticket, { signal }) =>
      new Promise((resolve) => {
        signal.throwIfAborted()
        resolve(judge(learned, ticket.text))
      }),
  }
}

function judge({ read, model, calibrate }: Learned, text: string): Judgement {
  const features = read(text)
  const scores = model.score(features)
  const probability = calibrate(compareSides(scores))
  const wantsRefund = probability > 0.5
  const label = pickLabel(scores, wantsRefund ? yes : no)
  const evidence = model.findEvidence(features, label)
  const threat = findLegalThreat(text)
  const learnt = evidence.length === 0 ? 'unknown' : label.slice(1)
  // Rounded down: a confidence just under a limit must not be lifted over it.
  const confidence = Math.floor(Math.max(probability, 1 - probability) * 1_000) / 1_000
  return {
    wantsRefund,
    confidence: Math.min(confidence, confidenceMax),
    category: threat === undefined ? learnt : 'legal',
    ...readMoney(text),
    why: explain(learnt, evidence, threat),
  }
}

function judgeHeldOut(examples: readonly LabelledFeatures[]): HeldOut[] {
  const held: HeldOut[] = []
  for (let part = 0; part < parts; part++) {
    const model = fitNaiveBayes(examples.filter((_, index) => index % parts !== part))
    for (const { label, features } of examples.filter((_, index) => index % parts === part)) {
      held.push({ margin: compareSides(model.score(features)), isYes: label.startsWith(yes) })
    }
  }
  return held
}

function compareSides(scores: ReadonlyMap<string, number>): number {
  return sumSide(scores, yes) - sumSide(scores, no)
}

/** The logarithm of a side's summed probabilities, computed from the largest so that none becomes zero. */
function sumSide(scores: ReadonlyMap<string, number>, side: string): number {
  const own = [...scores].filter(([label]) => label.startsWith(side)).map(([, score]) => score)
  const largest = Math.max(...own)
  return largest + Math.log(own.reduce((sum, score) => sum + Math.exp(score - largest), 0))
}

function pickLabel(scores: ReadonlyMap<string, number>, side: string): string {
  const own = [...scores].filter(([label]) => label.startsWith(side))
  return own.reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}

function explain(
  category: string,
  evidence: readonly string[],
  threat: string | undefined,
): string {
  if (threat !== undefined) return `The text threatens legal steps: "${threat}".`
  const words = evidence.filter((feature) => /^[\p{L}' ]+$/u.test(feature)).slice(0, 3)
  if (words.length === 0) return 'No word of the text says what the customer wants.'
  return `The text reads as "${category}" because of ${words.map((word) => `"${word}"`).join(', ')}.`
}
