import { expect, test } from 'vitest'
import { supervision, type Happening } from 'ambit/testing'
import { turn, verdict } from '../support/traces.ts'

const rule = { intensity: 1, periodMs: 10, children: ['a', 'b', 'c'] } as const
const rules = {
  '/one': { ...rule, strategy: 'one_for_one' },
  '/rest': { ...rule, strategy: 'rest_for_one' },
  '/all': { ...rule, strategy: 'one_for_all' },
} as const

const exit = (address: string, reason = 'shutdown'): Happening => ({
  kind: 'exit',
  address,
  reason,
  incarnation: 1,
})
const back = (address: string): Happening => ({ kind: 'restart', address, delayMs: 0 })
const supervised = (
  supervisor: string,
  child: string,
  plan: 'restart' | 'giveUp' = 'restart',
  at = 0,
): Happening => ({ kind: 'supervised', supervisor, child, plan, at })
const started: Happening = { kind: 'started', process: 2 }

const table: [name: string, how: string, trace: readonly Happening[], said: string | undefined][] =
  [
    ['intensityPerSupervisor', 'one', [supervised('/one', 'a')], undefined],
    [
      'intensityPerSupervisor',
      'of two children, exactly a period apart',
      [supervised('/one', 'a'), supervised('/one', 'b', 'restart', 10)],
      '/one restarts 2 times in 10 ms, and may 1.',
    ],
    [
      'intensityPerSupervisor',
      'more than a period apart',
      [supervised('/one', 'a'), supervised('/one', 'b', 'restart', 11)],
      undefined,
    ],
    [
      'intensityPerSupervisor',
      'in two of its lives',
      [supervised('/one', 'a'), exit('/one'), supervised('/one', 'b')],
      undefined,
    ],
    ['stopsInReverse', 'the last first', [exit('/one/c'), exit('/one/a')], undefined],
    [
      'stopsInReverse',
      'the first first',
      [exit('/one/a'), exit('/one/c')],
      '/one/c was stopped after a child that started before it.',
    ],
    [
      'stopsInReverse',
      'started between',
      [exit('/one/a'), back('/one/a'), exit('/one/c')],
      undefined,
    ],
    ['stopsInReverse', 'a failure', [exit('/one/a', 'error'), exit('/one/c')], undefined],
    [
      'restartsTogether',
      'all',
      [supervised('/all', 'b'), exit('/all/c'), exit('/all/a'), back('/all/b')],
      undefined,
    ],
    [
      'restartsTogether',
      'all but one',
      [supervised('/all', 'b'), exit('/all/c'), back('/all/b')],
      '/all/a ran on while /all/b was restarted, and belongs with it.',
    ],
    [
      'restartsTogether',
      'the rest',
      [supervised('/rest', 'b'), exit('/rest/c'), back('/rest/b')],
      undefined,
    ],
    [
      'restartsTogether',
      'none of the rest',
      [supervised('/rest', 'b'), back('/rest/b')],
      '/rest/c ran on while /rest/b was restarted, and belongs with it.',
    ],
    ['restartsTogether', 'one alone', [supervised('/one', 'b'), back('/one/b')], undefined],
    [
      'endsWithItsSupervisor',
      'a turn after the end',
      [exit('/one'), turn('/one/a')],
      '/one/a made a turn, and its supervisor /one is over.',
    ],
    [
      'endsWithItsSupervisor',
      'a turn in its next life',
      [exit('/one'), supervised('/', 'one'), turn('/one/a')],
      undefined,
    ],
    [
      'endsWithItsSupervisor',
      'a turn in the next process',
      [exit('/one'), started, turn('/one/a')],
      undefined,
    ],
    [
      'givingUpIsAFailure',
      'as a failure',
      [supervised('/one', 'a', 'giveUp'), exit('/one', 'restartIntensity')],
      undefined,
    ],
    [
      'givingUpIsAFailure',
      'as a clean end',
      [supervised('/one', 'a', 'giveUp'), exit('/one')],
      '/one gave up and says "shutdown".',
    ],
  ]

test.each(table.map(([name, how, trace, said]) => ({ name, how, trace, said })))(
  'V20 $name: $how',
  async ({ name, trace, said }) => {
    const [one] = supervision(rules).filter((each) => each.name === name)
    if (one === undefined) throw new Error(`There is no invariant "${name}"`)
    expect(await verdict(one, trace)).toBe(said)
  },
)
