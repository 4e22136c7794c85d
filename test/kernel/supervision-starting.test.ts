import { describe, expect, test } from 'vitest'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { checkSupervisor } from '../../src/kernel/supervisor-spec.ts'
import { child, family, unstarted, type Start } from '../support/family.ts'
import { rejection } from '../support/refusal.ts'
import { rounds, until } from '../support/running.ts'

describe.each(['none', 'sync'] as const)('starting, durability %s', (durability) => {
  const one = (id: string, starts: Start[] = [], more: object = {}) =>
    child(id, { durability, starts, ...more })

  test('R12 children start in order, supervisors with all theirs before the next', async () => {
    const inner = supervisor({ id: 's', children: [one('b'), one('c')] })
    const { seen, kernel } = await family({ children: [one('a'), inner, one('d')] })
    expect(seen()).toEqual(['+a', '+b', '+c', '+d'])
    await kernel.stop()
  })

  test('R12 the next child does not start before the one before has said ready()', async () => {
    const { seen, send, kernel, rest } = unstarted({
      children: [one('a', ['hang'], { ready: 'told' }), one('b')],
    })
    const started = kernel.start()
    await until(() => kernel.liveActors() === 2)
    await rounds()
    expect(seen()).toEqual(['+a'])
    send('/a', 'go')
    await started
    await rest()
    expect(seen()).toEqual(['+b'])
    await kernel.stop()
  })

  test('R12 one that fails takes those before it down again, in reverse order', async () => {
    const { trace, kernel } = unstarted({
      children: [one('a'), one('b'), one('c', ['fail']), one('d')],
    })
    const error = await rejection(kernel.start())
    expect(error.code).toBe('AMBIT_START_FAILED')
    expect(error.message).toContain('"/c" could not be started: no start')
    expect(trace.filter((each) => each !== '-/')).toEqual(['+a', '+b', '-c', '-b', '-a'])
  })

  test('R12 a supervisor whose child fails at its start is itself what could not be started', async () => {
    const inner = supervisor({ id: 's', children: [one('x'), one('y', ['fail'])] })
    const { trace, kernel } = unstarted({ children: [one('a'), inner, one('z')] })
    const error = await rejection(kernel.start())
    expect(error.message).toContain('"/s/y" could not be started')
    expect(trace.filter((each) => each !== '-/')).toEqual(['+a', '+x', '-y', '-x', '-s', '-a'])
  })

  test('R12 a start is not tried again by a supervisor that starts itself', async () => {
    const starts: Start[] = ['fail', 'ok']
    const { kernel } = unstarted({ children: [one('a', starts)] })
    await rejection(kernel.start())
    expect(starts).toEqual(['ok'])
  })

  test('R12 one that takes longer than startTimeoutMs is given up by name', async () => {
    const { trace, kernel, clock } = unstarted({
      children: [one('a'), one('slow', ['hang'], { ready: 'told', startTimeoutMs: 100 })],
    })
    const failed = rejection(kernel.start())
    await until(() => trace.includes('+slow'))
    clock.advance(99)
    await rounds()
    expect(trace).toEqual(['+a', '+slow'])
    clock.advance(1)
    const { message } = await failed
    expect(message).toContain('"/slow"')
    expect(message).toContain('100 ms')
    expect(trace.filter((each) => each !== '-/')).toEqual(['+a', '+slow', '-slow', '-a'])
  })

  test('R12 a supervisor without children starts', async () => {
    const { kernel, ask } = await family({ children: [supervisor({ id: 's', children: [] })] })
    expect(await ask('/s').countChildren()).toMatchObject({ counts: { specs: 0, active: 0 } })
    await kernel.stop()
  })

  test('R12 a pool starts at once, whatever its members will do', async () => {
    const { kernel, seen } = await family({
      children: [pool('p', one('m', ['fail'])), one('after')],
    })
    expect(seen()).toEqual(['+after'])
    await kernel.stop()
  })

  test('R13 one that ignores its start does not run, its spec is kept, and the others start', async () => {
    const { kernel, ask, rest, news } = await family({
      children: [one('a'), one('b', ['ignore']), one('c')],
    })
    await rest()
    expect(await ask().whichChildren()).toMatchObject({
      children: [
        { id: 'c', status: 'running' },
        { id: 'b', status: 'down' },
        { id: 'a', status: 'running' },
      ],
    })
    expect(news).toEqual([])
    expect(kernel.alarms).toEqual([])
    await kernel.stop()
  })

  test('R13 a temporary one that ignores its start is forgotten', async () => {
    const { kernel, ask, rest } = await family({
      children: [one('a', ['ignore'], { restart: 'temporary' }), one('b')],
    })
    await rest()
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 1, active: 1 } })
    await kernel.stop()
  })

  test('R13 one that ignored its start can be started later', async () => {
    const { kernel, ask, rest } = await family({ children: [one('a', ['ignore'])] })
    await rest()
    expect(await ask().restartChild('a')).toMatchObject({ ok: true, id: 'a', running: true })
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 1, active: 1 } })
    await kernel.stop()
  })

  test('R13 an added child that ignores its start is no failure either', async () => {
    const { kernel, ask, rest } = await family({ children: [] })
    const answer = await ask().startChild(one('a', ['ignore']))
    expect(answer).toMatchObject({ ok: true, id: 'a', running: false })
    await rest()
    expect(await ask().startChild(one('a'))).toMatchObject({ ok: false, error: 'alreadyPresent' })
    await kernel.stop()
  })
})

describe('specs', () => {
  const faults: [string, object, string, string | RegExp][] = [
    ['a strategy nobody knows', { strategy: 'one_for_none' }, 'AMBIT_SPEC_INVALID', /strategy/],
    ['a negative intensity', { intensity: -1 }, 'AMBIT_SPEC_INVALID', /intensity/],
    ['half an intensity', { intensity: 1.5 }, 'AMBIT_SPEC_INVALID', /intensity/],
    ['no period', { periodMs: 0 }, 'AMBIT_SPEC_INVALID', /periodMs/],
    ['a shutdown nobody knows', { autoShutdown: 'perhaps' }, 'AMBIT_SPEC_INVALID', /autoShutdown/],
    ['an unknown option', { intensty: 3 }, 'AMBIT_SPEC_INVALID', /intensty/],
    ['a grace that is no time', { shutdownMs: -5 }, 'AMBIT_SPEC_INVALID', /shutdownMs/],
    ['children that are none', { children: [7] }, 'AMBIT_SPEC_INVALID', /children/],
    ['an id taken twice', { children: [child('a'), child('a')] }, 'AMBIT_CHILD_ID_TAKEN', /"a"/],
    [
      'a significant child without an end of its own',
      { children: [child('a', { significant: true })] },
      'AMBIT_SPEC_INVALID',
      /autoShutdown/,
    ],
  ]

  test.each(faults)('R29 %s is refused by name', (_, options, code, named) => {
    const make = () => supervisor({ children: [], ...options } as never)
    expect(make).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(named) as string }),
    )
  })

  test.each(faults)('R29 checkSupervisor names %s', (_, options, _code, named) => {
    const [fault] = checkSupervisor({ children: [], ...options } as never)
    expect(fault?.message).toMatch(named)
  })

  test('R29 a permanent child cannot be significant', () => {
    const make = () => child('a', { significant: true, restart: 'permanent' })
    expect(make).toThrow(/significant child to be transient or temporary, got "permanent"/)
  })

  test('R29 a pool never shuts itself down, so its members are not significant', () => {
    expect(() => pool('p', child('m', { significant: true }))).toThrow(/cannot be significant/)
  })

  test('R29 checkSupervisor gives all faults at once, and none for a sound spec', () => {
    const children = [
      child('a'),
      child('a', { significant: true }),
      child('b', { significant: true }),
    ]
    expect(checkSupervisor({ children }).map(({ reason, child: id }) => [reason, id])).toEqual([
      ['duplicateChildId', 'a'],
      ['significantWithoutAutoShutdown', 'a'],
      ['significantWithoutAutoShutdown', 'b'],
    ])
    expect(checkSupervisor({ children: [child('a'), child('b')] })).toEqual([])
  })
})
