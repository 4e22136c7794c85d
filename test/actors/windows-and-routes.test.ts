import {
  agent,
  createSystem,
  decide,
  defineAction,
  defineEnvelope,
  governed,
  memory,
  supervisor,
  type ActorSystem,
  type Envelope,
  type Event,
  type Journal,
} from 'ambit'
import { describe, expect, test, vi } from 'vitest'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { Mailbox } from '../../src/kernel/mailbox.ts'
import { envelopeOf, proposalOf, without } from '../support/envelopes.ts'
import { faultyJournal, type FaultyJournal } from '../support/faulty-journal.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { approver, envelopeInput, ledgerOf } from '../support/refund-world.ts'
import { gate, rounds, until } from '../support/running.ts'

const HOUR_MS = 3_600_000
const envelope = defineEnvelope(envelopeInput)
const nothingUsed = { used: {}, at: 0 }
const day = { amount: '1000.00 USD', per: 'day', timeZone: 'UTC' } as const

interface Paid {
  readonly order: string
  readonly minor: number
}

const payingInto = (paid: Paid[]) =>
  defineAction({
    name: 'refund',
    input: z.object({ order: z.string(), minor: z.number() }),
    key: ({ order }) => order,
    amount: ({ minor }) => ({ currency: 'USD', minor }),
    idempotent: true,
    async execute({ input }) {
      paid.push(input)
      return null
    },
  })

interface Wish extends Partial<Paid> {
  readonly starts?: 'idle' | 'refunding'
  readonly confidence?: number | null
}

/** Proposes one refund, and can be told to propose another amount instead. */
function proposer(refund: ReturnType<typeof payingInto>, wish: Wish = {}) {
  const { order = 'o-1', starts = 'refunding', confidence = 1 } = wish
  return setup({
    types: { context: {} as { minor: number }, events: {} as Event },
    actors: { refund: governed(refund) },
  }).createMachine({
    id: 'proposer',
    context: { minor: wish.minor ?? 10_000 },
    initial: starts,
    states: {
      idle: { on: { go: 'refunding' } },
      refunding: {
        invoke: {
          src: 'refund',
          input: ({ context }) => ({
            args: { order, minor: context.minor },
            why: 'the customer asked',
            confidence: confidence as number,
          }),
          onDone: 'done',
          onError: 'declined',
        },
        on: {
          change: {
            target: 'refunding',
            reenter: true,
            actions: assign({ minor: ({ event }) => Number(event.minor) }),
          },
        },
      },
      done: {},
      declined: {},
    },
  })
}

interface Desk {
  readonly paid: Paid[]
  readonly system: ActorSystem
  readonly state: (id: string) => unknown
  readonly cases: () => string[]
}

/** One agent a wish, at `/a`, `/b` and so on, all with one action. */
function deskOf(
  wishes: readonly (Wish & { readonly under?: Envelope })[],
  options: { readonly journal?: Journal; readonly clock?: ManualClock } = {},
): Desk {
  const paid: Paid[] = []
  const refund = payingInto(paid)
  const children = wishes.map(({ under = envelope, ...wish }, i) =>
    agent('abc'.charAt(i), proposer(refund, wish), { envelope: under }),
  )
  const system = createSystem({ root: supervisor({ children }), ...options })
  return {
    paid,
    system,
    state: (id) => system.read.actors.get(`/${id}`)?.get().state,
    cases: () => system.cases().map(({ id, status }) => `${id} ${status}`),
  }
}

async function started(desk: Desk): Promise<Desk> {
  await desk.system.start()
  await desk.system.atRest()
  return desk
}

describe('windows', () => {
  test('A4 what is executed is what was judged, also when the schema transforms it', async () => {
    const done: number[] = []
    const refund = defineAction({
      name: 'refund',
      input: z.object({ order: z.string(), dollars: z.number().transform((d) => d * 100) }),
      key: ({ order }) => order,
      amount: ({ dollars }) => ({ currency: 'USD', minor: dollars }),
      idempotent: true,
      execute: async ({ input }) => done.push(input.dollars),
    })
    const machine = setup({ actors: { refund: governed(refund) } }).createMachine({
      id: 'transforming',
      invoke: {
        src: 'refund',
        input: () => ({ args: { order: 'o', dollars: 4 }, why: 'she asked', confidence: 1 }),
      },
    })
    const children = [agent('desk', machine, { envelope })]
    const system = createSystem({ root: supervisor({ children }) })
    await system.start()
    await system.atRest()
    expect(done).toEqual([400])
    expect(ledgerOf(system)).toEqual({ statuses: ['committed'], sums: [400] })
    await system.stop()
  })

  test('E6 a window asks a human about an amount that it cannot count', () => {
    const windowed = envelopeOf({ actions: { refund: { windows: [day] } } })
    const foreign = proposalOf({ amount: { currency: 'EUR', minor: 1 } })
    for (const proposal of [without('amount'), foreign]) {
      expect(decide([windowed], proposal, nothingUsed).severity).toBe('escalate')
    }
  })

  test('L1 of two proposals that fit only alone, one is denied if none can be asked', async () => {
    const alone = defineEnvelope({
      id: 'alone',
      owner: 'head',
      actions: { refund: { windows: [day] } },
    })
    const wish = { minor: 60_000, under: alone }
    const desk = await started(
      deskOf([
        { ...wish, order: 'o-1' },
        { ...wish, order: 'o-2' },
      ]),
    )
    expect(['a', 'b'].map(desk.state).sort()).toEqual(['declined', 'done'])
    expect(desk.cases()).toEqual([])
    expect(ledgerOf(desk.system).sums).toEqual([60_000])
    await desk.system.stop()
  })

  test('A4 the denial of one agent does not hold for another that may', async () => {
    const none = defineEnvelope({ id: 'none', owner: 'head', actions: { other: {} } })
    const wish = { starts: 'idle' } as const
    const desk = await started(deskOf([{ ...wish, under: none }, wish]))
    for (const id of ['a', 'b']) {
      desk.system.ref(`/${id}`).send({ type: 'go' })
      await desk.system.atRest()
    }
    expect(['a', 'b'].map(desk.state)).toEqual(['declined', 'done'])
    expect(desk.paid.length).toBe(1)
    await desk.system.stop()
  })
})

describe('routes', () => {
  test('E6 a confidence of null is a missing fact', async () => {
    const desk = await started(deskOf([{ confidence: null }]))
    expect(desk.system.cases()).toMatchObject([{ status: 'open', rules: ['missingFact'] }])
    await desk.system.stop()
  })

  test.each([95, 1.01, -1, NaN])('E6 a confidence of %s is a missing fact', (confidence) => {
    const { severity, rules } = decide([envelope], proposalOf({ confidence }), nothingUsed)
    expect({ severity, rules }).toEqual({ severity: 'escalate', rules: ['missingFact'] })
  })

  test('E5 a child does not choose who decides what its supervisor escalates', () => {
    const limited = (id: string, amount: string, by: string) =>
      envelopeOf({ id, actions: { refund: { atMost: { amount } } }, approval: { by: [by] } })
    const chain = [limited('boss', '500.00 USD', 'cfo'), limited('child', '9999.00 USD', 'intern')]
    const proposal = proposalOf({ amount: { currency: 'USD', minor: 60_000 } })
    expect(decide(chain, proposal, nothingUsed).approval?.by).toEqual(['cfo'])
  })

  test('A11 an amendment to another key is refused and the case opens again', async () => {
    const desk = await started(deskOf([{ order: 'o-1', minor: 60_000 }, { order: 'o-2' }]))
    const alice = await approver(desk.system, 'alice')
    await alice('c-1', 'amend', { args: { order: 'o-2', minor: 10_000 } } as never)
    await desk.system.atRest()
    expect(desk.paid).toEqual([{ order: 'o-2', minor: 10_000 }])
    expect(desk.cases().filter((each) => each.endsWith('open')).length).toBe(1)
    expect(desk.state('a')).toBe('refunding')
    const bob = await approver(desk.system, 'bob')
    await bob(openCaseOf(desk), 'approve')
    await desk.system.atRest()
    expect(desk.paid).toContainEqual({ order: 'o-1', minor: 60_000 })
    await desk.system.stop()
  })
})

const openCaseOf = ({ system }: Desk) =>
  system.cases().find(({ status }) => status === 'open')?.id ?? ''

/** With this journal a message lies in its outbox between two commits. */
const waitingJournal = () => faultyJournal(undefined, { storesGroups: false })

/** Holds the commit with which an action takes the withdrawal of its case. */
function holdWithdrawal(journal: FaultyJournal) {
  const door = gate()
  const held = { isWaiting: false, open: () => door.open() }
  journal.beforeCommit = (batch) => {
    const isIt = batch.some(
      (each) =>
        each.kind === 'turns' &&
        each.address.startsWith('/system/actions/') &&
        each.records.some((record) => record.includes('"type":"ambit.action.withdraw"')),
    )
    if (!isIt || held.isWaiting) return undefined
    held.isWaiting = true
    return door.opened
  }
  return held
}

describe('an earlier case of the same key', () => {
  test('A1 an approval on its way when the proposal changes approves nothing else', async () => {
    const journal = waitingJournal()
    const desk = await started(deskOf([{ minor: 72_000 }], { journal }))
    const alice = await approver(desk.system, 'alice')
    const held = holdWithdrawal(journal)
    desk.system.ref('/a').send({ type: 'change', minor: 9_999_900 })
    await until(() => held.isWaiting)
    // Its signature is checked on the way, in a thread: until then the decision is not with the desk.
    const offered = vi.spyOn(Mailbox.prototype, 'offer')
    const said = alice('c-1', 'approve')
    await until(() => offered.mock.calls.some(([{ type }]) => type === 'ambit.approval.submit'))
    offered.mockRestore()
    held.open()
    expect((await said).type).toBe('ambit.approval.accepted')
    await desk.system.atRest()
    expect(desk.paid).toEqual([])
    expect(desk.cases()).toEqual(['c-1 approved', 'c-2 open'])
    await desk.system.stop()
  })

  test('A10 an expiry on its way when the proposal changes ends nothing else', async () => {
    const [journal, clock] = [waitingJournal(), createManualClock()]
    const desk = deskOf([{ minor: 72_000 }], { journal, clock })
    await desk.system.start()
    await until(() => desk.cases().length === 1)
    const alice = await approver(desk.system, 'alice')
    const held = holdWithdrawal(journal)
    desk.system.ref('/a').send({ type: 'change', minor: 73_000 })
    await until(() => held.isWaiting)
    clock.advance(4 * HOUR_MS + 1)
    await rounds(5)
    held.open()
    await until(() => desk.cases().length === 2)
    await rounds(50)
    expect(desk.state('a')).toBe('refunding')
    expect(desk.cases()).toEqual(['c-1 expired', 'c-2 open'])
    expect((await alice('c-2', 'approve')).type).toBe('ambit.approval.accepted')
    await until(() => desk.paid.length > 0)
    expect(desk.paid).toEqual([{ order: 'o-1', minor: 73_000 }])
    await desk.system.stop({ graceMs: 0 })
  })
})

test('A10 a decision handed in after the expiry does not count', async () => {
  const [journal, clock] = [memory(), createManualClock()]
  const first = deskOf([{ minor: 72_000 }], { journal, clock })
  await first.system.start()
  await until(() => first.cases().length === 1)
  await first.system.stop({ graceMs: 0 })
  clock.turnTo(clock.now() + 5 * HOUR_MS)
  const { system, paid } = deskOf([{ minor: 72_000 }], { journal, clock })
  await system.start()
  const alice = await approver(system, 'alice')
  expect((await alice('c-1', 'approve')).type).toBe('ambit.approval.refused')
  expect(paid).toEqual([])
  await system.stop({ graceMs: 0 })
})
