import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor, type MachineOptions } from '../../actors/actor.ts'
import { pool, supervisor } from '../../actors/supervisor.ts'
import type { Event } from '../../src/kernel/message.ts'
import { monitor, reply, tell } from '../../src/logic/actions.ts'
import { child, family, statusOf, type Family } from '../support/family.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { rounds, run, until, valueOf } from '../support/running.ts'
import { worker } from '../support/worker.ts'

const IDLE_MS = 1000
const get = { type: 'get' }
const sleepy = (id: string, more: MachineOptions = {}) =>
  child(id, { idleAfterMs: IDLE_MS, ...more })

/** Lets so much time pass that whoever idles is asleep. */
async function night({ clock, rest }: Pick<Family, 'clock' | 'rest'>): Promise<void> {
  await rest()
  clock.advance(IDLE_MS)
  await rounds()
}

describe.each(['sync', 'async'] as const)('an actor that idles, durability %s', (durability) => {
  const one = (id: string) => sleepy(id, { durability })

  test('R50 leaves memory after its time, and comes back with its next message as it was', async () => {
    const house = await family({ children: [one('a')] })
    const { kernel, clock, rest, send } = house
    send('/a', 'add', 'add')
    await rest()
    clock.advance(IDLE_MS - 1)
    expect(kernel.liveActors()).toBe(1)
    send('/a', 'add')
    await rest()
    clock.advance(IDLE_MS - 1)
    expect(kernel.liveActors()).toBe(1)
    clock.advance(1)
    expect(kernel.liveActors()).toBe(0)
    send('/a', 'add')
    expect(await valueOf(kernel, '/a', get)).toBe(4)
    expect(kernel.liveActors()).toBe(1)
    await night(house)
    expect(kernel.liveActors()).toBe(0)
    await kernel.stop()
  })
})

test('R50 its supervisor has it as asleep, active, and as the next incarnation when it is back', async () => {
  const house = await family({ children: [sleepy('a'), child('b')] })
  const { ask, kernel } = house
  await night(house)
  const shown = await ask().whichChildren()
  expect(shown.ok && shown.children.map(({ status }) => status)).toEqual(['running', 'asleep'])
  expect(await ask().countChildren()).toMatchObject({ counts: { specs: 2, active: 2, asleep: 1 } })
  await valueOf(kernel, '/a', get)
  expect(await statusOf(ask(), 'a')).toBe('running')
  const after = await ask().whichChildren()
  expect(after.ok && after.children.map(({ incarnation }) => incarnation)).toEqual([1, 2])
  expect(await ask().countChildren()).toMatchObject({ counts: { active: 2, asleep: 0 } })
  await kernel.stop()
})

test('R50 one that works, or waits for its turn to be stored, does not sleep', async () => {
  const { calls, machine } = worker()
  const house = await run([actor('w', machine, { idleAfterMs: IDLE_MS })])
  const { kernel, clock, rest } = house
  kernel.ref('/w').send({ type: 'work' })
  await until(() => calls.length === 1)
  clock.advance(3 * IDLE_MS)
  expect(kernel.liveActors()).toBe(1)
  calls[0]?.succeed('result')
  await rest()
  await night(house)
  expect(kernel.liveActors()).toBe(0)
  expect(await valueOf(kernel, '/w', get)).toMatchObject({ done: 'result' })
  await kernel.stop()
})

const alarmClock = setup({
  types: { context: {} as { rung: number }, events: {} as Event },
  delays: { later: 5 * IDLE_MS },
}).createMachine({
  id: 'alarmClock',
  context: { rung: 0 },
  initial: 'waiting',
  on: { get: { actions: reply(({ context }) => ({ type: 'got', value: context.rung })) } },
  states: {
    waiting: {
      after: {
        later: { target: 'rung', actions: assign({ rung: ({ context }) => context.rung + 1 }) },
      },
    },
    rung: {},
  },
})

test('R50 its timers stay due and wake it', async () => {
  const house = await run([actor('t', alarmClock, { idleAfterMs: IDLE_MS })])
  const { kernel, clock, rest } = house
  await night(house)
  expect(kernel.liveActors()).toBe(0)
  clock.advance(4 * IDLE_MS - 1)
  expect(kernel.liveActors()).toBe(0)
  clock.advance(1)
  await rest()
  expect(kernel.liveActors()).toBe(1)
  expect(await valueOf(kernel, '/t', get)).toBe(1)
  await kernel.stop()
})

test('R50 the notice of a monitor wakes it, and whoever watches it hears nothing of its sleep', async () => {
  const watcher = setup({
    types: { context: {} as { heard: string[] }, events: {} as Event },
  }).createMachine({
    id: 'watcher',
    context: { heard: [] },
    entry: monitor('/w'),
    on: {
      'ambit.down': {
        actions: assign({
          heard: ({ context, event }) => [...context.heard, event.address as string],
        }),
      },
      get: { actions: reply(({ context }) => ({ type: 'got', value: context.heard })) },
    },
  })
  const house = await run([
    actor('w', worker().machine, { idleAfterMs: IDLE_MS }),
    actor('m', watcher, { idleAfterMs: IDLE_MS }),
  ])
  const { kernel, rest } = house
  await night(house)
  expect(kernel.liveActors()).toBe(0)
  kernel.ref('/w').send({ type: 'add' })
  await rest()
  expect(kernel.liveActors()).toBe(1)
  await night(house)
  kernel.ref('/w').send({ type: 'end' })
  await rest()
  expect(await valueOf(kernel, '/m', get)).toEqual(['/w'])
  await kernel.stop()
})

test('R50 a name still leads to it, and a look at it shows it as it was; observers hear of its next life', async () => {
  const house = await family({ children: [sleepy('a', { name: 'chief', groups: ['all'] })] })
  const { kernel, send, rest } = house
  const heard: unknown[] = []
  const view = () =>
    kernel.ref('/a').view() as {
      getSnapshot(): { context: { count: number } }
      subscribe(hear: (snapshot: { context: { count: number } }) => void): void
    }
  view().subscribe(({ context }) => heard.push(context.count))
  send('/a', 'add')
  await night(house)
  expect(kernel.liveActors()).toBe(0)
  expect(kernel.registry.resolve('chief')).toBe('/a')
  expect(kernel.registry.membersOf('all')).toEqual(['/a'])
  expect(view().getSnapshot().context.count).toBe(1)
  expect(kernel.liveActors()).toBe(1)
  await night(house)
  expect(kernel.liveActors()).toBe(0)
  send('/a', 'add')
  await rest()
  expect(heard).toEqual([1, 2])
  await kernel.stop()
})

test('R50 a member of a pool leaves, too, and is no member in memory any more', async () => {
  const house = await family({ children: [pool('p', sleepy('m'), { maxChildren: 1 })] })
  const { kernel, ask, send } = house
  send('/p/x', 'add')
  await night(house)
  expect(await ask('/p').countChildren()).toMatchObject({ counts: { active: 0, workers: 0 } })
  send('/p/y', 'add')
  await night(house)
  expect(await valueOf(kernel, '/p/x', get)).toBe(1)
  await kernel.stop()
})

describe('around a sleep', () => {
  test('R51 what comes while it falls asleep or wakes is taken once, in order', async () => {
    const journal = faultyJournal()
    const { kernel, clock, send, rest } = await family({ children: [sleepy('a')] }, { journal })
    let sent = 0
    for (let round = 0; round < 50; round++) {
      await rest()
      // At the very moment, right before and after it, and while the journal is being read.
      clock.advance(IDLE_MS - (round % 2))
      for (let i = 0; i <= round % 3; i++, sent++) send('/a', 'add')
      clock.advance(1)
      send('/a', 'add')
      sent++
    }
    expect(await valueOf(kernel, '/a', get)).toBe(sent)
    await kernel.stop()
  })

  test('R51 what a journaled actor sends it is taken once, also over crashes of the process', async () => {
    const sender = setup({ types: { events: {} as Event } }).createMachine({
      id: 'sender',
      on: { go: { actions: tell('/a', { type: 'add' }) } },
    })
    const journal = faultyJournal()
    const clock = createManualClock()
    const children = () => [sleepy('a'), actor('s', sender, { idleAfterMs: IDLE_MS })]
    for (let life = 1; life <= 4; life++) {
      const house = await family({ children: children() }, { journal, clock })
      for (let round = 0; round < 3; round++) {
        await night(house)
        expect(house.kernel.liveActors()).toBe(0)
        await house.kernel.ref('/s').deliver({ type: 'go' }, { id: `${life}.${round}` })
      }
      await journal.crash()
    }
    const last = await family({ children: children() }, { journal, clock })
    await last.rest()
    expect(await valueOf(last.kernel, '/a', get)).toBe(12)
    await last.kernel.stop()
  })

  test.each(['one_for_all', 'rest_for_one'] as const)(
    'R51 a restart of its group (%s) finds it as it was',
    async (strategy) => {
      const house = await family({ strategy, children: [child('bad'), sleepy('a')] })
      const { kernel, ask, send, settle } = house
      send('/a', 'add', 'add')
      await night(house)
      expect(await statusOf(ask(), 'a')).toBe('asleep')
      send('/bad', 'boom')
      await settle()
      expect(await statusOf(ask(), 'a')).toBe('running')
      expect(await valueOf(kernel, '/a', get)).toBe(2)
      await kernel.stop()
    },
  )

  test('R51 a supervisor that fails with it asleep leaves it down, whatever it is sent', async () => {
    const inner = supervisor({ id: 's', intensity: 0, children: [child('bad'), sleepy('a')] })
    const house = await family({ intensity: 0, children: [inner] })
    const { kernel, send, settle } = house
    await night(house)
    send('/s/bad', 'boom')
    await settle()
    house.seen()
    send('/s/a', 'add')
    await settle()
    expect(house.seen()).toEqual([])
    expect(kernel.alarms.map(({ address }) => address)).toEqual(['/'])
    await kernel.stop()
  })

  test('R51 a supervisor that is killed leaves it down, whatever it is sent', async () => {
    const inner = supervisor({ id: 's', shutdownMs: 'kill', children: [sleepy('a')] })
    const house = await family({ children: [inner] })
    const { kernel, ask, send, settle } = house
    await night(house)
    await ask().terminateChild('s')
    house.seen()
    send('/s/a', 'add')
    await settle()
    expect(house.seen()).toEqual([])
    await kernel.stop()
  })

  test.each(['deaf', 'ends'] as const)(
    'R51 terminateChild ends it by its stop protocol, %s; deleteChild is refused before',
    async (stopping) => {
      const journal = faultyJournal()
      const spec = () => child('a', { idleAfterMs: IDLE_MS, stopping })
      const house = await family({ children: [spec()] }, { journal })
      const { ask, kernel, send } = house
      send('/a', 'add')
      await night(house)
      expect(await ask().deleteChild('a')).toMatchObject({ ok: false, error: 'running' })
      expect(await statusOf(ask(), 'a')).toBe('asleep')
      expect(await ask().terminateChild('a')).toMatchObject({ ok: true, running: false })
      expect(await statusOf(ask(), 'a')).toBe('down')
      const turns = await kernel.session.history({ address: '/a' })
      const last = JSON.parse(turns.at(-1)?.record ?? '{}') as { message: Event; status: string }
      expect(last).toMatchObject(
        stopping === 'ends'
          ? { message: { type: 'ambit.stop' }, status: 'done' }
          : { message: { type: 'ambit.stop' }, status: 'stopped' },
      )
      expect(await ask().restartChild('a')).toMatchObject({ ok: true, running: true })
      expect(await valueOf(kernel, '/a', get)).toBe(0)
      await night(house)
      await ask().terminateChild('a')
      expect(await ask().deleteChild('a')).toMatchObject({ ok: true })
      await kernel.stop()
    },
  )

  test.each(['stop', 'crash'] as const)(
    'R51 after a %s of the process it is as it was',
    async (end) => {
      const journal = faultyJournal()
      const first = await family({ children: [sleepy('a')] }, { journal })
      first.send('/a', 'add', 'add')
      await night(first)
      expect(first.kernel.liveActors()).toBe(0)
      if (end === 'stop') await first.kernel.stop()
      else await journal.crash()
      const second = await family({ children: [sleepy('a')] }, { journal })
      await night(second)
      expect(second.kernel.liveActors()).toBe(0)
      expect(await valueOf(second.kernel, '/a', get)).toBe(2)
      await second.kernel.stop()
    },
  )

  test('R51 one whose past cannot be read is quarantined, and its supervisor has it as down', async () => {
    const journal = faultyJournal()
    const house = await family({ children: [sleepy('a')] }, { journal })
    const { kernel, ask, settle, send } = house
    send('/a', 'add')
    await night(house)
    journal.onLoad = () => {
      throw new Error('the disk is broken')
    }
    send('/a', 'add')
    await settle()
    expect(kernel.alarms.map(({ address }) => address)).toEqual(['/a'])
    expect(await statusOf(ask(), 'a')).toBe('down')
    await kernel.stop()
  })

  test('R51 by hand it is awake at once, and takes what it was sent with the next drain', async () => {
    const { kernel, clock, send } = await family(
      { children: [sleepy('a')] },
      { scheduler: 'manual' },
    )
    const count = () => {
      const view = kernel.ref('/a').view() as { getSnapshot(): { context: { count: number } } }
      return view.getSnapshot().context.count
    }
    send('/a', 'add')
    kernel.drain()
    clock.advance(IDLE_MS)
    expect(kernel.liveActors()).toBe(0)
    send('/a', 'add')
    expect(count()).toBe(1)
    kernel.drain()
    expect(count()).toBe(2)
    await kernel.stop()
  })
})

test('R52 what keeps nothing cannot idle out of memory: that is refused at definition', () => {
  expect(() => actor('a', alarmClock, { durability: 'none', idleAfterMs: 1 })).toThrow(
    /Actor "a" has durability 'none'.*Use 'async' or 'sync'/,
  )
  expect(() => actor('a', alarmClock, { idleAfterMs: 0 })).toThrow(/whole number from 1/)
})
