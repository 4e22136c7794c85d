import { describe, expect, test } from 'vitest'
import { supervisor } from '../../actors/supervisor.ts'
import type { RestartType, Strategy } from '../../src/kernel/restart-plan.ts'
import { child, family, statusOf, type Start } from '../support/family.ts'
import { until, valueOf } from '../support/running.ts'

const get = { type: 'get' }

describe.each(['none', 'sync'] as const)('strategies, durability %s', (durability) => {
  const one = (id: string, more: object = {}) => child(id, { durability, ...more })
  const three = () => [one('a'), one('b'), one('c')]
  /** One whose every restart is a start of its machine, which may fail. */
  const fresh = (id: string, starts: Start[]) => one(id, { starts, recover: 'fresh' })

  test.each<[Strategy, string, string[]]>([
    ['one_for_one', 'a', ['-a', '+a']],
    ['one_for_one', 'b', ['-b', '+b']],
    ['one_for_one', 'c', ['-c', '+c']],
    ['one_for_all', 'a', ['-a', '-c', '-b', '+a', '+b', '+c']],
    ['one_for_all', 'b', ['-b', '-c', '-a', '+a', '+b', '+c']],
    ['one_for_all', 'c', ['-c', '-b', '-a', '+a', '+b', '+c']],
    ['rest_for_one', 'a', ['-a', '-c', '-b', '+a', '+b', '+c']],
    ['rest_for_one', 'b', ['-b', '-c', '+b', '+c']],
    ['rest_for_one', 'c', ['-c', '+c']],
  ])('R14 %s: when %s fails, this happens: %j', async (strategy, id, expected) => {
    const { send, settle, seen, kernel } = await family({ strategy, children: three() })
    seen()
    send(`/${id}`, 'boom')
    await settle()
    expect(seen()).toEqual(expected)
    await kernel.stop()
  })

  test.each<[RestartType, string, number]>([
    ['permanent', 'end', 2],
    ['permanent', 'boom', 2],
    ['transient', 'end', 1],
    ['transient', 'boom', 2],
    ['temporary', 'end', 1],
    ['temporary', 'boom', 1],
  ])('R2 a %s child after %s has had %i lives', async (restart, event, lives) => {
    const { send, settle, trace, kernel, ask } = await family({ children: [one('a', { restart })] })
    send('/a', event)
    await settle()
    expect(trace.filter((each) => each === '+a')).toHaveLength(lives)
    const specs = restart === 'temporary' ? 0 : 1
    expect(await ask().countChildren()).toMatchObject({ counts: { specs, active: lives - 1 } })
    await kernel.stop()
  })

  test.each<[Strategy, string[]]>([
    ['one_for_all', ['-b', '-t', '-a', '+a', '+b']],
    ['rest_for_one', ['-b', '-t', '+b']],
  ])('R14 %s stops a temporary bystander and does not start it', async (strategy, expected) => {
    const children = [one('a'), one('b'), one('t', { restart: 'temporary' })]
    const { send, settle, seen, kernel, ask } = await family({ strategy, children })
    seen()
    send('/b', 'boom')
    await settle()
    expect(seen()).toEqual(expected)
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 2, active: 2 } })
    await kernel.stop()
  })

  test('R14 a restart of all counts once', async () => {
    const { send, settle, kernel } = await family({
      strategy: 'one_for_all',
      intensity: 2,
      backoff: 'none',
      children: three(),
    })
    for (const id of ['a', 'b']) {
      send(`/${id}`, 'boom')
      await settle()
    }
    expect(kernel.alarms).toEqual([])
    send('/c', 'boom')
    await settle()
    expect(kernel.alarms).toMatchObject([{ address: '/' }])
    await kernel.stop()
  })

  test('R14 a clean end of a transient child moves nobody', async () => {
    const { send, settle, seen, kernel } = await family({
      strategy: 'one_for_all',
      children: three(),
    })
    seen()
    send('/b', 'end')
    await settle()
    expect(seen()).toEqual(['-b'])
    await kernel.stop()
  })

  test('R14 children added at run time come last, in start and in stop', async () => {
    const { send, settle, seen, kernel, ask } = await family({
      strategy: 'one_for_all',
      children: [one('a'), one('b')],
    })
    expect(await ask().startChild(one('x'))).toMatchObject({ ok: true, running: true })
    seen()
    send('/a', 'boom')
    await settle()
    expect(seen()).toEqual(['-a', '-x', '-b', '+a', '+b', '+x'])
    await kernel.stop()
  })

  test('R14 a supervisor among the bystanders takes all its children along', async () => {
    const inner = supervisor({ id: 's', children: [one('x'), one('y')] })
    const { send, settle, seen, kernel } = await family({
      strategy: 'rest_for_one',
      children: [one('a'), inner, one('z')],
    })
    seen()
    send('/a', 'boom')
    await settle()
    expect(seen()).toEqual(['-a', '-z', '-y', '-x', '-s', '+a', '+x', '+y', '+z'])
    await kernel.stop()
  })

  test('R14 a restart within a supervisor does not touch its siblings', async () => {
    const inner = supervisor({ id: 's', strategy: 'one_for_all', children: [one('x'), one('y')] })
    const { send, settle, seen, kernel } = await family({
      strategy: 'one_for_all',
      children: [one('a'), inner],
    })
    seen()
    send('/s/x', 'boom')
    await settle()
    expect(seen()).toEqual(['-x', '-y', '+x', '+y'])
    await kernel.stop()
  })

  test('R15 a start that fails during a restart is tried again', async () => {
    const starts: Start[] = ['ok', 'fail', 'fail', 'ok']
    const { send, settle, seen, kernel, news } = await family({ children: [fresh('a', starts)] })
    send('/a', 'boom')
    await settle()
    expect(starts).toEqual([])
    expect(news.map(({ kind }) => kind)).toEqual(['restart', 'restart', 'restart'])
    expect(seen().at(-1)).toBe('+a')
    expect(await valueOf(kernel, '/a', get)).toBe(0)
    await kernel.stop()
  })

  test('R15 each such try uses up one restart', async () => {
    const starts: Start[] = ['ok', 'fail', 'fail', 'fail', 'fail']
    const { send, settle, kernel, news } = await family({
      intensity: 3,
      children: [fresh('a', starts)],
    })
    send('/a', 'boom')
    await settle()
    expect(news.map(({ kind }) => kind)).toEqual(['restart', 'restart', 'restart', 'giveUp'])
    expect(kernel.alarms).toMatchObject([{ address: '/', error: { message: 'no start' } }])
    await kernel.stop()
  })

  test('R15 one_for_all begins with all again, whoever failed to start', async () => {
    const { send, settle, seen, kernel } = await family({
      strategy: 'one_for_all',
      children: [one('a'), fresh('b', ['ok', 'fail']), one('c')],
    })
    seen()
    send('/a', 'boom')
    await settle()
    const tried = seen().filter((each) => each !== '-b')
    expect(tried).toEqual(['-a', '-c', '+a', '-a', '+a', '+b', '+c'])
    await kernel.stop()
  })

  test('R15 rest_for_one goes on from the child that failed to start', async () => {
    const { send, settle, seen, kernel } = await family({
      strategy: 'rest_for_one',
      children: [one('a'), fresh('b', ['ok', 'fail']), one('c')],
    })
    seen()
    send('/a', 'boom')
    await settle()
    const tried = seen().filter((each) => each !== '-b')
    expect(tried).toEqual(['-a', '-c', '+a', '+b', '+c'])
    await kernel.stop()
  })

  test('R15 between two tries the supervisor answers, and siblings restart', async () => {
    const { send, settle, kernel, ask } = await family({
      children: [fresh('a', ['ok', 'fail', 'fail']), one('b')],
    })
    send('/a', 'boom')
    await until(async () => (await statusOf(ask(), 'a')) === 'restarting')
    expect(await ask().whichChildren()).toMatchObject({
      children: [
        { id: 'b', status: 'running' },
        { id: 'a', status: 'restarting' },
      ],
    })
    expect(await ask().startChild(one('c'))).toMatchObject({ ok: true })
    await settle()
    expect(await ask().countChildren()).toMatchObject({ counts: { active: 3 } })
    await kernel.stop()
  })

  test('R15 between two tries the supervisor can be stopped', async () => {
    const inner = supervisor({ id: 's', children: [fresh('a', ['ok', 'fail', 'fail'])] })
    const { send, kernel, ask } = await family({ children: [inner] })
    send('/s/a', 'boom')
    await until(async () => (await statusOf(ask('/s'), 'a')) === 'restarting')
    expect(await ask().terminateChild('s')).toMatchObject({ ok: true, running: false })
    expect(await ask('/s').countChildren()).toMatchObject({ ok: false, error: 'noproc' })
    await kernel.stop()
  })
})
