import { setImmediate as nextRound } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { fromTransition } from 'xstate'
import { actor } from '../../actors/actor.ts'
import { CAREFUL_ROUNDS } from '../../src/kernel/committer.ts'
import {
  AHEAD_SLICES_MAX,
  DRAIN_MS_MAX,
  MESSAGES_PER_SLICE_MAX,
  SLICE_MS_MAX,
} from '../../src/kernel/run-queue.ts'
import { thisTurn } from '../../src/kernel/turn.ts'
import { turnsOf } from '../support/errands.ts'
import { failing, faultyJournal } from '../support/faulty-journal.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { run, until } from '../support/running.ts'

interface Talk {
  isOver: boolean
  /** Called with each message that one of the pair takes. */
  onTake: () => void
}

/** Tells the other whatever it is told, until the talk is over. */
const chatty = (other: string, talk: Talk) =>
  fromTransition((count: number) => {
    talk.onTake()
    if (!talk.isOver) thisTurn().tell(other, { type: 'chat' })
    return count + 1
  }, 0)

const listener = (onTake: () => void) =>
  fromTransition((count: number) => {
    onTake()
    return count + 1
  }, 0)

/** A pair that talks for ever and a third actor, all journaled, over a journal with groups. */
async function talking(tokens: number, onThird: () => void = () => undefined) {
  const talk: Talk = { isOver: false, onTake: () => undefined }
  const [journal, clock] = [faultyJournal(), createManualClock()]
  const children = [
    actor('left', chatty('/right', talk)),
    actor('right', chatty('/left', talk)),
    actor('third', listener(onThird)),
  ]
  const running = await run(children, { journal, clock })
  const begin = () => {
    for (let i = 0; i < tokens; i++) running.kernel.ref('/left').send({ type: 'chat' })
  }
  const end = async () => {
    talk.isOver = true
    await running.settle()
    await running.kernel.stop()
  }
  return { ...running, talk, journal, clock, begin, end }
}

describe('a pair of journaled actors that talk for ever', () => {
  test.each([1, 50])(
    'T10 do not starve a third, whatever they have to say (%i at a time)',
    async (tokens) => {
      let taken = 0
      const [sentAt, waits]: [number[], number[]] = [[], []]
      const onThird = () => waits.push(taken - (sentAt[waits.length] ?? 0))
      const { kernel, talk, clock, begin, end } = await talking(tokens, onThird)
      talk.onTake = () => {
        // At any moment of a drain, and not only between two.
        clock.spend(0.005)
        if (++taken % 777 !== 0 || sentAt.length >= 10) return
        sentAt.push(taken)
        kernel.ref('/third').send({ type: 'x' })
      }
      begin()
      await until(() => waits.length >= 10)
      await end()
      // Each of the pair may stand in the queue before the third, and before each of them others go ahead.
      const most = 3 * (AHEAD_SLICES_MAX + 1) * Math.min(tokens, MESSAGES_PER_SLICE_MAX)
      expect(waits).toHaveLength(10)
      expect(Math.max(...waits)).toBeLessThanOrEqual(most)
    },
  )

  test('T10 do not starve a third after a failed commit, when each makes one turn', async () => {
    let taken = 0
    const order: string[] = []
    const { kernel, talk, journal, clock, begin, end } = await talking(20, () =>
      order.push('third'),
    )
    talk.onTake = () => {
      taken++
      order.push('pair')
      clock.spend(0.5)
    }
    begin()
    await until(() => taken > 100)
    journal.beforeCommit = failing(2)
    const before = journal.commits
    order.length = 0
    for (let i = 0; i < 5; i++) kernel.ref('/third').send({ type: 'x' })
    await until(() => order.filter((each) => each === 'third').length >= 5)
    expect(journal.commits - before).toBeLessThan(CAREFUL_ROUNDS)
    await end()
  })

  test('T17 let the event loop breathe, and are committed with every drain', async () => {
    let taken = 0
    const { talk, journal, clock, begin, end } = await talking(3)
    talk.onTake = () => {
      taken++
      clock.spend(1)
    }
    const perCommit: number[] = []
    journal.beforeCommit = (batch) => {
      const turns = turnsOf(batch)
      perCommit.push(turns.reduce((sum, { records }) => sum + records.length, 0))
    }
    begin()
    await until(() => perCommit.length > 20)
    for (const count of perCommit) expect(count).toBeLessThanOrEqual(DRAIN_MS_MAX + SLICE_MS_MAX)
    const before = taken
    await nextRound()
    await until(() => taken > before)
    expect(taken).toBeGreaterThan(100)
    await end()
  })
})

test('T10 after a failed commit each actor makes one turn a commit, and nobody is in a group', async () => {
  const [journal, clock] = [faultyJournal(), createManualClock()]
  const talk: Talk = { isOver: false, onTake: () => clock.spend(3) }
  const children = ['a', 'b', 'c', 'd'].map((id, i, all) =>
    actor(id, chatty(`/${all[(i + 1) % all.length] ?? 'a'}`, talk)),
  )
  const { kernel, settle } = await run(children, { journal, clock })
  for (const { id } of children)
    for (let i = 0; i < 4; i++) kernel.ref(`/${id}`).send({ type: 'chat' })
  await until(() => journal.commits > 10)
  let sinceFailed = -1
  const bad: string[] = []
  journal.beforeCommit = (batch) => {
    const turns = turnsOf(batch)
    if (sinceFailed >= 0 && ++sinceFailed > CAREFUL_ROUNDS - 2) return
    for (const { address, records, group } of sinceFailed > 0 ? turns : [])
      if (records.length > 1 || group !== undefined) bad.push(`${address} ${records.length}`)
    if (sinceFailed >= 0) return
    journal.conflicts = 1
    sinceFailed = 0
  }
  for (let i = 0; i < 100; i++) {
    await nextRound()
    clock.advance(100)
  }
  expect(sinceFailed).toBeGreaterThan(5)
  expect(bad).toEqual([])
  talk.isOver = true
  await settle()
  await kernel.stop()
})
