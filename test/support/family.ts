import { assign, setup } from 'xstate'
import { actor, type MachineOptions } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { supervisorHandle, type SupervisorHandle } from '../../actors/supervisor-handle.ts'
import type { ActorSpec } from '../../src/kernel/child-spec.ts'
import type { DeadLetter } from '../../src/kernel/dead-letters.ts'
import type { Event } from '../../src/kernel/message.ts'
import type { Engine, Place } from '../../src/kernel/ports/engine.ts'
import type { Observer, SupervisionReport } from '../../src/kernel/ports/observer.ts'
import type { SupervisorOptions } from '../../src/kernel/supervisor-spec.ts'
import type { Kernel } from '../../src/kernel/system.ts'
import { ignore, ready, reply } from '../../src/logic/actions.ts'
import { make, type Running, type RunOptions } from './running.ts'

/** How a start goes: `hang` waits for the event `go`. */
export type Start = 'ok' | 'fail' | 'ignore' | 'hang'

export interface ChildOptions extends MachineOptions {
  /** How its next starts go, first one first; afterwards they go well. The test may add to it. */
  readonly starts?: Start[]
  /** What it does when it is told to stop: nothing special, end at once, or wait for `finish`. */
  readonly stopping?: 'deaf' | 'ends' | 'lingers'
}

const traces = new WeakMap<Kernel, string[]>()

/** A child that counts, fails at `boom`, ends at `end`, and starts as it is told. A message brings it down once. */
export function child(id: string, options: ChildOptions = {}): ActorSpec {
  const { starts = [], stopping = 'deaf', ...rest } = options
  const spec = actor(id, soul(starts, stopping), { attemptsMax: 1, ...rest })
  return { ...spec, engine: traced(spec) }
}

/** A family over a manual clock, and what was seen of it. */
export interface Family extends Running {
  /** `+id` when a life has begun, `-id` when one has ended, in their order; of supervisors the ends only. */
  readonly trace: string[]
  readonly news: SupervisionReport[]
  readonly letters: DeadLetter[]
  readonly ask: (address?: string) => SupervisorHandle
  readonly send: (address: string, ...types: string[]) => void
  /** Empties the trace, and gives what was in it. */
  readonly seen: () => string[]
}

export async function family(options: SupervisorOptions, more: RunOptions = {}): Promise<Family> {
  const made = unstarted(options, more)
  await made.kernel.start()
  return made
}

export function unstarted(options: SupervisorOptions, more: RunOptions = {}): Family {
  const trace: string[] = []
  const news: SupervisionReport[] = []
  const letters: DeadLetter[] = []
  const own: Observer = {
    onExit: ({ address }) => void trace.push(`-${idOf(address)}`),
    onSupervision: (report) => void news.push(report),
    onDeadLetter: (letter) => void letters.push(letter),
  }
  const observers = [...(more.observers ?? []), own]
  const running = make([], { ...more, root: supervisor(options), observers })
  traces.set(running.kernel, trace)
  return {
    ...running,
    trace,
    news,
    letters,
    ask: (address = '/') => supervisorHandle(running.kernel, address, () => undefined),
    send(address, ...types) {
      for (const type of types) running.kernel.ref(address).send({ type })
    },
    seen: () => trace.splice(0),
  }
}

/** What a supervisor says of a child; undefined for one it does not know. */
export async function statusOf(asked: SupervisorHandle, id: string): Promise<string | undefined> {
  const answer = await asked.whichChildren()
  return answer.ok ? answer.children.find((shown) => shown.id === id)?.status : undefined
}

/** The engine, writing down each begun life in the trace of its kernel. */
function traced({ engine, recover }: ActorSpec): Engine {
  const begun = (place: Place) =>
    traces.get(place.home as Kernel)?.push(`+${idOf(addressOf(place))}`)
  return {
    ...engine,
    start(input, place) {
      const step = engine.start(input, place)
      if (step.status !== 'error') begun(place)
      return step
    },
    restore(stored, place) {
      const state = engine.restore(stored, place)
      // One that begins anew is read first, for its generation, and then started.
      if (recover !== 'fresh') begun(place)
      return state
    },
  }
}

function addressOf(place: Place): string {
  return (place as unknown as { readonly address: string }).address
}

function idOf(address: string): string {
  return address === '/' ? '/' : address.slice(address.lastIndexOf('/') + 1)
}

function soul(starts: Start[], stopping: ChildOptions['stopping']) {
  const told =
    stopping === 'deaf' ? {} : { 'ambit.stopping': stopping === 'ends' ? '.ended' : '.lingering' }
  return setup({
    types: { context: {} as { count: number; how: Start; graceMs: number }, events: {} as Event },
    actions: {
      boom: assign(() => {
        throw new Error('boom')
      }),
    },
  }).createMachine({
    id: 'soul',
    context: () => {
      const how = starts.shift() ?? 'ok'
      if (how === 'fail') throw new Error('no start')
      return { count: 0, how, graceMs: 0 }
    },
    initial: 'begun',
    on: {
      add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
      boom: { actions: 'boom' },
      end: '.ended',
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.count })) },
      ...told,
    },
    states: {
      begun: {
        always: [
          { guard: ({ context }) => context.how === 'ignore', target: 'ignoring' },
          { guard: ({ context }) => context.how === 'ok', target: 'up' },
        ],
        on: { go: 'up' },
      },
      ignoring: { entry: ignore() },
      up: { entry: ready() },
      lingering: { on: { finish: 'ended' } },
      ended: { type: 'final' },
    },
  })
}
