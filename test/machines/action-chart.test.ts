import { describe, expect, test } from 'vitest'
import { createMachine, type AnyStateMachine } from 'xstate'
import { createActionMachine } from '../../machines/action.ts'
import type { ActionServices } from '../../machines/action-steps.ts'
import { chartOf, reachable, START, type Chart, type Edge } from '../support/chart.ts'

// The proof looks at the chart alone: no service is ever called.
const machine = createActionMachine({} as ActionServices) as unknown as AnyStateMachine
const chart = chartOf(machine)

const describeEdge = ({ from, to, kind, event }: Edge) => `${from} -> ${to} (${event || kind})`

/** Everything in a chart that would let an effect happen without its guard. */
function holesIn(tested: Chart): string[] {
  return [
    ...effectsBesideAuthorized(tested),
    ...strangeWaysTo(tested, 'authorized', isGuarded),
    ...strangeWaysTo(tested, 'retrying', ({ from }) => tested.tagged('effect').includes(from)),
    ...strangeWaysTo(tested, 'reserving', isJudgedOrDecided),
    ...waysFromHumansByThemselves(tested),
  ]
}

/** With `authorized` taken out of the chart no effect may be reachable. */
function effectsBesideAuthorized(tested: Chart): string[] {
  const reached = reachable(tested, [START], ({ to }) => to !== 'authorized')
  const effects = tested.tagged('effect').filter((state) => reached.has(state))
  return effects.map((state) => `${state} is reached without authorized`)
}

function strangeWaysTo(tested: Chart, state: string, allowed: (edge: Edge) => boolean): string[] {
  return tested.edges.filter((edge) => edge.to === state && !allowed(edge)).map(describeEdge)
}

/** Only a reservation that was answered, or a wait after an attempt that was authorised before. */
function isGuarded({ from, kind }: Edge): boolean {
  return (from === 'reserving' && kind === 'done') || (from === 'retrying' && kind === 'after')
}

/** Only what `decide` let through, or what a human decided. */
function isJudgedOrDecided({ from, kind, event }: Edge): boolean {
  if (from === 'judged') return kind === 'always'
  return from === 'awaitingHuman' && event === 'ambit.action.decided'
}

/** Neither time nor a wildcard nor anything else but an explicit event may lead on from a human. */
function waysFromHumansByThemselves(tested: Chart): string[] {
  const human = tested.tagged('human')
  const reached = reachable(tested, human, ({ kind }) => kind !== 'event')
  const effects = tested.tagged('effect').filter((state) => reached.has(state))
  const leaving = tested.edges.filter(({ from, kind }) => human.includes(from) && kind !== 'event')
  return [
    ...effects.map((state) => `${state} is reached from a human by itself`),
    ...leaving.map(describeEdge),
  ]
}

describe('the action machine', () => {
  test('A2 no effect is reachable except through authorized, nor authorized except guarded', () => {
    expect(holesIn(chart)).toEqual([])
  })

  test('A2 the proof is about the states that matter', () => {
    expect(chart.tagged('effect')).toEqual(['executing', 'compensating'])
    expect(chart.tagged('human')).toEqual(['awaitingHuman', 'inDoubt'])
    const reached = reachable(chart, [START], () => true)
    expect(chart.states.filter((state) => !reached.has(state))).toEqual([])
  })

  test('A2 what the machine invokes as an effect it invokes in states tagged effect', () => {
    const touching: unknown[] = ['execute', 'compensate']
    const invoking = Object.values(machine.states).filter(({ invoke }) =>
      invoke.some(({ src }) => touching.includes(src)),
    )
    expect(invoking.map(({ key }) => key)).toEqual(chart.tagged('effect'))
  })

  test('A10 a case that expires leads to expired and nowhere else', () => {
    const ways = chart.edges.filter(({ event }) => event === 'ambit.action.expired')
    expect(ways.map(describeEdge)).toEqual(['awaitingHuman -> expired (ambit.action.expired)'])
  })

  test('A15 an effect in doubt ends only by a human’s decision', () => {
    const ways = chart.edges.filter(({ from }) => from === 'inDoubt')
    expect(new Set(ways.map(({ event }) => event))).toEqual(new Set(['ambit.action.decided']))
    expect(ways.map(({ to }) => to)).toEqual(['committed', 'failed'])
  })

  test('A5 once the effect has begun no withdrawal changes the state', () => {
    const ways = chart.edges.filter(({ event }) => event === 'ambit.action.withdraw')
    const from = ways.map((edge) => edge.from)
    expect(from.sort()).toEqual(['awaitingHuman', 'evaluating', 'reserving'])
  })
})

describe('planted holes', () => {
  type StateConfig = Record<string, unknown>
  const { states } = machine.config as { states: Record<string, StateConfig> }
  const changed = (state: string, change: StateConfig): object => ({
    states: { ...states, [state]: { ...states[state], ...change } },
  })
  const onOf = (state: string) => states[state]?.on as object | undefined
  const listening = (state: string, event: string, target: string) =>
    changed(state, { on: { ...onOf(state), [event]: target } })
  const invokeOf = (state: string) => states[state]?.invoke as object

  const holes: [string, object, string][] = [
    [
      'approves when nobody answers',
      changed('awaitingHuman', { after: { 1000: 'reserving' } }),
      'awaitingHuman -> reserving (xstate.after.1000.action.awaitingHuman)',
    ],
    [
      'approves at any event',
      listening('awaitingHuman', '*', 'reserving'),
      'awaitingHuman -> reserving (*)',
    ],
    [
      'approves by a part of an event’s name',
      listening('awaitingHuman', 'ambit.case.*', 'reserving'),
      'awaitingHuman -> reserving (ambit.case.*)',
    ],
    [
      'approves by itself',
      changed('awaitingHuman', { always: 'authorized' }),
      'awaitingHuman -> authorized (always)',
    ],
    [
      'goes past the ledger after a human',
      listening('awaitingHuman', 'ambit.action.decided', 'authorized'),
      'awaitingHuman -> authorized (ambit.action.decided)',
    ],
    [
      'goes past the judge',
      listening('idle', 'ambit.action.propose', 'reserving'),
      'idle -> reserving (ambit.action.propose)',
    ],
    [
      'goes past everything',
      listening('idle', 'ambit.action.propose', 'executing'),
      'executing is reached without authorized',
    ],
    [
      'authorises when the ledger fails',
      changed('reserving', { invoke: { ...invokeOf('reserving'), onError: 'authorized' } }),
      'reserving -> authorized (xstate.error.actor.0.action.reserving)',
    ],
    [
      'authorises on the judgement alone',
      changed('judged', { always: 'authorized' }),
      'judged -> authorized (always)',
    ],
    [
      'tries again what was never tried',
      listening('expired', 'ambit.action.propose', 'retrying'),
      'expired -> retrying (ambit.action.propose)',
    ],
    [
      'settles a doubt by trying again',
      listening('inDoubt', 'ambit.action.decided', 'retrying'),
      'inDoubt -> retrying (ambit.action.decided)',
    ],
    [
      'settles a doubt by waiting',
      changed('inDoubt', { after: { 1000: 'failed' } }),
      'inDoubt -> failed (xstate.after.1000.action.inDoubt)',
    ],
    ['starts authorised', { initial: 'authorized' }, '(start) -> authorized (initial)'],
    [
      'acts on a root event from anywhere',
      { on: { 'ambit.action.hurry': '.executing' } },
      'executing is reached without authorized',
    ],
    [
      'calls a state an effect that a denial reaches',
      changed('denied', { tags: ['effect'] }),
      'denied is reached without authorized',
    ],
  ]

  test.each(holes)('A2 a chart that %s is caught', (_, change, hole) => {
    const broken = createMachine(
      { ...machine.config, ...change } as never,
      machine.implementations as never,
    ) as unknown as AnyStateMachine
    expect(holesIn(chartOf(broken))).toContain(hole)
  })
})
