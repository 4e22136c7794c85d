import { charges } from './training-charges.ts'
import { claims } from './training-claims.ts'
import { payments } from './training-payments.ts'
import { questions } from './training-questions.ts'

/** One message with what a person would say of it. */
export interface TrainingExample {
  readonly text: string
  readonly wantsRefund: boolean
  readonly category: string
}

/** Everything the reasoner learns from; a category may have examples on both sides, as `legal` does. */
export const trainingExamples: readonly TrainingExample[] = [
  ...label(charges, true),
  ...label(claims, true),
  ...label(payments, false),
  ...label(questions, false),
]

function label(
  texts: Readonly<Record<string, readonly string[]>>,
  wantsRefund: boolean,
): TrainingExample[] {
  return Object.entries(texts).flatMap(([category, lines]) =>
    lines.map((text) => ({ text, wantsRefund, category })),
  )
}
