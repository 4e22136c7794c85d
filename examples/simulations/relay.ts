import { actor, createSystem, pool, supervisor, thisTurn } from 'ambit'
import {
  invariant,
  invariants,
  simulate,
  type Scenario,
  type SimulationOptions,
} from 'ambit/testing'
import { fromTransition } from 'xstate'

// Plain durable actors that hand jobs on: from the desk to one worker each, and from there to the shelf. Some jobs
// bring their worker down whenever it takes them.

interface Job {
  readonly type: 'job' | 'work' | 'done'
  readonly n: number
}

/** Every fifth job cannot be worked on. */
const isPoison = (n: number) => n % 5 === 0

const desk = fromTransition((taken: number, { n }: Job) => {
  thisTurn().tell(`/line/workers/w-${n % 3}`, { type: 'work', n })
  return taken + 1
}, 0)

const worker = fromTransition((worked: number, { n }: Job) => {
  if (isPoison(n)) throw new Error(`job ${n} cannot be done`)
  thisTurn().tell('/line/shelf', { type: 'done', n })
  return worked + 1
}, 0)

const shelf = fromTransition((done: readonly number[], { n }: Job) => [...done, n], [])

/** A job that was acknowledged lies on the shelf in the end, once; one that cannot be done is parked. */
export const jobsArrive = invariant('jobsArrive', ({ snapshotOf }) => {
  const acknowledged = new Set<number>()
  return {
    see(entry) {
      if (entry.kind === 'acknowledged') acknowledged.add(Number(entry.id.split('-')[1]))
      return undefined
    },
    atEnd() {
      const { context: done = [] } = (snapshotOf('/line/shelf') ?? {}) as { context?: number[] }
      if (new Set(done).size < done.length) return `The shelf has a job twice: ${done.join(', ')}.`
      const lost = [...acknowledged].find((n) => !isPoison(n) && !done.includes(n))
      return lost === undefined ? undefined : `Job ${lost} was acknowledged and never arrived.`
    },
  }
})

export function relay(options: Partial<SimulationOptions> & { jobs?: number } = {}): Scenario {
  const { jobs = 6, ...rest } = options
  const line = supervisor({
    id: 'line',
    children: [
      actor('desk', desk),
      pool('workers', actor('worker', worker)),
      actor('shelf', shelf),
    ],
  })
  return simulate({
    name: 'relay',
    system: (ports) => createSystem({ root: supervisor({ children: [line] }), ...ports }),
    traffic: Array.from({ length: jobs }, (_, i) => ({
      to: '/line/desk',
      event: { type: 'job', n: i + 1 },
    })),
    invariants: [...invariants, jobsArrive],
    ...rest,
  })
}
