import { afterEach, describe, expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { pool } from '../../actors/supervisor.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import { reducer, room } from './rooms.ts'
import { threads } from '../../src/isolation/threads.ts'
import { inThread, start, stopAll } from '../support/in-threads.ts'
import { waitFor } from '../wait-for.ts'

afterEach(stopAll)

describe('a thread of its own', () => {
  const script = [
    { type: 'add' },
    { type: 'note', by: 7 },
    { type: 'add', by: 4 },
    { type: 'tell', to: '/counter' },
    { type: 'double', by: 3 },
    { type: 'plain', by: 3 },
    { type: 'question', to: '/counter' },
    { type: 'nested' },
    { type: 'unknown' },
    { type: 'end' },
  ]

  /** What is stored of a run, without what differs between any two. */
  async function stored(specs: Parameters<typeof start>[0]): Promise<unknown[]> {
    const { system } = await start(specs)
    for (const [i, event] of script.entries()) {
      await system.ref('/room').deliver(event, { id: String(i) })
      await system.atRest({ timersWithinMs: 1000 })
    }
    const turns = await system.history({ address: '/room' })
    const isOwn = (key: string) => ['at', 'isMainThread', 'stream'].includes(key)
    return turns.map(({ record }): unknown =>
      JSON.parse(record, (key, value: unknown) => (isOwn(key) ? undefined : value)),
    )
  }

  test('I4 stores the same turns as the process itself', async () => {
    const counter = actor('counter', reducer)
    const here = await stored([actor('room', room), counter])
    const there = await stored([inThread('room', room, 'room'), counter])
    expect(here.length).toBeGreaterThan(script.length)
    expect(there).toEqual(here)
  })

  test('I4 steps and runs effects there, and knows its turn', async () => {
    const { ask, system } = await start([inThread('room', room, 'room')])
    expect(await ask('/room', 'get')).toEqual({ count: 0, last: null, isMainThread: false })
    await system.ref('/room').deliver({ type: 'note', by: 5 }, { id: '1' })
    expect(await ask('/room', 'turn')).toMatchObject({
      address: '/room',
      seq: 4,
      systemId: system.id,
      row: 5,
    })
    system.ref('/room').send({ type: 'double', by: 4 })
    const last = { doubled: 8, isMainThread: false }
    await waitFor(async () => JSON.stringify(await ask('/room', 'get')).includes('doubled'))
    expect(await ask('/room', 'get')).toMatchObject({ last })
  })

  test('I4 a reducer answers from there', async () => {
    const { ask, system } = await start([inThread('sum', reducer, 'reducer')])
    for (let i = 0; i < 40; i++) system.ref('/sum').send({ type: 'add' })
    expect(await ask('/sum', 'get')).toEqual({ n: 40, isMainThread: false })
  })

  test('R50 its thread ends when it falls asleep, and its next step has another', async () => {
    const before = threads.size
    const { ask, system } = await start([inThread('room', room, 'room', { idleAfterMs: 50 })])
    const awake = system.liveActors()
    await system.ref('/room').deliver({ type: 'add' }, { id: '1' })
    await waitFor(() => system.liveActors() < awake && threads.size === before)
    expect(await ask('/room', 'get')).toMatchObject({ count: 1, isMainThread: false })
  })

  test('I4 a custom action runs there after the commit', async () => {
    const { ask, system } = await start([inThread('room', room, 'room')])
    system.ref('/room').send({ type: 'look', by: 3 })
    await waitFor(async () => ((await ask('/room', 'seen')) as unknown[]).includes(3))
  })

  test('I4 a ref shows its snapshots and tells of each', async () => {
    const { ask, system } = await start([inThread('room', room, 'room')])
    const ref = system.ref('/room')
    const seen: unknown[] = []
    ref.subscribe((snapshot: { context: { count: number } }) => seen.push(snapshot.context.count))
    ref.send({ type: 'add', by: 2 })
    ref.send({ type: 'add', by: 3 })
    await ask('/room', 'get')
    expect(seen.slice(0, 2)).toEqual([2, 5])
    expect(ref.getSnapshot()).toMatchObject({ value: 'idle', context: { count: 5 } })
  })

  test('I4 the next process goes on where the last one ended', async () => {
    const journal = memoryJournal()
    const first = await start([inThread('room', room, 'room')], { journal })
    await first.system.ref('/room').deliver({ type: 'add', by: 9 }, { id: 'a' })
    await first.system.ref('/room').deliver({ type: 'note', by: 1 }, { id: 'b' })
    await first.system.stop()
    const second = await start([inThread('room', room, 'room')], { journal })
    expect(await second.ask('/room', 'get')).toMatchObject({ count: 9 })
    expect(await second.ask('/room', 'turn')).toMatchObject({ row: 1 })
  })

  test('I4 a step that throws fails its actor as anywhere, and the thread goes on', async () => {
    const { ask, system, exits } = await start([inThread('room', room, 'room')])
    const before = await ask('/room', 'thread')
    system.ref('/room').send({ type: 'add' })
    system.ref('/room').send({ type: 'boom' })
    system.ref('/room').send({ type: 'odd' })
    system.ref('/room').send({ type: 'add' })
    expect(await ask('/room', 'get')).toMatchObject({ count: 2 })
    expect(await ask('/room', 'thread')).toBe(before)
    const reasons = exits.map(({ reason }) => JSON.stringify(reason))
    expect(reasons.filter((reason) => reason.includes('boom'))).toHaveLength(2)
    expect(reasons.filter((reason) => reason.includes('AMBIT_CONTEXT_NOT_JSON'))).toHaveLength(2)
  })
})

test('I4 each member of a pool has a thread of its own', async () => {
  const { ask, system } = await start([pool('rooms', inThread('room', room, 'room'))])
  system.ref('/rooms/a').send({ type: 'add', by: 2 })
  expect(await ask('/rooms/a', 'get')).toMatchObject({ count: 2, isMainThread: false })
  expect(await ask('/rooms/b', 'get')).toMatchObject({ count: 0, isMainThread: false })
  expect(await ask('/rooms/a', 'thread')).not.toBe(await ask('/rooms/b', 'thread'))
})

test('I4 a step that is refused after it was made there has not happened', async () => {
  const { ask, system, exits } = await start([inThread('room', room, 'room')])
  system.ref('/room').send({ type: 'add' })
  system.ref('/room').send({ type: 'forbidden' })
  system.ref('/room').send({ type: 'add' })
  expect(await ask('/room', 'get')).toMatchObject({ count: 2 })
  expect(JSON.stringify(exits)).toContain('AMBIT_EVENT_REFUSED')
})

describe('its effects', () => {
  async function lastOf(type: string, by?: number): Promise<unknown> {
    const { ask, system } = await start([inThread('room', room, 'room')])
    await system.ref('/room').deliver({ type, by }, { id: type })
    await system.atRest()
    return ((await ask('/room', 'get')) as { last: unknown }).last
  }

  test.each([
    ['strange', { code: 'AMBIT_OUTPUT_INVALID' }],
    ['fails', { message: 'the tool says no' }],
  ])('I5 one that %s ends with what was wrong', async (type, expected) => {
    expect(await lastOf(type)).toMatchObject(expected)
  })

  test('I5 one that leaves its state is aborted', async () => {
    const { ask, system } = await start([inThread('room', room, 'room')])
    system.ref('/room').send({ type: 'wait' })
    system.ref('/room').send({ type: 'leave' })
    await waitFor(async () => ((await ask('/room', 'seen')) as unknown[]).includes('aborted'))
  })

  test('I5 one that blocks for longer than a turn may take holds up its own actor alone', async () => {
    const worker = { turnTimeoutMs: 100 }
    const { ask, system, exits } = await start([
      inThread('room', room, 'room', { worker }),
      actor('other', room),
    ])
    await ask('/room', 'get')
    await system.ref('/room').deliver({ type: 'block', by: 1500 }, { id: '1' })
    const order: string[] = []
    const blocked = ask('/room', 'get').then(() => order.push('room'))
    await ask('/other', 'get').then(() => order.push('other'))
    await blocked
    expect(order).toEqual(['other', 'room'])
    expect(exits).toEqual([])
    await system.atRest()
    expect(await ask('/room', 'get')).toMatchObject({ last: { isMainThread: false } })
  })

  test('I8 one whose thread ends is in doubt', async () => {
    expect(await lastOf('exit')).toMatchObject({ code: 'AMBIT_EFFECT_IN_DOUBT' })
  })

  test('I8 an idempotent one runs again in another thread, with maybeExecuted', async () => {
    expect(await lastOf('exitOnce')).toEqual({ attempt: 2, maybeExecuted: true })
  })
})

describe('a turn that never ends', () => {
  const worker = { turnTimeoutMs: 200 }

  test('I6 is killed, its message parked after its attempts, and the actor goes on', async () => {
    const { ask, system, exits, restarts } = await start([
      inThread('room', room, 'room', { worker }),
    ])
    const before = await ask('/room', 'thread')
    system.ref('/room').send({ type: 'add' })
    system.ref('/room').send({ type: 'loop' })
    system.ref('/room').send({ type: 'add' })
    expect(await ask('/room', 'get')).toMatchObject({ count: 2 })
    expect(await ask('/room', 'thread')).not.toBe(before)
    expect(exits.map(({ reason }) => reason)).toMatchObject([
      { kind: 'error', error: { code: 'AMBIT_TURN_TIMEOUT' } },
      { kind: 'error', error: { code: 'AMBIT_TURN_TIMEOUT' } },
    ])
    expect(restarts).toEqual(['/room', '/room'])
    const turns = await system.history({ address: '/room' })
    const parked = turns.filter(({ record }) => record.includes('"disposition":"parked"'))
    expect(
      parked.map(({ record }) => (JSON.parse(record) as { message: unknown }).message),
    ).toMatchObject([{ type: 'loop' }])
  })

  test('I6 holds up nobody else', async () => {
    const slow = { turnTimeoutMs: 3_600_000 }
    const { ask, system } = await start([
      inThread('room', room, 'room', { worker: slow }),
      actor('other', room),
    ])
    await ask('/room', 'get')
    system.ref('/room').send({ type: 'loop' })
    const unanswered = system.ref('/room').ask({ type: 'get' }, { timeoutMs: 300 })
    for (let i = 0; i < 100; i++) expect(await ask('/other', 'get')).toMatchObject({ count: 0 })
    await expect(unanswered).rejects.toMatchObject({ code: 'AMBIT_ASK_TIMEOUT' })
  })

  test('I6 what an earlier turn of it had done stays done', async () => {
    const journal = memoryJournal()
    const one = await start([inThread('room', room, 'room', { worker })], { journal })
    await one.system.ref('/room').deliver({ type: 'add', by: 3 }, { id: 'a' })
    one.system.ref('/room').send({ type: 'loop' })
    await one.system.stop({ graceMs: 0 })
    const two = await start([inThread('room', room, 'room', { worker })], { journal })
    expect(await two.ask('/room', 'get')).toMatchObject({ count: 3 })
  })
})

test('I7 over its heap limit an actor is killed alone, with that reason', async () => {
  const worker = { maxHeapMb: 48 }
  const { ask, system, exits } = await start([
    inThread('room', room, 'room', { worker }),
    actor('other', room),
  ])
  await system.ref('/room').deliver({ type: 'add' }, { id: '1' })
  system.ref('/room').send({ type: 'hoard' })
  expect(await ask('/room', 'get')).toMatchObject({ count: 1 })
  expect(await ask('/other', 'get')).toMatchObject({ count: 0 })
  expect(exits.map(({ address, reason }) => [address, reason])).toMatchObject([
    ['/room', { kind: 'error', error: { code: 'AMBIT_HEAP_LIMIT' } }],
    ['/room', { kind: 'error', error: { code: 'AMBIT_HEAP_LIMIT' } }],
  ])
})

test('I11 a system that stops ends the threads of its actors at once, also one that never ends', async () => {
  const before = threads.size
  const { ask, system } = await start([
    inThread('room', room, 'room', { worker: { turnTimeoutMs: 3_600_000 } }),
    inThread('idle', room, 'room'),
  ])
  await ask('/room', 'get')
  await ask('/idle', 'get')
  expect(threads.size).toBe(before + 2)
  system.ref('/room').send({ type: 'loop' })
  await system.stop({ graceMs: 0 })
  expect(threads.size).toBe(before)
})

test('I12 by hand an actor with a thread of its own runs in the process', async () => {
  const { system } = await start([inThread('room', room, 'room')], { scheduler: 'manual' })
  const before = threads.size
  const asked = system.ref('/room').ask({ type: 'get' })
  system.drain()
  expect(await asked).toMatchObject({ value: { isMainThread: true } })
  expect(threads.size).toBe(before)
})
