import type { Json } from '../kernel/json.ts'
import type { Thought } from '../kernel/ports/engine.ts'
import type { StoredTurn } from '../kernel/ports/journal.ts'
import { readRecord } from './record.ts'

/** One thing that was decided or done about an action, in the order of the log. */
export interface ExplainedStep {
  readonly position: number
  readonly at: number
  readonly actor: string
  readonly thought: Thought
}

/** Everything the log says about one action: proposal, rules, human, ledger, effect, outcome. */
export interface Explanation {
  readonly key: string
  readonly steps: readonly ExplainedStep[]
}

/** Gathers the thoughts about one action key. Pure; the turns may be given in pages. */
export function explainAction(key: string, turns: readonly StoredTurn[]): Explanation {
  const steps = turns.flatMap((turn): ExplainedStep[] => {
    const record = readRecord(turn)
    // Only the system's own actors speak about actions: an agent can think what it likes.
    if (!record?.actor.startsWith('/system/')) return []
    const about = record.thoughts.filter((thought) => thought.key === key)
    return about.map((thought) => ({
      position: record.position,
      at: record.at,
      actor: record.actor,
      thought,
    }))
  })
  return { key, steps }
}

/** A page for a person: one line a step, the claimed reason kept apart from the mechanical one. */
export function describeExplanation({ key, steps }: Explanation): string {
  const lines = steps.map(
    ({ at, thought }) => `${new Date(at).toISOString()}  ${describeThought(thought)}`,
  )
  return [`Action ${key}`, ...lines].join('\n')
}

export function describeThought(thought: Thought): string {
  const say = (field: string) => textOf(thought[field])
  const sure = say('confidence') === '' ? '' : ` (confidence ${say('confidence')})`
  switch (thought.kind) {
    case 'proposed':
      return (
        `proposed   ${say('what')} by ${say('proposer')}; ` + `claimed reason: ${say('why')}${sure}`
      )
    case 'decision':
      return `decided    ${say('severity')}; ${describeResults(thought)}`
    case 'escalated':
      return `escalated  as case ${say('case')} because of ${describeRules(thought)}`
    case 'humanDecision':
      return `human      ${say('person')}: ${say('verdict')}${because(thought.reason)}`
    case 'humanRefused':
      return `refused    ${say('person')}: ${say('verdict')} on ${say('case')} (${say('reason')})`
    case 'caseClosed':
      return `case       ${say('case')} ${say('status')}`
    case 'reserve':
      return `ledger     ${say('outcome')} ${say('minor')} ${say('currency')} minor units on account ${say('account')}`
    case 'committed':
    case 'released':
    case 'inDoubt':
      return `ledger     ${thought.kind} ${say('minor')} ${say('currency')} minor units on account ${say('account')}`
    case 'authorized':
      return `authorized by ${say('by')}, attempt ${say('attempt')}`
    case 'outcome':
      return `outcome    ${say('outcome')}`
    default:
      return `${thought.kind}  ${JSON.stringify(thought)}`
  }
}

function because(reason: Json | undefined): string {
  return reason === undefined ? '' : `, "${textOf(reason)}"`
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function describeRules(thought: Thought): string {
  return Array.isArray(thought.rules) && thought.rules.length > 0
    ? thought.rules.join(', ')
    : 'an unknown outcome'
}

function describeResults(thought: Thought): string {
  const results = (thought.results ?? []) as unknown as readonly {
    rule: string
    severity: string
    seen: string
    limit: string
  }[]
  return results
    .filter(({ rule }) => rule !== 'action')
    .map(({ rule, severity, seen, limit }) => `${rule} ${severity} (${seen}; limit ${limit})`)
    .join(', ')
}
