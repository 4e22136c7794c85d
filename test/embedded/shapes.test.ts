import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SHAPE_LEAVES_MAX, SHAPE_SEEN_MIN, SHAPES_MAX, Shapes } from '../../src/embedded/shapes.ts'
import { loadSqliteDriver, type SqliteDatabase } from '../../src/embedded/sqlite-driver.ts'
import { JOURNAL_FILE, sqliteJournal } from '../../src/embedded/sqlite-journal.ts'
import { openSqliteReader } from '../../src/embedded/sqlite-reader.ts'
import type { Json } from '../../src/kernel/json.ts'
import type { JournalEntry, JournalSession } from '../../src/kernel/ports/journal.ts'
import { message, turn } from '../support/journal-entries.ts'

let directory: string
let session: JournalSession
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'ambit-shapes-'))
  session = await journal().open()
})
afterEach(async () => {
  await session.close()
  rmSync(directory, { recursive: true, force: true })
})

const journal = () => sqliteJournal(directory, { driver: 'libsql' })

async function reopen(): Promise<void> {
  await session.close()
  session = await journal().open()
}

/** Looks at the journal's file beside its owner. */
async function look<T>(at: (database: SqliteDatabase) => T): Promise<T> {
  const file = join(directory, JOURNAL_FILE)
  const database = (await loadSqliteDriver('libsql')).open(file, { readOnly: true })
  try {
    return at(database)
  } finally {
    database.close()
  }
}

/** How rows stand in the file: by the number of their shape, or as JSON. */
const textsOf = (address: string) =>
  look((database) => {
    const sql = 'SELECT key, value FROM keyed_row WHERE address = ? ORDER BY key'
    const rows = database.prepare(sql).all(address) as { key: string; value: string }[]
    return rows.map(({ value }) => value)
  })

const shapesKept = () => look((database) => database.prepare('SELECT id FROM shape').all().length)

/** What comes of a value that is written and read as JSON, with the order of its keys. */
const asJson = (value: unknown) => JSON.stringify(value)
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

/** A turn that writes the same value into some rows, into the snapshot and a timer. */
const writing = (seq: number, value: Json, rows = SHAPE_SEEN_MIN + 2): JournalEntry =>
  turn('/a', seq, {
    snapshot: value,
    rows: Array.from({ length: rows }, (_, i) => [`k${10 + i}`, value] as const),
    timersSet: [{ address: '/a', id: 't', dueAt: 1, body: value }],
  })

/** All that was read back of `/a`. */
async function readBack(): Promise<readonly Json[]> {
  const stored = await session.load('/a')
  if (stored === undefined) throw new Error('nothing is stored')
  return [stored.snapshot, ...stored.rows.values(), ...stored.timers.map(({ body }) => body)]
}

const anyKeys = fc.oneof(
  fc.constantFrom('machine', 'a', 'b', '', '0', '10', '2', '-1', '01', 'constructor', 'toString'),
  fc.constantFrom('\u0000', '\u0001', '\u0002x', '\u0004', '\u001f', '\u007f', '\u2028', 'é'),
  fc.constantFrom('__proto__', '__proto__x', 'length', '\ud800', '💶', '"', '[', 's1['),
  fc.string({ maxLength: 4 }),
)

// Where JSON.parse of Node 24 has just read a key that is a backslash, it takes an escaped key for the same one.
const keys = anyKeys.filter((key) => !key.includes('\\'))
const numbers = fc.oneof(
  fc.constantFrom(0, -0, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 0.1, -1),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const texts = fc.oneof(fc.constantFrom('s1[', '', '\u0000', '\ud800', '"'), fc.string())
const leaves = fc.oneof(numbers, texts, fc.boolean(), fc.constant(null))

const { inner } = fc.letrec<{ inner: unknown; object: unknown }>((tie) => ({
  inner: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    fc.array(tie('inner'), { maxLength: 4 }),
    tie('object'),
  ),
  object: entriesOf(fc.oneof({ weight: 5, arbitrary: tie('inner') }, fc.constant(undefined))),
}))

/** Objects with own properties of any name, made as a program would make them. */
function entriesOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Json> {
  return fc
    .array(fc.tuple(keys, values), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries) as Json)
}

const objects = entriesOf(fc.oneof({ weight: 6, arbitrary: inner }, fc.constant(undefined)))

describe('a value of any shape', () => {
  test('J14 reads back as JSON would give it, learnt or not, before and after reopening', async () => {
    let seq = 0
    const isAlike = async (value: Json) => {
      await session.commit([writing(++seq, value)])
      const back = await readBack()
      expect(back.map(asJson)).toEqual(back.map(() => asJson(value)))
    }
    await fc.assert(fc.asyncProperty(objects, isAlike), { numRuns: 300 })
    const samples = fc.sample(objects, 20)
    for (const value of samples) {
      await isAlike(value)
      await reopen()
      expect((await readBack()).map(asJson)).toEqual(
        Array.from({ length: SHAPE_SEEN_MIN + 4 }, () => asJson(value)),
      )
    }
  })

  test('J14 two values never read back as each other, however much their shapes look alike', async () => {
    let seq = 0
    const pair = async ([one, other]: [Json, Json]) => {
      const rows = Array.from(
        { length: 2 * SHAPE_SEEN_MIN + 2 },
        (_, i) => [`k${100 + i}`, i % 2 === 0 ? one : other] as const,
      )
      await session.commit([turn('/a', ++seq, { rows })])
      const stored = await session.load('/a')
      const wanted = rows.map(([key, value]) => [key, asJson(value)])
      expect([...(stored?.rows ?? [])].map(([key, value]) => [key, asJson(value)])).toEqual(wanted)
    }
    await fc.assert(fc.asyncProperty(fc.tuple(objects, objects), pair), { numRuns: 200 })
    for (const alike of [
      [{ a: { b: 1 } }, { a: [1], b: 1 }],
      [
        { a: [], b: 1 },
        { a: [1], b: [] },
      ],
      [{ a: {} }, { a: [] }],
      [{ a: [[]] }, { a: [[], []] }],
      [{ machine: null }, { machine: 'null' }],
      [
        { machine: 'x', a: 1 },
        { machine: ['x'], a: 1 },
      ],
      [{ ab: 1 }, { a: { b: 1 } }],
      [{}, { machine: {} }],
    ] as [Json, Json][])
      await pair(alike)
  })

  test('J14 a value read twice is not one object: what is done to it is not read again', async () => {
    await session.commit([writing(1, { machine: { id: 'm' }, list: [{ a: 1 }] })])
    const [first, second] = (await readBack()) as { machine: { id: string }; list: Json[] }[]
    first?.list.push(2)
    expect(second).toEqual({ machine: { id: 'm' }, list: [{ a: 1 }] })
  })
})

describe('the limits of shapes', () => {
  test('J14 a shape is kept once it was seen often enough, and is used from then on', async () => {
    const seen = SHAPE_SEEN_MIN - 1
    const rowsOf = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => [`k${from + i}`, { a: i, b: 'x' }] as const)
    await session.commit([turn('/a', 1, { rows: rowsOf(100, seen) })])
    expect([await shapesKept(), ...(await textsOf('/a'))]).toEqual([
      0,
      ...rowsOf(100, seen).map(([, value]) => JSON.stringify(value)),
    ])
    await session.commit([turn('/a', 2, { rows: rowsOf(200, 2) })])
    expect(await shapesKept()).toBe(1)
    expect((await textsOf('/a')).slice(seen)).toEqual(['s1[0,"x"]', 's1[1,"x"]'])
  })

  test.each([
    [SHAPE_LEAVES_MAX, true],
    [SHAPE_LEAVES_MAX + 1, false],
  ])('J14 of a value with %i leaves the shape is kept: %s', async (count, isKept) => {
    const value = { list: Array.from({ length: count }, (_, i) => i) }
    await session.commit([writing(1, value)])
    expect(await shapesKept()).toBe(isKept ? 1 : 0)
    expect((await readBack()).map(asJson)).toContain(asJson(value))
    await reopen()
    await session.commit([writing(2, value)])
    expect((await textsOf('/a')).every((text) => text.startsWith('s'))).toBe(isKept)
  })

  test('J14 beyond the most shapes kept a value is stored as JSON', async () => {
    const database = (await loadSqliteDriver('libsql')).open(':memory:')
    database.exec('CREATE TABLE shape (id INTEGER PRIMARY KEY, skeleton TEXT NOT NULL)')
    const shapes = new Shapes(database, true)
    const learn = (value: Json) => {
      for (let i = 1; i < SHAPE_SEEN_MIN; i++) shapes.textOf(value)
      return shapes.textOf(value)
    }
    for (let i = 0; i < SHAPES_MAX; i++) expect(learn({ [`k${i}`]: i })).toBe(`s${i + 1}[${i}]`)
    expect(learn({ more: 1 })).toBe('{"more":1}')
    expect(shapes.valueOf(learn({ k7: 'seven' }))).toEqual({ k7: 'seven' })
    shapes.save()
    shapes.committed()
    const next = new Shapes(database, true)
    expect(next.textOf({ k4095: 1 })).toBe(`s${SHAPES_MAX}[1]`)
    expect(next.valueOf(`s${SHAPES_MAX}["x"]`)).toEqual({ k4095: 'x' })
    database.close()
  })
})

const value = (n: number) => ({ machine: { id: 'm', version: '1' }, state: { n, list: [n] } })
const unnumbered = () => turn('/bad', 1, { outbox: [{ ...message(1), headers: {} }] })

describe('a shape that was learnt in what was never stored', () => {
  test('J14 is used and kept by the next transaction that is', async () => {
    await expect(
      Promise.resolve(session.commit([writing(1, value(1)), unnumbered()])),
    ).rejects.toThrow()
    expect(await shapesKept()).toBe(0)
    await session.commit([writing(1, value(2))])
    expect(await shapesKept()).toBe(1)
    expect((await textsOf('/a'))[0]).toMatch(/^s1\[/)
    for (const again of [async () => undefined, reopen]) {
      await again()
      expect((await readBack()).map(plain)).toContainEqual(value(2))
    }
  })

  test('J14 is kept although only a group of its transaction was undone', async () => {
    const conflicting = { ...turn('/b', 5), group: 1 }
    const undone = { ...(writing(1, value(1)) as ReturnType<typeof turn>), group: 1 }
    const results = await session.commit([undone, conflicting, turn('/c', 1)])
    expect(results).toEqual(['conflict', 'conflict', 'stored'])
    await session.commit([writing(1, value(2))])
    await reopen()
    expect(await readBack()).toContainEqual(value(2))
    expect(await shapesKept()).toBe(1)
  })

  test('J14 is forgotten by the next opening, and its number is somebody else’s', async () => {
    await expect(
      Promise.resolve(session.commit([writing(1, value(1)), unnumbered()])),
    ).rejects.toThrow()
    await reopen()
    await session.commit([writing(1, { other: 'shape' })])
    expect(await textsOf('/a')).toContain('s1["shape"]')
    await session.commit([writing(2, value(3))])
    await reopen()
    expect(await readBack()).toContainEqual(value(3))
  })
})

describe('others who read', () => {
  test('J14 a reader that was opened before a shape was learnt reads what is stored by it', async () => {
    const reader = await openSqliteReader(directory)
    expect(reader?.rows('/a').size).toBe(0)
    await session.commit([writing(1, value(1))])
    expect([...(reader?.rows('/a').values() ?? [])]).toContainEqual(value(1))
    await session.commit([writing(2, { later: [value(2)] })])
    expect([...(reader?.rows('/a').values() ?? [])]).toContainEqual({ later: [value(2)] })
    reader?.close()
  })

  test('J14 a journal goes on with the shapes of its last opening', async () => {
    for (let seq = 1; seq <= 3; seq++) {
      await session.commit([writing(seq, value(seq), seq === 1 ? SHAPE_SEEN_MIN : 1)])
      const [newest = ''] = await textsOf('/a')
      if (seq > 1) expect(newest).toBe(`s1[${seq},${seq}]`)
      await reopen()
      expect(await readBack()).toContainEqual(value(seq))
    }
    expect(await shapesKept()).toBe(1)
  })
})
