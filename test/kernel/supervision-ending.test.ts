import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import type { AutoShutdown } from '../../src/kernel/supervisor-spec.ts'
import { controlledEffect } from '../support/controlled-effect.ts'
import { child, family, statusOf } from '../support/family.ts'
import { rounds, until } from '../support/running.ts'

describe.each(['none', 'sync'] as const)('ending, durability %s', (durability) => {
  const one = (id: string, more: object = {}) => child(id, { durability, ...more })
  const key = (id: string, more: object = {}) => one(id, { significant: true, ...more })
  const team = (autoShutdown: AutoShutdown, ...children: ReturnType<typeof child>[]) =>
    supervisor({ id: 's', restart: 'transient', autoShutdown, children })

  test('R16 any_significant ends the supervisor with the first significant end, in reverse order', async () => {
    const { send, settle, seen, kernel, news, ask } = await family({
      children: [team('any_significant', one('a'), key('k'), one('b')), one('other')],
    })
    seen()
    send('/s/k', 'end')
    await settle()
    expect(seen()).toEqual(['-k', '-b', '-a', '-s'])
    expect(news.map(({ kind, child: id }) => [kind, id])).toContainEqual(['autoShutdown', 'k'])
    expect(await statusOf(ask(), 's')).toBe('down')
    await kernel.stop()
  })

  test('R16 all_significant waits for the last significant end', async () => {
    const { send, settle, seen, kernel } = await family({
      children: [team('all_significant', key('k'), key('l'), one('a'))],
    })
    seen()
    send('/s/k', 'end')
    await settle()
    expect(seen()).toEqual(['-k'])
    send('/s/l', 'end')
    await settle()
    expect(seen()).toEqual(['-l', '-a', '-s'])
    await kernel.stop()
  })

  test('R16 an insignificant end ends nobody else', async () => {
    const { send, settle, seen, kernel } = await family({
      children: [team('any_significant', key('k'), one('a'))],
    })
    seen()
    send('/s/a', 'end')
    await settle()
    expect(seen()).toEqual(['-a'])
    await kernel.stop()
  })

  test('R16 a failing transient significant child is restarted and ends nobody', async () => {
    const { send, settle, seen, kernel } = await family({
      children: [team('any_significant', key('k'), one('a'))],
    })
    seen()
    send('/s/k', 'boom')
    await settle()
    expect(seen()).toEqual(['-k', '+k'])
    await kernel.stop()
  })

  test('R16 a temporary significant child ends its supervisor even by failing', async () => {
    const { send, settle, seen, kernel } = await family({
      children: [team('any_significant', key('k', { restart: 'temporary' }), one('a'))],
    })
    seen()
    send('/s/k', 'boom')
    await settle()
    expect(seen()).toEqual(['-k', '-a', '-s'])
    await kernel.stop()
  })

  test.each(['transient', 'temporary'])(
    'R16 a significant %s child that is terminated ends nobody',
    async (restart) => {
      const { ask, settle, seen, kernel } = await family({
        children: [team('any_significant', key('k', { restart }), one('a'))],
      })
      seen()
      await ask('/s').terminateChild('k')
      await settle()
      expect(seen()).toEqual(['-k'])
      await kernel.stop()
    },
  )

  test('R16 a significant bystander of a restart ends nobody', async () => {
    const inner = supervisor({
      id: 's',
      strategy: 'one_for_all',
      autoShutdown: 'any_significant',
      children: [one('a'), key('k'), key('t', { restart: 'temporary' })],
    })
    const { send, settle, seen, kernel } = await family({ children: [inner] })
    seen()
    send('/s/a', 'boom')
    await settle()
    expect(seen()).toEqual(['-a', '-t', '-k', '+a', '+k'])
    await kernel.stop()
  })

  test('R16 the end of a significant supervisor ends its own supervisor', async () => {
    const inner = supervisor({
      id: 's',
      restart: 'transient',
      significant: true,
      autoShutdown: 'any_significant',
      children: [key('k')],
    })
    const outer = supervisor({
      id: 'o',
      restart: 'transient',
      autoShutdown: 'any_significant',
      children: [inner, one('a')],
    })
    const { send, settle, seen, kernel } = await family({ children: [outer, one('b')] })
    seen()
    send('/o/s/k', 'end')
    await settle()
    expect(seen()).toEqual(['-k', '-s', '-a', '-o'])
    expect(kernel.alarms).toEqual([])
    await kernel.stop()
  })

  test('R17 one that handles ambit.stopping is told, and has ended when the answer comes', async () => {
    const { ask, seen, kernel } = await family({ children: [one('a', { stopping: 'lingers' })] })
    seen()
    const answer = ask().terminateChild('a')
    await rounds()
    expect(seen()).toEqual([])
    kernel.ref('/a').send({ type: 'finish' })
    expect(await answer).toMatchObject({ ok: true, running: false })
    expect(seen()).toEqual(['-a'])
    await kernel.stop()
  })

  test('R17 its grace over, it is cut off', async () => {
    const { ask, seen, kernel, clock } = await family({
      children: [one('a', { stopping: 'lingers', shutdownMs: 300 })],
    })
    seen()
    const answer = ask().terminateChild('a')
    await rounds()
    clock.advance(299)
    await rounds()
    expect(seen()).toEqual([])
    clock.advance(1)
    expect(await answer).toMatchObject({ ok: true, running: false })
    expect(seen()).toEqual(['-a'])
    await kernel.stop()
  })

  test('R17 one that is killed, or does not handle it, is not waited for', async () => {
    const { ask, seen, kernel } = await family({
      children: [one('a', { stopping: 'lingers', shutdownMs: 'kill' }), one('b')],
    })
    seen()
    await ask().terminateChild('b')
    await ask().terminateChild('a')
    expect(seen()).toEqual(['-b', '-a'])
    await kernel.stop()
  })

  test('R17 one that fails while it stops has ended too', async () => {
    const { ask, seen, send, settle, kernel } = await family({
      children: [one('a', { stopping: 'lingers', shutdownMs: 'infinity' }), one('b')],
    })
    seen()
    const answer = ask().terminateChild('a')
    await rounds()
    send('/a', 'boom')
    await settle()
    expect(await answer).toMatchObject({ ok: true, running: false })
    expect(await ask().countChildren()).toMatchObject({ counts: { active: 1 } })
    await kernel.stop()
  })

  test('R17 siblings are stopped one after the other, each after the end of the one before', async () => {
    const { kernel, seen } = await family({
      children: [
        one('a', { stopping: 'ends' }),
        one('b', { stopping: 'lingers' }),
        one('c', { stopping: 'ends' }),
      ],
    })
    seen()
    const stopped = kernel.stop({ graceMs: 60_000 })
    await rounds()
    expect(seen()).toEqual(['-c'])
    kernel.ref('/b').send({ type: 'finish' })
    await stopped
    expect(seen().filter((each) => each !== '-/')).toEqual(['-b', '-a'])
  })

  test('R18 members of a pool are told to stop at the same time', async () => {
    const { ask, kernel, seen } = await family({
      children: [pool('p', one('m', { stopping: 'lingers' }))],
    })
    for (const id of ['x', 'y', 'z']) await ask('/p').startChild({ id })
    seen()
    const answer = ask().terminateChild('p')
    await rounds()
    for (const id of ['y', 'z']) kernel.ref(`/p/${id}`).send({ type: 'finish' })
    await rounds()
    expect(seen()).toEqual(['-y', '-z'])
    kernel.ref('/p/x').send({ type: 'finish' })
    expect(await answer).toMatchObject({ ok: true, running: false })
    expect(seen()).toEqual(['-x', '-p'])
    await kernel.stop()
  })

  test('R18 members share one grace', async () => {
    const { ask, kernel, seen, clock } = await family({
      children: [pool('p', one('m', { stopping: 'lingers', shutdownMs: 500 }))],
    })
    for (const id of ['x', 'y', 'z']) await ask('/p').startChild({ id })
    seen()
    const answer = ask().terminateChild('p')
    await rounds()
    clock.advance(500)
    await answer
    expect(seen().sort()).toEqual(['-p', '-x', '-y', '-z'])
    await kernel.stop()
  })

  test('R8 a transient supervisor that gave up has failed, so it is restarted', async () => {
    const inner = supervisor({ id: 's', restart: 'transient', intensity: 0, children: [one('a')] })
    const { send, settle, seen, kernel, news } = await family({ children: [inner] })
    seen()
    send('/s/a', 'boom')
    await settle()
    expect(seen()).toEqual(['-a', '-s', '+a'])
    expect(news.map(({ supervisor: at, kind }) => [at, kind])).toEqual([
      ['/s', 'giveUp'],
      ['/', 'restart'],
    ])
    await kernel.stop()
  })

  test('R8 giving up goes up level by level, as far as the root', async () => {
    const inner = supervisor({ id: 's', intensity: 0, children: [one('a'), one('b')] })
    const { send, settle, seen, kernel, news } = await family({
      intensity: 0,
      children: [one('first'), inner, one('last')],
    })
    seen()
    send('/s/b', 'boom')
    await settle()
    expect(seen()).toEqual(['-b', '-a', '-s', '-last', '-first', '-/'])
    expect(news.map(({ supervisor: at, kind }) => `${at} ${kind}`)).toEqual([
      '/s giveUp',
      '/ giveUp',
    ])
    expect(kernel.alarms).toMatchObject([{ address: '/' }])
    await kernel.stop()
  })
})

test('R17 an effect that goes on regardless of its signal is waited for within the grace', async () => {
  const { calls, logic } = controlledEffect()
  const machine = setup({ actors: { work: logic } }).createMachine({
    id: 'busy',
    invoke: { src: 'work' },
  })
  const { ask, kernel, clock } = await family({
    children: [actor('a', machine, { durability: 'none', shutdownMs: 400 })],
  })
  await until(() => calls.length === 1)
  let isAnswered = false
  const answer = ask()
    .terminateChild('a')
    .then(() => (isAnswered = true))
  await rounds()
  expect(calls[0]?.context.signal.aborted).toBe(true)
  expect(isAnswered).toBe(false)
  clock.advance(400)
  await answer
  await kernel.stop({ graceMs: 0 })
})
