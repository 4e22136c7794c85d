import { setImmediate as nextRound } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import {
  createActor,
  fromPromise,
  SimulatedClock,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
} from 'xstate'
import { createInterpreter } from '../../src/logic/interpreted.ts'
import type { CellState } from '../../src/logic/cell-state.ts'
import { Stepper } from '../support/stepper.ts'
import { childScenarios } from './child-scenarios.ts'
import { machineScenarios } from './machine-scenarios.ts'
import type { Scenario, Step } from './scenario.ts'

const scenarios = [...machineScenarios, ...childScenarios]

/** What is compared after each step: the machine and those it invoked. */
interface Seen {
  readonly value: unknown
  readonly context: unknown
  readonly status: string
  readonly output: unknown
  readonly children: Record<string, unknown>
}

interface Doors {
  readonly waiting: Map<string, { resolve(output: unknown): void; reject(error: Error): void }>
  readonly work: ReturnType<typeof fromPromise<unknown>>
}

/** Runs a scenario under XState itself: the oracle. */
async function underXState({ machine, input, steps }: Scenario): Promise<Seen[]> {
  const { waiting, work } = doors()
  const clock = new SimulatedClock()
  const provided = machine.provide({ actors: { work } } as never) as AnyStateMachine
  const tested = createActor(provided, { clock, input: input as never })
  tested.subscribe({ error: () => undefined })
  tested.start()
  const seen = [seenOf(tested.getSnapshot() as AnyMachineSnapshot)]
  for (const step of steps) {
    if (tested.getSnapshot().status !== 'active') continue
    if ('send' in step) tested.send(eventOf(step) as never)
    else if ('wait' in step) clock.increment(step.wait)
    else if ('resolve' in step) waiting.get(step.resolve)?.resolve(step.output)
    else waiting.get(step.reject)?.reject(new Error(step.error))
    await nextRound()
    seen.push(seenOf(tested.getSnapshot() as AnyMachineSnapshot))
  }
  return seen
}

/** Runs a scenario under Ambit's interpreter, with its ends and delays delivered by hand. */
function underAmbit({ machine, input, steps }: Scenario, storing: boolean): Seen[] {
  const stepper = new Stepper(createInterpreter(machine), { storing })
  stepper.start(input)
  const seen = [seenIn(stepper)]
  for (const step of steps) {
    if (stepper.status !== 'active') continue
    take(stepper, step)
    seen.push(seenIn(stepper))
  }
  return seen
}

function take(stepper: Stepper, step: Step): void {
  if ('send' in step) stepper.send(eventOf(step))
  else if ('wait' in step)
    step.due.filter((id) => isSet(stepper, id)).forEach((id) => stepper.fire(id))
  else if ('resolve' in step) stepper.endAt(step.resolve, { output: step.output })
  else stepper.endAt(step.reject, { error: { name: 'Error', message: step.error } })
}

function isSet(stepper: Stepper, id: string): boolean {
  return [...stepper.scheduled.values()].some((each) => each.id === id)
}

describe.each([false, true])('machines (stored between steps: %s)', (storing) => {
  test.each(scenarios)('M1 $name run as under XState', async (scenario) => {
    expect(underAmbit(scenario, storing)).toEqual(await underXState(scenario))
  })
})

test('M1 the comparison refutes a machine that differs in one action', async () => {
  const [, , tested, other] = machineScenarios
  const swapped = { ...tested!, machine: other!.machine }
  expect(underAmbit(swapped, false)).not.toEqual(await underXState(tested!))
})

test('M1 a throw in the root machine fails the step and leaves the state as it was', () => {
  const scenario = scenarios.find(({ name }) => name.startsWith('guards'))
  const broken = (scenario!.machine as AnyStateMachine).provide({
    guards: {
      isBig: () => {
        throw new Error('a guard threw')
      },
    },
  } as never) as AnyStateMachine
  const stepper = new Stepper(createInterpreter(broken)).start()
  const before = seenIn(stepper)
  expect(() => stepper.send({ type: 'go', n: 2 })).toThrow('a guard threw')
  expect(seenIn(stepper)).toEqual(before)
})

function doors(): Doors {
  const waiting: Doors['waiting'] = new Map()
  const work = fromPromise<unknown>(
    ({ self }) =>
      new Promise((resolve, reject) => {
        waiting.set(self.id, { resolve, reject })
      }),
  )
  return { waiting, work }
}

function eventOf({ send, n }: Extract<Step, { send: string }>) {
  return { type: send, ...(n !== undefined && { n }) }
}

function seenOf(snapshot: AnyMachineSnapshot): Seen {
  const children: Record<string, unknown> = {}
  for (const [id, child] of Object.entries(snapshot.children as Record<string, AnyActorRef>)) {
    const inside = child.getSnapshot() as Partial<AnyMachineSnapshot>
    if (inside.status === 'active' && inside.value !== undefined) {
      children[id] = { value: inside.value as unknown, context: inside.context as unknown }
    }
  }
  const { status } = snapshot
  const { value, context, output } = snapshot as Record<'value' | 'context' | 'output', unknown>
  return { value, context, status, output, children: status === 'active' ? children : {} }
}

function seenIn({ state, status, output }: Stepper): Seen {
  const { members, root } = state as CellState
  const children: Record<string, unknown> = {}
  for (const [path, { snapshot: inside }] of members) {
    if (inside.status === 'active' && inside.value !== undefined) {
      children[path] = { value: inside.value, context: inside.context }
    }
  }
  const { value, context } = root
  return { value, context, status, output, children: status === 'active' ? children : {} }
}
