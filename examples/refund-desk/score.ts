import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createOfflineReasoner } from './reasoner.ts'

// Scores the offline reasoner on labelled tickets, one JSON object a line with `text` and `label`:
//   node dist/examples/refund-desk/score.js FILE [--json]
// You will see precision and recall of "wants money back" at a confidence of at least 0.80; exit 1 below the targets.

/** The true intents that count as a customer who wants money back. */
const yesLabels: ReadonlySet<string> = new Set([
  'request_refund',
  'transaction_charged_twice',
  'extra_charge_on_statement',
  'card_payment_fee_charged',
  'card_payment_not_recognised',
  'direct_debit_payment_not_recognised',
  'wrong_amount_of_cash_received',
  'card_payment_wrong_exchange_rate',
  'reverted_card_payment?',
])

const targets = { confidence: 0.8, precision: 0.95, recall: 0.7 }

interface Labelled {
  readonly text: string
  readonly label: string
}

/** How often a sure yes was right, and how many of the true ones were found. */
interface Score {
  readonly tickets: number
  readonly yes: number
  readonly said: number
  readonly right: number
  readonly precision: number
  readonly recall: number
  readonly passed: boolean
}

async function scoreTickets(tickets: readonly Labelled[]): Promise<Score> {
  const reasoner = await createOfflineReasoner()
  const { signal } = new AbortController()
  let [yes, said, right] = [0, 0, 0]
  for (const { text, label } of tickets) {
    const { wantsRefund, confidence } = await reasoner.propose({ text }, { signal })
    const isYes = yesLabels.has(label)
    const saysYes = wantsRefund && confidence >= targets.confidence
    if (isYes) yes += 1
    if (saysYes) said += 1
    if (isYes && saysYes) right += 1
  }
  const precision = said === 0 ? 0 : right / said
  const recall = yes === 0 ? 0 : right / yes
  const passed = precision >= targets.precision && recall >= targets.recall
  return { tickets: tickets.length, yes, said, right, precision, recall, passed }
}

function readTickets(file: string): Labelled[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    const { text, label } = JSON.parse(line) as Partial<Labelled>
    if (typeof text === 'string' && typeof label === 'string') return [{ text, label }]
    throw new Error(
      `Line ${index + 1} of ${file}: expected "text" and "label", got ${line.slice(0, 60)}. ` +
        'Scoring needs labelled tickets.',
    )
  })
}

function printScore(score: Score): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  return [
    `tickets    ${score.tickets}, of which ${score.yes} want money back`,
    `said yes   ${score.said} times with confidence >= ${targets.confidence}, ${score.right} of them right`,
    `precision  ${percent(score.precision)} (target ${percent(targets.precision)})`,
    `recall     ${percent(score.recall)} (target ${percent(targets.recall)})`,
    score.passed ? 'passed' : 'below the targets',
  ].join('\n')
}

try {
  const options = { json: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true, strict: true })
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) {
    throw new Error('Expected one FILE of labelled tickets. Usage: score.js FILE [--json]')
  }
  const score = await scoreTickets(readTickets(file))
  console.log(values.json ? JSON.stringify(score) : printScore(score))
  process.exitCode = score.passed ? 0 : 1
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
