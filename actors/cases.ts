import { caseFrom, type Case } from '../machines/approval.ts'
import type { Json } from '../src/kernel/json.ts'

/** The cases among the approval desk's rows, oldest first. */
export function casesIn(rows: ReadonlyMap<string, Json>): Case[] {
  const cases = [...rows]
    .filter(([key]) => key.startsWith('case:'))
    .map(([, value]) => caseFrom(value))
  return cases.sort((a, b) => Number(a.id.slice(2)) - Number(b.id.slice(2)))
}
