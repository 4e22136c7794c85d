import { describe, expect, test } from 'vitest'
import { pool, supervisor } from '../../actors/supervisor.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { child, family, statusOf, unstarted, type Start } from '../support/family.ts'
import { rounds, until, valueOf } from '../support/running.ts'

const get = { type: 'get' }

describe('a start', () => {
  test('R27 what a life that failed had said of its start is not about the next one', async () => {
    const { send, settle, ask, kernel, trace } = await family({
      children: [child('a', { recover: 'fresh', ready: 'told', attemptsMax: 1 })],
    })
    send('/a', 'boom', 'boom', 'boom')
    await settle()
    expect(trace.at(-1)).toBe('+a')
    expect(await statusOf(ask(), 'a')).toBe('running')
    expect(await valueOf(kernel, '/a', get)).toBe(0)
    await kernel.stop()
  })

  test('R27 three levels that give up one after the other leave everybody as they say', async () => {
    const limits = { intensity: 1, periodMs: 2000, backoff: { baseMs: 20, maxMs: 100 } }
    const one = child('c', {
      recover: 'fresh',
      ready: 'told',
      attemptsMax: 1,
      restart: 'permanent',
    })
    const two = supervisor({ id: 'b', ...limits, children: [one] })
    const { send, settle, ask, kernel } = await family({
      children: [supervisor({ id: 'a', ...limits, children: [two] })],
    })
    send('/a/b/c', 'boom', 'boom', 'boom', 'boom')
    await settle()
    expect(kernel.alarms).toEqual([])
    expect(await statusOf(ask('/a/b'), 'c')).toBe('running')
    expect(await valueOf(kernel, '/a/b/c', get)).toBe(0)
    await kernel.stop()
  })

  test.each(['none', 'sync'] as const)(
    'R19 that somebody else stops is over: the call is answered (%s)',
    async (durability) => {
      const starts: Start[] = ['ok', 'hang']
      const { ask, kernel, seen } = await family({
        children: [child('a', { durability, starts, ready: 'told' })],
      })
      await ask().terminateChild('a')
      seen()
      const answer = ask().restartChild('a')
      await until(() => seen().includes('+a'))
      kernel.stopActor('/a')
      expect(await answer).toMatchObject({ ok: true, running: false })
      expect(await statusOf(ask(), 'a')).toBe('down')
      await kernel.stop()
    },
  )

  test.each(['none', 'sync'] as const)(
    'R12 that ends before it is made is waited for no longer (%s)',
    async (durability) => {
      const { ask, kernel, send } = unstarted({
        children: [child('a', { durability, starts: ['hang'], ready: 'told' }), child('b')],
      })
      const started = kernel.start()
      await until(() => kernel.liveActors() === 2)
      await rounds()
      send('/a', 'end')
      await started
      expect(await statusOf(ask(), 'a')).toBe('down')
      expect(await statusOf(ask(), 'b')).toBe('running')
      await kernel.stop()
    },
  )

  test.each(['none', 'sync'] as const)(
    'R13 that was ignored is over when the child has stopped: it can be started again at once (%s)',
    async (durability) => {
      const starts: Start[] = ['ignore']
      const { ask, kernel, rest } = await family({ children: [child('a', { durability, starts })] })
      expect(await ask().restartChild('a')).toMatchObject({ ok: true, running: true })
      await rest()
      expect(await statusOf(ask(), 'a')).toBe('running')
      expect(await valueOf(kernel, '/a', get)).toBe(0)
      await kernel.stop()
    },
  )
})

test('R38 a start that is given up is a timeout to observers and to the supervisor', async () => {
  const reasons: string[] = []
  const starts: Start[] = ['ok', 'hang']
  const { send, kernel, news, clock, trace } = await family(
    { children: [child('a', { starts, ready: 'told', recover: 'fresh', startTimeoutMs: 100 })] },
    { observers: [{ onExit: ({ reason: { kind } }) => void reasons.push(kind) }] },
  )
  send('/a', 'boom')
  await until(() => trace.length === 3)
  clock.advance(100)
  await until(() => news.length === 2)
  expect(news[1]).toMatchObject({ kind: 'restart', reason: { kind: 'timeout' } })
  expect(reasons).toEqual(['error', 'timeout'])
  await kernel.stop()
})

describe('what a child had before it', () => {
  test('R34 goes back as dead letters when a quarantined child is deleted', async () => {
    const { ask, send, settle, kernel, letters } = await family({
      children: [child('a', { recover: 'stop' })],
    })
    send('/a', 'boom', 'add')
    await settle()
    expect(letters).toEqual([])
    await ask().deleteChild('a')
    const shown = () => letters.map(({ message: { type }, reason }) => `${type} ${reason}`)
    expect(shown()).toEqual(['boom stopped', 'add stopped'])
    send('/a', 'get')
    expect(shown()).toContain('get stopped')
    await kernel.stop()
  })

  test('R34 goes back when a member of a pool is forgotten, and its place is free', async () => {
    const { ask, send, settle, kernel, letters } = await family({
      children: [
        pool('p', child('m', { durability: 'none', restart: 'permanent' }), {
          intensity: 0,
          budget: 'each',
          maxChildren: 1,
        }),
      ],
    })
    send('/p/x', 'end', 'add')
    await settle()
    expect(letters.map(({ message: { type } }) => type)).toEqual(['add'])
    expect(await ask('/p').startChild({ id: 'y' })).toMatchObject({ ok: true, running: true })
    await kernel.stop()
  })
})

describe('a stop', () => {
  test('R17 whose grace is over cuts those off first who started last', async () => {
    const lingering = (id: string) => child(id, { stopping: 'lingers' })
    const { kernel, seen } = await family({ children: ['a', 'b', 'c'].map(lingering) })
    seen()
    await kernel.stop({ graceMs: 0 })
    expect(seen()).toEqual(['-c', '-b', '-a', '-/'])
  })

  test('R36 is answered when the end of the child is stored, however often that is refused', async () => {
    const journal = faultyJournal()
    const { ask, kernel, send, rest, settle } = await family(
      { children: [child('a')] },
      { journal },
    )
    await rest()
    journal.beforeCommit = failing(4)
    send('/a', 'end')
    let isAnswered = false
    const answer = ask()
      .terminateChild('a')
      .finally(() => (isAnswered = true))
    const stored = () => kernel.session.load('/a')
    await until(() => journal.commits > 3)
    expect([isAnswered, (await stored())?.status]).toEqual([false, 'active'])
    await settle()
    expect(await answer).toMatchObject({ ok: true, running: false })
    expect((await stored())?.status).not.toBe('active')
    expect(kernel['tree'].peek('/a')?.life).toBe('ended')
    await kernel.stop()
  })

  test('R36 waits for a journal that takes nothing no longer than its grace', async () => {
    const journal = faultyJournal()
    const { ask, kernel, send, rest, clock, settle } = await family(
      { children: [child('a', { shutdownMs: 300 })] },
      { journal },
    )
    await rest()
    journal.beforeCommit = failing(Infinity)
    send('/a', 'end')
    let isAnswered = false
    const answer = ask()
      .terminateChild('a')
      .finally(() => (isAnswered = true))
    await until(() => {
      clock.advance(10)
      return isAnswered
    })
    expect(await answer).toMatchObject({ ok: true, running: false })
    journal.beforeCommit = () => undefined
    await settle()
    expect(kernel['tree'].peek('/a')?.life).not.toBe('running')
    await kernel.stop({ graceMs: 0 })
  })
})

describe('a commit that failed', () => {
  test('R37 brings an actor that begins anew after failures back with what is stored', async () => {
    const journal = faultyJournal()
    const { kernel, send, settle } = await family(
      { children: [child('a', { recover: 'fresh' })] },
      { journal },
    )
    send('/a', 'add', 'add')
    await settle()
    journal.beforeCommit = failing(2)
    send('/a', 'add')
    await settle()
    expect(await valueOf(kernel, '/a', get)).toBe(3)
    await kernel.stop()
  })

  test('R37 brings nobody back whose supervisor has ended', async () => {
    const journal = faultyJournal()
    const { ask, kernel, send, rest, settle } = await family(
      { children: [supervisor({ id: 's', shutdownMs: 'kill', children: [child('a')] })] },
      { journal },
    )
    await rest()
    journal.beforeCommit = failing(2)
    send('/s/a', 'add')
    await ask().terminateChild('s')
    await settle()
    expect(kernel['tree'].peek('/s/a')).toMatchObject({ life: 'suspended', incarnation: 1 })
    await kernel.stop({ graceMs: 0 })
  })
})

test('R19 an answer is what was asked for, and no event', async () => {
  const { ask, kernel } = await family({ children: [child('a')] })
  expect(await ask().changeFlags({ intensity: 1 })).toMatchObject({ ok: true })
  for (const answer of [await ask().terminateChild('a'), await ask('/nobody').countChildren()])
    expect(answer).not.toHaveProperty('type')
  await kernel.stop()
})
