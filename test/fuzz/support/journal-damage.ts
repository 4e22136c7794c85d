import { createRequire } from 'node:module'
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'

interface Database {
  exec(sql: string): void
  close(): void
}

const Sqlite = createRequire(import.meta.url)('libsql') as new (file: string) => Database

const PAGE_BYTES = 8192

/** Something that happens to the files of a journal. */
export interface Damage {
  readonly name: string
  readonly file: string
  readonly apply: (folder: string) => void
}

const main = 'journal.sqlite'
const files = fc.constantFrom(main, main, main, `${main}-wal`, `${main}-wal`, `${main}-shm`)
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const flips: fc.Arbitrary<Damage> = fc
  .tuple(files, fc.array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 8 }))
  .map(([file, bits]) =>
    change(`${bits.length} bits flipped`, file, (bytes) => {
      for (const [at, bit] of bits) {
        const offset = Math.floor(at * bytes.length)
        bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit)
      }
      return bytes
    }),
  )

const cuts: fc.Arbitrary<Damage> = fc
  .tuple(files, fc.oneof(fc.constant(0), place))
  .map(([file, at]) => ({
    name: `cut at ${at}`,
    file,
    apply: (folder) => {
      const path = join(folder, file)
      if (existsSync(path)) truncateSync(path, Math.floor(at * readFileSync(path).length))
    },
  }))

const pages: fc.Arbitrary<Damage> = fc
  .tuple(fc.constantFrom('swapped', 'copied', 'emptied'), place, place)
  .map(([kind, from, to]) =>
    change(`page ${kind}`, main, (bytes) => {
      const count = Math.floor(bytes.length / PAGE_BYTES)
      if (count === 0) return bytes
      const [a, b] = [from, to].map((at) => Math.floor(at * count) * PAGE_BYTES) as [number, number]
      const [one, other] = [a, b].map((at) => Buffer.from(bytes.subarray(at, at + PAGE_BYTES)))
      if (kind === 'emptied') bytes.fill(0, a, a + PAGE_BYTES)
      else bytes.set(one ?? [], b)
      if (kind === 'swapped') bytes.set(other ?? [], a)
      return bytes
    }),
  )

const garbage: fc.Arbitrary<Damage> = fc
  .tuple(
    fc.constantFrom(main, `${main}-wal`, 'owner.lock', 'owner.json', 'heads.jsonl', 'clock.json'),
    fc.boolean(),
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
  )
  .map(([file, isMore, bytes]) => ({
    name: isMore ? 'garbage appended' : 'garbage instead',
    file,
    apply: (folder) => (isMore ? appendFileSync : writeFileSync)(join(folder, file), bytes),
  }))

/** What somebody with the SQLite shell does. */
export const edits: readonly Damage[] = [
  'UPDATE turn SET record = replace(record, \'"seq":1\', \'"seq":7\') WHERE position = 3',
  'DELETE FROM turn WHERE position = 3',
  'DELETE FROM turn WHERE position = (SELECT max(position) FROM turn)',
  'DELETE FROM turn',
  'UPDATE turn SET position = position + 1000 WHERE position = 4',
  "UPDATE turn SET address = '/elsewhere' WHERE position = 3",
  "UPDATE turn SET hash = 'x' WHERE position = 3",
  'DROP TABLE turn',
  'DROP TABLE actor',
  'DROP TABLE shape',
  'DROP TABLE meta',
  "UPDATE actor SET snapshot = '{'",
  "UPDATE actor SET snapshot = 's999[1]'",
  "UPDATE actor SET status = 'odd'",
  "UPDATE keyed_row SET value = '['",
  "INSERT INTO outbox VALUES (99999, 'no message')",
  "INSERT INTO shape VALUES (99, '{')",
  "UPDATE meta SET value = '2' WHERE key = 'format'",
  "UPDATE meta SET value = '99' WHERE key = 'format'",
  "UPDATE meta SET value = 'x' WHERE key = 'format'",
  "UPDATE meta SET value = 'x' WHERE key = 'epoch'",
  "DELETE FROM meta WHERE key = 'format'",
  'CREATE TABLE other (id INTEGER PRIMARY KEY, turn TEXT)',
  'ALTER TABLE turn ADD COLUMN more TEXT',
].map((sql) => ({
  name: sql,
  file: main,
  apply: (folder) => {
    const database = new Sqlite(join(folder, main))
    database.exec(sql)
    database.close()
  },
}))

/** What a disk does to any file. */
export const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 2, arbitrary: flips },
  { weight: 1, arbitrary: cuts },
  { weight: 1, arbitrary: pages },
  { weight: 1, arbitrary: garbage },
)

function change(name: string, file: string, how: (bytes: Buffer) => Buffer): Damage {
  const apply = (folder: string) => {
    const path = join(folder, file)
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    if (bytes.length > 0) writeFileSync(path, how(bytes))
  }
  return { name, file, apply }
}
