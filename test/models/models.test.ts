import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest'
import { missingTool, verify, type ModelRun, type Verdict } from './spin.ts'

interface Row extends ModelRun {
  readonly expected: 'holds' | 'refuted'
  /** Part of what spin says of the property that a wrong variant breaks. */
  readonly breaks: string
}

/** A model, the property that its wrong variants break by name, and a claim if it has one. */
function rowsOf(model: string, wrong: Record<string, string>, claims: Partial<Row>[] = []): Row[] {
  const base = { model, check: 'end' } as const
  const right: Row = { ...base, variant: 'RIGHT', expected: 'holds', breaks: 'nothing' }
  const variants = Object.entries(wrong).map(([variant, breaks]): Row => ({
    ...base,
    variant,
    expected: 'refuted',
    breaks,
    isQuick: true,
  }))
  return [right, ...variants, ...claims.map((claim) => ({ ...right, ...claim }))]
}

/** What is over the limit had no reservation before: the first errors say only that. */
const LEDGER_ERRORS_MAX = 2000
const ledger = rowsOf(
  'ledger',
  {
    GRANT_FIRST: '(spent<=limit)',
    PERSISTED_ONLY: '(spent<=limit)',
    CHECK_THEN_RECORD: '(spent<=limit)',
    RELEASE_ON_TIMEOUT: '(spent<=limit)',
    NO_DEDUPE: '(spent<=limit)',
  },
  [{ check: 'claim' }],
).map((row) => ({ ...row, errorsMax: LEDGER_ERRORS_MAX }))
const lease = rowsOf('lease', {
  NO_FENCE: '(me>=newestWriter)',
  FENCE_AT_EFFECT_MISSING: '(me>=newestActor)',
  EPOCH_NOT_RAISED: '(me>=newestWriter)',
})
const handoff = rowsOf(
  'handoff',
  {
    RECEIPT_BEFORE_STORE: 'receiverDisk.done[1]',
    FORGET_ON_SEND: 'receiverDisk.done[1]',
    NO_HIGH_WATER: '!(receiver.done[item])',
    ID_CHANGES_AT_RESTART: '!(receiver.done[item])',
    FIRST_TAKES_ANY: 'receiver.done[(item-1)]',
  },
  [
    { check: 'claim' },
    {
      check: 'claim',
      variant: 'FORGET_ON_SEND',
      expected: 'refuted',
      breaks: 'acceptance cycle',
    },
  ],
)
const approval = rowsOf('approval', {
  NO_DIGEST: '(approval[mine]&&approval[(4+mine)])',
  NO_NONCE: '(approval[mine]&&approval[(4+mine)])',
  EXPIRY_APPROVES: '(approval[mine]&&approval[(4+mine)])',
})

/** Of the right models these are reached only when something is wrong. */
const ALARMS = /isPath = 0$/
const STATES_MAX = 3_000_000
/** A search takes seconds; on a machine that does much else, longer. */
const limits = { timeout: 120_000 }

const startedAt = performance.now()
const missing = missingTool()
const verdicts: (Row & Verdict)[] = []

async function check(row: Row, { skip }: TestContext): Promise<void> {
  skip(missing !== undefined, 'spin or a C compiler is missing')
  const verdict = await verify(row)
  verdicts.push({ ...row, ...verdict })
  expect(verdict.states).toBeLessThan(STATES_MAX)
  if (row.expected === 'refuted') {
    expect(verdict.violated.join('\n')).toContain(row.breaks)
    return
  }
  expect(verdict.violated).toEqual([])
  expect(verdict.errors).toBe(0)
  if (row.check !== 'claim')
    expect(verdict.unreached.filter((each) => !ALARMS.test(each))).toEqual([])
}

beforeAll(() => {
  if (missing !== undefined) console.log(`models: not run (${missing})`)
})

test.concurrent.for(ledger)(
  'K1 ledger.pml $variant $check: $expected, breaks $breaks',
  limits,
  check,
)
test.concurrent.for(lease)('K2 lease.pml $variant $check: $expected, breaks $breaks', limits, check)
test.concurrent.for(handoff)(
  'K3 handoff.pml $variant $check: $expected, breaks $breaks',
  limits,
  check,
)
test.concurrent.for(approval)(
  'K4 approval.pml $variant $check: $expected, breaks $breaks',
  limits,
  check,
)

test.for(['ledger', 'lease', 'handoff', 'approval'])(
  'K5 each wrong variant that %s.pml knows is in the table, and no other',
  (model) => {
    const text = readFileSync(new URL(`${model}.pml`, import.meta.url), 'utf8')
    const known = [...text.matchAll(/^#ifn?def (\w+)$/gm)].map(([, name]) => name)
    const listed = /Wrong variants: ([^.]*)\./.exec(text)?.[1]?.split(', ')
    const rows = [...ledger, ...lease, ...handoff, ...approval].filter(
      (row) => row.model === model && row.expected === 'refuted',
    )
    const tried = new Set(rows.map(({ variant }) => variant))
    expect(new Set(known)).toEqual(tried)
    expect(new Set(listed)).toEqual(tried)
  },
)

afterAll(() => {
  if (verdicts.length === 0) return
  for (const { model, variant, check, errors, states, depth, seconds } of verdicts) {
    const numbers = `${errors} errors, ${states} states, depth ${depth}, ${seconds.toFixed(1)} s`
    console.log(`models: ${model} ${variant} ${check}: ${numbers}`)
  }
  const count = (expected: Row['expected']) =>
    verdicts.filter((verdict) => verdict.expected === expected).length
  const states = verdicts.reduce((sum, verdict) => sum + verdict.states, 0)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const found = `${count('holds')} hold, ${count('refuted')} refuted`
  console.log(`models: ${found}, ${states} states, ${seconds} s`)
})
