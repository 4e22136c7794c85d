import { describe, expect, test } from 'vitest'
import { actor } from '../../actors/actor.ts'
import { supervisor } from '../../actors/supervisor.ts'
import { createSystem } from '../../actors/system.ts'
import { memoryJournal } from '../../src/embedded/memory-journal.ts'
import type { Durability } from '../../src/kernel/child-spec.ts'
import { manualClock } from '../../src/kernel/manual-clock.ts'
import { silentLogger, type Logger } from '../../src/kernel/ports/logger.ts'
import { boom, busy } from '../support/busy.ts'
import { byHand } from '../support/driven.ts'
import { until } from '../support/running.ts'

const kept = ['none', 'async', 'sync'] as const

type View = { readonly context: { readonly count: number }; readonly value: string }
const view = (hand: ReturnType<typeof byHand>) => hand.ref('/it').getSnapshot() as unknown as View

const levels = ['debug', 'info', 'warn', 'error', 'child'] as const
const throwingLogger = Object.fromEntries(levels.map((level) => [level, boom])) as unknown as Logger
/** Its children are there, and throw. */
const throwingChild: Logger = { ...silentLogger, child: () => throwingLogger }

describe('a logger that throws', () => {
  const started = (logger: Logger, durability: Durability) => {
    const { calls, machine } = busy()
    const specs = [
      actor('it', machine, { durability }),
      actor('other', busy().machine, { durability }),
    ]
    return { calls, hand: byHand(specs, { logger }) }
  }

  const loggers: [string, Logger][] = [
    ['always', throwingLogger],
    ['for an actor', throwingChild],
  ]
  const cases = kept.flatMap((each) =>
    loggers.map(([when, logger]) => [when, each, logger] as const),
  )

  test.each(cases)('F9 changes nothing of a send to nobody (%s, %s)', (_, durability, logger) => {
    const { hand } = started(logger, durability)
    expect(hand.ref('/nobody').send({ type: 'x' })).toMatchObject({ reason: 'unknownActor' })
    expect(hand.ref('/it').send({ type: 'ambit.stop' })).toMatchObject({ reason: 'invalid' })
    expect(hand.system.deadLetters.count()).toBe(2)
  })

  test.each(cases)('F9 changes nothing of what an actor does (%s, %s)', (_, durability, logger) => {
    const { calls, hand } = started(logger, durability)
    hand.ref('/it').subscribe(boom)
    for (let i = 0; i < 3; i++) hand.send('/it', { type: 'add' })
    expect(view(hand).context.count).toBe(3)
    expect(calls).toHaveLength(3)
  })

  test.each(cases)('F9 changes nothing of a restart (%s, %s)', (_, durability, logger) => {
    const { hand } = started(logger, durability)
    for (const type of ['add', 'fail', 'add']) hand.send('/it', { type })
    hand.advance(60_000)
    expect(view(hand).context.count).toBe(durability === 'none' ? 1 : 2)
    hand.send('/other', { type: 'add' })
    expect((hand.context('/other') as { count: number }).count).toBe(1)
    expect(hand.system.alarms).toEqual([])
  })

  test.each(cases)(
    'F9 changes nothing of effects, questions and timers (%s, %s)',
    async (_, durability, logger) => {
      const { hand } = started(logger, durability)
      hand.send('/it', { type: 'work' })
      await until(() => {
        hand.system.drain()
        return view(hand).value === 'up'
      })
      hand.send('/it', { type: 'question' })
      hand.clock.advance(50)
      expect(view(hand).value).toBe('up')
      hand.clock.advance(1000)
      expect((hand.context('/it') as { ticks: number }).ticks).toBe(10)
      expect((hand.context('/other') as { ticks: number }).ticks).toBe(10)
      await hand.system.stop()
    },
  )

  test('F9 changes nothing of a commit that fails', async () => {
    const { machine } = busy()
    const memory = memoryJournal()
    let failures = 3
    const journal = {
      async open() {
        const session = await memory.open()
        const commit: typeof session.commit = (batch) => {
          if (failures-- > 0) throw new Error('the disk is full')
          return session.commit(batch)
        }
        return Object.assign(Object.create(session) as typeof session, {
          commit,
          load: session.load.bind(session),
        })
      },
    }
    const clock = manualClock()
    const root = supervisor({ children: [actor('it', machine)] })
    const system = createSystem({ root, journal, clock, logger: throwingLogger })
    let hasBegun = false
    void system.start().then(() => (hasBegun = true))
    await until(() => {
      clock.advance(50)
      return hasBegun
    })
    system.ref('/it').send({ type: 'add' })
    const answer = system.ref('/it').ask({ type: 'get' }, { timeoutMs: 1_000_000 })
    let value: unknown
    void answer.then((event) => (value = event.value))
    await until(() => {
      clock.advance(50)
      return value !== undefined
    })
    expect(value).toBe(1)
    await system.stop()
  })
})
