import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Journal, JournalSession, TurnCommit } from '../../src/kernel/ports/journal.ts'
import {
  before,
  disposal,
  full,
  message,
  position,
  turn,
  viewOf,
} from '../support/journal-entries.ts'
import { faultIn, headOf, journalKinds } from '../support/journal-kinds.ts'

describe.each(journalKinds)('the groups of a batch in %s', (_, make) => {
  let directory: string
  let journal: Journal
  let session: JournalSession

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ambit-journal-'))
    journal = make(directory)
    session = await journal.open()
  })

  afterEach(async () => {
    await session.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const reopen = async () => {
    await session.close()
    session = await journal.open()
  }

  const lookAt = () => viewOf(session)

  /** Entries of one group of a batch. */
  const grouped = (group: number, ...entries: readonly TurnCommit[]): TurnCommit[] =>
    entries.map((entry) => ({ ...entry, group }))
  const outboxIds = async () => (await session.recover()).outbox.map(({ id }) => id)
  const seqs = async (...addresses: readonly string[]) =>
    Promise.all(addresses.map(async (address) => (await session.load(address))?.seq ?? 0))
  const recorded = async () =>
    (await session.history({})).map(({ address, seq }) => `${address} ${seq}`)

  test('J12 the entries of a group are stored together', async () => {
    await session.commit([turn('/a', 1, { outbox: [message(1), message(2)] })])
    const taking = turn('/b', 1, { consumed: [{ ...position(1), receiver: '/b' }] })
    const batch = grouped(0, turn('/a', 2, { outbox: [message(3)] }), taking)
    expect(await session.commit([...batch, turn('/c', 1)])).toEqual(['stored', 'stored', 'stored'])
    for (const look of [async () => undefined, reopen]) {
      await look()
      expect(await seqs('/a', '/b', '/c')).toEqual([2, 1, 1])
      expect(await outboxIds()).toEqual(['/a>/b 2', '/a>/b 3'])
      expect(await recorded()).toEqual(['/a 1', '/a 2', '/b 1', '/c 1'])
    }
    expect(faultIn(await session.history({}), await headOf(session))).toBeUndefined()
  })

  test.each([0, 1, 2])(
    'J12 one conflict in a group leaves nothing of it (the conflict is entry %i)',
    async (at) => {
      const held = [message(2, '/c')]
      await session.commit([before, turn('/x', 1, { outbox: held, records: ['x'] })])
      const taken = { ...position(1), receiver: '/b' }
      const entries = [
        { ...full, seq: 2 },
        turn('/b', 1, { consumed: [taken], outbox: [message(9, '/a', '/b')], rows: [['k', 1]] }),
        turn('/c', 1, {
          consumed: [
            { ...position(2), receiver: '/c' },
            { ...position(9, '/b'), receiver: '/a' },
          ],
        }),
      ].map((entry, i) => (i === at ? { ...entry, expectedSeq: 7, seq: 8 } : entry))
      const untouched = await lookAt()
      expect(untouched.outbox).toContain('/a>/b 1')
      const batch = [turn('/y', 1), ...grouped(4, ...entries), turn('/z', 1)]
      const conflicts = ['conflict', 'conflict', 'conflict']
      expect(await session.commit(batch)).toEqual(['stored', ...conflicts, 'stored'])
      for (const look of [async () => undefined, reopen]) {
        await look()
        const { head: _, ...now } = await lookAt()
        const { head: __, ...then } = untouched
        expect(now).toEqual(then)
        expect(await seqs('/b', '/c', '/y', '/z')).toEqual([0, 0, 1, 1])
        expect(await recorded()).toEqual(['/a 1', '/x 1', '/y 1', '/z 1'])
      }
      // What the group would have consumed is consumed when it is done again, and then it is gone.
      expect(await session.commit([turn('/b', 1, { consumed: [taken] })])).toEqual(['stored'])
      expect(await outboxIds()).not.toContain('/a>/b 1')
      expect(faultIn(await session.history({}), await headOf(session))).toBeUndefined()
    },
  )

  test('J12 of two groups in one batch only the one with the conflict is left out', async () => {
    await session.commit([turn('/s', 1, { outbox: [message(1, '/r', '/s')] })])
    const take = (receiver: string) => ({ consumed: [{ ...position(1, '/s'), receiver }] })
    const batch = [
      ...grouped(0, turn('/r', 1, take('/r')), turn('/a', 1), turn('/b', 3)),
      ...grouped(1, turn('/c', 1), turn('/d', 1, { outbox: [message(1, '/e', '/d')] })),
      disposal(5),
    ]
    const answers = ['conflict', 'conflict', 'conflict', 'stored', 'stored', 'stored']
    expect(await session.commit(batch)).toEqual(answers)
    expect(await seqs('/r', '/a', '/b', '/c', '/d')).toEqual([0, 0, 0, 1, 1])
    expect(await outboxIds()).toEqual(['/s>/r 1', '/d>/e 1'])
    // The same again, without what was wrong: nothing of the first try is in its way.
    const again = grouped(0, turn('/r', 1, take('/r')), turn('/a', 1), turn('/b', 1))
    expect(await session.commit(again)).toEqual(['stored', 'stored', 'stored'])
    await reopen()
    expect(await outboxIds()).toEqual(['/d>/e 1'])
  })

  test('J12 a batch that fails as a whole stores no group of it', async () => {
    const unnumbered = { ...message(1), headers: {} }
    const bad = grouped(0, turn('/b', 1), turn('/c', 1, { outbox: [unnumbered] }))
    await expect(asPromise(() => session.commit(bad))).rejects.toThrow()
    expect(await seqs('/b', '/c')).toEqual([0, 0])
    expect(await recorded()).toEqual([])
    expect(await session.commit(grouped(0, turn('/b', 1), turn('/c', 1)))).toHaveLength(2)
    expect(faultIn(await session.history({}), await headOf(session))).toBeUndefined()
  })

  test('J13 records are chained in the order in which the turns were made', async () => {
    const made = (address: string, seq: number, ...places: readonly number[]) =>
      turn(address, seq, {
        expectedSeq: seq - places.length,
        places,
        records: places.map((place) => `{"place":${place}}`),
      })
    const ordered = async () => (await session.history({})).map(({ record }) => record)
    const inPlaces = (...places: readonly number[]) => places.map((place) => `{"place":${place}}`)
    await session.commit([
      ...grouped(0, made('/a', 3, 1, 4, 6), made('/b', 2, 2, 5)),
      made('/c', 1, 3),
    ])
    expect(await ordered()).toEqual(inPlaces(1, 2, 3, 4, 5, 6))
    expect(await recorded()).toEqual(['/a 1', '/b 1', '/c 1', '/a 2', '/b 2', '/a 3'])
    // What a conflict leaves out has no place, and no batch reaches back before another.
    const conflict = { ...made('/b', 4, 8, 10), expectedSeq: 9 }
    await session.commit([
      ...grouped(0, conflict, made('/a', 4, 7)),
      made('/c', 3, 9, 11),
      made('/d', 1, 2),
    ])
    await reopen()
    expect(await ordered()).toEqual(inPlaces(1, 2, 3, 4, 5, 6, 2, 9, 11))
    expect((await session.history({})).map(({ position }) => position)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
    expect(faultIn(await session.history({}), await headOf(session))).toBeUndefined()
  })

  test('J13 a record without a place comes after those of the entries before it', async () => {
    const at = (address: string, ...places: readonly number[]) =>
      turn(address, places.length, { expectedSeq: 0, places, records: places.map(String) })
    const plain = turn('/p', 2, { expectedSeq: 0, records: ['p1', 'p2'] })
    await session.commit([at('/a', 2, 5), plain, at('/b', 3, 6)])
    const records = (await session.history({})).map(({ record }) => record)
    expect(records).toEqual(['2', '3', '5', 'p1', 'p2', '6'])
  })
})

/** A journal that answers at once also throws at once. */
async function asPromise<T>(run: () => T | Promise<T>): Promise<T> {
  return run()
}
