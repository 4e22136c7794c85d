import { actor, createSystem, pool, supervisor, thisTurn } from 'ambit'
import {
  invariant,
  invariants,
  simulate,
  supervision,
  type Scenario,
  type SimulationOptions,
} from 'ambit/testing'
import { assign, fromTransition, setup } from 'xstate'

// Three levels of supervisors over durable workers and a pool. Some jobs bring their worker down: it takes those along
// that started after it, then the shift gives up, then the crew, which takes everybody along; and no job is lost.

interface Job {
  readonly type: 'job' | 'work' | 'done'
  readonly n: number
}

/** Jobs from 100 on cannot be done. */
const isPoison = (n: number) => n >= 100

const PERIOD_MS = 10_000
const crewRule = {
  strategy: 'one_for_all',
  intensity: 2,
  periodMs: PERIOD_MS,
  children: ['shift', 'helpers', 'clerk'],
} as const
const shiftRule = {
  strategy: 'rest_for_one',
  intensity: 1,
  periodMs: PERIOD_MS,
  children: ['a', 'b', 'c'],
} as const

const worker = fromTransition((taken: number, { n }: Job) => {
  if (isPoison(n)) throw new Error(`job ${n} cannot be done`)
  thisTurn().tell(`/crew/helpers/h-${n % 2}`, { type: 'work', n })
  return taken + 1
}, 0)

const helper = fromTransition((worked: number, { n }: Job) => {
  thisTurn().tell('/crew/clerk', { type: 'done', n })
  return worked + 1
}, 0)

/** Shuts the book when it is told to stop, and opens it again in its next life. */
const clerk = setup({
  types: {
    context: {} as { done: readonly number[] },
    events: {} as Job | { type: 'ambit.stopping' },
  },
}).createMachine({
  id: 'clerk',
  context: { done: [] },
  initial: 'open',
  states: {
    open: {
      on: {
        done: { actions: assign({ done: ({ context, event }) => [...context.done, event.n] }) },
        'ambit.stopping': 'shut',
      },
    },
    shut: { type: 'final' },
  },
})

/** A job that was acknowledged is in the book, once, whoever was restarted. */
export const booked = invariant('booked', ({ snapshotOf }) => {
  const acknowledged = new Set<string>()
  const jobs = new Map<string, number>()
  return {
    see(entry) {
      if (entry.kind === 'acknowledged') acknowledged.add(entry.id)
      if (entry.kind !== 'turn' || entry.record.message.type !== 'job') return undefined
      const { once } = entry.record.message.headers
      if (once !== undefined) jobs.set(once, Number(entry.record.message.body.n))
      return undefined
    },
    atEnd() {
      const stored = snapshotOf('/crew/clerk') as { context?: { done: number[] } } | undefined
      const done = stored?.context?.done ?? []
      if (new Set(done).size < done.length) return `The book has a job twice: ${done.join(', ')}.`
      const lost = [...acknowledged].find((id) => {
        const n = jobs.get(id)
        return n !== undefined && !isPoison(n) && !done.includes(n)
      })
      return lost === undefined ? undefined : `${lost} was acknowledged and is not in the book.`
    },
  }
})

const job = (to: string, n: number, afterMs: number) => ({
  to: `/crew/shift/${to}`,
  event: { type: 'job', n },
  afterMs,
})

export function team(options: Partial<SimulationOptions> = {}): Scenario {
  const rules = { backoff: 'none' } as const
  const shift = supervisor({
    ...shiftRule,
    ...rules,
    id: 'shift',
    children: shiftRule.children.map((id) => actor(id, worker, { attemptsMax: 1 })),
  })
  const helpers = pool('helpers', actor('helper', helper))
  const children = [shift, helpers, actor('clerk', clerk)]
  const crew = supervisor({ ...crewRule, ...rules, id: 'crew', children })
  return simulate({
    name: 'team',
    system: (ports) => createSystem({ root: supervisor({ children: [crew] }), ...ports }),
    traffic: [
      job('a', 1, 0),
      job('b', 101, 1000),
      job('c', 2, 1000),
      // As long after the first as the shift remembers: it gives up.
      job('b', 102, 1000 + PERIOD_MS),
      job('a', 3, 1000 + PERIOD_MS),
      // One each, together one too many.
      ...[30_000, 30_100, 30_200].flatMap((ms, i) => [
        job('a', 110 + i, ms),
        job('c', 120 + i, ms),
        job('b', 10 + i, ms),
      ]),
    ],
    invariants: [
      ...invariants,
      ...supervision({ '/crew': crewRule, '/crew/shift': shiftRule }),
      booked,
    ],
    ...options,
  })
}
