import {
  agent,
  createSystem,
  defineEnvelope,
  effectRefused,
  supervisor,
  systemClock,
  type ActorSystem,
} from 'ambit'
import { describe, expect, test } from 'vitest'
import { faultyJournal } from '../support/faulty-journal.ts'
import {
  approver,
  envelopeInput,
  refundAgent,
  refundOf,
  refundSystem,
  World,
  type WorldOptions,
} from '../support/refund-world.ts'
import { until } from '../support/running.ts'
import {
  isPathOfLedgerModel,
  readStepTable,
  stepsOf,
  unsettledKeys,
  type Step,
} from './ledger-paths.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
/** Every window keeps to one bucket, for the model has no time; and no drain is cut short on a busy machine. */
const noon = () => ({ ...systemClock({ startAt: NOON }), elapsed: () => 0 })
const rest = (system: ActorSystem) => system.atRest({ timersWithinMs: 10_000 })

interface Scenario {
  readonly options?: WorldOptions
  readonly prepare?: (world: World) => void
  /** What happens once the system has come to rest for the first time. */
  readonly then?: (system: ActorSystem) => Promise<unknown>
  /** The steps of the only key, a reserve with its answer. */
  readonly steps: string
}

const noAnswer = (world: World) => {
  world.onExecute = () => {
    throw new Error('no answer')
  }
}
const settling = (happened: boolean) => async (system: ActorSystem) =>
  (await approver(system, 'alice'))('c-1', 'settle', { happened })
const deciding = (verdict: 'approve' | 'reject') => async (system: ActorSystem) =>
  (await approver(system, 'alice'))('c-1', verdict)

const scenarios: Record<string, Scenario> = {
  'is within its envelope': { steps: 'reserve:true effect commit' },
  'is approved': {
    options: { amount: '720.00 USD' },
    then: deciding('approve'),
    steps: 'reserve:true effect commit',
  },
  'is rejected': {
    options: { amount: '720.00 USD' },
    then: deciding('reject'),
    steps: '',
  },
  'is denied': {
    options: { envelope: { actions: { other: {} } } },
    steps: '',
  },
  'is refused by its target': {
    prepare(world) {
      world.onExecute = () => {
        throw effectRefused('the order is unknown')
      }
    },
    steps: 'reserve:true effect nothing release',
  },
  'fails its verification': {
    options: { verify: true },
    prepare: (world) => void (world.verifies = false),
    steps: 'reserve:true effect nothing release',
  },
  'is answered at the third attempt': {
    prepare(world) {
      let lost = 2
      world.onExecute = () => {
        if (lost-- > 0) throw new Error('no answer')
      }
    },
    steps: 'reserve:true effect effect effect commit',
  },
  'stays in doubt': {
    options: { idempotent: false },
    prepare: noAnswer,
    steps: 'reserve:true effect inDoubt',
  },
  'was in doubt and had happened': {
    options: { idempotent: false },
    prepare: noAnswer,
    then: settling(true),
    steps: 'reserve:true effect inDoubt commit',
  },
  'was in doubt and had not happened': {
    options: { idempotent: false },
    prepare: noAnswer,
    then: settling(false),
    steps: 'reserve:true effect inDoubt nothing release',
  },
}

const labelOf = (step: Step) => (step.step === 'reserve' ? `reserve:${String(step.ok)}` : step.step)

test.each(Object.entries(scenarios))(
  'K6 the history of a refund that %s is a path of the ledger model',
  async (_, { options, prepare, then, steps }) => {
    const world = new World()
    prepare?.(world)
    const system = refundSystem(world, { clock: noon(), ...options })
    await system.start()
    await rest(system)
    await then?.(system)
    await rest(system)
    const walked = stepsOf(await system.history({}))
    expect(walked.map(labelOf).join(' ')).toBe(steps)
    expect(isPathOfLedgerModel(walked)).toBeUndefined()
    expect(unsettledKeys(walked)).toEqual([])
    await system.stop()
  },
)

test('K6 the history of a refund that is withdrawn while reserved and proposed anew is a path', async () => {
  let hasLeft = false
  const system: ActorSystem = refundSystem(new World(), {
    clock: noon(),
    observers: [
      {
        onTurn({ type }) {
          if (type !== 'ambit.ledger.view' || hasLeft) return
          hasLeft = true
          system.ref('/desk').send({ type: 'leave' })
        },
      },
    ],
  })
  await system.start()
  await rest(system)
  system.startFresh('/desk')
  await rest(system)
  const walked = stepsOf(await system.history({}))
  const expected = 'reserve:true release reserve:true effect commit'
  expect(walked.map(labelOf).join(' ')).toBe(expected)
  expect(isPathOfLedgerModel(walked)).toBeUndefined()
  await system.stop()
})

test('K6 the history of two refunds that race for one window is a path with one refusal', async () => {
  const world = new World()
  const windows = [{ amount: '150.00 USD', per: 'day' as const, timeZone: 'UTC' }]
  const refund = refundOf(world)
  const envelope = defineEnvelope({ ...envelopeInput, actions: { refund: { windows } } })
  const desks = ['o-1', 'o-2'].map((order) =>
    agent(order, refundAgent(world, { order }, refund), { envelope }),
  )
  const system = createSystem({ root: supervisor({ children: desks }), clock: noon() })
  await system.start()
  await rest(system)
  const walked = stepsOf(await system.history({}))
  const reserves = walked.map(labelOf).filter((label) => label.startsWith('reserve'))
  expect(reserves.sort()).toEqual(['reserve:false', 'reserve:true'])
  expect(isPathOfLedgerModel(walked)).toBeUndefined()
  expect(world.refunds).toBe(1)
  await system.stop()
})

describe('a process that dies at one of its commits', () => {
  const rows = [true, false].flatMap((idempotent) =>
    [true, false].flatMap((storesGroups) =>
      (['before', 'after'] as const).map((when) => ({ idempotent, storesGroups, when })),
    ),
  )
  test.each(rows)(
    'K6 leaves a path: $when it is stored, idempotent $idempotent, in groups $storesGroups',
    async ({ idempotent, storesGroups, when }) => {
      const seen = new Set<string>()
      for (let at = 1; ; at++) {
        const walked = await crashedAt(at, { idempotent, storesGroups, when })
        if (walked === undefined) break
        for (const step of walked) seen.add(labelOf(step))
        expect(isPathOfLedgerModel(walked), `crash ${when} commit ${at}`).toBeUndefined()
        expect(unsettledKeys(walked), `crash ${when} commit ${at}`).toEqual([])
      }
      const always = ['reserve:true', 'effect', 'commit', 'crash']
      expect(seen).toEqual(new Set(idempotent ? always : [...always, 'inDoubt']))
    },
  )
})

interface Crash {
  readonly idempotent: boolean
  readonly storesGroups: boolean
  readonly when: 'before' | 'after'
}

/** The steps of a refund whose process dies at one commit and is started again; undefined when there is none such. */
async function crashedAt(at: number, { idempotent, storesGroups, when }: Crash) {
  const world = new World()
  const journal = faultyJournal(undefined, { storesGroups })
  let crashed: Promise<void> | undefined
  const crash = () => {
    if (journal.commits === at) crashed ??= journal.crash()
  }
  if (when === 'before') journal.beforeCommit = () => crash()
  else journal.afterCommit = () => crash()
  const hasCrashed = () => crashed !== undefined
  const make = () => refundSystem(world, { journal, idempotent, clock: noon() })
  const first = make()
  // A start that the crash hits never ends.
  void first.start()
  const isDone = () => first.read.actors.get('/desk')?.get().state === 'refunded'
  await until(() => hasCrashed() || isDone())
  if (!hasCrashed()) {
    await rest(first)
    await first.stop()
  }
  if (!hasCrashed()) return undefined
  await crashed
  const second = make()
  await second.start()
  await rest(second)
  const walked = stepsOf(await second.history({}))
  await second.stop()
  expect(idempotent ? world.refunds : world.made.length).toBeLessThanOrEqual(1)
  return walked
}

const key = 'o-1'
const reserve = { step: 'reserve', key, ok: true } as const
const [effect, nothing, inDoubt, commit, release] = (
  ['effect', 'nothing', 'inDoubt', 'commit', 'release'] as const
).map((step) => ({ step, key })) as [Step, Step, Step, Step, Step]
const crash = { step: 'crash' } as const
const window = { window: 'desk/day', limit: 100, used: 0 }

const doctored: [what: string, steps: Step[], finding: string][] = [
  ['an effect without a reservation', [effect], 'step 1, effect of o-1: the key is none'],
  [
    'an effect after a refusal',
    [{ ...reserve, ok: false, minor: 101, windows: [window] }, effect],
    'step 2, effect of o-1: the key is none',
  ],
  ['a second commit', [reserve, effect, commit, commit], 'step 4, commit'],
  ['a release after a commit', [reserve, effect, commit, release], 'step 4, release'],
  ['a release without proof', [reserve, effect, release], 'the key is begun'],
  ['a release of what is in doubt', [reserve, effect, inDoubt, release], 'the key is inDoubt'],
  ['a second release', [reserve, release, release], 'the key is released'],
  ['an effect after a release', [reserve, release, effect], 'the key is released'],
  ['an effect after proof of nothing', [reserve, effect, nothing, effect], 'the key is undone'],
  ['an effect that is repeated in doubt', [reserve, effect, inDoubt, effect], 'is inDoubt'],
  ['a second reservation', [reserve, reserve], 'the key is reserved'],
  ['a second reservation after a crash', [reserve, crash, reserve], 'the key is reserved'],
  ['a commit without an effect', [reserve, commit], 'the key is reserved'],
  [
    'more than the limit',
    [{ ...reserve, minor: 101, windows: [window] }],
    'step 1, reserve of o-1: 0 + 101 is over 100',
  ],
  [
    'a needless refusal',
    [{ ...reserve, ok: false, minor: 100, windows: [window] }],
    'step 1, refuse of o-1: it would have fitted',
  ],
  [
    'a ledger that forgets',
    [
      { ...reserve, minor: 60, windows: [window] },
      { ...reserve, key: 'o-2', minor: 60, windows: [window] },
    ],
    'step 2, reserve of o-2: desk/day holds 60, and the ledger saw 0',
  ],
]

test.each(doctored)('K7 %s is no path of the ledger model', (_, steps, finding) => {
  expect(isPathOfLedgerModel(steps)).toContain(finding)
})

test('K7 a history without one of its records is no path of the ledger model', async () => {
  const system = refundSystem(new World(), { clock: noon() })
  await system.start()
  await rest(system)
  const records = await system.history({})
  await system.stop()
  const without = (kind: string) =>
    stepsOf(records.filter(({ record }) => !record.includes(`"kind":"${kind}"`)))
  expect(isPathOfLedgerModel(without('reserve'))).toContain('effect')
  expect(isPathOfLedgerModel(without('authorized'))).toContain('commit')
  expect(unsettledKeys(without('committed'))).toHaveLength(1)
})

test('K7 the steps that the model lists are those of its table, and a crash', () => {
  const { names, next } = readStepTable()
  const used = [...next.keys()].map((row) => row.split(' ')[1])
  expect(next.size).toBe(14)
  expect(new Set(names)).toEqual(new Set([...used, 'crash']))
})
