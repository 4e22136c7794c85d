import { listenToGuards } from '../logic/machine-definition.ts'
import type { Run } from './run.ts'
import type { TurnRecord } from './trace.ts'

/** What a check has reached: a fault that never struck, or a transition never taken, was not tested. */
export interface Coverage {
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>
  /** How often each transition of a machine was taken: `action@1 executing --ambit.effect.ended--> committed`. */
  readonly transitions: Readonly<Record<string, number>>
  /** Guards that said yes at least once, by machine and name. */
  readonly guardsTrue: readonly string[]
  /** Guards that were asked and never said yes, by machine and name: what they let through was not tested. */
  readonly guardsNeverTrue: readonly string[]
  /** How many pairs of a transition and a fault met in one run. */
  readonly transitionsUnderFaults: number
}

/** Adds up what runs have reached. */
export class CoverageCount {
  private readonly faults = new Map<string, number>()
  private readonly transitions = new Map<string, number>()
  private readonly pairs = new Set<string>()
  private readonly guards = new Map<string, boolean>()

  add({ choices, trace, templates }: Run): void {
    const faults = new Set(choices.faults)
    for (const fault of choices.faults) count(this.faults, fault)
    const before = new Map<string, string>()
    for (const entry of trace.entries) {
      if (entry.kind !== 'turn') continue
      const { record } = entry
      const name = nameOf(record, before.get(record.actor) ?? '(new)', templates)
      before.set(record.actor, JSON.stringify(record.state))
      count(this.transitions, name)
      for (const fault of faults) this.pairs.add(`${name} ${fault}`)
    }
  }

  /** Notes what guards answer until the answer is called. */
  listen(): () => void {
    return listenToGuards((guard, answer) => {
      this.guards.set(guard, answer || this.guards.get(guard) === true)
    })
  }

  get reached(): Coverage {
    const guardsThat = (were: boolean) =>
      [...this.guards].flatMap(([guard, wasTrue]) => (wasTrue === were ? [guard] : [])).sort()
    return {
      faults: sorted(this.faults),
      transitions: sorted(this.transitions),
      guardsTrue: guardsThat(true),
      guardsNeverTrue: guardsThat(false),
      transitionsUnderFaults: this.pairs.size,
    }
  }
}

/** What has no machine goes by the name of its child spec. */
const PLAIN = 'logic@1'

function nameOf(
  { actor, machine, message, state, disposition }: TurnRecord,
  before: string,
  templates: ReadonlyMap<string, string>,
): string {
  const who = machine === PLAIN ? (templates.get(actor) ?? actor) : machine
  const how = disposition === 'processed' ? '' : ` (${disposition})`
  return `${who} ${plain(before)} --${message.type}--> ${plain(JSON.stringify(state))}${how}`
}

function plain(state: string): string {
  return state.replaceAll('"', '')
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
