import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CHAIN_START, type Journal, type JournalSession } from '../../src/kernel/ports/journal.ts'
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
import { rejection } from '../support/refusal.ts'

describe.each(journalKinds)('a journal in %s', (_, make) => {
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

  test('J1 a commit answers for each entry, in order, and stores them', async () => {
    const batch = [turn('/a', 1), turn('/b', 1), turn('/a', 2), disposal(9)]
    expect(await session.commit(batch)).toEqual(['stored', 'stored', 'stored', 'stored'])
    expect(await session.load('/a')).toMatchObject({ seq: 2, snapshot: '{"at":2}' })
    expect(await session.load('/b')).toMatchObject({ seq: 1, status: 'active' })
    const turns = await session.history({})
    expect(turns.map(({ address, seq }) => `${address} ${seq}`)).toEqual(['/a 1', '/b 1', '/a 2'])
  })

  test('J1 a batch that cannot be stored rejects, and the chain goes on whole after it', async () => {
    const unnumbered = { ...message(1), headers: {} }
    const batch = [turn('/a', 1), turn('/b', 1, { outbox: [unnumbered] })]
    await expect(session.commit(batch)).rejects.toThrow()
    expect(await session.commit([turn('/c', 1)])).toEqual(['stored'])
    expect(faultIn(await session.history({}), await headOf(session))).toBeUndefined()
  })

  test('J16 the rows of parked messages are found, whoever has them, and nothing else', async () => {
    const parked = { message: { id: 'm' }, at: 1 }
    const rows = (id: string) => [
      [`~parked:${id}`, { ...parked, id }] as const,
      ['~parkedNot', 1] as const,
      ['other', 2] as const,
    ]
    await session.commit([turn('/a', 1, { rows: rows('1') }), turn('/p/b', 1, { rows: rows('2') })])
    await reopen()
    expect(await session.parked(10)).toEqual([
      { address: '/a', key: '~parked:1', value: { ...parked, id: '1' } },
      { address: '/p/b', key: '~parked:2', value: { ...parked, id: '2' } },
    ])
    expect(await session.parked(1)).toHaveLength(1)
    await session.commit([turn('/a', 2, { rows: [['~parked:1', null]] })])
    expect(await session.parked(10)).toHaveLength(1)
  })

  test('J1 an empty commit stores nothing', async () => {
    expect(await session.commit([])).toEqual([])
    expect(await session.head()).toEqual({ position: 0, hash: CHAIN_START })
  })

  test('J1 several turns of one entry are stored as so many records', async () => {
    await session.commit([turn('/a', 3, { expectedSeq: 0, records: ['1', '2', '3'] })])
    const turns = await session.history({ address: '/a' })
    expect(turns.map(({ seq, record }) => [seq, record])).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '3'],
    ])
  })

  test('J1 what was never stored is undefined', async () => {
    expect(await session.load('/nobody')).toBeUndefined()
  })

  const lookAt = () => viewOf(session)

  test.each([
    ['of the past', 0],
    ['of the future', 5],
    ['as if new', 0],
  ])('J2 an expectedSeq %s is a conflict that stores nothing of its entry', async (_, expected) => {
    await session.commit([before])
    const untouched = await lookAt()
    const conflicting = { ...full, expectedSeq: expected, seq: expected + 1 }
    expect(await session.commit([conflicting])).toEqual(['conflict'])
    expect(await lookAt()).toEqual(untouched)
  })

  test('J2 a first entry that expects a past is a conflict', async () => {
    expect(await session.commit([turn('/new', 4)])).toEqual(['conflict'])
    expect(await session.load('/new')).toBeUndefined()
  })

  test('J2 the neighbours of a conflict are stored', async () => {
    await session.commit([turn('/b', 1)])
    const batch = [turn('/a', 1), turn('/b', 1), turn('/c', 1)]
    expect(await session.commit(batch)).toEqual(['stored', 'conflict', 'stored'])
    expect(await session.load('/c')).toMatchObject({ seq: 1 })
    const turns = await session.history({})
    expect(turns.map(({ address }) => address)).toEqual(['/b', '/a', '/c'])
    expect(faultIn(turns, await headOf(session))).toBeUndefined()
  })

  test('J3 a second owner is refused until the first has closed', async () => {
    const second = await rejection(Promise.resolve(journal.open()))
    expect(second.code).toBe('AMBIT_JOURNAL_OWNED')
    await reopen()
    expect(session.epoch).toBe(2)
  })

  test('J4 rows, outbox, timers, status and records are there after reopening', async () => {
    await session.commit([before, full, turn('/z', 1, { status: 'done' })])
    const untouched = await lookAt()
    expect(untouched).toMatchObject({
      stored: { seq: 2, generation: 1, incarnation: 1, rows: { kept: 'new' } },
      outbox: ['/a>/b 5'],
      timers: [{ address: '/a', id: 'other', dueAt: 9 }],
      busy: ['/a'],
    })
    expect(untouched.stored.rows).not.toHaveProperty('gone')
    const turns = await session.history({})
    await reopen()
    expect(await lookAt()).toEqual(untouched)
    expect(await session.history({})).toEqual(turns)
    expect(await session.load('/z')).toMatchObject({ status: 'done' })
  })

  test('J4 a timer that is cleared and set again in one turn has its new time', async () => {
    const first = { address: '/a', id: 't', dueAt: 5, body: '{}' }
    const second = { address: '/a', id: 't', dueAt: 8, body: '{}' }
    await session.commit([turn('/a', 1, { timersSet: [first] })])
    await session.commit([turn('/a', 2, { timersCleared: ['t'], timersSet: [second] })])
    const { body: _, ...wake } = second
    expect((await session.recover()).timers).toEqual([wake])
    expect((await session.load('/a'))?.timers).toEqual([second])
  })

  test('J4 rows hold any JSON, also under awkward keys', async () => {
    const value = { list: [1, 'ä', null, { deep: true }], empty: '' }
    await session.commit([
      turn('/a', 1, {
        rows: [
          ['__proto__', value],
          ["'; --", 0.5],
        ],
      }),
    ])
    await reopen()
    const rows = (await session.load('/a'))?.rows
    expect(rows?.get('__proto__')).toEqual(value)
    expect(rows?.get("'; --")).toBe(0.5)
  })

  test('J4 what was stored does not change with the value that was given', async () => {
    const value = { n: 1 }
    await session.commit([turn('/a', 1, { rows: [['k', value]] })])
    value.n = 2
    expect((await session.load('/a'))?.rows.get('k')).toEqual({ n: 1 })
  })

  test('J5 a message leaves the outbox with the commit that consumed it, alone', async () => {
    const outbox = [message(1), message(2), message(1, '/c'), message(1, '/b', '/x')]
    await session.commit([turn('/a', 1, { outbox })])
    await session.commit([turn('/b', 1, { consumed: [{ ...position(1), receiver: '/b' }] })])
    const left = (await session.recover()).outbox.map(({ id }) => id)
    expect([...left].sort()).toEqual(['/a>/b 2', '/a>/c 1', '/x>/b 1'])
  })

  test('J5 a message that no actor can take leaves the outbox by disposal', async () => {
    await session.commit([turn('/a', 1, { outbox: [message(1), message(2)] })])
    expect(await session.commit([disposal(1)])).toEqual(['stored'])
    expect((await session.recover()).outbox).toEqual([message(2)])
  })

  test('T3 the outbox comes back in the order of each stream, also beyond nine', async () => {
    const numbers = Array.from({ length: 25 }, (_, i) => i + 1)
    await session.commit([turn('/a', 1, { outbox: numbers.map((n) => message(n)) })])
    await reopen()
    const { outbox } = await session.recover()
    expect(outbox.map(({ headers }) => headers.stream?.number)).toEqual(numbers)
  })

  test('J6 every opening raises the epoch; system id and secret stay', async () => {
    const { systemId, secret } = session
    expect(session.epoch).toBe(1)
    for (const epoch of [2, 3]) {
      await reopen()
      expect(session).toMatchObject({ epoch, systemId, secret })
    }
    expect(secret.length).toBeGreaterThanOrEqual(32)
    expect(systemId).not.toBe(secret)
  })

  test('J6 a session that lost its journal commits no more', async () => {
    const old = session
    await reopen()
    await expect(old.commit([turn('/a', 1)])).rejects.toThrow()
    expect(await session.load('/a')).toBeUndefined()
  })

  test('J9 the records form one hash chain over all actors and openings', async () => {
    await session.commit([turn('/a', 1), turn('/b', 1)])
    await reopen()
    await session.commit([turn('/a', 2)])
    const turns = await session.history({})
    const head = await headOf(session)
    expect(turns.map(({ position }) => position)).toEqual([1, 2, 3])
    expect(faultIn(turns, head)).toBeUndefined()
    const edited = turns.map((each, i) => (i === 1 ? { ...each, record: '{}' } : each))
    expect(faultIn(edited, head)).toMatchObject({ kind: 'edited', position: 2 })
    const reordered = [turns[0]!, turns[2]!, turns[1]!]
    expect(faultIn(reordered, head)).toMatchObject({ kind: 'reordered', position: 3 })
    const renumbered = reordered.map((each, i) => ({ ...each, position: i + 1 }))
    expect(faultIn(renumbered, head)).toMatchObject({ kind: 'unlinked', position: 2 })
    expect(faultIn(turns.slice(0, 2), head)).toMatchObject({ kind: 'cut' })
    expect(faultIn(turns.slice(1), head)).toMatchObject({ kind: 'reordered', position: 2 })
  })

  test('J1 history is asked by actor, part of the tree, position and page', async () => {
    const addresses = ['/a', '/a/x', '/ab', '/a/x/y', '/b']
    await session.commit(addresses.map((address) => turn(address, 1)))
    const found = async (query: Parameters<JournalSession['history']>[0]) =>
      (await session.history(query)).map(({ address }) => address)
    expect(await found({ address: '/a' })).toEqual(['/a'])
    expect(await found({ under: '/a' })).toEqual(['/a', '/a/x', '/a/x/y'])
    expect(await found({ afterPosition: 3 })).toEqual(['/a/x/y', '/b'])
    expect(await found({ afterPosition: 1, limit: 2 })).toEqual(['/a/x', '/ab'])
  })
})
