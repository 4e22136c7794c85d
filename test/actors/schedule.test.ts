import { describe, expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { schedule, type ScheduleOptions } from '../../actors/schedule.ts'
import { nextDue } from '../../machines/schedule.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { rounds, run, valueOf } from '../support/running.ts'

const HOUR = 3_600_000

/** Remembers for which times it was told. */
const listener = () =>
  actor(
    'listener',
    fromTransition((dues: readonly number[], event: { type: string; dueAt?: number }) => {
      if (event.type === 'get') thisTurn().reply({ type: 'got', value: [...dues] })
      return event.dueAt === undefined ? dues : [...dues, event.dueAt]
    }, []),
  )

const hourly = { cron: '0 * * * *', to: '/listener', event: { type: 'due' } } as const
const get = { type: 'get' }

async function started(options: Partial<ScheduleOptions> = {}) {
  const journal = faultyJournal()
  const children = () => [listener(), schedule('hourly', { ...hourly, ...options })]
  const clock = createManualClock()
  const running = await run(children(), { journal, clock })
  const pass = async (ms: number) => {
    clock.advance(ms)
    await running.rest()
  }
  const dues = async ({ kernel } = running) => (await valueOf(kernel, '/listener', get)) as number[]
  const first = nextDue({ ...hourly, timeZone: 'UTC' }, clock.now()) ?? 0
  return { ...running, clock, journal, children, pass, dues, first }
}

describe('a schedule', () => {
  test('W1 sends its event at each time of its cron line, with the time it was due', async () => {
    const { kernel, clock, pass, dues, first } = await started()
    await pass(first - clock.now() - 1)
    expect(await dues()).toEqual([])
    await pass(1)
    await pass(HOUR)
    await pass(HOUR)
    expect(await dues()).toEqual([first, first + HOUR, first + 2 * HOUR])
    await kernel.stop()
  })

  test.each([
    ['once', 3.5 * HOUR, 1],
    ['skip', 3.5 * HOUR, 0],
  ] as const)(
    'W2 with `%s`, of the times that passed while nothing ran (%i ms) %i are told',
    async (missed, ms, told) => {
      const { kernel, clock, journal, dues, first, children } = await started({ missed })
      await kernel.stop()
      clock.advance(first - clock.now() + ms)
      const second = await run(children(), { journal, clock })
      await second.settle()
      expect(await dues(second)).toEqual(told === 1 ? [first] : [])
      clock.advance(HOUR / 2)
      await second.rest()
      expect(await dues(second)).toEqual([...(told === 1 ? [first] : []), first + 4 * HOUR])
      await second.kernel.stop()
    },
  )

  test('W3 a time counts once, whenever its process is killed around it', async () => {
    let kills = 0
    for (const commitsBefore of [0, 1, 2]) {
      for (const isStored of [true, false]) {
        const { clock, journal, children, dues, first } = await started()
        let commits = 0
        const kill = () => {
          if (++commits > commitsBefore) void journal.crash()
        }
        if (isStored) journal.afterCommit = kill
        else journal.beforeCommit = kill
        clock.advance(first - clock.now())
        await rounds(30)
        journal.afterCommit = journal.beforeCommit = () => undefined
        await journal.crash()
        kills += commits > commitsBefore ? 1 : 0
        const second = await run(children(), { journal, clock })
        await second.settle()
        expect(await dues(second)).toEqual([first])
        await second.kernel.stop()
      }
    }
    expect(kills).toBeGreaterThanOrEqual(2)
  })

  test('W4 a clock that is set back brings no time about again', async () => {
    const { kernel, clock, pass, dues, first } = await started()
    await pass(first - clock.now())
    clock.turnTo(first - HOUR / 2)
    await pass(HOUR / 2)
    expect(await dues()).toEqual([first])
    await kernel.stop()
  })

  test('W5 another cron line in the next version counts before the old one is due', async () => {
    const { kernel, clock, journal, first } = await started({ cron: '0 0 1 1 *' })
    await kernel.stop()
    const children = [listener(), schedule('hourly', hourly)]
    const second = await run(children, { journal, clock })
    clock.advance(HOUR)
    await second.rest()
    clock.advance(HOUR)
    await second.rest()
    const dues = (await valueOf(second.kernel, '/listener', get)) as number[]
    expect(dues.length).toBeGreaterThan(0)
    expect(dues.every((due) => (due - first) % HOUR === 0)).toBe(true)
    await second.kernel.stop()
  })

  test('W6 one that is never due again has ended', async () => {
    const { kernel, rest } = await started({ cron: '0 0 0 1 1 * 2020' })
    await rest()
    expect(kernel.ref('/hourly').send(get)).toMatchObject({ reason: 'stopped' })
    await kernel.stop()
  })
})

test.each([
  [
    'summer time begins: 2:30 does not exist, 3:00 does',
    '2026-03-29T00:00:00Z',
    '2026-03-29T01:00:00.000Z',
  ],
  ['the day after', '2026-03-29T12:00:00Z', '2026-03-30T00:30:00.000Z'],
  ['summer time ends: the first 2:30', '2026-10-24T22:00:00Z', '2026-10-25T00:30:00.000Z'],
  ['and not the second', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00.000Z'],
])('W7 cron lines follow their time zone: %s', (_, after, due) => {
  const at = nextDue({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, Date.parse(after))
  expect(new Date(at ?? 0).toISOString()).toBe(due)
})

test.each([
  [{ cron: 'now and then' }, /"cron" to be a line such as/],
  [{ timeZone: 'Berlin' }, /"timeZone" to be one such as/],
  [{ event: { type: 'ambit.stop' } }, /"type" of its own/],
  [{ missed: 'all' }, /"missed" to be one of skip, once/],
  [{ to: undefined }, /expects "to", got nothing/],
  [{ crn: '' }, /has no option "crn"/],
])('W8 %j is refused by name', (wrong, says) => {
  expect(() => schedule('s', { ...hourly, ...wrong } as never)).toThrow(says)
})
