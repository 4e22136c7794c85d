import {
  agent,
  createSystem,
  defineAction,
  defineEnvelope,
  governed,
  supervisor,
  type ActorSystem,
  type Event,
  type Journal,
  type TurnReport,
} from 'ambit'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { createRealClock } from '../../src/kernel/clock.ts'
import { faultyJournal } from './faulty-journal.ts'
import type { ManualClock } from './manual-clock.ts'
import { envelopeInput } from './refund-world.ts'
import { rounds } from './running.ts'

const envelope = defineEnvelope(envelopeInput)

export interface Paid {
  readonly order: string
  readonly minor: number
}

const payingInto = (paid: Paid[], isSure: boolean) =>
  defineAction({
    name: 'refund',
    input: z.object({ order: z.string(), minor: z.number() }),
    key: ({ order }) => order,
    amount: ({ minor }) => ({ currency: 'USD', minor }),
    idempotent: isSure,
    async execute({ input }) {
      if (!isSure) throw new Error('no answer')
      paid.push(input)
      return null
    },
  })

interface Heard {
  readonly minor: number
  readonly order: string
  readonly notices: readonly Event[]
  readonly end: unknown
}

/** Proposes a refund when it is told to, and keeps what it hears. */
const proposer = (refund: ReturnType<typeof payingInto>) =>
  setup({
    types: { context: {} as Heard, events: {} as Event },
    actors: { refund: governed(refund, { onWaiting: 'waiting' }) },
    actions: { note: assign({ end: ({ event }) => event.error ?? event.output }) },
  }).createMachine({
    id: 'proposer',
    context: { minor: 0, order: '', notices: [], end: null },
    initial: 'idle',
    on: {
      waiting: {
        actions: assign({ notices: ({ context, event }) => [...context.notices, event] }),
      },
    },
    states: {
      idle: {
        on: {
          go: {
            target: 'refunding',
            actions: assign({
              minor: ({ event }) => Number(event.minor),
              order: ({ event }) => (event.order as string | undefined) ?? 'o-1',
            }),
          },
        },
      },
      refunding: {
        invoke: {
          src: 'refund',
          input: ({ context: { order, minor } }) => ({
            args: { order, minor },
            why: 'the customer asked',
            confidence: 1,
          }),
          onDone: { target: 'done', actions: 'note' },
          onError: { target: 'declined', actions: 'note' },
        },
        on: { leave: 'idle' },
      },
      done: {},
      declined: {},
    },
  })

export interface DeskOptions {
  readonly journal?: Journal
  readonly clock?: ManualClock
  readonly isSure?: boolean
  /** Hears of each turn once it is stored. */
  readonly onTurn?: (report: TurnReport, system: ActorSystem) => void
}

/** The real time, but no drain is ever cut short: who takes what in which drain is always the same. */
const unhurried = () => ({ ...createRealClock(), elapsed: () => 0 })

/** Three agents at `/a`, `/b` and `/c` with one action, and the states through which actions went. */
export async function deskOf({ onTurn, isSure = true, ...options }: DeskOptions = {}) {
  const [paid, states]: [Paid[], unknown[]] = [[], []]
  const refund = payingInto(paid, isSure)
  const children = ['a', 'b', 'c'].map((id) => agent(id, proposer(refund), { envelope }))
  const observer = {
    onTurn(report: TurnReport) {
      if (report.address.startsWith('/system/actions/')) states.push(report.state)
      onTurn?.(report, system)
    },
  }
  const root = supervisor({ children })
  const clock = unhurried()
  const system: ActorSystem = createSystem({ root, observers: [observer], clock, ...options })
  await system.start()
  return {
    paid,
    states,
    system,
    tell: (id: string, event: Event) => system.ref(`/${id}`).send(event),
    go: (id: string, minor: number, order = 'o-1') =>
      system.ref(`/${id}`).send({ type: 'go', minor, order }),
    state: (id: string) => system.read.actors.get(`/${id}`)?.get().state,
    heard: (id: string) => (system.ref(`/${id}`).getSnapshot() as { context: Heard }).context,
    cases: () => system.cases().map(({ id, status }) => `${id} ${status}`),
    rest: () => (options.clock === undefined ? system.atRest() : rounds(60)),
  }
}

/** With this journal a message lies in its outbox between two commits. */
export const waitingJournal = () => faultyJournal(undefined, { storesGroups: false })

/** Does something at the first turn of a type. */
export const once = (type: string, act: (system: ActorSystem) => void) => {
  let isDone = false
  return (report: TurnReport, system: ActorSystem) => {
    if (isDone || report.type !== type) return
    isDone = true
    act(system)
  }
}

export const send = (system: ActorSystem, id: string, event: Event) =>
  void system.ref(`/${id}`).send(event)
