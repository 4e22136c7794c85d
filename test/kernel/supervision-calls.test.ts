import { describe, expect, test } from 'vitest'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { child, family, statusOf, type Start } from '../support/family.ts'
import { until, valueOf } from '../support/running.ts'

const get = { type: 'get' }
const no = (error: string) => ({ ok: false, error })

describe.each(['none', 'sync'] as const)('calls, durability %s', (durability) => {
  const one = (id: string, more: object = {}) => child(id, { durability, ...more })

  test('R19 startChild adds and starts; a known id is alreadyStarted, or alreadyPresent when down', async () => {
    const { ask, seen, kernel } = await family({ children: [one('a')] })
    expect(await ask().startChild(one('b'))).toMatchObject({ ok: true, id: 'b', running: true })
    expect(seen()).toEqual(['+a', '+b'])
    for (const id of ['a', 'b'])
      expect(await ask().startChild(one(id))).toMatchObject(no('alreadyStarted'))
    await ask().terminateChild('b')
    expect(await ask().startChild(one('b'))).toMatchObject(no('alreadyPresent'))
    await kernel.stop()
  })

  test('R19 a child that cannot be started is notStarted with its cause, and not kept', async () => {
    const { ask, kernel, news } = await family({ children: [] })
    expect(await ask().startChild(one('a', { starts: ['fail'] }))).toMatchObject({
      ...no('notStarted'),
      cause: { message: 'no start' },
    })
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 0 } })
    expect(news).toEqual([])
    expect(await ask().startChild(one('a'))).toMatchObject({ ok: true })
    await kernel.stop()
  })

  test('R19 terminateChild keeps the spec, and says the same again', async () => {
    const { ask, seen, kernel } = await family({ children: [one('a'), one('b')] })
    seen()
    for (let i = 0; i < 2; i++)
      expect(await ask().terminateChild('a')).toMatchObject({ ok: true, id: 'a', running: false })
    expect(seen()).toEqual(['-a'])
    expect(await statusOf(ask(), 'a')).toBe('down')
    await kernel.stop()
  })

  test('R19 a terminated temporary child is forgotten', async () => {
    const { ask, kernel } = await family({ children: [one('a', { restart: 'temporary' })] })
    expect(await ask().terminateChild('a')).toMatchObject({ ok: true })
    expect(await ask().terminateChild('a')).toMatchObject(no('notFound'))
    expect(await ask().startChild(one('a'))).toMatchObject({ ok: true })
    await kernel.stop()
  })

  test('R19 terminating a child is no failure of it: nobody restarts it', async () => {
    const { ask, settle, seen, kernel, news } = await family({
      strategy: 'one_for_all',
      children: [one('a', { restart: 'permanent' }), one('b')],
    })
    seen()
    await ask().terminateChild('a')
    await settle()
    expect(seen()).toEqual(['-a'])
    expect(news).toEqual([])
    await kernel.stop()
  })

  test('R19 restartChild starts what is down, without its past, and leaves the restarts uncounted', async () => {
    const { ask, send, settle, kernel } = await family({ intensity: 0, children: [one('a')] })
    send('/a', 'add', 'add')
    await settle()
    expect(await valueOf(kernel, '/a', get)).toBe(2)
    expect(await ask().restartChild('a')).toMatchObject(no('running'))
    for (let i = 0; i < 3; i++) {
      await ask().terminateChild('a')
      expect(await ask().restartChild('a')).toMatchObject({ ok: true, running: true })
    }
    expect(await valueOf(kernel, '/a', get)).toBe(0)
    expect(kernel.alarms).toEqual([])
    await kernel.stop()
  })

  test('R19 a restartChild that fails leaves the child down', async () => {
    const starts: Start[] = ['ok', 'fail']
    const { ask, kernel } = await family({ children: [one('a', { starts })] })
    await ask().terminateChild('a')
    expect(await ask().restartChild('a')).toMatchObject(no('notStarted'))
    expect(await statusOf(ask(), 'a')).toBe('down')
    expect(await ask().restartChild('a')).toMatchObject({ ok: true, running: true })
    await kernel.stop()
  })

  test('R19 deleteChild takes only what is down', async () => {
    const { ask, kernel } = await family({ children: [one('a'), one('b')] })
    expect(await ask().deleteChild('a')).toMatchObject(no('running'))
    await ask().terminateChild('a')
    expect(await ask().deleteChild('a')).toMatchObject({ ok: true, id: 'a' })
    expect(await ask().countChildren()).toMatchObject({ counts: { specs: 1 } })
    await kernel.stop()
  })

  test('R19 calls about a child nobody knows are notFound', async () => {
    const { ask, kernel } = await family({ children: [] })
    for (const call of ['terminateChild', 'restartChild', 'deleteChild'] as const)
      expect(await ask()[call]('x')).toMatchObject(no('notFound'))
    expect(await ask().changeChild('x', { restart: 'permanent' })).toMatchObject(no('notFound'))
    await kernel.stop()
  })

  test('R19 calls to nobody, or to one that keeps no children, are noproc', async () => {
    const { ask, kernel } = await family({ children: [one('a')] })
    expect(await ask('/nobody').countChildren()).toMatchObject(no('noproc'))
    expect(await ask('/a').countChildren()).toMatchObject(no('noproc'))
    await kernel.stop()
  })

  test('R19 a child between two tries is restarting to all but terminateChild, which voids the try', async () => {
    const starts: Start[] = ['ok', 'fail', 'fail']
    const { ask, send, settle, kernel, trace } = await family({
      children: [one('a', { starts, recover: 'fresh' })],
    })
    send('/a', 'boom')
    await until(async () => (await statusOf(ask(), 'a')) === 'restarting')
    expect(await ask().startChild(one('a'))).toMatchObject(no('alreadyPresent'))
    expect(await ask().restartChild('a')).toMatchObject(no('restarting'))
    expect(await ask().deleteChild('a')).toMatchObject(no('restarting'))
    const tries = starts.length
    expect(await ask().terminateChild('a')).toMatchObject({ ok: true, running: false })
    await settle()
    expect(starts).toHaveLength(tries)
    expect(trace.filter((each) => each === '+a')).toHaveLength(1)
    expect(await statusOf(ask(), 'a')).toBe('down')
    await kernel.stop()
  })

  test('R19 whichChildren gives the newest first, countChildren what is alive and of which kind', async () => {
    const inner = supervisor({ id: 's', children: [] })
    const { ask, kernel } = await family({ children: [one('a'), inner, pool('p', one('m'))] })
    await ask().startChild(one('b'))
    await ask().terminateChild('a')
    const answer = await ask().whichChildren()
    expect(answer.ok && answer.children.map(({ id, type }) => [id, type])).toEqual([
      ['b', 'worker'],
      ['p', 'supervisor'],
      ['s', 'supervisor'],
      ['a', 'worker'],
    ])
    expect(await ask().countChildren()).toMatchObject({
      counts: { specs: 4, active: 3, supervisors: 2, workers: 2 },
    })
    await kernel.stop()
  })

  test('R19 calls are done in their order, each when the one before is', async () => {
    const { ask, kernel } = await family({ children: [one('a')] })
    const calls = ['terminate', 'restart', 'terminate', 'delete', 'restart'] as const
    const asked = calls.map((call) => ask()[`${call}Child`]('a'))
    const answers = await Promise.all(asked)
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true, false])
    expect(await ask().startChild(one('a'))).toMatchObject({ ok: true, running: true })
    await kernel.stop()
  })

  test('R19 a supervisor is terminated, restarted and deleted like any child, with all below', async () => {
    const inner = supervisor({ id: 's', children: [one('x'), one('y')] })
    const { ask, seen, kernel } = await family({ children: [inner] })
    seen()
    await ask().terminateChild('s')
    expect(seen()).toEqual(['-y', '-x', '-s'])
    expect(await ask().restartChild('s')).toMatchObject({ ok: true, running: true })
    expect(seen()).toEqual(['+x', '+y'])
    await ask().terminateChild('s')
    expect(await ask().deleteChild('s')).toMatchObject({ ok: true })
    expect(await ask('/s').countChildren()).toMatchObject(no('noproc'))
    await kernel.stop()
  })

  test('R19 a pool answers for its members, and has no spec of theirs to keep', async () => {
    const { ask, kernel } = await family({ children: [pool('p', one('m'), { maxChildren: 2 })] })
    const members = ask('/p')
    expect(await members.startChild({ id: 'x' })).toMatchObject({ ok: true, running: true })
    expect(await members.startChild({ id: 'y' })).toMatchObject({ ok: true, running: true })
    expect(await members.startChild({ id: 'z' })).toMatchObject(no('notStarted'))
    expect(await members.countChildren()).toMatchObject({ counts: { specs: 1, active: 2 } })
    expect(await members.terminateChild('x')).toMatchObject({ ok: true, running: false })
    expect(await members.countChildren()).toMatchObject({ counts: { active: 1, workers: 1 } })
    expect(await members.restartChild('x')).toMatchObject(no('notForPools'))
    expect(await members.deleteChild('x')).toMatchObject(no('notForPools'))
    expect(await members.startChild({ id: 'z' })).toMatchObject({ ok: true, running: true })
    await kernel.stop()
  })

  test('R20 added children end with the life of their supervisor', async () => {
    const inner = supervisor({ id: 's', intensity: 0, children: [one('a')] })
    const { ask, send, settle, kernel } = await family({ children: [inner] })
    await ask('/s').startChild(one('added'))
    send('/s/a', 'boom')
    await settle()
    const answer = await ask('/s').whichChildren()
    expect(answer.ok && answer.children.map(({ id }) => id)).toEqual(['a'])
    expect(kernel.ref('/s/added').send({ type: 'add' })).toMatchObject({ status: 'rejected' })
    await kernel.stop()
  })

  test('R20 added children are not there after a restart of the system', async () => {
    const journal = memoryJournal()
    const first = await family({ children: [one('a')] }, { journal })
    await first.ask().startChild(one('added'))
    await first.kernel.stop()
    const second = await family({ children: [one('a')] }, { journal })
    expect(await second.ask().countChildren()).toMatchObject({ counts: { specs: 1, active: 1 } })
    await second.kernel.stop()
  })

  test('R20 an added temporary child is forgotten when it ends, and its id is free', async () => {
    const { ask, send, settle, kernel } = await family({ children: [] })
    const temporary = () => one('t', { restart: 'temporary' })
    for (const event of ['end', 'boom']) {
      expect(await ask().startChild(temporary())).toMatchObject({ ok: true, running: true })
      send('/t', event)
      await settle()
      expect(await ask().countChildren()).toMatchObject({ counts: { specs: 0 } })
    }
    await kernel.stop()
  })
})
