import { describe, expect, test } from 'vitest'
import { QUEUE_MAX } from '../../machines/supervisor-context.ts'
import { isFailure, type ExitReason } from '../../src/kernel/exit.ts'
import type { RestartType, Strategy } from '../../src/kernel/restart-plan.ts'
import { aChild, boom, error, flags, Household, total } from '../support/household.ts'

const strategies: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one']
const restarts: readonly RestartType[] = ['permanent', 'transient', 'temporary']
const reasons: readonly ExitReason[] = [
  { kind: 'normal' },
  { kind: 'shutdown' },
  { kind: 'envelope', error },
  boom,
  { kind: 'killed' },
  { kind: 'timeout', error },
  { kind: 'restartIntensity', error },
  { kind: 'noproc' },
]

/** What is seen when the middle one of three is restarted. */
const moves: Readonly<Record<Strategy, readonly string[]>> = {
  one_for_one: ['-b', '+b'],
  one_for_all: ['-b', '-c', '-a', '+a', '+b', '+c'],
  rest_for_one: ['-b', '-c', '+b', '+c'],
}

/** Which ends are followed by a restart. */
const restarted: Readonly<Record<RestartType, (reason: ExitReason) => boolean>> = {
  permanent: ({ kind }) => kind !== 'envelope',
  transient: isFailure,
  temporary: () => false,
}

const matrix = strategies.flatMap((strategy) =>
  restarts.flatMap((restart) => reasons.map((reason) => ({ strategy, restart, reason }))),
)

describe('the matrix', () => {
  test.each(matrix)('R2 $strategy, $restart, $reason.kind', ({ strategy, restart, reason }) => {
    const children = [aChild('a'), aChild('b', { restart }), aChild('c')]
    const house = Household.up({ strategy }, children)
    house.crash('b', reason)
    house.settle()
    const isRestarted = restarted[restart](reason)
    expect(house.log).toEqual(isRestarted ? moves[strategy] : ['-b'])
    expect(total(house.context)).toBe(isRestarted ? 1 : 0)
    expect(house.statusOf('b')).toBe(
      isRestarted ? 'running' : restart === 'temporary' ? undefined : 'down',
    )
  })
})

describe('the window', () => {
  test.each([
    ['as many as the intensity', [0, 0, 0], false],
    ['one more', [0, 0, 0, 0], true],
    ['one more exactly a period after the first', [0, 10, 20, 1000], true],
    ['one more a moment later', [0, 10, 20, 1001], false],
  ])('R3 %s: gives up is %s', (_, times, givesUp) => {
    const house = Household.up({ intensity: 3, periodMs: 1000 }, [aChild('a')])
    for (const at of times) {
      house.now = at
      house.crash('a')
      house.settle()
    }
    expect(house.context.end?.reason.kind).toBe(givesUp ? 'restartIntensity' : undefined)
  })

  test('R3 the budget is that of all children together', () => {
    const house = Household.up({ intensity: 1 }, [aChild('a'), aChild('b')])
    for (const id of ['a', 'b']) {
      house.crash(id)
      house.settle()
    }
    expect(house.log).toEqual(['-a', '+a', '-b', '-a'])
    expect(house.context.end).toEqual({ reason: { kind: 'restartIntensity', error } })
  })

  test('R21 new flags count from now on, for restarts that were before as well', () => {
    const house = Household.up({ intensity: 5 }, [aChild('a')])
    for (let i = 0; i < 3; i++) {
      house.crash('a')
      house.settle()
    }
    house.call({ call: 'changeFlags', flags: { intensity: 3 } })
    house.crash('a')
    house.settle()
    expect(house.context.end?.reason.kind).toBe('restartIntensity')
  })

  test('R21 what changes of a child counts from its next end on', () => {
    const house = Household.up({}, [aChild('a')])
    house.call({ call: 'changeChild', id: 'a', change: { restart: 'temporary' } })
    house.crash('a')
    house.settle()
    expect(house.context.children).toEqual([])
  })

  test('R21 a change that would not be a valid spec is refused, and nothing changes', () => {
    const house = Household.up({ autoShutdown: 'any_significant' }, [
      aChild('k', { restart: 'transient', significant: true }),
    ])
    const before = house.context
    const refused = [
      house.call({ call: 'changeFlags', flags: { autoShutdown: 'never' } }),
      house.call({ call: 'changeChild', id: 'k', change: { restart: 'permanent' } }),
    ]
    for (const call of refused)
      expect(house.answerTo(call)).toMatchObject({ ok: false, error: 'badSignificant' })
    expect(house.context.flags).toEqual(before.flags)
    expect(house.context.children).toEqual(before.children)
  })
})

describe('retries', () => {
  test('R15 a start that fails during a restart is tried again, and counts', () => {
    const house = Household.up({ intensity: 5 }, [aChild('a')])
    house.failing.set('a', 2)
    house.crash('a')
    house.settle()
    expect(house.log).toEqual(['-a', '+a'])
    expect(total(house.context)).toBe(3)
  })

  test.each<[Strategy, string[]]>([
    ['one_for_one', ['-b', '+b']],
    ['one_for_all', ['-b', '-c', '-a', '+a', '-a', '+a', '+b', '+c']],
    ['rest_for_one', ['-b', '-c', '+b', '+c']],
  ])('R15 %s begins again where its strategy says', (strategy, expected) => {
    const house = Household.up({ strategy }, [aChild('a'), aChild('b'), aChild('c')])
    house.failing.set('b', 1)
    house.crash('b')
    house.settle()
    expect(house.log).toEqual(expected)
  })

  test('R15 tries are counted, so a child that never starts ends its supervisor', () => {
    const house = Household.up({ intensity: 3 }, [aChild('a'), aChild('b')])
    house.failing.set('b', 100)
    house.crash('b')
    house.settle()
    expect(house.context.end?.reason.kind).toBe('restartIntensity')
    expect(house.alive.size).toBe(0)
    expect(house.failing.get('b')).toBe(97)
  })

  test('R19 a terminated child is not tried again', () => {
    const house = Household.up({}, [aChild('a'), aChild('b')])
    house.failing.set('b', 1)
    house.crash('b')
    house.hear()
    house.hear()
    expect(house.statusOf('b')).toBe('restarting')
    house.call({ call: 'terminateChild', id: 'b' })
    house.settle()
    expect(house.log).toEqual(['-b'])
    expect(house.statusOf('b')).toBe('down')
  })
})

describe('what comes meanwhile', () => {
  test('R27 an exit that an earlier incarnation tells changes nothing', () => {
    const house = Household.up({}, [aChild('a')])
    const incarnation = house.alive.get('a') ?? 0
    house.crash('a')
    house.settle()
    house.tell({ type: 'ambit.child.exit', id: 'a', incarnation, reason: boom })
    house.settle()
    expect(house.log).toEqual(['-a', '+a'])
    expect(total(house.context)).toBe(1)
  })

  test('R27 a child that is being stopped and says that it has started is still being stopped', () => {
    const house = Household.up({}, [aChild('a')])
    const call = house.call({ call: 'terminateChild', id: 'a' })
    house.tell({ type: 'ambit.child.started', id: 'a', incarnation: 9 })
    expect(house.answerTo(call)).toBeUndefined()
    house.settle()
    expect(house.answerTo(call)).toMatchObject({ ok: true, running: false })
  })

  test('R15 calls wait for the work under way and are answered in their order', () => {
    const house = Household.up({ strategy: 'one_for_all' }, [aChild('a'), aChild('b')])
    house.crash('a')
    house.hear()
    const calls = [house.call({ call: 'countChildren' }), house.call({ call: 'whichChildren' })]
    expect(house.answers).toEqual([])
    house.settle()
    expect(house.answers.map(({ call }) => call)).toEqual(calls)
    expect(house.answerTo(0)).toMatchObject({ ok: true, counts: { active: 2 } })
  })

  test('R15 a shutdown does not wait for the work under way, and whoever called hears noproc', () => {
    const house = Household.up({}, [aChild('a'), aChild('b')])
    const first = house.call({ call: 'terminateChild', id: 'a' })
    const second = house.call({ call: 'countChildren' })
    house.shutDown()
    for (const call of [first, second])
      expect(house.answerTo(call)).toMatchObject({ ok: false, error: 'noproc' })
    house.settle()
    expect(house.context.end).toEqual({ reason: { kind: 'shutdown' } })
    expect(house.log).toEqual(['-a', '-b'])
  })

  test.each<[string, (house: Household) => void]>([
    ['stops', (house) => house.shutDown()],
    [
      'gives up',
      (house) => {
        house.crash('b')
        house.hear()
      },
    ],
  ])('R19 who calls a supervisor that %s hears noproc', (_, end) => {
    const house = Household.up({ intensity: 0 }, [aChild('a'), aChild('b')])
    end(house)
    const call = house.call({ call: 'countChildren' })
    house.settle()
    expect(house.context.end).not.toBeNull()
    expect(house.answerTo(call)).toMatchObject({ ok: false, error: 'noproc' })
  })

  test('R19 calls beyond what may wait are refused as overloaded, news never', () => {
    const house = new Household(flags, [aChild('a')])
    const waiting = { call: 'countChildren', type: 'ambit.supervisor.call' } as const
    house.context = { ...house.context, queue: Array(QUEUE_MAX).fill(waiting) as never }
    const call = house.call({ call: 'countChildren' })
    expect(house.answerTo(call)).toMatchObject({ ok: false, error: 'overloaded' })
    house.tell({ type: 'ambit.child.retry', id: 'a' })
    expect(house.context.queue).toHaveLength(QUEUE_MAX + 1)
  })

  test('R12 a shutdown during the start stops what has started, in reverse order', () => {
    const house = new Household(flags, [aChild('a'), aChild('b'), aChild('c')])
    house.hear()
    house.shutDown()
    house.settle()
    expect(house.log).toEqual(['+a', '+b', '-b', '-a'])
    expect(house.context.end).toEqual({ reason: { kind: 'shutdown' } })
  })
})
