import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { silentLogger, type Logger } from '../../src/kernel/ports/logger.ts'
import type { Observer } from '../../src/kernel/ports/observer.ts'
import { boom, busy } from '../support/busy.ts'
import { byHand } from '../support/driven.ts'

const kept = ['none', 'async', 'sync'] as const

type View = {
  readonly context: { readonly count: number }
  readonly value: string
  readonly status: string
}
const view = (hand: ReturnType<typeof byHand>) => hand.ref('/it').getSnapshot() as unknown as View

describe('an observer of an actor that throws', () => {
  test.each(kept)('F6 changes nothing, and those after it are told (%s)', (durability) => {
    const warnings: string[] = []
    const logger: Logger = {
      ...silentLogger,
      child: () => logger,
      warn: (_, message) => void warnings.push(message),
    }
    const hand = byHand([actor('it', busy().machine, { durability })], { logger })
    const ref = hand.ref('/it')
    const heard: string[] = []
    ref.subscribe({ next: boom, error: boom, complete: boom })
    ref.on('added', boom)
    ref.on('*', boom)
    ref.select(boom as never)
    ref.subscribe({
      next: ({ context }: View) => heard.push(`count ${context.count}`),
      complete: () => heard.push('complete'),
    })
    ref.on('added', () => heard.push('added'))
    hand.send('/it', { type: 'add' })
    hand.send('/it', { type: 'add' })
    hand.send('/it', { type: 'end' })
    expect(heard).toEqual(['added', 'count 1', 'added', 'count 2', 'count 2', 'complete'])
    expect(warnings.filter((each) => each === 'an observer failed').length).toBeGreaterThanOrEqual(
      8,
    )
    expect(hand.system.alarms).toEqual([])
  })

  test.each(kept)(
    'F6 as its actor fails does not keep the failure from others (%s)',
    (durability) => {
      const specs = [actor('it', busy().machine, { durability, restart: 'temporary' })]
      const hand = byHand(specs)
      const heard: unknown[] = []
      hand.ref('/it').subscribe({ error: boom })
      hand.ref('/it').subscribe({ error: (error) => heard.push((error as Error).message) })
      hand.send('/it', { type: 'fail' })
      expect(heard).toEqual(['not my day'])
      expect(hand.system.alarms).toMatchObject([{ address: '/it' }])
      // Whoever comes late and throws has itself to blame, but not the caller.
      expect(() => hand.ref('/it').subscribe({ error: boom })).not.toThrow()
    },
  )

  test.each(kept)(
    'F6 and takes itself away, or adds others, disturbs nobody (%s)',
    (durability) => {
      const hand = byHand([actor('it', busy().machine, { durability })])
      const ref = hand.ref('/it')
      const heard: string[] = []
      const first = ref.subscribe(() => {
        heard.push('first')
        first.unsubscribe()
        ref.subscribe(() => heard.push('added'))
        boom()
      })
      ref.subscribe(() => heard.push('second'))
      hand.send('/it', { type: 'add' })
      hand.send('/it', { type: 'add' })
      // As in XState, whose observers are told in the order in which they came, newcomers included.
      expect(heard).toEqual(['first', 'second', 'added', 'second', 'added'])
    },
  )
})

describe('an observer of the system that throws', () => {
  const throwing: Observer = { onTurn: boom, onExit: boom, onRestart: boom, onDeadLetter: boom }
  const rejecting = Object.fromEntries(
    Object.keys(throwing).map((key) => [key, () => Promise.reject(new Error('later'))]),
  ) as Observer

  test.each(
    kept.flatMap((each) => [
      [each, 'throws', throwing] as const,
      [each, 'rejects', rejecting] as const,
    ]),
  )('F6 changes nothing, and those after it are told (%s, %s)', async (durability, _, observer) => {
    const told: string[] = []
    const telling: Observer = {
      onTurn: ({ type }) => told.push(type),
      onRestart: () => told.push('restart'),
      onDeadLetter: ({ reason }) => told.push(reason),
    }
    const observers = [observer, telling]
    const hand = byHand([actor('it', busy().machine, { durability })], { observers })
    for (const type of ['add', 'fail', 'add']) {
      hand.send('/it', { type })
      hand.advance(1000)
    }
    hand.send('/nobody', { type: 'x' })
    for (const each of ['add', 'restart', 'unknownActor']) expect(told).toContain(each)
    expect(view(hand).context.count).toBe(durability === 'none' ? 1 : 2)
    expect(hand.system.alarms).toEqual([])
    await hand.system.stop({ graceMs: 0 })
  })
})

describe('a wake-up of the clock that throws', () => {
  test.each(kept)('F5 does not stop the timers of the system (%s)', (durability) => {
    const hand = byHand([actor('it', busy().machine, { durability })])
    const ticks = () => (hand.context('/it') as { ticks: number }).ticks
    for (const ms of [50, 100, 150]) hand.clock.wakeAt(hand.clock.now() + ms, boom)
    for (let i = 0; i < 3; i++) expect(() => hand.clock.advance(500)).toThrow('not my day')
    hand.clock.advance(500)
    expect(ticks()).toBeGreaterThanOrEqual(5)
    hand.clock.advance(1000)
    expect(ticks()).toBeGreaterThanOrEqual(15)
  })

  test.each(kept)('F5 as a timer fails its actor, the others fall due (%s)', (durability) => {
    const failing = setup({ actions: { fail: assign(boom) } }).createMachine({
      id: 'failing',
      initial: 'a',
      states: { a: { after: { 100: { target: 'b', actions: 'fail' } } }, b: {} },
    })
    const options = { durability, restart: 'temporary' } as const
    const hand = byHand([
      actor('bad', failing, options),
      actor('it', busy().machine, { durability }),
    ])
    expect(() => hand.clock.advance(350)).not.toThrow()
    expect((hand.context('/it') as { ticks: number }).ticks).toBe(3)
    expect(hand.system.alarms).toMatchObject([{ address: '/bad' }])
  })
})
