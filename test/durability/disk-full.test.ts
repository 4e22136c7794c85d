import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/desk-process.ts'
import { surveyJournal } from './survey.ts'
import { listenTo, workerFile, type Told } from './told.ts'

const DISK = '3m'
const BALLAST_KB = 2000
/** More than the disk could ever hold. */
const ERRANDS = 1000
const ERRANDS_AFTER = 10
/** It says so at powers of two only. */
const FAILURES_TOLD = 4

/** How to get a mount that nobody else sees: as root, or as root of a user namespace of one's own. */
const ways = [['-m'], ['-rm']]
const way = ways.find((flags) => {
  const probe = 'mount -t tmpfs -o size=64k tmpfs "$1"'
  const args = [...flags, 'sh', '-c', probe, 'sh', temporaryFolder()]
  return process.platform === 'linux' && spawnSync('unshare', args).status === 0
})
const mayMount = way !== undefined
if (!mayMount) console.log('disk full: not run (no tmpfs can be mounted in a namespace of its own)')

interface SmallDisk extends Told {
  /** Where the journal is once the process has ended. */
  readonly copy: string
}

/** Runs the worker on a small disk with some ballast, and takes the journal off it at the end. */
function startOnSmallDisk(): SmallDisk {
  const folder = temporaryFolder()
  const [disk, copy] = [join(folder, 'disk'), join(folder, 'copy')]
  mkdirSync(disk)
  const script = `
    mount -t tmpfs -o size=${DISK} tmpfs "$1"
    head -c ${BALLAST_KB}k /dev/zero >"$1/ballast"
    "$3" "$4" "$1/journal"
    cp -r "$1/journal" "$2"`
  const args = ['-c', script, 'sh', disk, copy, process.execPath, workerFile]
  const child = spawn('unshare', [...(way ?? []), 'sh', ...args], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  return { ...listenTo(child), copy }
}

test('Z4 a full disk takes nothing that was acknowledged; when there is room again all is done, each once', async ({
  skip,
  onTestFinished,
}) => {
  skip(!mayMount, 'disk full: not run (no tmpfs can be mounted in a namespace of its own)')
  const worker = startOnSmallDisk()
  onTestFinished(() => worker.leave())
  await worker.hears(/^ready$/)
  worker.tell(`errands 0 ${ERRANDS}`)
  const acknowledged = () => worker.said.filter((line) => line.startsWith('ack '))
  await worker.hears(new RegExp(`^error commit failed .* ${FAILURES_TOLD}$`))
  const atFull = acknowledged().length
  worker.tell('history')
  const [, turns] = await worker.hears(/^history (\d+)$/)
  expect(Number(turns)).toBeGreaterThan(atFull)
  worker.tell('enough')
  worker.tell('free disk/ballast')
  await worker.hears(/^handed in$/)
  worker.tell(`errands ${ERRANDS} ${ERRANDS + ERRANDS_AFTER}`)
  await worker.hears(/^handed in$/, 2)
  worker.tell('rest')
  await worker.hears(/^rested$/)
  await worker.leave()
  const survey = await surveyJournal(worker.copy)
  expect(survey).toMatchObject({ fault: undefined, dropped: [], underWay: [], miscounted: [] })
  const known = acknowledged().map((line) => line.split(' ')[1])
  expect([...survey.begun].sort()).toEqual(known.sort())
  expect(known.length).toBeGreaterThan(atFull + ERRANDS_AFTER)
  console.log(`disk full: after ${atFull} errands, ${known.length} in the end; 0 lost, 0 repeated`)
})
