import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SqliteDriverName } from '../../src/embedded/sqlite-driver.ts'
import { temporaryFolder } from '../support/desk-process.ts'
import { Disk, type Image } from './disk.ts'
import { cutPower, isAcknowledgement, type CutVerdict } from './power-cut.ts'
import { buildRecorder, record, type Recorded, type RecordOptions } from './recorded.ts'

const CUTS = Number(process.env.AMBIT_CUTS ?? 40)
const SEED = process.env.AMBIT_SEED ?? 'power cuts'
const ERRANDS = 1000
const KILL_AFTER = 400
/** Each moves some eight megabytes from the write-ahead log to the database. */
const CHECKPOINTS_MIN = 2

const recorder = buildRecorder()
const isBlind = recorder === undefined
if (isBlind) console.log('power cuts: not run (no C compiler: apt-get install gcc libc6-dev)')

const hasNodeSqlite = Number(process.versions.node.split('.')[0]) >= 22
const drivers: SqliteDriverName[] = hasNodeSqlite ? ['node:sqlite', 'libsql'] : ['libsql']

type Flushes = RecordOptions['flushes']

describe.each(drivers)('power cuts on %s', (driver) => {
  const recordings = new Map<Flushes, Promise<Recorded>>()
  const recorded = (flushes: Flushes): Promise<Recorded> => {
    const sizes = { errands: ERRANDS, killAfter: KILL_AFTER }
    const made =
      recordings.get(flushes) ?? record({ driver, recorder: recorder ?? '', flushes, ...sizes })
    recordings.set(flushes, made)
    return made
  }
  const cutAll = async (flushes: Flushes, goesOn: boolean): Promise<CutVerdict[]> => {
    const { operations } = await recorded(flushes)
    const scratch = temporaryFolder()
    return cutPower(operations, { cuts: CUTS, seed: SEED, scratch, driver, goesOn })
  }

  const summary: string[] = []
  afterAll(() => {
    if (summary.length > 0) console.log(`power cuts on ${driver}: ${summary.join('; ')}`)
  })

  test('Z1 the recorder misses nothing: played back whole, the disk is as the process left it', async ({
    skip,
  }) => {
    skip(isBlind, 'power cuts: not run (no C compiler: apt-get install gcc libc6-dev)')
    const { folder, operations } = await recorded('FULL')
    const disk = new Disk()
    for (const operation of operations) disk.apply(operation)
    const [live, left] = [disk.live(), readFolder(folder)]
    expect(namesOf(live)).toEqual(namesOf(left))
    expect(namesOf(left).filter((name) => !isSame(live.get(name), left.get(name)))).toEqual([])
    expect(checkpointsIn(operations, disk)).toBeGreaterThanOrEqual(CHECKPOINTS_MIN)
  })

  test('Z2 with the first acknowledgement a new journal is there even where a folder keeps only flushed names', async ({
    skip,
  }) => {
    skip(isBlind, 'power cuts: not run (no C compiler: apt-get install gcc libc6-dev)')
    const { operations } = await recorded('FULL')
    const disk = new Disk()
    for (const operation of operations.slice(0, operations.findIndex(isAcknowledgement)))
      disk.apply(operation)
    const image = disk.cut({ fate: 'none', nameFate: 'strict', random: () => 0 })
    expect(namesOf(image)).toContain('journal/journal.sqlite-wal')
  })

  test('Z2 a power cut at any moment takes nothing that was acknowledged, and the system goes on', async ({
    skip,
  }) => {
    skip(isBlind, 'power cuts: not run (no C compiler: apt-get install gcc libc6-dev)')
    const verdicts = await cutAll('FULL', true)
    const [lossy, corrupt] = [verdicts.filter(isLossy), verdicts.filter(isCorrupt)]
    summary.push(`FULL ${lossy.length} lost ${corrupt.length} corrupt of ${verdicts.length}`)
    const { scratch } = await recorded('FULL')
    expect([...lossy, ...corrupt].map(describeVerdict), `kept in ${scratch}`).toEqual([])
    expect(verdicts.length).toBe(CUTS)
    rmSync(scratch, { recursive: true })
  }, 1_200_000)

  test('Z3 with synchronous NORMAL the same cuts take acknowledged turns: the harness can see', async ({
    skip,
  }) => {
    skip(isBlind, 'power cuts: not run (no C compiler: apt-get install gcc libc6-dev)')
    const verdicts = await cutAll('NORMAL', false)
    const lossy = verdicts.filter(isLossy)
    const most = Math.max(...verdicts.map(({ lost }) => lost.length))
    summary.push(`NORMAL lost in ${lossy.length} of ${verdicts.length} (up to ${most} turns)`)
    expect(lossy.length).toBeGreaterThan(verdicts.length / 2)
    expect(verdicts.filter(isCorrupt).map(describeVerdict)).toEqual([])
    rmSync((await recorded('NORMAL')).scratch, { recursive: true })
  }, 1_200_000)
})

const isLossy = ({ lost }: CutVerdict) => lost.length > 0

const isCorrupt = ({ corrupt, halves, wrong }: CutVerdict) =>
  corrupt !== undefined || halves > 0 || wrong.length > 0

function describeVerdict({ cut, lost, corrupt, halves, wrong }: CutVerdict): string {
  const first = lost.slice(0, 3).join(', ')
  return `${cut}: lost ${lost.length} (${first}), ${halves} halves, ${[corrupt, ...wrong].join('; ')}`
}

function checkpointsIn(operations: Recorded['operations'], disk: Disk): number {
  const isCheckpoint = (inode: bigint) => disk.nameOf(inode) === 'journal/journal.sqlite'
  return operations.filter((each) => each.kind === 'sync' && isCheckpoint(each.inode)).length
}

function readFolder(folder: string): Image {
  const names = readdirSync(folder, { recursive: true }) as string[]
  return new Map(
    names
      .filter((name) => !name.endsWith('-shm'))
      .map((name) => {
        const file = join(folder, name)
        return [name, statSync(file).isDirectory() ? 'folder' : readFileSync(file)]
      }),
  )
}

const namesOf = (image: Image) => [...image.keys()].sort()

const isSame = (a: Buffer | 'folder' | undefined, b: Buffer | 'folder' | undefined) =>
  Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b
